"""The documents that the editor of this server has open, over their files.

A document has two states: what its file was when it was opened, reloaded or saved (the parent), and what it shows.
Unsaved text is a draft over the parent. Everything here runs on the thread that owns the journal, in the order in
which the editor told it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

from takeback.errors import TakebackError
from takeback.journal import views
from takeback.model.paths import WorkspacePath, is_within, rebased
from takeback.model.spans import LineEdit
from takeback.model.state import FileKind
from takeback.service import proposing, saves, sources
from takeback.service.decoding import normal, shows
from takeback.service.documents import Blocked, Buffer, Proposed, digest
from takeback.service.opening import Workspace
from takeback.service.published import Publication
from takeback.service.sifting import Sifting
from takeback.undo.buffer import Older
from takeback.undo.plan import FilePlan

_MAX_BYTES = 1 << 26
_RECENT = 20
"""How many changes back a document that was just opened may be."""
_REMEMBERED = 64
"""How many closed documents, and how many renames, are known."""
_RECENT_TEXTS = 200
"""How many texts a document may have had between a save and the word of it."""


class Buffers:
    """The open documents of one workspace."""

    def __init__(self, workspace: Workspace, publication: Publication, is_behind: Callable[[], bool]) -> None:
        self._workspace = workspace
        self._publication = publication
        workspace.recorder.sift = Sifting(workspace, self._unheld, is_behind)
        self._open: dict[str, Buffer] = {}
        """By what the editor calls them: through a link, a file may be open under several names."""
        self._held: dict[WorkspacePath, Proposed] = {}
        self._closed: dict[WorkspacePath, Buffer] = {}
        """The last documents that were closed: they may come back under another name."""
        self._renamed: tuple[tuple[WorkspacePath, WorkspacePath], ...] = ()
        """The last renames that the editor told of, newest first."""
        self._saved_besides: list[Callable[[], None]] = []
        """Records saves of held documents that are not the plan's."""

    # -- what the editor tells -------------------------------------------------------------------

    def opened(self, name: str, path: WorkspacePath, version: int, text: str) -> None:
        """A document was opened; where it never was its file, the editor kept unsaved text over it."""
        disk, stamp = self._look(path)
        former = self._former(path, text)
        if former is not None:
            self._set(name, replace(former, path=path, version=version, disk=disk, stamp=stamp))
            return
        parent = disk if shows(text, disk) else self._recorded_as(path, text) or disk
        known = Buffer(
            path=path,
            version=version,
            text=text,
            parent=parent,
            base=_base(parent, text),
            disk=disk,
            stamp=stamp,
            spans=() if shows(text, parent) else None,
        )
        self._set(name, known)

    def will_rename(self, renamed: Sequence[tuple[WorkspacePath, WorkspacePath]]) -> None:
        """Files are renamed: editors close their documents, and open them again under the new names."""
        self._renamed = (*renamed, *self._renamed)[:_REMEMBERED]

    def _former(self, path: WorkspacePath, text: str) -> Buffer | None:
        """The document that this one was before its file was renamed, unsaved text and all."""
        for source, target in self._renamed:
            if is_within(path, target):
                old = rebased(path, target, source)
                found = next(iter(self._at(old)), None) or self._closed.get(old)
                return found if found is not None and found.text == text else None
        return None

    def changed(
        self,
        name: str,
        path: WorkspacePath,
        version: int,
        text: str,
        edits: tuple[LineEdit, ...] | None,
    ) -> None:
        """A document was edited, or reloaded: then it is what its file is now."""
        known = self._known(name, path)
        if known is None:
            self.opened(name, path, version, text)
            return
        was_clean = not known.has_unsaved
        recent = (*known.recent, digest(text))[-_RECENT_TEXTS:]
        known = replace(known, version=version, text=text, recent=recent, spans=known.spans_after(edits))
        if not known.has_unsaved:  # nothing is left of what was to be saved
            known = replace(known, before_save=None)
        now = self._refreshed(known)
        if was_clean:  # editors reload clean documents only
            now = replace(now, may_be_reloaded=not now.is_over_disk)
        self._set(name, now.caught_up_with_disk() if shows(text, now.disk) else now)

    def will_save(self, name: str, path: WorkspacePath) -> None:
        """A document is about to be saved: what changes until then, nobody types."""
        known = self._known(name, path)
        if known is not None:
            self._open[name] = replace(known, before_save=known.draft)

    def saved(self, name: str, path: WorkspacePath, text: str) -> None:
        """A document was saved: its file is recorded as the human's, and what came after that as it is.

        What is in `text` besides was typed after the save, and is not saved.
        """
        known = self._known(name, path)
        disk, stamp = self._look(path)
        if known is None:
            known = Buffer(path=path, version=0, text=text, parent=None, base=text, disk=disk, stamp=stamp)
        saved = known.saved_as(text, disk, stamp)
        wrote = saves.written(saved, known.parent)
        self._record_save(known.saved(saved), wrote)
        disk, stamp = self._look(path)
        later = Buffer(
            path=path,
            version=known.version,
            text=text,
            parent=disk if wrote is None or shows(saved, disk) else wrote,
            base=saved,
            disk=disk,
            stamp=stamp,
            saved_at=stamp,
            recent=known.since(saved),
            spans=() if text == saved else None,
        )
        self._set(name, later)

    def _record_save(self, saved: Buffer, wrote: bytes | None) -> None:
        held = self._held.get(saved.path)
        if held is not None and normal(held.text) == normal(saved.text):
            self._record_draft(held)
        elif not sources.is_paused(self._workspace):
            act = partial(self._record_seen, saved, wrote, is_typed=self._is_typed(saved))
            act() if held is None else self._saved_besides.append(act)

    def _record_seen(self, saved: Buffer, wrote: bytes | None, *, is_typed: bool) -> None:
        for seen in self._workspace.looker.observe(
            [saved.path]
        ):  # ignored files are not recorded, whoever saves them
            saves.record(self._workspace, saved, seen.after, wrote, is_typed=is_typed)

    def _renew_time(self, closed: Buffer) -> None:
        """Give a file the present time where it kept its own for a document that will not be saved any more."""
        if closed.keeps_time:
            with suppress(TakebackError):
                self._workspace.folder.set_modified(closed.path, self._workspace.clock())

    def _is_typed(self, saved: Buffer) -> bool:
        """Whether a save puts on disk what somebody typed, and not what the document was reloaded from.

        The text may be found on disk before the save is told. An unchanged save writes the file anew after that.
        """
        return saved.has_unsaved or saved.caught_up == self._stamp(saved.path)

    def _record_draft(self, held: Proposed) -> None:
        """What a save in the middle of a plan wrote besides the plan's is the human's, and then no longer unsaved."""
        wrote = saves.written(held.shown, held.parent)
        if wrote is not None and not held.was_clean:
            saves.record_draft(self._workspace, held.path, wrote)
            self._held[held.path] = replace(held, was_clean=True)

    def closed(self, name: str) -> None:
        """A document was closed; its unsaved text is gone."""
        known = self._open.pop(name, None)
        if known is not None:
            self._renew_time(known)
            self._closed.pop(known.path, None)
            self._closed[known.path] = known
            if len(self._closed) > _REMEMBERED:
                del self._closed[next(iter(self._closed))]
            self._publish()

    def close(self) -> None:
        """No document is open any more."""
        for known in self._open.values():
            self._renew_time(known)
        self._open.clear()
        self._publication.close()

    # -- what a plan asks ------------------------------------------------------------------------

    def propose(self, plan: FilePlan) -> Proposed | Blocked | None:
        """What the document of a planned file has to become; `None` if there is none, or its text is not concerned.

        A file that goes, comes or moves takes no document along: that is the editor's.
        """
        names = [name for name, known in self._open.items() if known.path == plan.path]
        if not names or not plan.writes:
            return None
        for name in names:
            self._set(name, self._refreshed(self._open[name]).reloaded_or_not())
        if len(names) > 1:
            return proposing.for_several(plan, self._at(plan.path))
        return proposing.for_one(self._workspace, plan, names[0], self._open[names[0]])

    def has_unsaved(self, path: WorkspacePath) -> bool:
        """Whether a document shows other text than the file that it came from."""
        return any(known.has_unsaved for known in self._at(path))

    def is_edited(self, path: WorkspacePath) -> bool:
        """Whether a document was changed together with its file and not saved since."""
        return any(known.is_edited for known in self._at(path))

    def keeps_time(self, path: WorkspacePath) -> bool:
        """Whether a file has an older time than its content, for the sake of its document."""
        return any(known.keeps_time for known in self._at(path))

    # -- while a plan is carried out -------------------------------------------------------------

    def hold(self, proposed: Iterable[Proposed]) -> None:
        """These documents are about to be changed; an editor may save them before their files are written.

        Until `let_go`, what such a save writes is the plan's and is recorded by nobody else in this process.
        """
        self._held = {one.path: one for one in proposed if one.over_disk}
        self._workspace.recorder.held = frozenset(self._held)

    def let_go(self) -> None:
        """The plan was carried out, or given up: what was saved meanwhile and is not the plan's is recorded now."""
        self.hold(())
        waiting, self._saved_besides = self._saved_besides, []
        for record in waiting:
            record()

    def take_in_saves(self) -> None:
        """Record what editors have saved along with the plan, also where they have not told of it yet."""
        for path, held in tuple(self._held.items()):
            if shows(held.text, self._look(path)[0]):
                self._record_draft(held)

    def holds(self, path: WorkspacePath) -> bool:
        """Whether a document is being changed together with its file."""
        return path in self._held

    def followed_elsewhere(self, proposed: Proposed, path: WorkspacePath) -> None:
        """A document was changed together with its file through another workspace that it belongs to."""
        self.followed(replace(proposed, path=path, older=None))

    def followed(self, proposed: Proposed) -> None:
        """A document went along with its file: from now on it comes from what that became.

        Not where it was reloaded or saved meanwhile.
        """
        known = self._known(proposed.name, proposed.path)
        if known is None or known.parent != proposed.parent:
            return
        moved = replace(
            known,
            parent=proposed.after,
            base=_base(proposed.after, known.text),
            older=self._went_along(proposed),
            is_edited=known.is_edited or proposed.is_edited,
            spans=None,
            came=None,
            before_save=None,
            may_be_reloaded=False,
        )
        if not moved.has_unsaved:
            moved = replace(moved, spans=())
        self._set(proposed.name, self._refreshed(moved))

    def _went_along(self, proposed: Proposed) -> Older | None:
        """What is in a document that still lags behind its file, after the file's newest change."""
        if proposed.older is None:
            return None
        file = self._workspace.recorder.state_of(proposed.path)[0]
        newest = views.newest_changes(self._workspace.journal, [file])[file].seq
        return replace(proposed.older, besides=proposed.older.besides | {newest})

    def _recorded_as(self, path: WorkspacePath, text: str) -> bytes | None:
        """The file when it last was this text: somebody wrote it after the editor had read it."""
        file, now = self._workspace.recorder.state_of(path)
        changes = views.file_changes(self._workspace.journal, file)[-_RECENT:] if file else ()
        states = [now, *(state for one in reversed(changes) for state in (one.after, one.before))]
        for state in states:
            if state.kind is FileKind.FILE and state.blob is not None and state.captured:
                data = self._workspace.store.get(state.blob)
                if shows(text, data):
                    return data
        return None

    # --------------------------------------------------------------------------------------------

    def _at(self, path: WorkspacePath) -> list[Buffer]:
        return [known for known in self._open.values() if known.path == path]

    def _unheld(self, path: WorkspacePath) -> list[Buffer]:
        """The documents of a file, unless they are being changed together with it."""
        return [] if path in self._held else self._at(path)

    def _known(self, name: str, path: WorkspacePath) -> Buffer | None:
        """What is known of a document, unless its name leads to another file by now."""
        known = self._open.get(name)
        return known if known is not None and known.path == path else None

    def _set(self, name: str, known: Buffer) -> None:
        self._open[name] = known
        self._publish()

    def _publish(self) -> None:
        self._publication.tell(self.documents())

    def document(self, name: str) -> Buffer | None:
        """One open document, by what the editor calls it."""
        return self._open.get(name)

    def documents(self) -> Mapping[WorkspacePath, bool]:
        """Every open file, and whether it holds unsaved text."""
        dirty = {known.path for known in self._open.values() if known.is_dirty}
        return {known.path: known.path in dirty for known in self._open.values()}

    def digests(self) -> Mapping[WorkspacePath, str | None]:
        """SHA-256 of what each open file's document shows; `None` where two documents of it show something else."""
        found: dict[WorkspacePath, str | None] = {}
        for known in self._open.values():
            shown = hashlib.sha256(known.text.encode("utf-8", "surrogatepass")).hexdigest()
            found[known.path] = shown if found.get(known.path, shown) == shown else None
        return found

    def _refreshed(self, known: Buffer) -> Buffer:
        if self._stamp(known.path) == known.stamp:
            return known
        disk, stamp = self._look(known.path)
        now = replace(known, disk=disk, stamp=stamp)
        return now.caught_up_with_disk() if shows(now.text, disk) else now

    def _look(self, path: WorkspacePath) -> tuple[bytes | None, tuple[int, ...]]:
        stamp = self._stamp(path)
        try:
            reading = self._workspace.folder.read(path, _MAX_BYTES)
        except TakebackError:
            return None, stamp
        return (reading.data if reading.kind is FileKind.FILE else None), stamp

    def _stamp(self, path: WorkspacePath) -> tuple[int, ...]:
        try:
            stat = os.stat(os.path.join(self._workspace.root, path), follow_symlinks=False)
        except OSError:
            return ()
        return (stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino)


def _base(parent: bytes | None, text: str) -> str:
    """What a document shows that is `parent`; of a file that is not UTF-8 nobody knows better than the editor."""
    found = normal(parent)
    return text if found is None else found
