"""What `--since X` and `A..B` name: an operation, a checkpoint, a turn, or a time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from takeback.errors import UsageError
from takeback.journal import views
from takeback.model.ids import OpId, TurnId
from takeback.model.operation import Operation
from takeback.service.opening import Workspace

_AGO = re.compile(r"(\d+)\s*(s|m|h|d|w)")
_UNIT_S = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def position_of(workspace: Workspace, text: str) -> OpId:
    """The last operation that is not after the moment `text` names.

    Raises UsageError if it names no moment, NotFound if it names something that does not exist.
    """
    if text.isdecimal():
        return views.operation(workspace.journal, OpId(int(text))).id
    if text.startswith("cp-"):
        return workspace.checkpoints.find(text).position
    if text.startswith("turn-"):
        return views.before_turn(workspace.journal, TurnId(text))
    return views.last_until(workspace.journal, _time_ns(workspace, text))


def operations_since(workspace: Workspace, text: str) -> Iterator[Operation]:
    """Every operation after the moment `text` names, newest first."""
    return views.newest_first(workspace.journal, after=position_of(workspace, text))


def _time_ns(workspace: Workspace, text: str) -> int:
    ago = _AGO.fullmatch(text)
    if ago:
        return workspace.clock() - int(ago[1]) * _UNIT_S[ago[2]] * 10**9
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        hint = "Name an operation (12), a checkpoint (cp-3), a turn (turn-2), or a time (10m, 2026-01-31T12:00:00Z)."
        raise UsageError(f"{text!r} names no moment", hint=hint) from None
    if moment.tzinfo is None:
        moment = moment.astimezone()
    return int(moment.astimezone(UTC).timestamp() * 10**9)
