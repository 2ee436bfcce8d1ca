"""What an editor saves, recorded as the human's: what is on disk afterwards, and never what only might be.

An editor tells of a save after it has written. Somebody else may have written since (a formatter behind the save), so
what the editor wrote is recorded first, where it is known: only text in UTF-8 says what its bytes were.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from takeback.model.operation import HUMAN, Edited, Observation, OperationKind
from takeback.model.paths import WorkspacePath
from takeback.model.source import Source
from takeback.model.state import FileKind, FileState, Reason
from takeback.record import Entry
from takeback.service import sources
from takeback.service.decoding import encoded, normal
from takeback.service.documents import Buffer, Draft
from takeback.service.opening import Workspace

BY_HAND = Source(kind=OperationKind.EDIT, actor=HUMAN)
"""What a person writes in an editor."""


FORMATTER = Source(kind=OperationKind.EDIT, actor="command:format", label="on save")
"""What an editor changes by itself between the announcement of a save and the save."""

BOTH = replace(BY_HAND, label=f"and {FORMATTER.actor} on save")
"""What was typed and formatted, and seen as one write before the save was told."""


def record(
    workspace: Workspace, saved: Buffer, seen: FileState, wrote: bytes | None, *, is_typed: bool
) -> None:
    """Record the save of a file that was `seen` like this, and what came after the save as whose it is.

    `wrote` is what the editor wrote, if that is known. With `is_typed`, somebody typed what was saved: then it is the
    human's, although a watcher was quicker. Else only what the save itself changed on disk is.
    """
    state = _saved(workspace, seen, wrote)
    steps = _steps(workspace, saved, state)
    ops = [one.operation for one in workspace.recorder.record_steps(steps)]
    if ops[-1] is None and is_typed:
        ops[-1] = workspace.claims.claim(steps[-1][0], saved.path, state)
    for (source, _), op in zip(steps, ops, strict=True):
        if source.actor == HUMAN:
            workspace.claims.note_by_hand(op)
    if state != seen:
        later = workspace.looker.observe([saved.path])
        _record_later(workspace, later)


def _record_later(workspace: Workspace, seen: Sequence[Observation]) -> None:
    """Record what came after a save. A recorder may wait for what the editor says of it: then it looks again."""
    source, watching = sources.unannounced(workspace, ""), workspace.here.watching
    if watching is None:
        workspace.recorder.record_unannounced(source, seen)
        return
    with workspace.recorder.patient():
        watching.look_again(workspace.recorder.record_unannounced(source, seen).deferred)


def _steps(workspace: Workspace, saved: Buffer, state: FileState) -> list[tuple[Source, list[Observation]]]:
    """What a save has brought a file to, as what was typed and what a formatter made of that.

    A watcher that was quicker has recorded both as one: that is the human's, and says so.
    """
    typed = saved.typed
    after = Observation(path=saved.path, after=state)
    if typed is not None and not typed.is_unsaved:
        return [(FORMATTER, [after])]
    if typed is not None and workspace.recorder.state_of(saved.path)[1] == state:
        return [(BOTH, [after])]
    before = _typed(workspace, saved.path, typed) if typed is not None else None
    if before is None:
        return [(BY_HAND, [replace(after, edited=_edited(workspace, saved.draft))])]
    return [(BY_HAND, [before]), (FORMATTER, [after])]


def _typed(workspace: Workspace, path: WorkspacePath, typed: Draft) -> Observation | None:
    """What a file would have been without the formatter, as far as that can be known."""
    known = workspace.recorder.state_of(path)[1]
    wrote = written(typed.text, typed.parent)
    if wrote is None or not _may_tell(workspace, known, wrote):
        return None
    return Observation(path=path, after=_told(workspace, known, wrote), edited=_edited(workspace, typed))


def _edited(workspace: Workspace, draft: Draft) -> Edited | None:
    """Which lines were replaced, as far as the editor told."""
    if draft.parent is None or draft.spans is None:
        return None
    return Edited(before=workspace.store.id_of(draft.parent), spans=draft.spans)


def record_draft(workspace: Workspace, path: WorkspacePath, wrote: bytes) -> None:
    """Record unsaved text that a save has put on disk together with other changes: what it would have been alone."""
    recorder = workspace.recorder
    file, before = recorder.state_of(path)
    after = _told(workspace, before, wrote)
    workspace.store.make_durable()
    with workspace.journal.transaction():
        recorder.append(BY_HAND, [Entry(file=file, path=path, before=before, after=after)])


def _saved(workspace: Workspace, seen: FileState, wrote: bytes | None) -> FileState:
    """What the editor wrote if somebody else has written since; else what is there."""
    if wrote is None or not _may_tell(workspace, seen, wrote):
        return seen
    disk = workspace.store.get(seen.blob) if seen.blob else None
    same = disk is not None and normal(disk) in (None, normal(wrote))
    return seen if same else _told(workspace, seen, wrote)


def _may_tell(workspace: Workspace, seen: FileState, wrote: bytes) -> bool:
    """Whether both what is there and what was written may be kept."""
    if seen.kind not in (FileKind.FILE, None) or not seen.captured:
        return False
    if len(wrote) > workspace.config.record.max_file_bytes:
        return False
    blob = workspace.store.id_of(wrote)
    return workspace.journal.lost([blob]).get(blob) is not Reason.FORGOTTEN


def _told(workspace: Workspace, like: FileState, wrote: bytes) -> FileState:
    blob = workspace.store.put(wrote)
    return FileState(kind=FileKind.FILE, blob=blob, mode=like.mode or 0o644, size_bytes=len(wrote))


def written(text: str, parent: bytes | None) -> bytes | None:
    """The bytes that an editor writes for `text`; `None` if the file it came from is no text in UTF-8."""
    return encoded(text, parent) if parent is None or normal(parent) is not None else None
