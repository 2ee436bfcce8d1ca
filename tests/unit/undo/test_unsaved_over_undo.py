"""What an open document becomes when its file is taken back, whatever ends the lines of either."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from takeback.model.text import join, split
from takeback.store.diff import differ
from takeback.undo.buffer import with_unsaved

# Endings of all kinds in one file, CRs that stand alone, and lines that are alike.
contents = st.lists(
    st.sampled_from([b"a\n", b"b\r\n", b"c\r", b"\n", b"\r\n", b"\r\r\n", b"a", b"b"]), max_size=8
).map(b"".join)


def becomes(parent, after, shown):
    """The document that shows `shown`, when its file goes from `parent` to `after`; `None` if it cannot."""
    found = with_unsaved(split(parent), split(after), split(shown), differ)
    return None if found is None else join(found)


@given(contents, contents)
@example(b"a\r\nb", b"c\na\r\nb\r")  # a CR behind the last line, which no LF makes an ending of
def test_a_document_without_unsaved_text_becomes_its_file(parent, after):
    """A document that shows its file to the byte shows it to the byte afterwards, whatever ends its lines."""
    assert becomes(parent, after, parent) == after


lines = st.lists(st.sampled_from([b"a\n", b"b\r\n", b"\n", b"\r\n", b"c"]), max_size=8).map(b"".join)
mixed = lines.map(lambda data: b"one\ntwo\r\n" + data)


@given(mixed, lines, st.sampled_from([b"\n", b"\r\n"]))
def test_a_document_with_one_ending_becomes_its_file_but_for_that(parent, after, ending):
    """An editor that shows all lines of a mixed file with one ending has no unsaved text, and goes on to show one."""

    def shown(data):
        return data.replace(b"\r\n", b"\n").replace(b"\n", ending)

    assert becomes(parent, after, shown(parent)) == shown(after)
