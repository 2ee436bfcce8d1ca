"""The only way into the journal for what happened to files: content first, durable, then one transaction.

Before-states always come from the last known state of a path, so they exist although the write has already happened.
Inside the transaction every observation is checked against that state again, and what is known already is dropped:
however many processes saw the same write, it is recorded once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from takeback.errors import TakebackError
from takeback.journal import views
from takeback.journal.log import Journal
from takeback.lines import rewrite_as_told, rewrite_of
from takeback.model import renames, text
from takeback.model.ids import BlobId, ChangeSeq, FileId, OpId
from takeback.model.operation import (
    HUMAN,
    Change,
    Edited,
    Observation,
    returning,
)
from takeback.model.paths import WorkspacePath
from takeback.model.source import Source
from takeback.model.state import ABSENT, FileKind, FileState, Reason
from takeback.model.text import Rewrite
from takeback.store import packing, trees
from takeback.store.objects import ObjectStore

logger = logging.getLogger(__name__)

_HUNKS_AT_ONCE = 64
"""Operations with more changes get their hunks when they are first needed: a burst must not wait for diffs."""

_SYNC_FROM = 64
"""So many contents wait in the journal at most, and are then synced together."""

NO_FILE = FileId(0)
"""A path that no change has named yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A change that is about to be recorded."""

    file: FileId
    path: WorkspacePath
    before: FileState
    after: FileState
    moved_from: WorkspacePath | None = None
    flips: Mapping[ChangeSeq, bool] = field(default_factory=dict)
    rewrite: Rewrite | None = None
    """What it did to the lines, where that is known better than a diff would tell."""
    flipping: bool = False
    """It was made by changing which changes stand; `rewrite` says what it did besides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What became of some observations."""

    operation: OpId | None
    """`None`: all of it was known already."""
    deferred: tuple[WorkspacePath, ...]
    """Paths that Takeback itself is changing, or whose content was dropped, at this moment: look again."""
    git: OpId | None = None
    """The operation before it that holds what git wrote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """The state of every path that has never changed since recording began."""

    tracked: str | None
    """Tree of what git would track."""
    rest: str | None
    """Tree of what git ignores and Takeback records."""
    plain_mode: int = 0o644
    executable_mode: int = 0o755


@dataclass(frozen=True, slots=True, kw_only=True)
class Sifted:
    """What is left of some observations when saves of an editor were recorded."""

    rest: Sequence[Observation]
    alone: Set[WorkspacePath] = frozenset()
    """Where an editor may tell of it later: each is an operation of its own, perhaps the human's, that it can claim."""
    soon: Sequence[WorkspacePath] = ()
    """Where an editor may tell of it in a moment: what is there is not in `rest`."""


class Sift(Protocol):
    """Tells what an editor wrote apart."""

    def __call__(self, seen: Sequence[Observation], *, can_wait: bool) -> Sifted:
        """Record what an editor has saved. Without `can_wait` nothing is left for `soon`."""
        ...


def _without_editor(seen: Sequence[Observation], *, can_wait: bool) -> Sifted:
    del can_wait  # there is nobody to wait for
    return Sifted(rest=seen)


