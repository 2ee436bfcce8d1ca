"""The texts of open documents, as the editor counts them.

Lines end at LF, CRLF and CR, and at nothing else: a form feed or U+2028 is text. Columns are counted in the units that
were agreed on (UTF-8 bytes, UTF-16 words, or code points). Source: Language Server Protocol 3.17, "Text Documents".
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from lsprotocol import types as lsp

from takeback.model.spans import LineEdit, line_edit

_ENDING = re.compile(r"\r\n|\n|\r")
_BYTES = 0x7F, 0x7FF, 0xFFFF


@dataclass(slots=True, kw_only=True)
class Document:
    """One open document; its text changes with every edit."""

    uri: str
    version: int
    text: str
    waiting: list[asyncio.Future[None]] = field(default_factory=list)
    """Who wants to know of the next text."""
    trail: list[str] | None = None
    """While an edit of ours is under way: every text since it was sent, one after each change."""

    def edited(
        self,
        version: int,
        changes: Iterable[lsp.TextDocumentContentChangeEvent],
        encoding: lsp.PositionEncodingKind | str,
    ) -> tuple[LineEdit, ...] | None:
        """Take in the changes of one notification, in order. The lines that they replaced; `None`: it does not say."""
        edits: list[LineEdit | None] = []
        for change in changes:
            edits.append(self._changed(change, encoding))
            if self.trail is not None:
                self.trail.append(self.text)
        self.version = version
        for waiter in self.waiting:
            if not waiter.done():
                waiter.set_result(None)
        self.waiting.clear()
        known = tuple(edit for edit in edits if edit is not None)
        return known if len(known) == len(edits) else None

    def _changed(
        self, change: lsp.TextDocumentContentChangeEvent, encoding: lsp.PositionEncodingKind | str
    ) -> LineEdit | None:
        """Take in one change; the lines that it replaced, if it says so."""
        if not isinstance(change, lsp.TextDocumentContentChangePartial):
            self.text = change.text
            return None
        place = change.range
        start = offset_of(self.text, place.start, encoding)
        end = start if place.end == place.start else offset_of(self.text, place.end, encoding)
        end = max(start, end)
        edit = line_edit(self.text, start, end, change.text)
        self.text = self.text[:start] + change.text + self.text[end:]
        return edit

    @property
    def n_lines(self) -> int:
        """How many lines it has; the empty one behind the last ending counts."""
        return len(_ENDING.findall(self.text)) + 1

    def end_of(self, line: int, encoding: lsp.PositionEncodingKind | str) -> lsp.Position:
        """Where a line ends, before its ending."""
        start, end = _line(self.text, line)
        n_units = sum(_width(character, encoding) for character in self.text[start:end])
        return lsp.Position(line=line, character=n_units)

    async def next_text(self, timeout_s: float, others: Iterable[asyncio.Future[Any]] = ()) -> None:
        """Returns when the document was edited, when one of `others` is done, or after `timeout_s`."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.append(waiter)
        await asyncio.wait((waiter, *others), timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)


def with_edits(text: str, edits: Iterable[lsp.TextEdit], encoding: lsp.PositionEncodingKind | str) -> str:
    """`text` as a client makes it that applies `edits`; their ranges are those of the text before any of them.

    What is inserted at one place comes in the order of `edits`.
    """
    places = [
        (offset_of(text, e.range.start, encoding), offset_of(text, e.range.end, encoding), e) for e in edits
    ]
    places.sort(key=lambda place: place[:2])
    for start, end, edit in reversed(places):
        text = text[:start] + edit.new_text + text[end:]
    return text


def offset_of(text: str, position: lsp.Position, encoding: lsp.PositionEncodingKind | str) -> int:
    """The index in `text` of a position. One beyond the end of its line is the end of the line."""
    start, end = _line(text, position.line)
    if encoding == lsp.PositionEncodingKind.Utf32 or text[start:end].isascii():
        return min(start + position.character, end)
    left, at = position.character, start
    while at < end and left > 0:
        left -= _units(text[at], encoding)
        at += 1
    return at


def position_of(text: str, offset: int, encoding: lsp.PositionEncodingKind | str) -> lsp.Position:
    """The position of an index in `text`."""
    line, start = 0, 0
    for ending in _ENDING.finditer(text, 0):
        if ending.end() > offset:
            break
        line, start = line + 1, ending.end()
    before = text[start:offset]
    if encoding == lsp.PositionEncodingKind.Utf32 or before.isascii():
        return lsp.Position(line=line, character=len(before))
    return lsp.Position(line=line, character=sum(_units(character, encoding) for character in before))


def _line(text: str, number: int) -> tuple[int, int]:
    """Where a line begins, and where it ends without its ending. Beyond the last line is the end of the text."""
    n_returns = text.count("\r")
    if not n_returns or n_returns == text.count("\r\n"):
        return _line_by_feeds(text, number)
    start = 0
    for ending in _ENDING.finditer(text):
        if number == 0:
            return start, ending.start()
        number -= 1
        start = ending.end()
    return (start, len(text)) if number == 0 else (len(text), len(text))


def _line_by_feeds(text: str, number: int) -> tuple[int, int]:
    """The same where no carriage return stands alone: a keystroke must not cost a search through all lines."""
    parts = text.split("\n", number + 1)
    if len(parts) <= number:
        return len(text), len(text)
    line, is_last = parts[number], len(parts) == number + 1
    end = len(text) if is_last else len(text) - len(parts[-1]) - 1
    return end - len(line), end - (line.endswith("\r") and not is_last)


def _width(character: str, encoding: lsp.PositionEncodingKind | str) -> int:
    return 1 if encoding == lsp.PositionEncodingKind.Utf32 else _units(character, encoding)


def _units(character: str, encoding: lsp.PositionEncodingKind | str) -> int:
    code = ord(character)
    if encoding == lsp.PositionEncodingKind.Utf16:
        return 1 + (code > _BYTES[2])
    return 1 + sum(code > limit for limit in _BYTES)
