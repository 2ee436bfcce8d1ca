"""Which lines differ: libgit2's diff, because `difflib` is quadratic."""

from __future__ import annotations

from collections.abc import Sequence

import pygit2
from pygit2.enums import DiffOption

from takeback.model.text import Span

_FLAGS = DiffOption.FORCE_TEXT | DiffOption.INDENT_HEURISTIC


def differ(before: Sequence[bytes], after: Sequence[bytes]) -> tuple[Span, ...]:
    """The runs of lines in which the two sides differ, in order. No line holds a line feed.

    What both sides begin and end with is cut off first, so the cost follows the change.
    """
    start, stop = 0, min(len(before), len(after))
    while start < stop and before[start] == after[start]:
        start += 1
    end = 0
    while end < stop - start and before[-1 - end] == after[-1 - end]:
        end += 1
    a, b = before[start : len(before) - end], after[start : len(after) - end]
    if not a or not b:
        return ((start, start + len(a), start, start + len(b)),) if a or b else ()
    return tuple((i1 + start, i2 + start, j1 + start, j2 + start) for i1, i2, j1, j2 in _spans(a, b))


def _spans(before: Sequence[bytes], after: Sequence[bytes]) -> list[Span]:
    patch = pygit2.Patch.create_from(_buffer(before), _buffer(after), flag=_FLAGS, context_lines=0)
    spans = []
    for hunk in patch.hunks:
        i1 = hunk.old_start - 1 if hunk.old_lines else hunk.old_start
        j1 = hunk.new_start - 1 if hunk.new_lines else hunk.new_start
        spans.append((i1, i1 + hunk.old_lines, j1, j1 + hunk.new_lines))
    return spans


def _buffer(lines: Sequence[bytes]) -> bytes:
    return b"\n".join([*lines, b""])
