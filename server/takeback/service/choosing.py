"""What a person can choose from, newest first, each with a line for people. Read here, asked by the front ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

from takeback.journal import views
from takeback.model.ids import OpId
from takeback.model.operation import Operation, OperationKind, Standing, Turn
from takeback.service import recording, wording
from takeback.service.opening import Workspace
from takeback.service.wording import ago, numbered, plain

T = TypeVar("T")

_MOST = 50
"""So many choices at most; whoever looks for something older names it."""
_SCANNED = 1_000
"""So many operations are read for them at most."""
_TURNS = 20
_COUNTED = frozenset({OperationKind.EDIT, OperationKind.COMMAND, OperationKind.RESTORE})
_TAKES_BACK = frozenset({OperationKind.UNDO, OperationKind.ROLLBACK})
_MINUTES = (5, 15, 60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice(Generic[T]):
    """Something to choose, and its line: no two lines of one question are alike."""

    value: T
    line: str


def operations(workspace: Workspace) -> tuple[Choice[OpId], ...]:
    """What an undo can take back: the last operations that stand, at least in part."""
    return _of(workspace, lambda one: one.kind in _COUNTED)


def undone(workspace: Workspace) -> tuple[Choice[OpId], ...]:
    """What a redo can bring back: the last undos and rollbacks that stand."""
    journal = workspace.journal
    return _of(workspace, lambda one: one.kind in _TAKES_BACK and not views.is_taken_out(journal, one.id))


def recorded(workspace: Workspace) -> tuple[Choice[OpId], ...]:
    """The last operations, whatever they are."""
    recording.glance(workspace)
    return _lines(workspace, islice(views.newest_first(workspace.journal), _MOST))


def foreign(workspace: Workspace) -> tuple[Choice[OpId], ...]:
    """Operations of others than the human that nobody has kept yet."""
    recording.glance(workspace)
    newest = views.not_kept(workspace.journal)[: -_MOST - 1 : -1]
    return _lines(workspace, views.named(workspace.journal, newest))


def turns(workspace: Workspace) -> tuple[Choice[str], ...]:
    """The last turns of which something stands."""
    recording.glance(workspace)
    found = (
        (one, views.of_turn(workspace.journal, one.id)) for one in views.last_turns(workspace.journal, _TURNS)
    )
    now = workspace.clock()
    return tuple(
        Choice(value=turn.id, line=_turn(turn, len(ops), now))
        for turn, ops in found
        if any(one.standing is not Standing.NONE for one in ops)
    )


def _turn(one: Turn, n: int, now: int) -> str:
    label = plain(one.label or "no label")
    how_many = numbered("operation", n)
    return f"{plain(one.actor)}: {label} ({how_many}), {ago(one.began_ns, now)}, {one.id}"


def checkpoints(workspace: Workspace) -> tuple[Choice[str], ...]:
    """The last checkpoints."""
    now, last = workspace.clock(), workspace.journal.last_operation()
    return tuple(
        Choice(
            value=one.id,
            line=f"{plain(one.label or one.kind.value)} ({numbered('operation', last - one.position)} since),"
            f" {ago(one.at_ns, now)}, {one.id}",
        )
        for one in workspace.checkpoints.all()[:_MOST]
    )


def moments(workspace: Workspace) -> tuple[Choice[str], ...]:
    """Moments to go back to: some minutes ago, where something happened since, then turns and checkpoints."""
    recording.glance(workspace)
    journal, now = workspace.journal, workspace.clock()
    times = []
    for minutes in _MINUTES:
        n = journal.last_operation() - views.last_until(journal, now - minutes * 60 * 10**9)
        line = f"{minutes} minutes ago ({numbered('operation', n)} since)"
        times += [Choice(value=f"{minutes}m", line=line)] if n else []
    before = tuple(Choice(value=one.value, line=f"before {one.line}") for one in turns(workspace))
    return (*times, *before, *checkpoints(workspace))


def paths_since(workspace: Workspace, name: str) -> tuple[Choice[str], ...]:
    """The paths that changed since a checkpoint."""
    recording.glance(workspace)
    position = workspace.checkpoints.find(name).position
    paths = views.paths_changed_between(workspace.journal, position, workspace.journal.last_operation())
    return tuple(Choice(value=path, line=plain(path, 120)) for path in sorted(paths))


def _of(workspace: Workspace, counts: Callable[[Operation], bool]) -> tuple[Choice[OpId], ...]:
    recording.glance(workspace)
    newest = islice(views.newest_first(workspace.journal), _SCANNED)
    found = (one for one in newest if counts(one) and one.standing is not Standing.NONE)
    return _lines(workspace, islice(found, _MOST))


def _lines(workspace: Workspace, found: Iterable[Operation]) -> tuple[Choice[OpId], ...]:
    now = workspace.clock()
    return tuple(Choice(value=one.id, line=wording.operation(one, now)) for one in found)
