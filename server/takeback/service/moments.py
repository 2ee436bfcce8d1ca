"""What `--since X` and `A..B` name: an operation, a checkpoint, a turn, or a time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from takeback.errors import UsageError
from takeback.journal import views
from takeback.model.ids import OpId, TurnId, number_in
from takeback.model.operation import Operation
from takeback.service.opening import Workspace

_AGO = re.compile(r"(\d{1,12})\s*(s|m|h|d|w)")
_LATEST_NS = 2**63 - 1
"""The journal keeps times in 64 bits: what is named beyond is as good as that."""
_UNIT_S = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def position_of(workspace: Workspace, text: str) -> OpId:
    """The last operation that is not after the moment `text` names.

    Raises UsageError if it names no moment, NotFound if it names something that does not exist.
    """
    if text.isdecimal():
        return views.operation(workspace.journal, OpId(number_in(text))).id
    if text.startswith("cp-"):
        return workspace.checkpoints.find(text).position
    if text.startswith("turn-"):
        return views.before_turn(workspace.journal, TurnId(text))
    return views.last_until(workspace.journal, min(max(0, _time_ns(workspace, text)), _LATEST_NS))


def operations_since(workspace: Workspace, text: str) -> Iterator[Operation]:
    """Every operation after the moment `text` names, newest first."""
    return views.newest_first(workspace.journal, after=position_of(workspace, text))


def _time_ns(workspace: Workspace, text: str) -> int:
    ago = _AGO.fullmatch(text)
    if ago:
        return workspace.clock() - int(ago[1]) * _UNIT_S[ago[2]] * 10**9
    try:
        moment = datetime.fromisoformat(text).astimezone(UTC)  # without a zone it is in ours
    except (ValueError, OverflowError):
        hint = "Name an operation (12), a checkpoint (cp-3), a turn (turn-2), or a time (10m, 2026-01-31T12:00:00Z)."
        raise UsageError(f"{text!r} names no moment", hint=hint) from None
    return int(moment.timestamp() * 10**9)
