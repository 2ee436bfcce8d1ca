"""Columns as editors count them: in UTF-8 bytes, UTF-16 words or code points, whatever was agreed on.

A lone surrogate counts as what a character of its range would take. Nothing here goes through a line character by
character: a line may be all of a file.
"""

from __future__ import annotations

from lsprotocol import types as lsp

Encoding = lsp.PositionEncodingKind | str

_WIDEST = 4
"""Units of the widest character, in any encoding."""


def n_units(text: str, encoding: Encoding) -> int:
    """How many columns a text takes."""
    if encoding == lsp.PositionEncodingKind.Utf32 or text.isascii():
        return len(text)
    if encoding == lsp.PositionEncodingKind.Utf16:
        return len(text.encode("utf-16-le", "surrogatepass")) // 2
    return len(text.encode("utf-8", "surrogatepass"))


def index_at(line: str, column: int, encoding: Encoding) -> int:
    """The index in a line of a column: behind a character that it lies in, and at the end if it lies beyond."""
    index = min(column, len(line))
    beyond = n_units(line[:index], encoding) - column  # no character takes less than one unit
    while beyond > 0:
        step = max(beyond // _WIDEST, 1)
        width = n_units(line[index - step : index], encoding)
        if width > beyond:
            break
        index, beyond = index - step, beyond - width
    return index
