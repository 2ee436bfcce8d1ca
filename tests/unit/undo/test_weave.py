"""Lines have identity: what shows depends on which changes stand, and on nothing else."""

import difflib
import itertools

import pytest

from takeback.model.ids import ChangeSeq
from takeback.model.text import Ending, Hunk, Line, Rewrite, Text
from takeback.undo.clash import OnConflict, outlook
from takeback.undo.weave import BASE, Mismatch, Weave


def text(words):
    """A file with one line for each word."""
    lines = tuple(Line(word.encode()) for word in words.split())
    return Text(lines=lines, ending=Ending.LF if lines else None, final_newline=bool(lines) or None)


def rewrite(old, new):
    """The change from one file to the other, by a diff."""
    matcher = difflib.SequenceMatcher(None, old.split(), new.split(), autojunk=False)
    hunks = [
        Hunk(i1, i2 - i1, text(new).lines[j1:j2])
        for tag, i1, i2, j1, j2 in matcher.get_opcodes()
        if tag != "equal"
    ]
    return Rewrite(hunks=tuple(hunks), ending=Ending.LF, final_newline=True)


def weave_of(history):
    """The weave of a history, given as its successive contents."""
    weave = Weave(text(history[0]))
    for seq, (old, new) in enumerate(itertools.pairwise(history), start=1):
        weave.apply(ChangeSeq(seq), rewrite(old, new))
    return weave


def check(history, undone, expected, *, conflicts=()):
    """After `undone`, the file is `expected`, and exactly these changes stand in the way."""
    weave = weave_of(history)
    after = weave.standing - set(undone)
    found = outlook(weave, after, OnConflict.STOP, {})
    assert {seq for clash in found.clashes for seq in clash.others} == set(conflicts)
    assert " ".join(line.text.decode() for line in found.lines) == expected


TABLE = {
    "the only change": (["a b c", "a B c"], [1], "a b c"),
    "the first of two": (["a b c", "A b c", "A b C"], [1], "a b C"),
    "the line below": (["a b c", "a B c", "a B C"], [1], "a b C"),
    "append after append": (["a", "a b", "a b c"], [1], "a c"),
    "inside what was added": (["a z", "a b c z", "a b X c z"], [1], "a X z"),
    "a deletion around others": (["a b c d", "a d", "a X d"], [1], "a b c X d"),
    "the middle of three": (["a b c", "A b c", "A B c", "A B C"], [2], "A b C"),
    "all of them": (["a b c", "A b c", "A B c", "A B C"], [1, 2, 3], "a b c"),
    "repeated lines": (["f }", "f } g }", "f } g } h }"], [1], "f } h }"),
}


@pytest.mark.parametrize("case", TABLE)
def test_what_remains(case):
    """Only the lines of what was undone go, and only those it took return."""
    check(*TABLE[case])


def test_what_somebody_replaced_since_is_in_the_way():
    """A line written by one change and replaced by another is contested; removed or added lines are not."""
    check(["a b c", "a B c", "a X c"], [1], "a X c", conflicts=[2])
    check(["a b c", "a B c", "a c"], [1], "a c", conflicts=[2])
    check(["a c", "a b1 b2 c", "a b1 c"], [1], "a c")
    check(["a b c", "a B c", "a X c", "a Y c"], [1], "a Y c", conflicts=[2, 3])


def test_order_does_not_matter():
    """Whatever the order in which changes cease to stand, the lines are the same."""
    history = ["a b c d", "A b c d", "A b X c d", "A b X c D", "A b c D"]
    for undone in itertools.chain.from_iterable(itertools.combinations(range(1, 5), n) for n in range(5)):
        shown = set()
        for order in itertools.permutations(undone):
            weave = weave_of(history)
            for seq in order:
                weave.stand(weave.standing - {seq})
            shown.add(weave.text().lines)
        assert len(shown) == 1


def test_the_base_always_stands():
    """When nothing else stands, the first text shows."""
    weave = weave_of(["a b", "x", "y z"])
    weave.stand(set())

    assert weave.standing == {BASE}
    assert weave.text() == text("a b")


def test_hunks_that_do_not_fit_are_refused():
    """A change of lines that are not there is no change of this file."""
    change = Rewrite(hunks=(Hunk(5, 1, ()),), ending=Ending.LF, final_newline=True)

    with pytest.raises(Mismatch):
        Weave(text("a")).apply(ChangeSeq(1), change)
