"""An open document's text, edit by edit, in whatever units its editor counts columns."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types as lsp

from takeback.lsp.documents import Document, with_edits
from takeback.lsp.lines import Lines
from takeback.model.spans import composed, fitting

UTF8, UTF16, UTF32 = lsp.PositionEncodingKind
ENDING = re.compile(r"\r\n|\n|\r")

encodings = st.sampled_from(lsp.PositionEncodingKind)
# Endings come together and apart; the characters take one to four bytes, and one or two words; \f and U+2028 end no line.
texts = st.text(alphabet="ab\r\n\r\nä€😀\f\u2028\u0301\ud800", max_size=30)
numbers = st.integers(min_value=0, max_value=9)
positions = st.builds(lsp.Position, line=numbers, character=numbers)


def units(character, encoding):
    """How many columns a character takes, by the tables of Unicode."""
    if encoding == UTF8:
        return 1 + sum(ord(character) > limit for limit in (0x7F, 0x7FF, 0xFFFF))
    return 2 if encoding == UTF16 and ord(character) > 0xFFFF else 1


def offset(text, position, encoding):
    """The index of a position, found by going through the text."""
    ends = [(one.start(), one.end()) for one in ENDING.finditer(text)]
    starts, stops = [0, *(end for _, end in ends)], [*(start for start, _ in ends), len(text)]
    if position.line >= len(starts):
        return len(text)
    at, left = starts[position.line], position.character
    while left > 0 and at < stops[position.line]:
        left -= units(text[at], encoding)
        at += 1
    return at


def typed(start, end, new):
    """A change as an editor tells it."""
    return lsp.TextDocumentContentChangePartial(range=lsp.Range(start=start, end=end), text=new)


@given(texts, st.lists(st.tuples(positions, positions, texts), max_size=6), encodings)
def test_a_document_is_what_its_editor_made_of_it(text, edits, encoding):
    """Edit after edit the text is that of a plain string with the same changes, and so are its lines."""
    document = Document(uri="file:///a", version=1, lines=Lines(text))
    for number, (start, end, new) in enumerate(edits):
        document.edited(number + 2, [typed(start, end, new)], encoding)
        first, last = offset(text, start, encoding), offset(text, end, encoding)
        text = text[:first] + new + text[max(first, last) :]

        assert document.text == text
        assert document.lines == Lines(text)
        assert len(document.lines) == len(ENDING.findall(text)) + 1


@given(texts, st.lists(st.tuples(positions, positions, texts), max_size=6), encodings)
def test_edits_say_which_lines_they_replaced(text, edits, encoding):
    """What lies between the lines that edits say they replaced is the same before and after."""
    document = Document(uri="file:///a", version=1, lines=Lines(text))
    changes = [typed(*edit) for edit in edits]
    spans = ()
    for edit in document.edited(2, changes, encoding):
        spans = composed(spans, edit)

    assert fitting(text.split("\n"), document.text.split("\n"), spans) == spans


@given(texts, texts, positions, encodings)
def test_places_are_the_same_whether_or_not_the_text_was_edited(text, new, position, encoding):
    """A document that was edited counts like one that was opened with that text."""
    edited = Lines(text)
    edited.place(position, encoding)
    edited.replace(edited.place(position, encoding), edited.place(position, encoding), new)
    opened = Lines(edited.text)

    assert edited.place(position, encoding) == opened.place(position, encoding)
    assert edited.end_of(position.line, encoding) == opened.end_of(position.line, encoding)
    for index in range(len(opened.text) + 1):
        assert edited.position(index, encoding) == opened.position(index, encoding)


@given(texts, encodings)
def test_an_index_and_its_position_are_the_same_place(text, encoding):
    """Every index of a text but those within a CRLF has a position that leads back to it."""
    lines = Lines(text)
    for index in range(len(text) + 1):
        if text[max(index - 1, 0) : index + 1] != "\r\n":
            assert offset(text, lines.position(index, encoding), encoding) == index


@given(texts, st.lists(st.tuples(numbers, numbers), max_size=4), encodings)
def test_edits_of_one_text_do_not_move_each_other(text, places, encoding):
    """Edits that are told together are those of the text before any of them."""
    ordered = sorted({min(place, len(text)) for pair in places for place in pair})
    pairs = tuple(zip(ordered[::2], ordered[1::2], strict=False))
    lines, expected = Lines(text), text
    edits = [
        lsp.TextEdit(
            range=lsp.Range(start=lines.position(start, encoding), end=lines.position(end, encoding)),
            new_text="<>",
        )
        for start, end in pairs
    ]
    for edit in reversed(edits):
        start, end = (offset(text, one, encoding) for one in (edit.range.start, edit.range.end))
        expected = expected[:start] + "<>" + expected[end:]

    assert with_edits(text, edits, encoding) == expected


@pytest.mark.parametrize(
    ("text", "place", "new", "expected"),
    [
        ("a\rb\nc", (1, 0, 1), "", "a\r\nc"),  # a CR and an LF come together
        ("a\r\nc", (1, 0, 0), "b", "a\r\nbc"),
        ("a\rc", (1, 0, 0), "\n", "a\r\nc"),  # an LF comes behind a CR
        ("a\r\nc", (0, 1, 9), "\r", "a\r\r\nc"),  # one CR more: two endings
        ("a\r", (1, 0, 0), "\n", "a\r\n"),
        ("a\r", (1, 5, 9), "b", "a\rb"),
        ("a\r\n", (0, 0, 9), "", "\r\n"),  # an ending is beyond the end of its line
    ],
)
def test_endings_come_together_and_apart(text, place, new, expected):
    """CR and LF are one ending where they meet, and two where an edit parts them."""
    line, start, end = place
    document = Document(uri="file:///a", version=1, lines=Lines(text))
    first, last = (lsp.Position(line=line, character=column) for column in (start, end))
    document.edited(2, [typed(first, last, new)], UTF16)

    assert document.text == expected
    assert document.lines == Lines(expected)
    assert len(document.lines) == len(ENDING.findall(expected)) + 1


@pytest.mark.parametrize(("encoding", "column"), [(UTF8, 7), (UTF16, 4), (UTF32, 3)])
def test_a_column_within_a_character_is_behind_it(encoding, column):
    """A position inside of a character, which no editor should send, does not cut it."""
    lines = Lines("ä😀b")

    assert lines.end_of(0, encoding).character == column
    assert [lines.place(lsp.Position(line=0, character=n), encoding)[1] for n in range(column + 1)] == {
        UTF8: [0, 1, 1, 2, 2, 2, 2, 3],
        UTF16: [0, 1, 2, 2, 3],
        UTF32: [0, 1, 2, 3],
    }[encoding]
