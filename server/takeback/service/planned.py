"""What open documents are about to become, written down before an editor is asked: a death in between can be settled.

editors/<pid>-<random>.planned    the changes of their files, and a digest of each document's planned text

A document that shows its planned text after the server died has its part done; the file's part is done when it is
opened again. One that shows anything else was not changed, or was changed further: its file is left.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from takeback.model.paths import WorkspacePath
from takeback.model.source import Source
from takeback.record import Entry
from takeback.service.decoding import normal
from takeback.service.documents import Proposed
from takeback.service.opening import Workspace
from takeback.service.published import left_files, own_file
from takeback.undo.intents import Intent, from_bytes, to_bytes
from takeback.undo.plan import FileOutcome, FilePlan, UndoPlan

_KIND = "planned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A change of a document and its file that a server had begun when it died."""

    place: str
    """The file that says so."""
    digest: str
    source: Source
    entry: Entry

    @property
    def plan(self) -> UndoPlan:
        """The file's part."""
        entry = self.entry
        file = FilePlan(
            file=entry.file,
            path=entry.path,
            target=entry.path,
            before=entry.before,
            after=entry.after,
            data=None,
            flips=entry.flips,
            rewrite=entry.rewrite,
            outcome=FileOutcome.RESTORED,
        )
        return UndoPlan(kind=self.source.kind, undone=(), files=(file,))


class Planned:
    """What this server is about to do with documents, and what servers before it had begun."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._place = own_file(workspace.state, _KIND)
        self._begun: dict[WorkspacePath, Begun] = {}
        for place in left_files(workspace.state, _KIND):
            begun = {one.entry.path: one for one in _read(place) if self._is_open(one.entry)}
            self._begun |= begun
            if not begun:
                _remove(place)

    def keep(self, source: Source, files: Sequence[FilePlan], documents: Sequence[Proposed]) -> None:
        """Write down, durably, what documents and their files become."""
        texts = {one.path: one.text for one in documents}
        entries = tuple(
            self._entry(file) for file in files if file.path in texts and file.path == file.target
        )
        self._workspace.store.make_durable()
        body = {
            "digests": [_digest(texts[entry.path]) for entry in entries],
            "intent": to_bytes(Intent(source=source, entries=entries, token="")).decode(),
        }
        with open(self._place, "w", encoding="utf-8") as file:
            json.dump(body, file)
            file.flush()
            os.fsync(file.fileno())

    def drop(self) -> None:
        """It was done, or given up."""
        _remove(self._place)

    def begun(self, path: WorkspacePath, text: str) -> Begun | None:
        """What was begun with a document that is opened with this text; asked once for each."""
        found = self._begun.pop(path, None)
        if found is None:
            return None
        if all(other.place != found.place for other in self._begun.values()):
            _remove(found.place)
        return found if found.digest == _digest(text) else None

    def _is_open(self, entry: Entry) -> bool:
        """Whether the file has still to be written, as far as is known."""
        return self._workspace.recorder.state_of(entry.path) == (entry.file, entry.before)

    def _entry(self, file: FilePlan) -> Entry:
        after = file.after
        if file.data is not None:
            after = replace(after, blob=self._workspace.store.put(file.data))
        return Entry(
            file=file.file,
            path=file.path,
            before=file.before,
            after=after,
            flips=file.flips,
            rewrite=file.rewrite,
            flipping=bool(file.flips),
        )


def _read(place: str) -> tuple[Begun, ...]:
    """What a file says was begun; a file that a death cut short says nothing: no editor had been asked."""
    try:
        with open(place, encoding="utf-8") as file:
            body = json.load(file)
    except (FileNotFoundError, ValueError):
        return ()
    intent = from_bytes(body["intent"].encode())
    return tuple(
        Begun(place=place, digest=digest, source=intent.source, entry=entry)
        for digest, entry in zip(body["digests"], intent.entries, strict=True)
    )


def _remove(place: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(place)


def _digest(text: str) -> str:
    return hashlib.sha256((normal(text) or "").encode("utf-8", "surrogatepass")).hexdigest()
