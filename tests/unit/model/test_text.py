"""Content as lines, and changes of lines as bytes: what goes in comes out."""

from hypothesis import given
from hypothesis import strategies as st

from takeback.model.text import (
    Ending,
    Hunk,
    Line,
    Rewrite,
    Text,
    decode,
    encode,
    is_binary,
    join,
    keys,
    split,
)

# Few letters, and every character that ends a line for somebody: so that lines repeat and endings meet.
CONTENTS = st.lists(st.sampled_from([b"a", b"b", b"\n", b"\r\n", b"\r", b"\x0c", b"\xe2\x80\xa8"])).map(
    b"".join
)
LINES = st.builds(Line, CONTENTS.map(lambda data: data.replace(b"\n", b"")), st.booleans())
HUNKS = st.builds(Hunk, st.integers(0, 9), st.integers(0, 9), st.lists(LINES, max_size=4).map(tuple))
REWRITES = st.builds(
    Rewrite,
    hunks=st.lists(HUNKS, max_size=4).map(tuple),
    ending=st.sampled_from([None, *Ending]),
    final_newline=st.sampled_from([None, True, False]),
)


@given(CONTENTS)
def test_split_and_join(data):
    """Whatever the endings are, splitting loses nothing."""
    assert join(split(data)) == data


@given(REWRITES)
def test_encode_and_decode(change):
    """A change as the journal keeps it is the same change, carriage returns that are text among its lines too."""
    assert decode(encode(change)) == change


@given(CONTENTS, CONTENTS)
def test_keys_tell_contents_apart(one, other):
    """Two contents with equal keys differ in nothing but how all lines end, and whether the last one does."""
    first, second = split(one), split(other)
    if keys(first, second) == keys(second, first):
        plain = [[line.text for line in text.lines] for text in (first, second)]
        assert plain[0] == plain[1]


def test_a_carriage_return_that_is_text_is_no_ending():
    """Beside a mixed file, a last line that holds a carriage return is another line than one that ends with CRLF."""
    crlf, mixed = split(b"a\r\nb"), split(b"a\r\n\nb\r")

    assert keys(crlf, mixed)[-1] != keys(mixed, crlf)[-1]


def check(data, lines, ending, *, final):
    """`data` reads as `lines`."""
    assert split(data) == Text(
        lines=tuple(Line(*line) if isinstance(line, tuple) else Line(line) for line in lines),
        ending=ending,
        final_newline=final,
    )


def test_how_lines_end():
    """Endings and the final newline belong to the file; in a mixed file the carriage return belongs to the line."""
    check(b"", [], None, final=None)
    check(b"a", [b"a"], None, final=False)
    check(b"a\nb\n", [b"a", b"b"], Ending.LF, final=True)
    check(b"a\r\nb", [(b"a", True), b"b"], Ending.CRLF, final=False)
    check(b"a\r\nb\n", [(b"a", True), b"b"], Ending.MIXED, final=True)
    check(b"\n", [b""], Ending.LF, final=True)


def test_what_does_not_end_a_line():
    """A lone carriage return, a form feed and U+2028 stand inside a line."""
    check(b"a\rb\x0cc\xe2\x80\xa8d\n", [b"a\rb\x0cc\xe2\x80\xa8d"], Ending.LF, final=True)
    check(b"a\r", [b"a\r"], None, final=False)


def test_a_nul_makes_content_binary():
    """Content with a NUL anywhere has no lines to speak of."""
    assert is_binary(b"text\n\0\n")
    assert not is_binary(b"text\n\xff\n")


def test_a_mixed_file_loses_no_carriage_return_that_is_text():
    """The last line of a mixed file ends in a carriage return of its own: it stays, and that of an ending goes."""
    ends = {"ending": Ending.MIXED, "final_newline": False}
    assert join(Text(lines=(Line(b"a"), Line(b"b\r")), **ends)) == b"a\nb\r"
    assert join(Text(lines=(Line(b"a"), Line(b"b", cr=True)), **ends)) == b"a\nb"


def test_what_the_journal_keeps_is_readable_by_earlier_versions():
    """Only a change with carriage returns that are text has a fifth word in its head."""
    plain = Rewrite(
        hunks=(Hunk(1, 2, (Line(b"a"), Line(b"b", cr=True))),), ending=Ending.LF, final_newline=True
    )
    bare = Rewrite(hunks=(Hunk(0, 0, (Line(b"a"), Line(b"b\r"))),), ending=None, final_newline=False)

    assert encode(plain) == b"1 lf 1 1:2:2\na\nb\r"
    assert encode(bare) == b"1 - 0 0:0:2 1\na\nb\r"
