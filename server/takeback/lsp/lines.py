"""A text as editors count it, made for edits: what one costs follows the lines that it touches, not the text.

Lines end at LF, CRLF and CR, and at nothing else: a form feed or U+2028 is text. Source: Language Server Protocol 3.17,
"Text Documents". What is kept are the pieces between line feeds, so a CR and an LF that come together are one ending,
and that come apart are two, without anybody looking for it:

    text     a CR b CR LF c          pieces   "a CR b CR", "c"          lines   a, b, c
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate

from lsprotocol import types as lsp

from takeback.lsp.columns import Encoding, index_at, n_units
from takeback.model.spans import LineEdit, line_edit

Place = tuple[int, int]
"""A piece, and an index in it."""


class Lines:
    """One text, which edits change."""

    __slots__ = ("_firsts", "_n_lone", "_pieces", "_starts", "_text")

    def __init__(self, text: str) -> None:
        self._pieces = text.split("\n")
        self._n_lone = _n_lone(text)
        self._know(text)

    def _know(self, text: str | None) -> None:
        self._text = text
        self._firsts: Sequence[int] | None = None
        self._starts: Sequence[int] | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Lines) and self._pieces == other._pieces

    __hash__ = None  # type: ignore[assignment] # it changes

    def copy(self) -> Lines:
        """The same text, for edits of its own; the pieces are shared."""
        other = Lines("")
        other._pieces, other._n_lone = self._pieces.copy(), self._n_lone
        other._know(self._text)
        return other

    @property
    def text(self) -> str:
        """All of it. Put together when it is first asked for after an edit."""
        if self._text is None:
            self._text = "\n".join(self._pieces)
        return self._text

    def __len__(self) -> int:
        """How many lines there are; the one behind the last ending counts, be it empty."""
        return len(self._pieces) + self._n_lone

    # -- places ----------------------------------------------------------------------------------

    def place(self, position: lsp.Position, encoding: Encoding) -> Place:
        """Where a position is. Beyond the end of its line is the end of the line, beyond the last line that of the text."""
        piece, start, end = self._line(position.line)
        return piece, start + index_at(self._pieces[piece][start:end], position.character, encoding)

    def position(self, offset: int, encoding: Encoding) -> lsp.Position:
        """The position of an index in the text."""
        if self._starts is None:
            self._starts = tuple(accumulate((len(piece) + 1 for piece in self._pieces), initial=0))
        piece = bisect_right(self._starts, offset) - 1
        before = self._pieces[piece][: offset - self._starts[piece]]
        lone = before.removesuffix("\r") if len(before) == self._size(piece) + 1 else before
        line = self._first(piece) + lone.count("\r")
        return lsp.Position(line=line, character=n_units(before[lone.rfind("\r") + 1 :], encoding))

    def end_of(self, line: int, encoding: Encoding) -> lsp.Position:
        """Where a line ends, before its ending."""
        piece, start, end = self._line(line)
        return lsp.Position(line=line, character=n_units(self._pieces[piece][start:end], encoding))

    def _line(self, number: int) -> tuple[int, int, int]:
        """In which piece a line is, where it begins there and where it ends, without its ending."""
        if number >= len(self):
            size = len(self._pieces[-1])
            return len(self._pieces) - 1, size, size
        piece, start = self._beginning(number)
        end = self._pieces[piece].find("\r", start)
        return piece, start, len(self._pieces[piece]) if end < 0 else end

    def _beginning(self, number: int) -> Place:
        if not self._n_lone:
            return number, 0
        self._first(0)
        assert self._firsts is not None, "BUG: it was just made"
        piece, start = bisect_right(self._firsts, number) - 1, 0
        for _ in range(number - self._firsts[piece]):
            start = self._pieces[piece].index("\r", start) + 1
        return piece, start

    def _first(self, piece: int) -> int:
        """The first line of a piece."""
        if not self._n_lone:
            return piece
        if self._firsts is None:
            n_lines = (1 + one.removesuffix("\r").count("\r") for one in self._pieces[:-1])
            self._firsts = tuple(accumulate(n_lines, initial=0))
        return self._firsts[piece]

    def _size(self, piece: int) -> int:
        """How long a piece is without the CR of its ending."""
        text = self._pieces[piece]
        return len(text) - (text.endswith("\r") and piece + 1 < len(self._pieces))

    # -- edits -----------------------------------------------------------------------------------

    def replace(self, start: Place, end: Place, new: str) -> LineEdit:
        """Put `new` in the place of what lies between; an end before its start is its start. The lines that changed."""
        (first, begin), (last, stop) = start, max(start, end)
        old = self._pieces[first : last + 1]
        made = (old[0][:begin] + new + old[-1][stop:]).split("\n")
        following = ("",) if last + 1 < len(self._pieces) else ()
        self._n_lone += _n_lone("\n".join((*made, *following))) - _n_lone("\n".join((*old, *following)))
        self._pieces[first : last + 1] = made
        self._know(None)
        return line_edit(first, old, made, begins_line=begin == 0)

    def placed(self, edits: Iterable[lsp.TextEdit], encoding: Encoding) -> list[tuple[Place, Place, str]]:
        """What to replace for edits whose ranges are all those of this text: the last one first.

        What is inserted at one place comes in the order of `edits`.
        """
        places = [
            (self.place(one.range.start, encoding), self.place(one.range.end, encoding), one.new_text)
            for one in edits
        ]
        return sorted(places, key=lambda place: place[:2])[::-1]


def _n_lone(text: str) -> int:
    """How many CRs stand alone."""
    n_returns = text.count("\r")
    return n_returns - text.count("\r\n") if n_returns else 0
