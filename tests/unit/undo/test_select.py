"""Which operations an undo counts, and which it passes over."""

from takeback.model.ids import BlobId, ChangeSeq, FileId, OpId
from takeback.model.operation import Change, Operation, OperationKind
from takeback.model.paths import WorkspacePath
from takeback.model.state import ABSENT, FileKind, FileState
from takeback.undo.select import Narrow, last, matching, undoing

STATE = FileState(kind=FileKind.FILE, blob=BlobId("1"), mode=0o644, size_bytes=1)


def operation(  # noqa: PLR0913 - each is named where it is given
    number, actor="agent:a", kind=OperationKind.EDIT, *, paths=("f",), fallen=(), inferred=False
):
    """An operation that created these files; `fallen` are those of its paths that do not stand."""
    seqs = [ChangeSeq(number * 10 + offset) for offset in range(len(paths))]
    changes = [
        Change(
            seq=seq,
            op=OpId(number),
            file=FileId(seq),
            path=WorkspacePath(path),
            moved_from=None,
            before=ABSENT,
            after=STATE,
            flips={},
        )
        for seq, path in zip(seqs, paths, strict=True)
    ]
    return Operation(
        id=OpId(number),
        kind=kind,
        actor=actor,
        label="",
        turn=None,
        at_ns=number,
        inferred=inferred,
        changes=tuple(changes),
        fallen=frozenset(one.seq for one in changes if one.path in fallen),
        undoes=(),
        undone_by=None,
    )


def without(operations, by=()):
    """What would stand of them if others did not, where each change of the keys fell by that of the value."""
    fallen = {seq for one in operations for seq in one.fallen}
    return lambda changes, gone: {one for one in changes if one not in fallen or dict(by).get(one) in gone}


def check(operations, n, narrow, *, chosen, passed=(), by=()):  # noqa: PLR0913 - each is named where it is given
    """Of these operations, oldest first, the last `n` that count are `chosen`."""
    found = last(reversed(operations), n, narrow, without(operations, by))
    assert [one.id for one in found.chosen] == chosen
    assert [one.op for one in found.passed] == list(passed)


def test_what_is_counted():
    """Operations that stand in part count; what fell whole, undos, redos and rollbacks do not."""
    history = [
        operation(1),
        operation(2, paths=("f", "g"), fallen=("g",)),
        operation(3, fallen=("f",)),
        operation(4, "takeback", OperationKind.UNDO),
        operation(5, "takeback", OperationKind.RESTORE),
    ]
    check(history, 1, Narrow(), chosen=[5])
    check(history, 3, Narrow(), chosen=[5, 2, 1])
    check(history, 9, Narrow(), chosen=[5, 2, 1])
    check(history, 0, Narrow(), chosen=[])


def test_what_would_return_is_counted():
    """What one that counts took back counts too; what others took back, or one that is passed over, does not."""
    history = [operation(1, fallen=("f",)), operation(2, fallen=("f",)), operation(3), operation(4, "human")]

    by = {10: 30, 20: 40}  # the first fell by the third, the second by the fourth
    check(history, 2, Narrow(), chosen=[4, 3], by=by)
    check(history, 3, Narrow(), chosen=[4, 3, 2], by=by)
    check(history, 9, Narrow(actor="agent:a"), chosen=[3, 1], by=by)
    check(history, 9, Narrow(passing=frozenset({"human"})), chosen=[3, 1], passed=[4], by=by)
    everything = {FileId(seq): {seq: False} for seq in (10, 20, 30, 40)}
    assert undoing(history, Narrow(), without(history, by)) == everything
    assert undoing(history[:2], Narrow(), without(history, by)) == {}


def test_what_is_named_when_it_is_passed_over():
    """A git operation, an editor's own and one inferred are named, as far as the counting went."""
    history = [operation(1, "git", OperationKind.GIT), operation(2), operation(3, "git", OperationKind.GIT)]
    check(history, 1, Narrow(), chosen=[2], passed=[3])
    check(
        [operation(1), operation(2, "human")], 1, Narrow(passing=frozenset({"human"})), chosen=[1], passed=[2]
    )
    history = [operation(1), operation(2, inferred=True)]
    check(history, 1, Narrow(actor="agent:a"), chosen=[1], passed=[2])
    check(history, 1, Narrow(actor="agent:a", inferred=True), chosen=[2])


def test_narrowing_comes_before_counting():
    """Other actors' and other paths' operations are not counted, nor named."""
    history = [operation(1, "agent:b"), operation(2, paths=("d/f",)), operation(3, "human")]
    check(history, 1, Narrow(actor="agent:b"), chosen=[1])
    check(history, 1, Narrow(paths=(WorkspacePath("d"),)), chosen=[2])
    check(history, 1, Narrow(paths=(WorkspacePath("dd"),)), chosen=[])
    assert [one.id for one in matching(reversed(history), Narrow(), without(history)).chosen] == [3, 2, 1]


def test_only_what_is_narrowed_to_is_flipped():
    """With a path an operation is undone there only, and what fell already is not flipped again."""
    one = operation(1, paths=("a", "b", "c"), fallen=("b",))

    assert undoing([one], Narrow(), without([one])) == {FileId(10): {10: False}, FileId(12): {12: False}}
    assert undoing([one], Narrow(paths=(WorkspacePath("c"),)), without([one])) == {FileId(12): {12: False}}
