"""Which lines an editor replaced, from the edits that it tells of. Pure.

    parent   a b b c      edit: "b" comes before line 1      edit: line 4 is typed in
    text     a b b b c    (1, 1, 1)                          (4, 5, 1)
                          spans: (1, 1, 1, 2)                spans: (1, 1, 1, 2), (3, 4, 4, 5)

A diff of both texts could not say which of the three is new. Lines are what stands between line feeds; behind the last
one there is a line, too, and be it empty.
"""

from __future__ import annotations

from collections.abc import Sequence

from takeback.model.text import Span

LineEdit = tuple[int, int, int]
"""Lines `[start:end]` of a text became so many lines, as `(start, end, n_lines)`."""


def line_edit(first: int, old: Sequence[str], made: Sequence[str], *, begins_line: bool) -> LineEdit:
    """The lines that change when the lines `old`, from line `first` on, become `made`.

    What is put in at the beginning of a line comes before that line, and what is put in further on comes after it.
    """
    limit = min(len(old), len(made))
    if begins_line:
        n_tail = _n_same(old[::-1], made[::-1], limit)
        n_head = _n_same(old, made, limit - n_tail)
    else:
        n_head = _n_same(old, made, limit)
        n_tail = _n_same(old[::-1], made[::-1], limit - n_head)
    return first + n_head, first + len(old) - n_tail, len(made) - n_head - n_tail


def _n_same(one: Sequence[str], other: Sequence[str], limit: int) -> int:
    """How many lines both begin with, at most `limit`."""
    n = 0
    while n < limit and one[n] == other[n]:
        n += 1
    return n


def composed(spans: Sequence[Span], edit: LineEdit) -> tuple[Span, ...]:
    """`spans` from a parent to a text, after one more edit of that text. What touches is one span."""
    start, end, n_lines = edit
    if start == end and not n_lines:
        return tuple(spans)
    before = [span for span in spans if span[3] < start]
    after = [span for span in spans if span[2] > end]
    touched = spans[len(before) : len(spans) - len(after)]
    first = min(start, touched[0][2]) if touched else start
    last = max(end, touched[-1][3]) if touched else end
    grown = n_lines - (end - start)
    one = (
        first + _offset(before),
        last + _offset([*before, *touched]),
        first,
        last + grown,
    )
    return (*before, one, *((i1, i2, j1 + grown, j2 + grown) for i1, i2, j1, j2 in after))


def _offset(spans: Sequence[Span]) -> int:
    """How far the lines behind the last span have to be moved to be those of the parent."""
    return spans[-1][1] - spans[-1][3] if spans else 0


def fitting(
    before: Sequence[bytes], after: Sequence[bytes], spans: Sequence[Span]
) -> tuple[Span, ...] | None:
    """`spans` without the line behind the last line feed; `None` if what is between them is not the same."""
    n_before, n_after = len(before), len(after)
    cut = tuple(
        (min(i1, n_before), min(i2, n_before), min(j1, n_after), min(j2, n_after)) for i1, i2, j1, j2 in spans
    )
    i, j = 0, 0
    for i1, i2, j1, j2 in (*cut, (n_before, n_before, n_after, n_after)):
        if before[i:i1] != after[j:j1]:
            return None
        i, j = i2, j2
    return cut
