"""The plan of a rollback: each file goes back to exactly what it was. Nothing is merged, so nothing conflicts. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from takeback.model.ids import ChangeSeq
from takeback.model.operation import Change, returning
from takeback.model.paths import WorkspacePath
from takeback.model.state import FileKind, FileState
from takeback.undo.plan import FileOutcome, FilePlan, left_alone


def rewind(changes: Sequence[Change]) -> FilePlan:
    """What brings a file back to what it was before `changes`: all of its newest, oldest first, at least one."""
    first, last = changes[0], changes[-1]
    path, state = first.moved_from or first.path, first.before
    if not state.captured and state != last.after:
        return _left(last, f"its state then was not captured: {state.reason}")
    if not last.after.captured and state != last.after:
        return _left(last, f"what is there now was not captured: {last.after.reason}")
    return FilePlan(
        file=last.file,
        path=last.path,
        target=path if state.exists else last.path,
        before=last.after,
        after=state,
        data=None,
        flips=returning(changes),
        rewrite=None,
        outcome=_outcome(last, path, state),
    )


def step_back(last: Change, flips: Mapping[ChangeSeq, bool]) -> FilePlan | None:
    """What takes back the newest change of a file and nothing else; `None` where lines must be looked at.

    Nobody touched the file since, so it goes back to exactly what it was: the same as its lines would give.
    """
    plain = not last.flips and last.moved_from is None and _is_plain(last.before) and _is_plain(last.after)
    if not plain or dict(flips) != {last.seq: False}:
        return None
    return FilePlan(
        file=last.file,
        path=last.path,
        target=last.path,
        before=last.after,
        after=last.before,
        data=None,
        flips=dict(flips),
        rewrite=None,
        outcome=_outcome(last, last.path, last.before),
    )


def _is_plain(state: FileState) -> bool:
    """Whether a state is nothing, or a file or link whose content is kept."""
    return not state.exists or (state.captured and state.kind is not FileKind.DIRECTORY)


def _outcome(last: Change, path: WorkspacePath, state: FileState) -> FileOutcome:
    if state == last.after and (path == last.path or not state.exists):
        return FileOutcome.UNCHANGED
    if not state.exists:
        return FileOutcome.REMOVED
    if not last.after.exists:
        return FileOutcome.RECREATED
    return FileOutcome.RENAMED if state == last.after else FileOutcome.RESTORED


def _left(last: Change, note: str) -> FilePlan:
    return left_alone(last.file, (last.path, last.after), FileOutcome.NOT_CAPTURED, note)
