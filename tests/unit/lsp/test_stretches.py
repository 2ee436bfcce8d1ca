"""Where in a document the changes of others are."""

from takeback.config import EditorConfig
from takeback.lsp.stretches import foreign, stretches
from takeback.model.ids import OpId
from takeback.service.provenance import UNSAVED, Author, Authorship, Gone, Mark, Provenance


def author(op, actor="agent:a", *, kept=False):
    """Somebody who did an operation."""
    return Author(
        op=OpId(op), actor=actor, label="", at_ns=0, turn=None, turn_label="", inferred=False, kept=kept
    )


def found(lines, text=None, gone=(), authors=None):
    """Where each stretch is, and of which operation and hunk."""
    known = authors or {1: author(1), 2: author(2)}
    marks = Provenance(lines=list(lines), gone=list(gone))
    authorship = Authorship(version=1, provenance=marks, authors=known, shows=EditorConfig())
    return stretches(authorship, text if text is not None else "x\n" * (len(lines) - 1))


def places(*given, **named):
    """The same as plain tuples."""
    return [(one.start, one.end, one.author.op, one.hunk) for one in found(*given, **named)]


FIRST, SECOND = Mark(OpId(1), 1), Mark(OpId(2), 3)


def test_lines_in_a_row_are_one_stretch():
    """Lines of one hunk that follow each other are one stretch; another hunk begins another."""
    assert places([None, FIRST, FIRST, SECOND, None]) == [(1, 3, 1, 1), (3, 4, 2, 3)]


def test_unsaved_lines_are_in_none():
    """What was typed and not recorded yet belongs to no operation."""
    assert places([FIRST, UNSAVED, FIRST]) == [(0, 1, 1, 1), (2, 3, 1, 1)]


def test_removed_lines_are_an_empty_stretch():
    """Where lines were removed the stretch is empty, and the line that follows is the one that it concerns."""
    (gone,) = found([None, None, None], gone=[Gone(1, FIRST)])
    assert (gone.start, gone.end, gone.is_gone) == (1, 1, True)
    assert gone.meets(1, 1)
    assert not gone.meets(0, 0)
    assert not gone.meets(2, 2)


def test_a_stretch_meets_the_lines_that_it_covers():
    """It concerns a range that has one of its lines, and no other."""
    (one,) = found([None, FIRST, FIRST, None])
    assert [one.meets(line, line) for line in range(4)] == [False, True, True, False]
    assert one.meets(0, 5)


def test_a_lone_carriage_return_is_an_ending_for_editors():
    """Lines behind one are further down than line feeds say; CRLF counts once."""
    assert places([None, FIRST, SECOND], "a\rb\nc\r\nd") == [(2, 3, 1, 1), (3, 4, 2, 3)]


def test_only_the_changes_of_others_are_foreign():
    """What the human wrote or checked out, and what a person has kept, needs no attention."""
    known = {1: author(1, "human"), 2: author(2, kept=True), 3: author(3), 4: author(4, "git")}
    shown = found([FIRST, SECOND, Mark(OpId(3), 1), Mark(OpId(4), 1)], authors=known)
    assert [one.author.op for one in foreign(shown)] == [3]
