"""The edits that make one text of a document another, as an editor applies them that counts as the protocol says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types as lsp

from takeback.lsp.convert import text_edits
from takeback.lsp.documents import with_edits
from takeback.service.texts import is_made, is_typed_into, replacements

UTF16 = lsp.PositionEncodingKind.Utf16


def check(old, new, n_edits=None):
    """The edits make `new` of `old`."""
    edits = text_edits(old, replacements(old, new), UTF16)

    assert with_edits(old, edits, UTF16) == new
    assert n_edits is None or len(edits) == n_edits


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("one\r\ntwo\r\nthree", "one\r\ntwo"),
        ("one\r\ntwo", "one\r\ntwo\r\nthree"),
        ("one\r\ntwo\r\n", "one\r\ntwo"),
        ("one\r\ntwo", "one\r\ntwo\r\n"),
        ("one\r\ntwo\r", "one\r\ntwo\r\n"),
        ("one\r\ntwo\r\n", "one\r\ntwo\r"),
        ("one\ntwo", "one"),
        ("one", "one\ntwo"),
        ("one\r\n", ""),
        ("", "one\r\n"),
    ],
)
def test_the_end_of_a_text_keeps_its_ending(old, new):
    """Lines that come or go at the end leave every other line with the ending that it had."""
    check(old, new, n_edits=1)


# A CR beside an LF is one ending and beside text another, and lines that are alike can be paired in several ways.
texts = st.text(alphabet="a\r\n", max_size=12) | st.lists(
    st.sampled_from(["a\n", "b\r\n", "\r\n", "😀\r", "c"]), max_size=8
).map("".join)


@given(texts, texts)
def test_edits_make_any_text_any_other(old, new):
    """Whatever the two texts are, the edits make the second of the first."""
    check(old, new)


@pytest.mark.parametrize(
    ("old", "new", "shown", "expected"),
    [
        ("a b c", "a B c", "a B C", True),
        ("a b c", "a B c", "a B x c", True),
        ("a b c", "a B c", "a b C", False),
        ("a b c", "a B c", "a BB c", False),
        ("a b c", "a c", "A c", True),
        ("a b c", "a c", "A b c", False),
        ("a c", "a b c", "a b C", True),
        ("a c", "a b c", "a C", False),
        ("a b c d", "A b c D", "A b x c D", True),
        ("a b c d", "A b c D", "A b x c d", False),
        ("x x x", "x x", "x x x x", False),
        ("a b c", "a B c", "a b c", False),
    ],
)
def test_an_edit_is_told_from_what_was_typed_besides(old, new, shown, expected):
    """A text shows an edit if all its lines are there and other lines differ, and not if the edit was dropped."""
    assert is_made(*(text.replace(" ", "\n") + "\n" for text in (old, new, shown))) is expected


@given(texts, texts, texts)
def test_a_text_shows_an_edit_or_the_edit_back(old, new, shown):
    """No text shows both an edit and the opposite one."""
    assert not (is_made(old, new, shown) and is_made(new, old, shown))


@pytest.mark.parametrize(
    ("old", "new", "shown", "expected"),
    [
        ("a agent c", "a line c", "a line! c", True),  # typed into what was made
        ("a agent c", "a line c", "a agent! c", False),  # typed into what was not
        ("a agent c", "a line c", "a agent c!", False),
        ("a agent c", "a line c", "a agent c", False),
        ("a x c", "a c", "a x c", False),  # typed once more, or never taken away
        ("a agent c", "a line c", "a line c", True),
    ],
)
def test_typing_in_the_lines_of_an_edit_is_told_from_typing_without_it(old, new, shown, expected):
    """A text is the edited one with something typed at one place, where that is less than what else it would be."""
    assert is_typed_into(old, new, shown) is expected
