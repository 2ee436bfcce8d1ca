"""Which changes of a file stand, and what makes others stand."""

import pytest

from takeback.model.ids import BlobId, ChangeSeq, FileId, OpId
from takeback.model.operation import Change, ChangeStatus, known_label, returning, standing, with_candidates
from takeback.model.paths import WorkspacePath
from takeback.model.state import ABSENT, FileKind, FileState, Reason


def content(blob, mode=0o644):
    """A captured file."""
    return FileState(kind=FileKind.FILE, blob=BlobId(blob), mode=mode, size_bytes=1)


UNSEEN = FileState(kind=FileKind.FILE, mode=0o644, size_bytes=9, reason=Reason.TOO_LARGE)


def change(seq, flips=None, before=ABSENT, after=ABSENT, moved_from=None):
    """A change of one file."""
    return Change(
        seq=ChangeSeq(seq),
        op=OpId(seq),
        file=FileId(1),
        path=WorkspacePath("f"),
        moved_from=moved_from,
        before=before,
        after=after,
        flips=flips or {},
    )


def check(history, stands, flips=None):
    """Of a history, given as the flips of each change, exactly these stand."""
    changes = [change(seq, flipped) for seq, flipped in enumerate(history, start=1)]
    assert standing(changes, flips or {}) == set(stands)


def test_what_nobody_flipped_stands():
    """A file's changes stand until one is undone."""
    check([{}, {}], [1, 2])
    check([{}, {}, {1: False}], [2, 3])


def test_the_latest_standing_flip_decides():
    """An undo that was undone decides nothing; a redo after it decides again."""
    check([{}, {1: False}, {2: False}], [1, 3])
    check([{}, {1: False}, {1: True}], [1, 2, 3])
    check([{}, {1: False}, {2: False}, {3: False}], [2, 4])


def test_flips_to_come_are_the_latest_of_all():
    """What a plan would flip decides before all that is recorded."""
    check([{}, {1: False}], [1], flips={2: False})
    check([{}, {1: False}], [1, 2], flips={1: True})


def test_a_way_back_to_any_moment():
    """The fewest flips that return to a moment undo what came after it, and so bring back what that had undone."""
    changes = [change(1), change(2), change(3, {1: False}), change(4)]

    for seq in range(5):
        flips = returning(changes[seq:])
        then = standing([one for one in changes if one.seq <= seq])
        assert standing(changes, flips) == then
    assert returning([]) == {}


def test_a_change_in_one_word():
    """Created, deleted, renamed, another kind, other permission bits alone, or modified."""
    one, other = content("1"), content("2")
    table = {
        (ABSENT, one): ChangeStatus.CREATED,
        (one, ABSENT): ChangeStatus.DELETED,
        (one, other): ChangeStatus.MODIFIED,
        (one, content("1", 0o755)): ChangeStatus.MODE,
        (one, FileState(kind=FileKind.SYMLINK, blob=BlobId("1"))): ChangeStatus.TYPE,
        (one, UNSEEN): ChangeStatus.MODIFIED,
    }
    assert {key: change(1, None, *key).status for key in table} == table
    assert change(1, None, one, other, WorkspacePath("g")).status is ChangeStatus.RENAMED


def test_what_was_never_captured():
    """A state without content that nobody ever read is told from one whose content is gone."""
    expired = FileState(kind=FileKind.FILE, blob=BlobId("1"), mode=0o644, size_bytes=1, reason=Reason.EXPIRED)

    assert UNSEEN.never_captured
    assert not expired.never_captured
    assert not expired.captured


@pytest.mark.parametrize(
    ("label", "known"),
    [
        ("perhaps agent:claude", ""),
        ("found by looking; perhaps agent:claude or command:make", "found by looking"),
        ("perhaps human", ""),
        ("rename; perhaps later", "rename; perhaps later"),
        ("a; b;c", "a; b;c"),
    ],
)
def test_candidates_are_named_until_somebody_claims_it(label, known):
    """Whose an operation perhaps was is no part of its label once that is known; the rest of the label stays."""
    assert known_label(label, "unknown") == label
    assert known_label(label, "agent:claude") == known


@pytest.mark.parametrize(
    ("label", "actors", "both"),
    [
        ("", ["human"], "perhaps human"),
        ("perhaps human", ["human"], "perhaps human"),
        (
            "found by looking",
            ["human", "agent:b", "agent:a"],
            "found by looking; perhaps agent:a or agent:b or human",
        ),
        (
            "found by looking; perhaps command:make",
            ["human"],
            "found by looking; perhaps command:make or human",
        ),
    ],
)
def test_more_candidates_are_named_besides_the_others(label, actors, both):
    """Whoever may have written it as well is named once, and goes from the label with the others."""
    assert with_candidates(label, actors) == both
    assert known_label(both, "human") == known_label(label, "human")