class Recorder:
    """Appends operations to one journal."""

    def __init__(
        self, journal: Journal, store: ObjectStore, baseline: Callable[[], Baseline], clock: Callable[[], int]
    ) -> None:
        self._journal = journal
        self._store = store
        self._baseline = baseline
        self._clock = clock
        self._n_cleanings = journal.cleanings()
        self.held: Set[WorkspacePath] = frozenset()
        """Paths whose documents an editor changes for Takeback at this moment: its saves are nobody else's writes."""
        self.sift: Sift = _without_editor
        self._is_patient = False

    def state_of(self, path: WorkspacePath) -> tuple[FileId, FileState]:
        """The file at `path` and its last known state."""
        known = self._journal.known(path)
        if known is not None:
            return known.file, known.state
        return NO_FILE, self._baseline_state(path)

    def recorded(self) -> Iterator[WorkspacePath]:
        """Every path where something is known to be. Cost: the tree."""
        changed = {path: known.state for path, known in self._journal.all_known()}
        yield from (path for path, state in changed.items() if state.exists)
        for tree in self._trees():
            yield from (path for path, _, _ in trees.walk(self._store, tree) if path not in changed)

    def recorded_below(self, folder: WorkspacePath) -> Iterator[WorkspacePath]:
        """Every path below `folder` where something is known to be."""
        changed = {path: known.state for path, known in self._journal.all_known(folder) if path != folder}
        yield from (path for path, state in changed.items() if state.exists)
        for tree in self._trees():
            found = trees.walk_folder(self._store, tree, folder)
            yield from (path for path, _, _ in found if path not in changed)

    def _trees(self) -> Iterator[str]:
        baseline = self._baseline()
        yield from (tree for tree in (baseline.tracked, baseline.rest) if tree is not None)

    def has_recorded_below(self, folder: WorkspacePath) -> bool:
        """Whether anything is known to be below `folder`."""
        return next(self.recorded_below(folder), None) is not None

    def record(self, source: Source, observations: Iterable[Observation]) -> Recorded:
        """What of the observations is new, as one operation; what is known already is dropped.

        The content of every observation is in the store when this is called; it is made durable here: little of it
        within the journal's own transaction, so that the disk is waited for once.
        """
        return self.record_steps([(source, tuple(observations))])[-1]

    @contextmanager
    def patient(self) -> Iterator[None]:
        """Meanwhile, what an editor may be about to tell of is deferred: nobody asks for everything until now."""
        self._is_patient = True
        try:
            yield
        finally:
            self._is_patient = False

    def record_steps(self, steps: Sequence[tuple[Source, Sequence[Observation]]]) -> tuple[Recorded, ...]:
        """The same for what happened one after the other, and nobody else can have recorded in between."""
        little = self._store.little()
        if little is None:
            self._store.make_durable()
        blobs = [blob for _, seen in steps for blob in _captured(seen)]
        with self._journal.transaction():
            forgotten = self._forgotten((*blobs, *(little or ())))
            recorded = tuple(self._step(source, seen, forgotten) for source, seen in steps)
            if little:
                kept = {blob: data for blob, data in little.items() if blob not in forgotten}
                self._journal.keep_unsynced(kept)
        if little:
            self._store.kept_elsewhere(little)
            if self._journal.n_unsynced() >= _SYNC_FROM:
                self.sync_contents()
        return recorded

    def _step(self, source: Source, seen: Sequence[Observation], forgotten: Set[str]) -> Recorded:
        claimed = self._journal.claimed() | self.held
        claimed |= {one.path for one in seen if one.after.captured and one.after.blob in forgotten}
        claimed |= self._dropped(seen)
        claimed |= self._overtaken(seen)
        free = [one for one in seen if one.path not in claimed and one.moved_from not in claimed]
        self._adopt([one for one in free if one.adopted])
        op = self.append(source, self._entries([one for one in free if not one.adopted]))
        deferred = tuple(one.path for one in seen if one.path in claimed or one.moved_from in claimed)
        return Recorded(operation=op, deferred=deferred)

    def record_unannounced(self, source: Source, observations: Iterable[Observation]) -> Recorded:
        """The same of what nobody announced: who wrote it is judged by what was seen, and else it is `source`'s.

        What may be claimed alone is recorded alone; the result names the last operation.
        """
        sifted = self.sift(tuple(observations), can_wait=self._is_patient)
        alone = frozenset() if source.told else sifted.alone  # what a command wrote is one operation
        steps = [(source.doubted(HUMAN), (one,)) for one in sifted.rest if one.path in alone]
        together = tuple(one for one in sifted.rest if one.path not in alone)
        found = self.record_steps([*steps, (source, together)])
        ops = [one.operation for one in found if one.operation is not None]
        deferred = [path for one in found for path in one.deferred]
        return Recorded(operation=ops[-1] if ops else None, deferred=(*deferred, *sifted.soon))

    def sync_contents(self) -> None:
        """Put on disk, in the store, what the journal holds until then; also what a power cut left torn there.

        What cannot be synced now stays in the journal: nothing is lost by that.
        """
        if not self._journal.n_unsynced():
            return
        try:
            with self._journal.transaction():
                contents = self._journal.unsynced()
                for data in contents.values():
                    self._store.replace(data)
                self._store.make_durable()
                self._journal.drop_unsynced(contents)
        except TakebackError:
            logger.info("contents stay in the journal for now", exc_info=True)

    def _overtaken(self, observations: Iterable[Observation]) -> frozenset[WorkspacePath]:
        """Where another process recorded something else since the path was looked at: ours may be the older look."""
        last = self._journal.last_change()
        return frozenset(
            one.path
            for one in observations
            if one.seen_at is not None
            and one.seen_at != last
            and views.changed_since(self._journal, one.path, one.seen_at)
            and self.state_of(one.path)[1] != one.after
        )

    def _forgotten(self, blobs: Iterable[BlobId]) -> Set[str]:
        """What of these contents somebody forgot since they were read: the store lets go of what came back with them."""
        lost = self._journal.lost(blobs)
        forgotten = {blob for blob, reason in lost.items() if reason is Reason.FORGOTTEN}
        if forgotten:
            packing.drop_loose(self._store, forgotten)
            self._store.reopen()
        return forgotten

    def _dropped(self, observations: Iterable[Observation]) -> frozenset[WorkspacePath]:
        """Where content was found in the store when it was read, and dropped before it could be recorded."""
        cleanings = self._journal.cleanings()
        if cleanings == self._n_cleanings:
            return frozenset()
        self._n_cleanings = cleanings
        self._store.reopen()
        return frozenset(
            one.path
            for one in observations
            if one.after.blob and one.after.captured and not self._store.has(one.after.blob)
        )

    def restored(
        self, file: FileId, path: WorkspacePath, before: FileState, after: FileState
    ) -> dict[ChangeSeq, bool]:
        """What stands again, and what no longer, if this write brings the file back to what it once was."""
        if not file or after.blob is None or after.blob == before.blob:
            return {}
        if not views.had_content(self._journal, file, after.blob):
            return {}
        changes = views.file_changes(self._journal, file)
        first = changes[0]
        for n_before in range(len(changes), 0, -1):
            latest = changes[n_before - 1]
            if latest.after == after and latest.path == path:
                return returning(changes[n_before:])
        if first.before == after and (first.moved_from or first.path) == path:
            return returning(changes)
        return {}

    def append(self, source: Source, entries: Sequence[Entry]) -> OpId | None:
        """The operation that holds `entries`. Only inside a transaction, with all content durable."""
        if not entries:
            return None
        journal, now = self._journal, self._clock()
        op = OpId(journal.append("operations", source.kind.value, source.label, now, source.checkpoint))
        turn = int(source.turn.removeprefix("turn-")) if source.turn else None
        journal.append("attributions", op, source.actor, turn, int(source.inferred), now)
        seq = journal.next_id("changes")
        hunks = []
        for offset, entry in enumerate(entries):
            change = self._change(ChangeSeq(seq + offset), op, entry)
            body = self._hunks(change, entry, eager=len(entries) <= _HUNKS_AT_ONCE)
            if body is not None:
                hunks.append((change.seq, body))
            journal.append_change(change)
        journal.save_hunks(hunks)
        journal.count("operations")
        journal.count(f"operations by {source.actor}")
        journal.count("changes", len(entries))
        return op

    def _change(self, seq: ChangeSeq, op: OpId, entry: Entry) -> Change:
        return Change(
            seq=seq,
            op=op,
            file=entry.file or FileId(seq),
            path=entry.path,
            moved_from=entry.moved_from,
            before=entry.before,
            after=entry.after,
            flips=entry.flips,
        )

    def _hunks(self, change: Change, entry: Entry, *, eager: bool) -> bytes | None:
        if entry.rewrite is not None:
            return text.encode(entry.rewrite)
        if entry.flipping or not eager or not entry.before.captured:
            return None
        found = rewrite_of(self._journal, self._store, change)
        return text.encode(found) if found is not None else None

    def _adopt(self, observations: Sequence[Observation]) -> None:
        """Take up paths that were there before and only became recordable now."""
        now = self._clock()
        for one in observations:
            if self.state_of(one.path)[1] != one.after:
                self._journal.append_first(one.path, NO_FILE, one.after, now)

    def _entries(self, observations: Sequence[Observation]) -> list[Entry]:
        fresh = [
            (one, file, before)
            for one in observations
            for file, before in [self.state_of(one.path)]
            if before != one.after or one.moved_from is not None
        ]
        moves = renames.pair((one, before) for one, _, before in fresh)
        gone = set(moves.values())
        entries = []
        for one, file, before in fresh:
            origin = moves.get(one.path)
            if origin is not None:
                if before.exists:  # something was overwritten by the rename
                    entries.append(self._entry(one.path, file, before, ABSENT))
                source_file, source_state = self.state_of(origin)
                entries.append(self._moved(one, origin, source_file, source_state))
            elif one.path not in gone and before != one.after:
                entries.append(self._entry(one.path, file, before, one.after, one.edited))
        return entries

    def _moved(self, one: Observation, origin: WorkspacePath, file: FileId, before: FileState) -> Entry:
        return Entry(file=file, path=one.path, moved_from=origin, before=before, after=one.after)

    def _entry(
        self,
        path: WorkspacePath,
        file: FileId,
        before: FileState,
        after: FileState,
        edited: Edited | None = None,
    ) -> Entry:
        flips = self.restored(file, path, before, after)
        rewrite = None if flips else rewrite_as_told(self._store, before, after, edited)
        return Entry(
            file=file,
            path=path,
            before=before,
            after=after,
            flips=flips,
            rewrite=rewrite,
            flipping=bool(flips),
        )

    def _baseline_state(self, path: WorkspacePath) -> FileState:
        baseline = self._baseline()
        for tree in (baseline.tracked, baseline.rest):
            leaf = trees.entry(self._store, tree, path) if tree else None
            if leaf is not None:
                return self._leaf_state(leaf, baseline)
        return ABSENT

    def _leaf_state(self, leaf: tuple[BlobId, int], baseline: Baseline) -> FileState:
        """The file state of a tree entry: blob and git file mode."""
        blob, git_mode = leaf
        reason = self._journal.lost([blob]).get(blob)
        size = self._store.size(blob) if reason is None else 0
        if git_mode == 0o120000:
            return FileState(kind=FileKind.SYMLINK, blob=blob, size_bytes=size, reason=reason)
        mode = baseline.executable_mode if git_mode == 0o100755 else baseline.plain_mode
        return FileState(kind=FileKind.FILE, blob=blob, mode=mode, size_bytes=size, reason=reason)


def _captured(observations: Iterable[Observation]) -> Iterator[BlobId]:
    return (one.after.blob for one in observations if one.after.captured and one.after.blob)
