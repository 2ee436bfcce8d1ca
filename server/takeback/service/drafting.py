"""What a request would do, as a draft: operations selected, their files planned. Nothing is written here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from takeback.checkpoints import Checkpoint
from takeback.errors import UsageError
from takeback.journal import views
from takeback.model.ids import FileId, OpId
from takeback.model.operation import HUMAN, TAKEBACK, Operation, OperationKind
from takeback.model.paths import WorkspacePath, ancestors, is_within
from takeback.model.source import Source
from takeback.model.state import ABSENT, FileKind, FileState
from takeback.model.words import as_text
from takeback.service import hunks, ways_out
from takeback.service.moments import operations_since
from takeback.service.opening import Workspace
from takeback.service.recording import sync, sync_all
from takeback.service.requests import Request, Verb
from takeback.undo import planning, select
from takeback.undo.clash import OnConflict
from takeback.undo.places import settle_places
from takeback.undo.plan import FileOutcome, FilePlan, UndoPlan
from takeback.undo.rewind import rewind
from takeback.undo.select import Flips, Narrow, Passed

FlipsWith = Callable[[Sequence[Operation]], Flips]
"""What flips if these operations are taken back too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A plan that nobody has carried out yet."""

    plan: UndoPlan
    source: Source
    passed: tuple[Passed, ...] = ()
    way_out: str = ""
    """The command that takes back what is in the way too, if there are conflicts and it helps."""
    place: str = ""
    """The workspace, as a command has to name it."""


def planner(workspace: Workspace, verb: Verb, request: Request) -> Callable[[], Draft]:
    """What makes the plan, and makes it anew when it went stale. What nobody announced is recorded first.

    Operations are selected once, here: what is recorded while the plan goes stale is never taken for one of them.
    """
    make = _planner(workspace, verb, request)
    return (lambda: _because(make(), request.reason)) if request.reason else make


def _because(draft: Draft, reason: str) -> Draft:
    """The draft, with the reason in its label."""
    label = ": ".join(filter(None, (draft.source.label, as_text(reason))))
    return replace(draft, source=replace(draft.source, label=label))


def _planner(workspace: Workspace, verb: Verb, request: Request) -> Callable[[], Draft]:
    if verb.kind is OperationKind.UNDO:
        return _undoing(workspace, request)
    if verb.kind is OperationKind.REDO:
        return _redoing(workspace, request)
    if verb.kind is OperationKind.ROLLBACK:
        return _rolling_back(workspace, verb.checkpoint, request)
    return _restoring(workspace, verb.checkpoint, request)


def _undoing(workspace: Workspace, request: Request) -> Callable[[], Draft]:
    _check(request)
    sync(workspace)
    narrow = _narrow(workspace, request)
    selection = _select(workspace, request, narrow)
    if request.hunk is not None:
        return _undoing_hunk(workspace, selection.chosen, request.hunk, request)

    def make() -> Draft:
        chosen = _read_again(workspace, selection.chosen)
        draft = _draft(
            workspace, OperationKind.UNDO, chosen, _undoing_with(workspace, chosen, narrow), request
        )
        return replace(draft, passed=selection.passed)

    return make


def _undoing_hunk(
    workspace: Workspace, chosen: Sequence[Operation], number: int, request: Request
) -> Callable[[], Draft]:
    narrow = _narrow(workspace, request)

    def make() -> Draft:
        (operation,) = _read_again(workspace, chosen)
        alone = hunks.flips(workspace, operation, narrow, number)

        def flips(more: Sequence[Operation]) -> Flips:
            return select.together(alone, select.undoing(more, Narrow(), _without(workspace)))

        draft = _draft(workspace, OperationKind.UNDO, (operation,), flips, request)
        source = replace(draft.source, label=f"hunk {number} of {draft.source.label}")
        return replace(draft, source=source)

    return make


def _redoing(workspace: Workspace, request: Request) -> Callable[[], Draft]:
    _check(request)
    sync(workspace)
    everywhere = Narrow()
    named = request.ops or tuple(one.id for one in _last_undone(workspace, request.n or 1))

    def make() -> Draft:
        chosen = views.named(workspace.journal, named)
        reverting = [op for op in chosen if op.kind in (OperationKind.UNDO, OperationKind.ROLLBACK)]
        returning = [op for op in chosen if op not in reverting]

        def flips(more: Sequence[Operation]) -> Flips:
            reverted = _undoing_with(workspace, reverting, everywhere)(more)
            return select.together(reverted, select.redoing(returning, everywhere))

        return _draft(workspace, OperationKind.REDO, chosen, flips, request)

    return make


def _undoing_with(workspace: Workspace, chosen: Sequence[Operation], narrow: Narrow) -> FlipsWith:
    def flips(more: Sequence[Operation]) -> Flips:
        taken = [*chosen, *more]
        return hunks.with_their_changes(workspace, taken, select.undoing(taken, narrow, _without(workspace)))

    return flips


def _without(workspace: Workspace) -> select.Without:
    return partial(views.standing_without, workspace.journal)


def _rolling_back(workspace: Workspace, name: str, request: Request) -> Callable[[], Draft]:
    checkpoint = workspace.checkpoints.find(name)
    sync_all(workspace)
    if request.actor is not None:
        return _rollback_actor(workspace, checkpoint, request)

    def make() -> Draft:
        plans = [rewind(changes) for changes in views.changes_after(workspace.journal, checkpoint.position)]
        if request.paths:
            plans = [plan for plan in plans if _reaches(plan, request.paths)]
        undone = tuple(_undone_by(workspace, plans))
        plan = _settled(workspace, UndoPlan(kind=OperationKind.ROLLBACK, undone=undone, files=_sorted(plans)))
        return Draft(plan=plan, source=_source(OperationKind.ROLLBACK, f"to {checkpoint.id}", checkpoint))

    return make


def _restoring(workspace: Workspace, name: str, request: Request) -> Callable[[], Draft]:
    checkpoint = workspace.checkpoints.find(name)
    if not request.paths:
        raise UsageError("restore needs at least one path", hint="`takeback restore CHECKPOINT --path P`")
    sync_all(workspace)

    def make() -> Draft:
        plans = [
            plan
            for path in _paths_at(workspace, request.paths)
            for plan in _put_back(workspace, path, checkpoint)
        ]
        plan = _settled(workspace, UndoPlan(kind=OperationKind.RESTORE, undone=(), files=_sorted(plans)))
        return Draft(plan=plan, source=_source(OperationKind.RESTORE, f"from {checkpoint.id}", checkpoint))

    return make


def _draft(
    workspace: Workspace,
    kind: OperationKind,
    chosen: Sequence[Operation],
    flips: FlipsWith,
    request: Request,
) -> Draft:
    undone = tuple(operation.id for operation in chosen)

    def planned(more: Sequence[Operation], on_conflict: OnConflict = OnConflict.STOP) -> UndoPlan:
        plans = planning.plans(workspace.journal, workspace.store, flips(more), on_conflict)
        return _settled(workspace, UndoPlan(kind=kind, undone=undone, files=_sorted(plans)))

    plan = planned((), request.on_conflict)
    others = ways_out.in_the_way(workspace.journal, plan, planned)
    label = ", ".join(f"operation {op}" for op in undone[:5]) + (" …" if len(undone) > 5 else "")
    return Draft(
        plan=plan,
        source=_source(kind, label, None),
        way_out=ways_out.command(kind, undone, others, request) if others else "",
        place=request.place,
    )


def _settled(workspace: Workspace, plan: UndoPlan) -> UndoPlan:
    occupants = {file.target: _occupants(workspace, file) for file in plan.files if file.arrives}
    return replace(plan, files=settle_places(plan.files, occupants))


def _occupants(workspace: Workspace, file: FilePlan) -> frozenset[FileId]:
    """The files that have to leave so that `file` can come; NO_FILE for what is not recorded."""
    above = (workspace.recorder.state_of(folder) for folder in ancestors(file.target))
    found = {holder for holder, state in above if state.exists and state.kind is not FileKind.DIRECTORY}
    if file.after.kind is not FileKind.DIRECTORY:
        found |= {workspace.recorder.state_of(path)[0] for path in workspace.looker.there(file.target)}
    return frozenset(found)


def _sorted(plans: Iterable[FilePlan]) -> tuple[FilePlan, ...]:
    return tuple(sorted(plans, key=lambda plan: plan.target))


def _source(kind: OperationKind, label: str, checkpoint: Checkpoint | None) -> Source:
    return Source(kind=kind, actor=TAKEBACK, label=label, checkpoint=checkpoint.id if checkpoint else None)


# -- selecting -----------------------------------------------------------------------------------


def _check(request: Request) -> None:
    ways = [request.n is not None, bool(request.ops), request.turn is not None, request.since is not None]
    if sum(ways) > 1:
        raise UsageError("N, --op, --turn and --since exclude each other", hint="Choose one of them.")
    if request.hunk is not None and len(request.ops) != 1:
        raise UsageError(
            "a hunk is of one operation", hint="Name it: `takeback undo --op ID --path P --hunk N`."
        )
    if request.n is not None and request.n < 1:
        raise UsageError(f"{request.n} operations cannot be undone", hint="N is 1 or more.")


def _narrow(workspace: Workspace, request: Request) -> Narrow:
    here = (workspace.recorder.state_of(path) for path in request.paths)
    files = frozenset(file for file, _ in here if file)
    counts_all = request.actor is not None or not request.in_editor
    return Narrow(
        actor=request.actor,
        paths=request.paths,
        files=files,
        inferred=request.inferred,
        passing=frozenset() if counts_all else frozenset({HUMAN}),
    )


def _select(workspace: Workspace, request: Request, narrow: Narrow) -> select.Selection:
    journal, without = workspace.journal, _without(workspace)
    if request.ops:
        return _named(workspace, request, narrow)
    if request.turn is not None:
        turn = views.turn(journal, request.turn)
        narrow = replace(narrow, actor=narrow.actor or turn.actor)
        return select.matching(views.of_turn(journal, turn.id), narrow, without)
    if request.since is not None:
        narrow = replace(narrow, passing=frozenset())
        return select.matching(operations_since(workspace, request.since), narrow, without)
    return select.last(views.newest_first(journal), request.n or 1, narrow, without)


def _named(workspace: Workspace, request: Request, narrow: Narrow) -> select.Selection:
    """The operations that the request names. Raises UsageError for one that `narrow` leaves out by its actor."""
    chosen = views.named(workspace.journal, request.ops)
    for one in chosen:
        why = select.not_by(one, narrow)
        if why:
            raise UsageError(
                f"operation {one.id} is not by {narrow.actor}: {why}", hint="Leave `--actor` out."
            )
    return select.Selection(chosen=chosen)


def _read_again(workspace: Workspace, chosen: Iterable[Operation]) -> tuple[Operation, ...]:
    """The same operations, with what stands of them now."""
    return views.named(workspace.journal, (operation.id for operation in chosen))


def _last_undone(workspace: Workspace, n: int) -> tuple[Operation, ...]:
    journal = workspace.journal
    operations = (
        one
        for one in views.newest_first(journal)
        if one.kind is not OperationKind.UNDO or not views.is_taken_out(journal, one.id)
    )
    return select.last_undone(operations, n, lambda op: journal.standing(select.targets([op]))).chosen


def _rollback_actor(workspace: Workspace, checkpoint: Checkpoint, request: Request) -> Callable[[], Draft]:
    narrow = _narrow(workspace, request)
    later = views.newest_first(workspace.journal, after=checkpoint.position)
    selection = (
        _named(workspace, request, narrow)
        if request.ops
        else select.matching(later, narrow, _without(workspace))
    )

    def make() -> Draft:
        chosen = _read_again(workspace, selection.chosen)
        draft = _draft(
            workspace, OperationKind.ROLLBACK, chosen, _undoing_with(workspace, chosen, narrow), request
        )
        source = _source(OperationKind.ROLLBACK, f"{request.actor} to {checkpoint.id}", checkpoint)
        return replace(draft, source=source, passed=selection.passed)

    return make


# -- rollback and restore ------------------------------------------------------------------------


def _reaches(plan: FilePlan, paths: Sequence[WorkspacePath]) -> bool:
    return any(is_within(place, path) for place in (plan.path, plan.target) for path in paths)


def _undone_by(workspace: Workspace, plans: Iterable[FilePlan]) -> list[OpId]:
    fallen = [seq for plan in plans for seq, stands in plan.flips.items() if not stands]
    return sorted(set(views.operations_of(workspace.journal, fallen).values()), reverse=True)


def _paths_at(workspace: Workspace, wanted: Sequence[WorkspacePath]) -> list[WorkspacePath]:
    found: dict[WorkspacePath, None] = {}
    for path in wanted:
        found[path] = None
        found.update(dict.fromkeys(views.paths_below(workspace.journal, path)))
    return list(found)


def _put_back(workspace: Workspace, path: WorkspacePath, checkpoint: Checkpoint) -> Iterable[FilePlan]:
    file, now = workspace.recorder.state_of(path)
    then = _state_at(workspace, path, checkpoint.position)
    if now == then:
        return
    missing = next((state for state in (then, now) if not state.captured), None)
    plan = FilePlan(
        file=file,
        path=path,
        target=path,
        before=now,
        after=now if missing else then,
        data=None,
        flips=workspace.recorder.restored(file, path, now, then) if not missing else {},
        rewrite=None,
        outcome=_put_back_outcome(now, then),
    )
    if missing:
        plan = replace(plan, outcome=FileOutcome.NOT_CAPTURED, note=f"not captured: {missing.reason}")
    yield plan


def _put_back_outcome(now: FileState, then: FileState) -> FileOutcome:
    if not then.exists:
        return FileOutcome.REMOVED
    return FileOutcome.RESTORED if now.exists else FileOutcome.RECREATED


def _state_at(workspace: Workspace, path: WorkspacePath, position: OpId) -> FileState:
    change = views.touching(workspace.journal, path, position)
    if change is None:
        return workspace.recorder.state_of(path)[1]
    if change.op <= position:
        return change.after if change.path == path else ABSENT
    if change.moved_from == path:
        return change.before
    return ABSENT if change.moved_from is not None else change.before
