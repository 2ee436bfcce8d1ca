"""What each command takes, as one table. Anything else is refused before anything is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from takeback.checkpoints import CheckpointKind
from takeback.errors import UsageError
from takeback.lsp import protocol
from takeback.service.arguments import (
    NUMBER,
    NUMBERS,
    OBJECT,
    TEXT,
    TEXTS,
    TRUTH,
    URI,
    URIS,
    Arguments,
    Kind,
    checked,
    known,
    one_of,
    shown,
)
from takeback.undo.clash import OnConflict

__all__ = ["Arguments", "arguments_in"]

_ANY_COMMAND = {"workspace": URI, "uri": URI}
_TAKING_BACK = {
    **_ANY_COMMAND,
    "uris": URIS,
    "actor": TEXT,
    "dryRun": TRUTH,
    "onConflict": one_of(OnConflict),
}
_TAKES: Mapping[str, Mapping[str, Kind]] = MappingProxyType(
    {
        protocol.UNDO_LAST: {"n": NUMBER, **_TAKING_BACK},
        protocol.UNDO_OPERATIONS: {"ids": NUMBERS, **_TAKING_BACK},
        protocol.REDO: {"n": NUMBER, "ids": NUMBERS, **_TAKING_BACK},
        protocol.ROLLBACK: {"checkpoint": TEXT, **_TAKING_BACK},
        protocol.CREATE_CHECKPOINT: {
            "label": TEXT,
            "kind": one_of(CheckpointKind),
            "tags": TEXTS,
            "context": OBJECT,
            **_ANY_COMMAND,
        },
        protocol.STATUS: _ANY_COMMAND,
    }
)


def arguments_in(command: str, given: Sequence[Any]) -> Arguments | None:
    """The one object that a command was called with, `null` being no value; `None` if it was called without.

    Raises UsageError for what the command does not take.
    """
    if not given or (len(given) == 1 and given[0] is None):
        return None
    takes = _TAKES[command]
    if len(given) > 1 or not isinstance(given[0], Mapping):
        raise UsageError(f"{command} was called with {shown(given)}", hint=known(takes))
    return checked(command, given[0], takes)
