"""Content as lines: what a line is, apart from how it ends.

A line's identity is its text without its ending; endings and the final newline belong to the file.
Lines end at LF or CRLF. A file in which some lines end one way and some the other is *mixed*: there the carriage
return counts to the line, so that a change of one ending is a change of that line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Ending(StrEnum):
    """How the lines of a file end."""

    LF = "lf"
    CRLF = "crlf"
    MIXED = "mixed"


class Line(NamedTuple):
    """One line of a file."""

    text: bytes
    """Without any ending."""
    cr: bool = False
    """It ended with CRLF when it was written; read only where the file is mixed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A file's lines, and how they end."""

    lines: tuple[Line, ...]
    ending: Ending | None
    """`None`: no line has an ending yet."""
    final_newline: bool | None
    """`None`: there is no line."""


EMPTY_TEXT = Text(lines=(), ending=None, final_newline=None)


def is_binary(data: bytes) -> bool:
    """Whether `data` has no lines to speak of: it holds a NUL anywhere."""
    return b"\0" in data


def split(data: bytes) -> Text:
    """The lines of `data`."""
    if not data:
        return EMPTY_TEXT
    pieces = data.split(b"\n")
    final_newline = not pieces[-1]
    ended = pieces[:-1]
    last = () if final_newline else (Line(pieces[-1]),)
    n_cr = data.count(b"\r\n")
    if not n_cr:
        lines = tuple(map(Line, ended))
    else:
        lines = tuple(Line(p[:-1], cr=True) if p.endswith(b"\r") else Line(p) for p in ended)
    return Text(lines=lines + last, ending=_ending(n_cr, len(ended)), final_newline=final_newline)


def join(text: Text) -> bytes:
    """The bytes that `split` would read as `text`."""
    if not text.lines:
        return b""
    if text.ending is Ending.MIXED:
        body = b"\n".join(line.text + b"\r" if line.cr else line.text for line in text.lines)
        if text.final_newline:
            return body + b"\n"
        return body.removesuffix(b"\r") if text.lines[-1].cr else body
    newline = b"\r\n" if text.ending is Ending.CRLF else b"\n"
    body = newline.join([line.text for line in text.lines])
    return body + newline if text.final_newline else body


def keys(text: Text, other: Text) -> list[bytes]:
    """What the lines of `text` are compared by when `other` is the other side."""
    if Ending.MIXED not in (text.ending, other.ending):
        return [line.text for line in text.lines]
    uniform = {Ending.CRLF: True, Ending.LF: False}.get(text.ending) if text.ending else None
    return [_key(line.text, ends=line.cr if uniform is None else uniform) for line in text.lines]


def _key(text: bytes, *, ends: bool) -> bytes:
    """A line with what counts of its ending. A CR that is text, behind the last line, is no ending: NUL tells it apart."""
    if ends:
        return text + b"\r"
    return text + b"\0" if text.endswith(b"\r") else text


@dataclass(frozen=True, slots=True)
class Hunk:
    """A run of lines that one change replaced."""

    start: int
    """Index of the first replaced line, in the lines before the change."""
    n_removed: int
    inserted: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrite:
    """All that one change did to the text of a file."""

    hunks: tuple[Hunk, ...]
    ending: Ending | None
    """How lines end after the change."""
    final_newline: bool | None


Span = tuple[int, int, int, int]
"""Lines `a[i1:i2]` became lines `b[j1:j2]`, as `(i1, i2, j1, j2)`."""


def rewrite(after: Text, spans: Sequence[Span]) -> Rewrite:
    """The change to `after`, where a diff of the `keys` of both sides gave `spans`."""
    hunks = tuple(Hunk(i1, i2 - i1, after.lines[j1:j2]) for i1, i2, j1, j2 in spans)
    return Rewrite(hunks=hunks, ending=after.ending, final_newline=after.final_newline)


def encode(change: Rewrite) -> bytes:
    """`change` as bytes for the journal: a line of numbers, then the inserted lines.

    A carriage return at the end of a line stands for its ending; lines of which it is text are numbered in the head.
    """
    numbers = ",".join(f"{h.start}:{h.n_removed}:{len(h.inserted)}" for h in change.hunks)
    newline = "-" if change.final_newline is None else str(int(change.final_newline))
    lines = [line for hunk in change.hunks for line in hunk.inserted]
    bare = ",".join(str(n) for n, line in enumerate(lines) if not line.cr and line.text.endswith(b"\r"))
    head = f"1 {change.ending or '-'} {newline} {numbers}{bare and ' '}{bare}".encode()
    return b"\n".join([head, *(line.text + b"\r" if line.cr else line.text for line in lines)])


def decode(data: bytes) -> Rewrite:
    """What `encode` made `data` of."""
    head, *body = data.split(b"\n")
    _, ending, newline, numbers, *bare = head.decode().split(" ")
    texts = {int(number) for part in bare for number in part.split(",")}
    lines = [_line(raw, ends=n not in texts) for n, raw in enumerate(body)]
    hunks, at = [], 0
    for part in filter(None, numbers.split(",")):
        start, n_removed, n_inserted = map(int, part.split(":"))
        hunks.append(Hunk(start, n_removed, tuple(lines[at : at + n_inserted])))
        at += n_inserted
    return Rewrite(
        hunks=tuple(hunks),
        ending=None if ending == "-" else Ending(ending),
        final_newline=None if newline == "-" else newline == "1",
    )


def _line(raw: bytes, *, ends: bool) -> Line:
    return Line(raw[:-1], cr=True) if ends and raw.endswith(b"\r") else Line(raw)


def _ending(n_cr: int, n_ended: int) -> Ending | None:
    if not n_ended:
        return None
    if not n_cr:
        return Ending.LF
    return Ending.CRLF if n_cr == n_ended else Ending.MIXED
