"""The places in files that a tool named: in what it printed, or in its SARIF. Pure.

Only common shapes; whether such a file exists is for whoever asks to find out, which sorts out times and addresses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import unquote, urlsplit

_MOST_LINES = 20_000
_MOST_CHARACTERS = 2_000
"""What is longer is no line for people."""
_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_INSIDE = r"[^:()\"<>|*\n]"
_GROUP = rf"\({_INSIDE}*\)"
_PATH = rf"(?P<path>(?:[^\s:()\"'<>|*]|{_GROUP})(?:{_INSIDE}|{_GROUP})*?)"
"""Brackets come in pairs: half of a pair belongs to a sentence around the path."""
_AT = r"(?P<line>\d{1,9})"
_SHAPES = tuple(
    re.compile(shape)
    for shape in (
        rf"\s*(?:-->\s*)?{_PATH}:{_AT}(?::(?P<column>\d{{1,9}}))?(?:-\d+)?(?:$|:?\s+(?P<text>.*)|:(?P<more>\D.*))",
        rf"{_PATH}\({_AT}(?:,(?P<column>\d{{1,9}}))?(?:,\d+)*\)(?:$|\s*:\s*|\s+)(?P<text>.*)",
        rf"{_PATH}: line {_AT},? col(?:umn)?\.? (?P<column>\d{{1,9}})\b,?\s*(?P<text>.*)",
        rf"{_PATH}: line {_AT}:?\s+(?P<text>.*)",
    )
)
_FRAME = re.compile(rf"\s*File \"(?P<path>[^\"]+)\", line {_AT}(?:, in .*)?")
_HEADED = re.compile(rf"\s+{_AT}:(?P<column>\d{{1,9}})\s+(?P<text>\S.*)")
_MILD = re.compile(r"[\s\[(:-]*(warn(ing)?|note|info(rmation)?|hint|W\d+)\b", re.IGNORECASE)
_LEVELS = {"error": "error", "warning": "warning", "note": "note", "none": "note"}


class Level(StrEnum):
    """How bad a tool calls it."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A place that a tool named."""

    path: str
    """As the tool wrote it: relative to where it ran, absolute, or a `file:` URI."""
    line: int
    """From 1."""
    column: int = 0
    """From 1; 0 where it said none."""
    message: str
    level: Level = Level.ERROR


def in_output(output: str) -> tuple[Location, ...]:
    """The places that a tool printed, each once, in its order."""
    lines = [_COLOUR.sub("", line)[:_MOST_CHARACTERS] for line in output.splitlines()[:_MOST_LINES]]
    return tuple(dict.fromkeys(_found(lines)))


def _found(lines: Sequence[str]) -> Iterator[Location]:
    heading = ""
    for number, line in enumerate(lines):
        frame, headed = _FRAME.fullmatch(line), _HEADED.fullmatch(line)
        if frame is not None:
            yield _location(frame, _raised(lines[number + 1 :]))
        elif headed is not None and heading:
            yield _location(headed, headed["text"], heading)
        elif (shape := _shape(line)) is not None:
            said = shape["text"] or shape.groupdict().get("more")
            yield _location(shape, said or _last(lines[:number]))
        elif line and not line[0].isspace():
            heading = line.strip()


def _shape(line: str) -> re.Match[str] | None:
    return next(filter(None, (shape.fullmatch(line) for shape in _SHAPES)), None)


def _location(found: re.Match[str], message: str, path: str = "") -> Location:
    groups = found.groupdict()
    return Location(
        path=path or groups["path"].strip(),
        line=int(groups["line"]),
        column=int(groups.get("column") or 0),
        message=message.strip() or "the task failed here",
        level=Level.WARNING if _MILD.match(message) else Level.ERROR,
    )


def _raised(lines: Iterable[str]) -> str:
    """What a traceback ends with: the first line behind its frames that is not indented."""
    return next((line for line in lines if line.strip() and not line[0].isspace()), "")


def _last(lines: Sequence[str]) -> str:
    """What stands above a line that only names a place."""
    return next((line for line in reversed(lines) if line.strip()), "")


# -- SARIF ---------------------------------------------------------------------------------------


def in_sarif(log: Mapping[str, Any]) -> tuple[Location, ...]:
    """The places in a SARIF log. Source: SARIF 2.1.0, sections 3.14, 3.27 to 3.30."""
    found = (place for run in _objects(log.get("runs")) for place in _in_run(run))
    return tuple(dict.fromkeys(found))


def _in_run(run: Mapping[str, Any]) -> Iterator[Location]:
    for result in _objects(run.get("results")):
        message = _text(_object(result.get("message")).get("text"))
        level = Level(_LEVELS.get(_text(result.get("level")), "warning"))
        for location in _objects(result.get("locations")):
            physical = _object(location.get("physicalLocation"))
            region = _object(physical.get("region"))
            path, line = (
                _artifact(run, _object(physical.get("artifactLocation"))),
                _number(region.get("startLine")),
            )
            if path and line:
                column = _number(region.get("startColumn"))
                yield Location(
                    path=path,
                    line=line,
                    column=column,
                    message=message or "the task failed here",
                    level=level,
                )


def _artifact(run: Mapping[str, Any], place: Mapping[str, Any]) -> str:
    artifacts, index = _objects(run.get("artifacts")), place.get("index")
    if "uri" not in place and type(index) is int and 0 <= index < len(artifacts):
        place = _object(artifacts[index].get("location"))
    base = _object(_object(run.get("originalUriBaseIds")).get(_text(place.get("uriBaseId"))))
    uri = _text(place.get("uri"))
    return uri if not uri or urlsplit(uri).scheme else _joined(_text(base.get("uri")), uri)


def _joined(base: str, uri: str) -> str:
    return f"{base.rstrip('/')}/{uri}" if base else unquote(uri, errors="surrogateescape")


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, Sequence) else []


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Any) -> int:
    return value if type(value) is int and 0 < value < 10**9 else 0
