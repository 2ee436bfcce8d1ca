"""What a file was, is or would be, as a text to read: for front ends that show documents beside each other.

A document is named by ids alone, so its name can stand in a URI, a log or a history of windows and give nothing away.
What cannot be shown (binary, not captured, too long) is said in a sentence instead, and looks like no content.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Set
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from takeback.errors import Damaged, NotFound
from takeback.journal import views
from takeback.model.ids import CheckpointId, FileId, OpId
from takeback.model.operation import Change, Operation
from takeback.model.paths import WorkspacePath
from takeback.model.state import FileKind, FileState, Reason
from takeback.model.text import is_binary
from takeback.service.opening import Workspace
from takeback.service.recording import glance
from takeback.timeline import diff
from takeback.undo import planning, select
from takeback.undo.clash import OnConflict
from takeback.undo.plan import Conflict, FilePlan

MOST_BYTES = 8 << 20
"""What is longer is no text that anybody reads, and editors wait for it."""

_WHY = {
    Reason.TOO_LARGE: "it is larger than `record.max_file_bytes`",
    Reason.UNREADABLE: "the file could not be read",
    Reason.SPECIAL: "a socket, pipe or device has none",
    Reason.MISSED: "it was overwritten before it could be read",
    Reason.EXPIRED: "`gc` removed it, to keep the cap or the retention",
    Reason.FORGOTTEN: "somebody had it forgotten",
    Reason.DAMAGED: "it is missing from the store; `takeback doctor` says more",
}


class Moment(StrEnum):
    """Which content of a file that an operation changed."""

    BEFORE = "before"
    AFTER = "after"
    NOW = "now"
    WITHOUT = "without"
    """What the file would be if this operation were taken back now; where that is a conflict, with markers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationFile:
    """One file of one operation, at one moment."""

    op: OpId
    moment: Moment
    file: FileId


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationDiff:
    """Everything that one operation changed."""

    op: OpId


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointFile:
    """One file as a checkpoint has it."""

    checkpoint: CheckpointId
    file: FileId


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointDiff:
    """Everything that changed since a checkpoint."""

    checkpoint: CheckpointId


Content = OperationFile | OperationDiff | CheckpointFile | CheckpointDiff


@dataclass(frozen=True, slots=True, kw_only=True)
class Contested:
    """A file in conflict as three documents; together they are a three-way merge."""

    path: WorkspacePath
    base: OperationFile
    """What the operations left that are to be taken back."""
    mine: OperationFile
    """What stands now."""
    theirs: OperationFile
    """What was before them."""


def text(workspace: Workspace, wanted: Content) -> str:
    """What a document holds. Raises NotFound for an operation, checkpoint or file that does not exist."""
    match wanted:
        case OperationDiff():
            found = views.operation(workspace.journal, wanted.op)
            return _diff(workspace, diff.of_operation(found.changes))
        case CheckpointDiff():
            glance(workspace)
            position = workspace.checkpoints.find(wanted.checkpoint).position
            last = workspace.journal.last_operation()
            return _diff(workspace, diff.between(workspace.journal, position, last))
        case CheckpointFile():
            position = workspace.checkpoints.find(wanted.checkpoint).position
            return readable(workspace, _at(workspace, wanted.file, position))
        case OperationFile():
            return _of_operation(workspace, wanted)


def check(workspace: Workspace, wanted: Content) -> None:
    """Raises NotFound for a document of an operation, checkpoint or file that does not exist."""
    match wanted:
        case OperationDiff():
            views.operation(workspace.journal, wanted.op)
        case OperationFile():
            _changes(workspace, wanted)
        case CheckpointDiff():
            workspace.checkpoints.find(wanted.checkpoint)
        case CheckpointFile():
            workspace.checkpoints.find(wanted.checkpoint)
            _place(workspace, wanted.file)


def contested(workspace: Workspace, conflicts: Iterable[Conflict]) -> tuple[Contested, ...]:
    """The documents of each file in conflict, once."""
    chosen: dict[WorkspacePath, set[OpId]] = {}
    for one in conflicts:
        chosen.setdefault(one.path, set()).update(one.chosen)
    return tuple(
        _contested(path, workspace.recorder.state_of(path)[0], ops) for path, ops in chosen.items() if ops
    )


