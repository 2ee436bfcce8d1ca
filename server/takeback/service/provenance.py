"""Who wrote the lines of an open document: its provenance, and what there is to say of each operation in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from takeback.config import EditorConfig
from takeback.journal import headings, views
from takeback.model.ids import BlobId, ChangeSeq, FileId, OpId, TurnId
from takeback.model.operation import GIT, HUMAN, TAKEBACK
from takeback.model.paths import WorkspacePath
from takeback.model.text import Text, split
from takeback.service.decoding import encoded
from takeback.service.opening import Workspace
from takeback.store.diff import differ
from takeback.undo import history
from takeback.undo.fold import fold
from takeback.undo.provenance import UNSAVED, Gone, Mark, Provenance, provenance
from takeback.undo.weave import Mismatch

__all__ = ["UNSAVED", "Author", "Authorship", "Gone", "Mark", "Provenance", "of_document"]

_MOST_CHANGES = 5_000
"""So many of the newest changes of a file are looked at: what is older counts as always there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who did an operation, as far as a line of its needs to say."""

    op: OpId
    actor: str
    label: str
    at_ns: int
    turn: TurnId | None
    turn_label: str
    inferred: bool
    kept: bool
    """A person said that it is fine: its marks end."""

    @property
    def is_foreign(self) -> bool:
        """Whether it is neither the person's own, nor a taking back, nor git's: a checkout is the person's own too."""
        return self.actor not in {HUMAN, TAKEBACK, GIT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorship:
    """Who wrote the lines of a document, at one of its versions."""

    version: int
    provenance: Provenance
    authors: Mapping[OpId, Author]
    """Of every operation that the provenance names."""
    shows: EditorConfig
    """Which of it an editor shows."""


def of_document(workspace: Workspace, path: WorkspacePath, version: int, text: str) -> Authorship:
    """Who wrote the lines of a document over `path` that shows `text`: what stands between line feeds."""
    found = _of_file(workspace, path, encoded(text, None))
    ops = {mark.op for mark in found.lines if mark} | {one.mark.op for one in found.gone}
    authors = _authors(workspace, ops - {UNSAVED.op}, path)
    return Authorship(
        version=version,
        provenance=_as_shown(found, text),
        authors=authors,
        shows=workspace.config.editor,
    )


def _of_file(workspace: Workspace, path: WorkspacePath, shown: bytes) -> Provenance:
    """The marks of what a document shows: first of what is recorded, then over to what differs from that."""
    file, state = workspace.recorder.state_of(path)
    document = _keys(split(shown.removeprefix(b"\xef\xbb\xbf")))
    recorded = _recorded(workspace, file) if file and state.exists and state.captured else None
    if recorded is None:
        return Provenance(lines=_unknown(workspace, state.blob, document), gone=[])
    lines, found = recorded
    found.carry(differ(lines, document), UNSAVED)
    return found


def _unknown(workspace: Workspace, blob: BlobId | None, document: Sequence[bytes]) -> list[Mark | None]:
    """The marks of a file that no operation has touched."""
    known = workspace.store.get(blob) if blob and workspace.store.has(blob) else b""
    lines = _keys(split(known.removeprefix(b"\xef\xbb\xbf")))
    found = Provenance(lines=[None] * len(lines), gone=[])
    found.carry(differ(lines, document), UNSAVED)
    return found.lines


def _recorded(workspace: Workspace, file: FileId) -> tuple[list[bytes], Provenance] | None:
    """The lines that a file is known to have, with their marks; `None` where they cannot be told."""
    changes = views.newest_of(workspace.journal, file, _MOST_CHANGES)
    earliest: Mapping[ChangeSeq, bool] = {changes[0]: False}
    read = history.load(workspace.journal, workspace.store, file, earliest)
    try:
        folded = fold(read)
    except Mismatch:
        return None
    found = provenance(folded, read.steps)
    lines = _keys(folded.weave.text())
    if read.now is None:
        return lines, found
    now = _keys(read.now)
    found.carry(differ(lines, now), None)  # what no recorded change explains is nobody's
    return now, found


def _keys(text: Text) -> list[bytes]:
    return [line.text.removesuffix(b"\r") for line in text.lines]


def _as_shown(found: Provenance, text: str) -> Provenance:
    """The marks by the lines of a text: behind the last line feed there is a line, too."""
    return Provenance(lines=[*found.lines, None][: text.count("\n") + 1], gone=found.gone)


def _authors(workspace: Workspace, ops: Iterable[OpId], path: WorkspacePath) -> Mapping[OpId, Author]:
    journal, wanted = workspace.journal, sorted(ops)
    kept = headings.kept(journal, wanted, path)
    found = headings.headings(journal, wanted)
    turns = {turn: views.turn(journal, turn).label for turn in {one.turn for one in found} if turn}
    return {
        one.op: Author(
            op=one.op,
            actor=one.actor,
            label=one.label,
            at_ns=one.at_ns,
            turn=one.turn,
            turn_label=turns[one.turn] if one.turn else "",
            inferred=one.inferred,
            kept=one.op in kept,
        )
        for one in found
    }
