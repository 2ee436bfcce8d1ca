"""How things are in a workspace, for a status bar: cheap enough to be read all the time."""

from __future__ import annotations

from enum import StrEnum
from itertools import islice

from takeback.errors import TakebackError
from takeback.journal import views
from takeback.service import answers
from takeback.service.lease import trouble
from takeback.service.opening import Workspace
from takeback.service.sources import is_paused

_LAST = 3


class State(StrEnum):
    """What becomes of what is written."""

    RECORDING = "recording"
    FOLLOWING = "following"
    """Another process records."""
    PAUSED = "paused"
    TROUBLE = "trouble"
    """It cannot be recorded at the moment."""
    REFUSED = "refused"
    """It is not recorded."""


def of(workspace: Workspace) -> answers.Answer:
    """The state, why it is so, how much happened since the last checkpoint, and the last operations."""
    journal = workspace.journal
    why = trouble(workspace.state)
    checkpoint = workspace.checkpoints.newest()
    last = islice(views.newest_first(journal), _LAST)
    return {
        "version": answers.VERSION,
        "state": _state(workspace, why).value,
        "reason": why,
        "checkpoint": checkpoint.id if checkpoint else None,
        "since_checkpoint": journal.last_operation() - (checkpoint.position if checkpoint else 0),
        "operations": [_brief(answers.operation(one)) for one in last],
    }


def refused(problem: TakebackError) -> answers.Answer:
    """The same of a workspace that cannot be opened."""
    return {
        "version": answers.VERSION,
        "state": State.REFUSED.value,
        "reason": f"{problem.message}. {problem.hint}".strip(),
        "checkpoint": None,
        "since_checkpoint": 0,
        "operations": [],
    }


def _state(workspace: Workspace, why: str) -> State:
    if is_paused(workspace):
        return State.PAUSED
    if why:
        return State.TROUBLE
    return State.RECORDING if workspace.here.watching is not None else State.FOLLOWING


def _brief(operation: answers.Answer) -> answers.Answer:
    """An operation without its changes, of which there may be thousands."""
    changes = operation.pop("changes")
    return {**operation, "files": len({change["path"] for change in changes})}
