"""Whose an operation is that was recorded before anybody said so: a watcher may be quicker than the editor that wrote."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence, Set
from itertools import takewhile

from takeback.journal import views
from takeback.journal.claimed import note_label
from takeback.journal.log import Journal
from takeback.model.ids import ChangeSeq, OpId
from takeback.model.operation import TAKEBACK, UNKNOWN, Change, Operation, OperationKind, with_candidates
from takeback.model.paths import WorkspacePath
from takeback.model.source import Source
from takeback.model.state import FileKind, FileState
from takeback.record import Entry, Recorder

_CLAIM_NS = 10_000_000_000
"""How long after it was seen a write can still be claimed by whoever says it was theirs."""

_MOST_BY_HAND = 1000
"""So many files may an agent of an editor name that its editor has saved."""

_PLAIN = frozenset({FileKind.FILE, None})


class Claims:
    """What one process was told of the writes in a workspace."""

    def __init__(self, journal: Journal, recorder: Recorder, clock: Callable[[], int]) -> None:
        self._journal = journal
        self._recorder = recorder
        self._clock = clock
        self._claimed: dict[tuple[OpId, str], dict[ChangeSeq, Source]] = {}
        """The operation that is being claimed, by whom, and how much of it."""
        self._by_hand: deque[OpId] = deque(maxlen=_MOST_BY_HAND)

    @property
    def by_hand(self) -> frozenset[OpId]:
        """The last operations that the editor of this process wrote."""
        return frozenset(self._by_hand)

    def note_by_hand(self, op: OpId | None) -> None:
        """The editor of this process wrote this: an agent in it may say that it was the one."""
        if op is not None:
            self._by_hand.append(op)

    def claim(
        self,
        source: Source,
        path: WorkspacePath,
        state: FileState,
        over: Set[OpId] = frozenset(),
        *,
        until: OpId | None = None,
    ) -> OpId | None:
        """The operation that brought `path` to `state` unannounced a moment ago: it is `source`'s from now on.

        It is the last one there, or the last one up to `until`, where it is known that others wrote after it.
        Of several writes in one operation, all have to be claimed; out of a command's, known by time alone, one can be
        taken. Operations `over` which the claim goes can be claimed as well.
        """
        with self._journal.transaction():
            last = views.touching(self._journal, path, until or self._journal.last_operation())
            if last is None or last.after != state or last.path != path:
                return None
            operation = views.operation(self._journal, last.op)
            if operation.actor == source.actor and not operation.inferred:
                return None
            if operation.kind is OperationKind.COMMAND and source.kind is OperationKind.EDIT:
                return self._taken_out(source, lambda change: change.seq == last.seq)
            whole = (
                self._with_rest(operation, last.seq, source) if self._is_unclaimed(operation, over) else None
            )
            if whole is None:
                return None
            self._attribute(operation, whole)
        return operation.id

    def claim_all(self, source: Source, belongs: Callable[[Change], bool]) -> tuple[OpId, ...]:
        """Every operation of a moment ago that was unannounced, and all of which `belongs`, is `source`'s.

        So is every one of its turn that was put down to it by time alone, however long ago.
        """
        with self._journal.transaction():
            recent = takewhile(self._is_recent, views.newest_first(self._journal))
            unclaimed = {one.id: one for one in recent if self._is_unclaimed(one)}
            of_turn = views.of_turn(self._journal, source.turn) if source.turn else ()
            unclaimed |= {one.id: one for one in of_turn if one.inferred and one.actor == source.actor}
            found = [one for one in unclaimed.values() if all(map(belongs, one.changes))]
            for operation in found:
                self._attribute(operation, source)
        return tuple(one.id for one in found)

    def take_out(self, source: Source, belongs: Callable[[Change], bool], said: Set[OpId]) -> OpId | None:
        """The operation of `source`'s with what `belongs` of operations that hold others' writes too.

        Those are a command's, whose effects are known by time alone, and what was seen at once and nobody announced.
        The changes fall in the operation that they were in, and are recorded anew.

        `said` are operations of `source`'s that were recorded or claimed along with this. Nothing is taken from a
        command where one of them wrote the file: the command may have changed that. Where an earlier operation of
        `source`'s did, both may be, so what is taken is nobody's.
        """
        with self._journal.transaction():
            recent = self._recent()
            taken = self._taken_out(source, belongs)
            own = [one for one in recent if one.actor == source.actor]
            doubted = _paths(own) - _paths(one for one in own if one.id in said)
            for one in recent:
                self._doubt(one, source, lambda change: change.path in doubted and belongs(change))
        return taken

    def _doubt(self, operation: Operation, source: Source, concerns: Callable[[Change], bool]) -> None:
        """What a command wrote and may be `source`'s as well is nobody's."""
        if operation.kind is OperationKind.COMMAND and operation.actor != source.actor:
            label = with_candidates("", (operation.actor, source.actor))
            nobody = Source(kind=OperationKind.EDIT, actor=UNKNOWN, label=label)
            found = [one for one in operation.changes if concerns(one) and self._can_be_taken(operation, one)]
            self._record_anew(found, nobody, label)

    def _taken_out(self, source: Source, belongs: Callable[[Change], bool]) -> OpId | None:
        recent = self._recent()
        own = _paths(one for one in recent if one.actor == source.actor)
        found = [
            change
            for one in recent
            if one.actor != source.actor and self._is_by_time(one)
            for change in one.changes
            if belongs(change) and self._can_be_taken(one, change)
            if one.kind is OperationKind.EDIT or change.path not in own
        ]
        return self._record_anew(found, source, f"not theirs: {source.actor} says that it was its own")

    def _recent(self) -> tuple[Operation, ...]:
        return tuple(takewhile(self._is_recent, views.newest_first(self._journal)))

    def _record_anew(self, changes: Sequence[Change], source: Source, why: str) -> OpId | None:
        gone = [
            Entry(
                file=one.file,
                path=one.path,
                before=one.after,
                after=one.before,
                flips={one.seq: False},
                flipping=True,
            )
            for one in changes
        ]
        made = [Entry(file=one.file, path=one.path, before=one.before, after=one.after) for one in changes]
        fallen = self._recorder.append(Source(kind=OperationKind.UNDO, actor=TAKEBACK, label=why), gone)
        if fallen is not None:
            views.note_taken_out(self._journal, fallen, self._clock())
        return self._recorder.append(source, made)

    @staticmethod
    def _is_by_time(operation: Operation) -> bool:
        """Whether no more is known of who wrote it than when it was written."""
        if operation.kind is OperationKind.COMMAND:
            return True
        return operation.kind is OperationKind.EDIT and (operation.inferred or operation.actor == UNKNOWN)

    def _can_be_taken(self, operation: Operation, change: Change) -> bool:
        """Whether it is a plain write of a file that stands and is the last thing that happened to it."""
        kinds = {change.before.kind, change.after.kind}
        if change.seq in operation.fallen or change.flips or change.moved_from or not kinds <= _PLAIN:
            return False
        last = views.touching(self._journal, change.path, self._journal.last_operation())
        return last is not None and last.seq == change.seq

    def _is_recent(self, operation: Operation) -> bool:
        return 0 <= self._clock() - operation.at_ns <= _CLAIM_NS

    def _is_unclaimed(self, operation: Operation, over: Set[OpId] = frozenset()) -> bool:
        """Whether it was seen a moment ago and nobody said whose it is, or it is one of `over`."""
        is_free = operation.inferred or operation.actor == UNKNOWN or operation.id in over
        return operation.kind is OperationKind.EDIT and is_free and self._is_recent(operation)

    def _with_rest(self, operation: Operation, change: ChangeSeq, source: Source) -> Source | None:
        """Whose all of it is, now that this change is claimed too; `None` if that actor has not claimed every change."""
        mine = (operation.id, source.actor)
        self._claimed = {mine: {**self._claimed.get(mine, {}), change: source}}
        sources = self._claimed[mine].values()
        is_whole = len(sources) == len(operation.changes)
        return next((one for one in sources if one.label), source) if is_whole else None

    def _attribute(self, operation: Operation, source: Source) -> None:
        turn = int(source.turn.removeprefix("turn-")) if source.turn else None
        now = self._clock()
        row = self._journal.append("attributions", operation.id, source.actor, turn, 0, now)
        if source.label:
            note_label(self._journal, row, source.label, now)
        self._journal.count(f"operations by {operation.actor}", -1)
        self._journal.count(f"operations by {source.actor}")


def _paths(operations: Iterable[Operation]) -> set[WorkspacePath]:
    return {change.path for one in operations for change in one.changes}