def _contested(path: WorkspacePath, file: FileId, ops: Set[OpId]) -> Contested:
    return Contested(
        path=path,
        base=OperationFile(op=max(ops), moment=Moment.AFTER, file=file),
        mine=OperationFile(op=max(ops), moment=Moment.NOW, file=file),
        theirs=OperationFile(op=min(ops), moment=Moment.BEFORE, file=file),
    )


def path_of(workspace: Workspace, wanted: Content) -> WorkspacePath | None:
    """Where the file of a document is, or was last; `None` for a document about many files."""
    if isinstance(wanted, OperationDiff | CheckpointDiff):
        return None
    return _place(workspace, wanted.file)[0]


def changes_with(wanted: Content, operations: Iterable[Operation]) -> bool:
    """Whether a document may be another one, now that these operations were recorded."""
    if isinstance(wanted, CheckpointDiff):
        return True
    if not isinstance(wanted, OperationFile) or wanted.moment in (Moment.BEFORE, Moment.AFTER):
        return False
    return any(change.file == wanted.file for one in operations for change in one.changes)


def readable(workspace: Workspace, state: FileState) -> str:
    """The content of a file as text, or a sentence that says why it is not shown. Nothing is there: no text."""
    if state.reason is not None:
        return f"This content is not in the history: {_WHY[state.reason]}.\n"
    if state.kind is FileKind.DIRECTORY:
        return "This is an empty folder.\n"
    if state.blob is None:
        return ""
    try:
        if workspace.store.size(state.blob) > MOST_BYTES:
            return _too_long(state.size_bytes)
        return as_text(workspace.store.get(state.blob))
    except Damaged:
        return f"This content is not in the history: {_WHY[Reason.DAMAGED]}.\n"


def as_text(data: bytes) -> str:
    """Bytes as an editor shows them, or what they are where that is no text."""
    if len(data) > MOST_BYTES:
        return _too_long(len(data))
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    if is_binary(data):
        return f"This content is binary: {len(data):,} bytes.\n"
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def _too_long(n_bytes: int) -> str:
    return f"This content is too long to be shown: {n_bytes:,} bytes.\n"


# -- one file of an operation --------------------------------------------------------------------


def _of_operation(workspace: Workspace, wanted: OperationFile) -> str:
    changes = _changes(workspace, wanted)
    match wanted.moment:
        case Moment.BEFORE:
            return readable(workspace, changes[0].before)
        case Moment.AFTER:
            return readable(workspace, changes[-1].after)
        case Moment.NOW:
            glance(workspace)
            return readable(workspace, _place(workspace, wanted.file)[1])
        case Moment.WITHOUT:
            glance(workspace)
            return _without(workspace, wanted)


def _without(workspace: Workspace, wanted: OperationFile) -> str:
    plan = _planned(workspace, wanted)
    if plan is None:
        return readable(workspace, _place(workspace, wanted.file)[1])
    return readable(workspace, plan.after) if plan.data is None else as_text(plan.data)


def _planned(workspace: Workspace, wanted: OperationFile) -> FilePlan | None:
    """What would become of the file; `None` where nothing of the operation stands in it."""
    journal = workspace.journal
    chosen = (views.operation(journal, wanted.op),)
    without = partial(views.standing_without, journal)
    flips = select.undoing(chosen, select.Narrow(), without).get(wanted.file)
    if not flips:
        return None
    return planning.plans(journal, workspace.store, {wanted.file: flips}, OnConflict.MARKERS)[0]


def _changes(workspace: Workspace, wanted: OperationFile) -> tuple[Change, ...]:
    found = views.operation(workspace.journal, wanted.op).changes
    ours = tuple(change for change in found if change.file == wanted.file)
    if not ours:
        raise NotFound(f"operation {wanted.op} changed no file {wanted.file}")
    return ours


# -- other moments -------------------------------------------------------------------------------


def _at(workspace: Workspace, file: FileId, position: OpId) -> FileState:
    """What a file was after an operation, wherever it was."""
    later = workspace.journal.changes("file = ? AND op > ? ORDER BY id LIMIT 1", (file, position))
    return later[0].before if later else _place(workspace, file)[1]


def _place(workspace: Workspace, file: FileId) -> tuple[WorkspacePath, FileState]:
    if not workspace.journal.changes("file = ? LIMIT 1", (file,)):
        raise NotFound(f"there is no file {file}")
    return views.place_of(workspace.journal, file)


def _diff(workspace: Workspace, found: Iterable[diff.FileDiff]) -> str:
    return "".join(diff.render(workspace.store, one) for one in found)
