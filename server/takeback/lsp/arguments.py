"""What each command takes, as one table. Anything else is refused before anything is done."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from takeback.checkpoints import CheckpointKind
from takeback.errors import UsageError
from takeback.lsp import protocol
from takeback.service.arguments import (
    NAME,
    NUMBER,
    NUMBERS,
    OBJECT,
    OBJECTS,
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

__all__ = [
    "ALSO",
    "FILTER",
    "LOCATION",
    "MESSAGES",
    "TAKES",
    "Arguments",
    "arguments_in",
    "checked",
    "parameters_in",
    "place_in",
    "required",
]

_ANY_COMMAND = {"workspace": URI, "uri": URI}
_TAKING_BACK = {
    **_ANY_COMMAND,
    "uris": URIS,
    "dryRun": TRUTH,
    "onConflict": one_of(OnConflict),
    "reason": TEXT,
    "interactive": TRUTH,
}
_NARROWED = {"actor": TEXT, "inferred": TRUTH, **_TAKING_BACK}
ALSO = "also"
"""The way out of a conflict that takes back what is in the way too."""

TAKES: Mapping[str, Mapping[str, Kind]] = MappingProxyType(
    {
        protocol.UNDO_LAST: {"n": NUMBER, **_NARROWED},
        protocol.UNDO_OPERATIONS: {"ids": NUMBERS, **_NARROWED},
        protocol.UNDO_TURN: {"turn": NAME, **_NARROWED},
        protocol.UNDO_SINCE: {"since": NAME, **_NARROWED},
        protocol.UNDO_HUNK: {"operation": NUMBER, "hunk": NUMBER, **_TAKING_BACK},
        protocol.REDO: {"n": NUMBER, "ids": NUMBERS, **_TAKING_BACK},
        protocol.ROLLBACK: {"checkpoint": NAME, **_NARROWED},
        protocol.RESTORE: {"checkpoint": NAME, **_TAKING_BACK},
        protocol.RESOLVE_CONFLICT: {
            "operation": NUMBER,
            "choice": one_of((*(mode for mode in OnConflict if mode is not OnConflict.STOP), ALSO)),
            "dryRun": TRUTH,
            "reason": TEXT,
            "interactive": TRUTH,
            **_ANY_COMMAND,
        },
        protocol.KEEP: {"operation": NUMBER, **_ANY_COMMAND},
        protocol.CREATE_CHECKPOINT: {
            "label": TEXT,
            "kind": one_of(CheckpointKind),
            "tags": TEXTS,
            "context": OBJECT,
            **_ANY_COMMAND,
        },
        protocol.LIST_CHECKPOINTS: _ANY_COMMAND,
        protocol.UPDATE_CHECKPOINT: {"id": NAME, "label": TEXT, "pinned": TRUTH, **_ANY_COMMAND},
        protocol.DELETE_CHECKPOINT: {"id": NAME, **_ANY_COMMAND},
        protocol.EXPORT_CHECKPOINT: {"id": NAME, "branch": NAME, **_ANY_COMMAND},
        protocol.COMPARE_CHECKPOINT: {"id": NAME, **_ANY_COMMAND},
        protocol.SHOW_TIMELINE: _ANY_COMMAND,
        protocol.SHOW_OPERATION: {"id": NUMBER, "show": TRUTH, **_ANY_COMMAND},
        protocol.PAUSE_RECORDING: _ANY_COMMAND,
        protocol.RESUME_RECORDING: _ANY_COMMAND,
        protocol.STATUS: _ANY_COMMAND,
    }
)
"""By command: the arguments and their kinds."""

_ANY_MESSAGE = {"workspace": URI}
MESSAGES: Mapping[str, Mapping[str, Kind]] = MappingProxyType(
    {
        protocol.BEGIN_TURN: {"actor": NAME, "label": TEXT, **_ANY_MESSAGE},
        protocol.END_TURN: {"turn": NAME, **_ANY_MESSAGE},
        protocol.RECORD_EDIT: {"uris": URIS, "actor": NAME, "label": TEXT, **_ANY_MESSAGE},
        protocol.RECORD_FAILURE: {
            "task": NAME,
            "output": TEXT,
            "sarif": OBJECT,
            "locations": OBJECTS,
            "cwd": URI,
            **_ANY_MESSAGE,
        },
        protocol.TIMELINE: {"before": NUMBER, "limit": NUMBER, "filter": OBJECT, **_ANY_MESSAGE},
    }
)
"""By message: the parameters and their kinds."""
FILTER: Mapping[str, Kind] = MappingProxyType(
    {"actor": NAME, "uri": URI, "path": NAME, "text": NAME, "turn": NAME}
)
"""What a timeline can be narrowed by."""
LOCATION: Mapping[str, Kind] = MappingProxyType(
    {
        "uri": URI,
        "line": NUMBER,
        "column": NUMBER,
        "message": TEXT,
        "severity": one_of(("error", "warning", "note")),
    }
)
"""A place where a task failed."""


def required(arguments: Arguments, name: str, example: object) -> Any:
    """An argument that has to be there. Raises UsageError if it is not, with an example of one."""
    if name not in arguments:
        raise UsageError(f"{name} is missing", hint=f"For example {json.dumps({name: example})}.")
    return arguments[name]


def place_in(arguments: Arguments) -> str | None:
    """The URI by which a call says what workspace it is about: the folder's, else that of a document that it names."""
    uris = arguments.get("uris") or (None,)
    return arguments.get("workspace") or arguments.get("uri") or uris[0]


def parameters_in(method: str, given: Any) -> Arguments:
    """The parameters of a message, `null` being no value. Raises UsageError for what it does not take."""
    if not isinstance(given, Mapping | None):
        raise UsageError(f"{method} was sent with {shown(given)}", hint=known(MESSAGES[method]))
    return checked(method, given or {}, MESSAGES[method])


def arguments_in(command: str, given: Sequence[Any]) -> Arguments | None:
    """The one object that a command was called with, `null` being no value; `None` if it was called without.

    Raises UsageError for what the command does not take.
    """
    if not given or (len(given) == 1 and given[0] is None):
        return None
    takes = TAKES[command]
    if len(given) > 1 or not isinstance(given[0], Mapping):
        raise UsageError(f"{command} was called with {shown(given)}", hint=known(takes))
    return checked(command, given[0], takes)
