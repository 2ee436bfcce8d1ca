"""Undo, redo, rollback and restore: look, select, plan, apply; anew if something moved meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

from takeback.errors import Busy
from takeback.model.ids import OpId
from takeback.model.operation import OperationKind
from takeback.model.paths import WorkspacePath
from takeback.model.source import Source
from takeback.service import handover, ways_out
from takeback.service.drafting import Draft, planner
from takeback.service.opening import Workspace
from takeback.service.published import editors
from takeback.service.requests import FileResult, Outcome, Request, Result, Verb, about
from takeback.undo.apply import Stale
from takeback.undo.carry import NO_TIMES
from takeback.undo.clash import OnConflict
from takeback.undo.plan import FAILED, FileOutcome, UndoPlan

__all__ = [
    "Draft",
    "FileResult",
    "Outcome",
    "Request",
    "Result",
    "Verb",
    "carried_out",
    "decided",
    "planner",
    "redo",
    "restore",
    "rollback",
    "undo",
    "unless_asked",
]

Q = TypeVar("Q")

ATTEMPTS = 8
"""How often a plan that went stale is made anew before somebody must be writing all the time."""


def undo(workspace: Workspace, request: Request) -> Result:
    """Take back the chosen operations and nothing else.

    Raises UsageError for a request that contradicts itself, NotFound for what does not exist.
    """
    return _take_back(workspace, Verb(kind=OperationKind.UNDO), request)


def redo(workspace: Workspace, request: Request) -> Result:
    """Bring back what was undone last, or the named operations."""
    return _take_back(workspace, Verb(kind=OperationKind.REDO), request)


def rollback(workspace: Workspace, name: str, request: Request) -> Result:
    """Undo everything after a checkpoint; with an actor, only that actor's operations, keeping what others wrote."""
    return _take_back(workspace, Verb(kind=OperationKind.ROLLBACK, checkpoint=name), request)


def restore(workspace: Workspace, name: str, request: Request) -> Result:
    """Put paths back to a checkpoint's content, as one operation."""
    return _take_back(workspace, Verb(kind=OperationKind.RESTORE, checkpoint=name), request)


def _take_back(workspace: Workspace, verb: Verb, request: Request) -> Result:
    found = unless_asked(workspace, verb, request, lambda _: None)
    assert isinstance(found, Result), "BUG: nobody asks"
    return found


def unless_asked(
    workspace: Workspace, verb: Verb, request: Request, asks: Callable[[Result], Q | None]
) -> Result | Q:
    """The result, or what `asks` asks about the plan: then nothing was written.

    What is carried out is the very plan that `asks` has seen. It sees each anew that is made because one went stale.
    """
    make = planner(workspace, verb, request)
    for _ in range(ATTEMPTS):
        draft = make()
        question = asks(_result(Outcome.PLANNED, None, draft))
        if question is not None:
            return question
        result = decided(draft, request)
        if result is None:
            result = _by_editor(workspace, draft, verb, request) or carried_out(workspace, draft)
        if result is not None:
            return result
    raise Busy(
        "files of this undo keep changing", hint="Stop what is writing, then try again; nothing was changed."
    )


def decided(draft: Draft, request: Request) -> Result | None:
    """The result, where nothing is to be written: a conflict, or a plan that was only to be shown."""
    plan = draft.plan
    if plan.conflicts and request.on_conflict is OnConflict.STOP:
        return _result(Outcome.CONFLICT, None, draft)
    if request.dry_run:
        anything = any(file.records for file in plan.files) or _failed(plan)
        return _result(Outcome.PLANNED if anything else Outcome.NOTHING, None, draft)
    return None


def carried_out(
    workspace: Workspace, draft: Draft, times: Mapping[WorkspacePath, int] = NO_TIMES
) -> Result | None:
    """The result of carrying the plan out on disk; `None` if it went stale: what moved was looked at, plan anew."""
    applied = workspace.applier.apply(draft.plan, draft.source, times)
    if isinstance(applied, Stale):
        workspace.looker.at(applied.paths, Source(kind=OperationKind.EDIT, actor="unknown"))
        return None
    return _result(_outcome(draft.plan, applied.operation), applied.operation, draft)


def _by_editor(workspace: Workspace, draft: Draft, verb: Verb, request: Request) -> Result | None:
    """The result of the editor that holds unsaved text over a file of the plan; `None` if none does.

    Raises Refused if it cannot be asked.
    """
    paths = {place for file in draft.plan.files if file.writes for place in (file.path, file.target)}
    holding = [editor for editor in editors(workspace.state) if editor.dirty & paths]
    if not holding:
        return None
    result = handover.take_back(holding, paths, verb, about(request, draft.plan.undone))
    return replace(result, passed=draft.passed)


def _outcome(plan: UndoPlan, operation: OpId | None) -> Outcome:
    if operation is None and any(file.outcome is FileOutcome.CONFLICT for file in plan.files):
        return Outcome.CONFLICT
    if _failed(plan) and not plan.conflicts:
        return Outcome.PARTIAL if operation else Outcome.REFUSED
    return Outcome.APPLIED if operation else Outcome.NOTHING


def _failed(plan: UndoPlan) -> bool:
    return any(file.outcome in FAILED for file in plan.files)


def _result(outcome: Outcome, operation: OpId | None, draft: Draft) -> Result:
    files = tuple(
        FileResult(path=file.target, outcome=file.outcome, note=file.note) for file in draft.plan.files
    )
    way_out = draft.way_out
    if way_out and operation is not None:
        way_out = ways_out.instead(operation, way_out, draft.place)
    return Result(
        outcome=outcome,
        operation=operation,
        undone=draft.plan.undone,
        files=files,
        conflicts=draft.plan.conflicts,
        passed=draft.passed,
        way_out=way_out,
    )
