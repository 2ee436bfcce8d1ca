"""Which operations an undo or redo is about, and which changes stop or start to stand. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field

from takeback.model.ids import ChangeSeq, FileId, OpId, change_of
from takeback.model.operation import TAKING_BACK, Change, Operation, OperationKind, takes_back
from takeback.model.paths import WorkspacePath, is_within

Flips = dict[FileId, dict[ChangeSeq, bool]]
"""By file: the changes that stand (True) or do not stand (False) afterwards."""

Standing = Mapping[ChangeSeq, tuple[bool, ChangeSeq]]
"""Changes that were ever flipped: whether they stand, and which change decided that."""

Without = Callable[[Set[ChangeSeq], Set[ChangeSeq]], Set[ChangeSeq]]
"""Which of some changes would stand if others did not; one that is in both does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrow:
    """What a selection is limited to."""

    actor: str | None = None
    paths: tuple[WorkspacePath, ...] = ()
    """Files or folders; empty: everywhere."""
    files: frozenset[FileId] = frozenset()
    """The files that are at `paths` now: their changes count under every name they had."""
    inferred: bool = False
    """Count operations whose actor was concluded from time alone as that actor's."""
    passing: frozenset[str] = frozenset()
    """Actors whose operations are passed over: those of an editor that has an undo of its own."""

    def takes(self, change: Change) -> bool:
        """Whether the selection reaches this change."""
        if not self.paths:
            return True
        places = [change.path] if change.moved_from is None else [change.path, change.moved_from]
        return change.file in self.files or any(
            is_within(place, path) for place in places for path in self.paths
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """An operation that was not counted, and why."""

    op: OpId
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Operations, newest first."""

    chosen: tuple[Operation, ...]
    passed: tuple[Passed, ...] = field(default=())


def last(operations: Iterable[Operation], n: int, narrow: Narrow, without: Without) -> Selection:
    """The last `n` operations that stand at least in part and are no undo, redo, rollback or git operation.

    `operations` come newest first and are read no further than needed.
    """
    chosen: list[Operation] = []
    passed: list[Passed] = []
    if n < 1:
        return Selection(chosen=())
    for operation, why in _judged(operations, narrow, without):
        if why is None:
            chosen.append(operation)
            if len(chosen) == n:
                break
        elif why:
            passed.append(Passed(op=operation.id, why=why))
    newest_kept = passed if len(chosen) == n or not chosen else [p for p in passed if p.op > chosen[-1].id]
    return Selection(chosen=tuple(chosen), passed=tuple(newest_kept))


def matching(operations: Iterable[Operation], narrow: Narrow, without: Without) -> Selection:
    """Every counted operation among `operations` (those of a turn, or since some moment), newest first."""
    chosen: list[Operation] = []
    passed: list[Passed] = []
    for operation, why in _judged(operations, narrow, without):
        if why is None:
            chosen.append(operation)
        elif why:
            passed.append(Passed(op=operation.id, why=why))
    return Selection(chosen=tuple(chosen), passed=tuple(passed))


def _judged(
    operations: Iterable[Operation], narrow: Narrow, without: Without
) -> Iterator[tuple[Operation, str | None]]:
    """Each operation with what `_not_counted` says, newest first: as if those that count were taken back one by one.

    So what somebody put back counts after that: it would return.
    """
    gone: set[ChangeSeq] = set()
    for operation in operations:
        standing = _standing(operation, narrow, gone, without)
        why = _not_counted(operation, narrow, standing)
        if why is None:
            gone |= standing
        yield operation, why


def _standing(operation: Operation, narrow: Narrow, gone: Set[ChangeSeq], without: Without) -> Set[ChangeSeq]:
    """The changes that `narrow` takes and that would stand if `gone` did not."""
    taken = {change.seq for change in operation.changes if narrow.takes(change)}
    return without(taken, gone) if gone else taken - operation.fallen


def _not_counted(operation: Operation, narrow: Narrow, standing: Set[ChangeSeq]) -> str | None:
    """Why an operation is passed over; empty if that needs no mention; `None` if it counts."""
    if narrow.actor is not None and operation.actor != narrow.actor:
        return ""
    if operation.kind in TAKING_BACK or not any(narrow.takes(change) for change in operation.changes):
        return ""
    if operation.kind is OperationKind.GIT:
        return "git operations are undone by id only; git itself can do it too (`git reflog`)"
    if not standing:
        return ""
    if operation.actor in narrow.passing:
        return f"it is by {operation.actor}, and the editor's own undo takes it back"
    return not_by(operation, narrow)


def not_by(operation: Operation, narrow: Narrow) -> str | None:
    """Why an operation does not count as that of the actor to whom `narrow` limits; `None` if it does."""
    if narrow.actor is None:
        return None
    if operation.actor != narrow.actor:
        return f"it is by {operation.actor}"
    if operation.inferred and not narrow.inferred:
        return f"its actor {operation.actor} was concluded from time alone; `--inferred` includes it"
    return None


def undoing(chosen: Iterable[Operation], narrow: Narrow, without: Without) -> Flips:
    """The flips that take `chosen` back: their changes stand no longer, nor again where one took back another."""
    flips: Flips = {}
    gone: set[ChangeSeq] = set()
    for operation in sorted(chosen, key=lambda one: one.id, reverse=True):
        gone |= _standing(operation, narrow, gone, without)
        for change in operation.changes:
            if change.seq in gone:
                flips.setdefault(change.file, {})[change.seq] = False
    return flips


def redoing(chosen: Sequence[Operation], narrow: Narrow) -> Flips:
    """The flips that bring undone operations back: their changes stand again, but where one took back another."""
    flips: Flips = {}
    changes = [change for operation in chosen for change in operation.changes]
    fallen = {seq for operation in chosen for seq in operation.fallen}
    flipped = [one for change in changes for one in change.flips.items()]
    taken_back = {target for target, stands in flipped if takes_back(target, stands)}
    for change in changes:
        if narrow.takes(change) and change.seq in fallen - taken_back:
            flips.setdefault(change.file, {})[change.seq] = True
    for operation in chosen:
        _let_hunks_return(operation, narrow, flips)
    return flips


def _let_hunks_return(operation: Operation, narrow: Narrow, flips: Flips) -> None:
    """What is brought back by its own number stands in full: hunks that were taken back alone, too."""
    files = {change.seq: change.file for change in operation.changes if narrow.takes(change)}
    for fall in operation.fallen_hunks:
        if change_of(fall) in files:
            flips.setdefault(files[change_of(fall)], {})[fall] = False


def together(first: Flips, second: Flips) -> Flips:
    """The flips of both."""
    return {file: {**first.get(file, {}), **second.get(file, {})} for file in first.keys() | second.keys()}


def last_undone(
    operations: Iterable[Operation], n: int, standing: Callable[[Operation], Standing]
) -> Selection:
    """The last `n` undos and rollbacks that still have an effect, newest first."""
    chosen: list[Operation] = []
    for operation in operations:
        if len(chosen) == n:
            break
        if operation.kind in (OperationKind.UNDO, OperationKind.ROLLBACK) and _effective(
            operation, standing(operation)
        ):
            chosen.append(operation)
    return Selection(chosen=tuple(chosen))


def _effective(operation: Operation, standing: Standing) -> bool:
    return any(
        change.seq not in operation.fallen and standing.get(target) == (stands, change.seq)
        for change in operation.changes
        for target, stands in change.flips.items()
    )


def targets(operations: Iterable[Operation]) -> Set[ChangeSeq]:
    """Every change whose standing decides about undoing or redoing `operations`."""
    changes = [change for operation in operations for change in operation.changes]
    return {change.seq for change in changes} | {target for change in changes for target in change.flips}
