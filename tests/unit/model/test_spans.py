"""Which lines an editor replaced follows from its edits alone, also where lines repeat."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from takeback.model.spans import composed, fitting, line_edit


def edited(text, start, end, new):
    """The text after an edit in characters, and which lines that replaced."""
    begin, stop = text.rfind("\n", 0, start) + 1, (text + "\n").index("\n", end)
    old = text[begin:stop].split("\n")
    made = (text[begin:start] + new + text[end:stop]).split("\n")
    edit = line_edit(text.count("\n", 0, start), old, made, begins_line=start == begin)
    return text[:start] + new + text[end:], edit


def check(text, edits, expected):
    """These edits, each `(start, end, new)` in characters, replace the expected lines."""
    spans = ()
    for start, end, new in edits:
        text, edit = edited(text, start, end, new)
        spans = composed(spans, edit)
    assert spans == tuple(expected)


@pytest.mark.parametrize(
    ("text", "edits", "expected"),
    [
        ("x\nx\n", [(0, 0, "x\n")], [(0, 0, 0, 1)]),  # before the first of two that are alike
        ("x\nx\n", [(2, 2, "x\n")], [(1, 1, 1, 2)]),  # between them
        ("x\nx\n", [(4, 4, "x\n")], [(2, 2, 2, 3)]),  # after both
        ("x\nx\n", [(1, 1, "\nx")], [(1, 1, 1, 2)]),  # a new line opened behind the first
        ("x\r\nx\r\n", [(1, 1, "\r\nx")], [(1, 1, 1, 2)]),
        ("x\nx\nx\n", [(0, 2, "")], [(0, 1, 0, 0)]),  # the first is removed
        ("x\nx\nx\n", [(2, 4, "")], [(1, 2, 1, 1)]),  # the second
        ("x\nx\nx\n", [(1, 3, "")], [(1, 2, 1, 1)]),  # from the end of the first to the end of the second
        ("abc\n", [(1, 2, "B")], [(0, 1, 0, 1)]),
        ("a\nb", [(3, 3, "\n")], [(2, 2, 2, 3)]),  # a final line feed: a line behind it, without text
        ("a\n", [(2, 2, "b")], [(1, 2, 1, 2)]),
        ("a\nb\nc\n", [(0, 0, "x\n"), (6, 7, "C")], [(0, 0, 0, 1), (2, 3, 3, 4)]),
        ("a\nb\nc\n", [(4, 5, "C"), (0, 0, "x\n")], [(0, 0, 0, 1), (2, 3, 3, 4)]),
        ("a\nb\nc\n", [(1, 1, "\n"), (2, 2, "y")], [(1, 1, 1, 2)]),  # opened, then typed in
        ("a\nb\nc\n", [(0, 0, "")], []),
    ],
)
def test_lines_are_told_by_where_they_were_put(text, edits, expected):
    """A line that is put in at the beginning of another comes before it, and one that is opened comes after it."""
    check(text, edits, expected)


@given(
    st.text("ab\n", max_size=12),
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12), st.text("ab\n", max_size=4)), max_size=6),
)
def test_what_is_between_the_spans_is_the_same(text, edits):
    """However edits follow each other, the lines outside of the spans are those of the text before all of them."""
    before, spans = text, ()
    for one, other, new in edits:
        start, end = sorted((min(one, len(text)), min(other, len(text))))
        text, edit = edited(text, start, end, new)
        spans = composed(spans, edit)

    old, now = before.split("\n"), text.split("\n")
    assert fitting(old, now, spans) == spans
    assert all(a1 <= a2 and b1 <= b2 for a1, a2, b1, b2 in spans)


def test_spans_of_another_text_do_not_fit():
    """Where something else than the edits made the text, there is no answer."""
    assert fitting([b"a", b"b"], [b"a", b"c"], [(0, 0, 0, 0)]) is None
    assert fitting([b"a"], [b"a", b"b"], ()) is None
