"""What a call takes from outside, as tables of names and kinds. Anything else is refused before anything is done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from takeback.errors import UsageError

Arguments = Mapping[str, Any]

_MAX_NUMBER = 2**63 - 1
"""What the journal can count up to."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value: in words for people, whether a value is of it, and as JSON Schema for programs."""

    words: str
    takes: Callable[[Any], bool]
    schema: Mapping[str, Any]


def _is_number(value: Any) -> bool:
    return type(value) is int and 0 < value <= _MAX_NUMBER  # `isinstance` would take a bool for a number


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_uri(value: Any) -> bool:
    return isinstance(value, str) and ":" in value


def _is_truth(value: Any) -> bool:
    return isinstance(value, bool)


def _is_object(value: Any) -> bool:
    return isinstance(value, Mapping)


def _list_of(takes: Callable[[Any], bool], least: int = 1) -> Callable[[Any], bool]:
    """Nothing chosen is never taken for "not given", which would choose far more than was meant."""
    return lambda value: isinstance(value, list | tuple) and len(value) >= least and all(map(takes, value))


def _schema(kind: str, **more: Any) -> Mapping[str, Any]:
    return MappingProxyType({"type": kind, **more})


def one_of(names: Iterable[str]) -> Kind:
    """One of these words."""
    known = tuple(map(str, names))
    words = f"one of {', '.join(known)}"
    return Kind(words, lambda value: value in known, _schema("string", enum=list(known)))


NUMBER = Kind("a whole number from 1", _is_number, _schema("integer", minimum=1))
NUMBERS = Kind(
    "a list of whole numbers",
    _list_of(_is_number),
    _schema("array", minItems=1, items={"type": "integer", "minimum": 1}),
)
TEXT = Kind("a text", _is_text, _schema("string"))
NAME = Kind("a text that is not empty", _is_name, _schema("string", minLength=1))
TEXTS = Kind("a list of texts", _list_of(_is_text, 0), _schema("array", items={"type": "string"}))
NAMES = Kind(
    "a list of texts that are not empty",
    _list_of(_is_name),
    _schema("array", minItems=1, items={"type": "string", "minLength": 1}),
)
URI = Kind("a URI", _is_uri, _schema("string", format="uri"))
URIS = Kind(
    "a list of URIs",
    _list_of(_is_uri),
    _schema("array", minItems=1, items={"type": "string", "format": "uri"}),
)
TRUTH = Kind("true or false", _is_truth, _schema("boolean"))
OBJECT = Kind("an object", _is_object, _schema("object"))
OBJECTS = Kind("a list of objects", _list_of(_is_object), _schema("array", items={"type": "object"}))


def checked(call: str, given: Mapping[str, Any], takes: Mapping[str, Kind]) -> Arguments:
    """What `call` was given, `null` being no value. Raises UsageError for what it does not take."""
    arguments = {name: value for name, value in given.items() if value is not None}
    for name, value in arguments.items():
        if name not in takes:
            raise UsageError(f"{call} takes no {shown(name)}", hint=known(takes))
        if not takes[name].takes(value):
            raise UsageError(f"{name} is {shown(value)}", hint=f"It takes {takes[name].words}.")
    return arguments


def known(takes: Mapping[str, Kind]) -> str:
    """What a call takes, for people."""
    return f"It takes one object with any of {', '.join(takes)}."


def shown(value: Any) -> str:
    """A value for people; what is long is cut."""
    text = ", ".join(map(repr, value)) if isinstance(value, list | tuple) else repr(value)
    if not text:
        return "empty"
    return text if len(text) <= 60 else f"{text[:60]}…"
