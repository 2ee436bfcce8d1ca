"""What each command takes, as one table. Anything else is refused before anything is done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from takeback.checkpoints import CheckpointKind
from takeback.errors import UsageError
from takeback.lsp import protocol
from takeback.undo.clash import OnConflict

Arguments = Mapping[str, Any]

_MAX_NUMBER = 2**63 - 1
"""What the journal can count up to."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of value, in words for people, and whether a value is of it."""

    words: str
    takes: Callable[[Any], bool]


def _is_number(value: Any) -> bool:
    return type(value) is int and 0 < value <= _MAX_NUMBER  # `isinstance` would take a bool for a number


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_uri(value: Any) -> bool:
    return isinstance(value, str) and ":" in value


def _is_truth(value: Any) -> bool:
    return isinstance(value, bool)


def _is_object(value: Any) -> bool:
    return isinstance(value, Mapping)


def _list_of(takes: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list | tuple) and all(map(takes, value))


def _one_of(names: Iterable[str]) -> _Kind:
    known = tuple(map(str, names))
    return _Kind(f"one of {', '.join(known)}", lambda value: value in known)


_NUMBER = _Kind("a whole number from 1", _is_number)
_NUMBERS = _Kind("a list of whole numbers", _list_of(_is_number))
_TEXT = _Kind("a text", _is_text)
_TEXTS = _Kind("a list of texts", _list_of(_is_text))
_URI = _Kind("a URI", _is_uri)
_URIS = _Kind("a list of URIs", _list_of(_is_uri))
_TRUTH = _Kind("true or false", _is_truth)
_OBJECT = _Kind("an object", _is_object)

_ANY_COMMAND = {"workspace": _URI, "uri": _URI}
_TAKING_BACK = {
    **_ANY_COMMAND,
    "uris": _URIS,
    "actor": _TEXT,
    "dryRun": _TRUTH,
    "onConflict": _one_of(OnConflict),
}
_TAKES: Mapping[str, Mapping[str, _Kind]] = MappingProxyType(
    {
        protocol.UNDO_LAST: {"n": _NUMBER, **_TAKING_BACK},
        protocol.UNDO_OPERATIONS: {"ids": _NUMBERS, **_TAKING_BACK},
        protocol.REDO: {"n": _NUMBER, "ids": _NUMBERS, **_TAKING_BACK},
        protocol.ROLLBACK: {"checkpoint": _TEXT, **_TAKING_BACK},
        protocol.CREATE_CHECKPOINT: {
            "label": _TEXT,
            "kind": _one_of(CheckpointKind),
            "tags": _TEXTS,
            "context": _OBJECT,
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
    known = f"It takes one object with any of {', '.join(takes)}."
    if len(given) > 1 or not isinstance(given[0], Mapping):
        raise UsageError(f"{command} was called with {_shown(given)}", hint=known)
    arguments = {name: value for name, value in given[0].items() if value is not None}
    for name, value in arguments.items():
        if name not in takes:
            raise UsageError(f"{command} takes no {name!r}", hint=known)
        if not takes[name].takes(value):
            raise UsageError(f"{name} is {_shown(value)}", hint=f"It takes {takes[name].words}.")
    return arguments


def _shown(value: Any) -> str:
    """A value for people; what is long is cut."""
    text = ", ".join(map(repr, value)) if isinstance(value, list | tuple) else repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
