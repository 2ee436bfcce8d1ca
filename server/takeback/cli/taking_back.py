"""Commands that take back: undo, redo, rollback, restore."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from takeback.cli import render
from takeback.cli.app import EXIT_CONFLICT, Invocation, command, takeback
from takeback.errors import Refused
from takeback.model.ids import OpId, TurnId
from takeback.model.operation import parse_actor
from takeback.service import answers, taking_back
from takeback.service.opening import Workspace
from takeback.service.requests import Outcome, Request, Result
from takeback.undo.clash import OnConflict
from takeback.undo.plan import FileOutcome

_ON_CONFLICT = click.option(
    "--on-conflict",
    type=click.Choice([mode.value for mode in OnConflict]),
    default=OnConflict.STOP.value,
    show_default=True,
    help="What becomes of lines that somebody rewrote since.",
)
_DRY_RUN = click.option("--dry-run", is_flag=True, help="Show what would happen and write nothing.")
_PATHS = click.option("--path", "paths", multiple=True, metavar="P", help="Only in this file or folder.")
_REASON = click.option("--reason", metavar="TEXT", help="Why; it is kept in the label.")


@command(takeback, "undo")
@click.argument("n", type=int, required=False)
@click.option("--op", "ops", type=int, multiple=True, metavar="ID", help="This operation.")
@click.option("--turn", metavar="T", help="The operations of this turn.")
@click.option("--since", metavar="S", help="Those after S: an operation, checkpoint, turn or time (10m).")
@click.option("--actor", help="Only this actor's.")
@_PATHS
@click.option(
    "--hunk", type=click.IntRange(min=1), metavar="N", help="Only hunk N of one operation in one file."
)
@click.option("--inferred", is_flag=True, help="Also operations whose actor was concluded from time alone.")
@_DRY_RUN
@_ON_CONFLICT
@_REASON
def undo(invocation: Invocation, **options: Any) -> None:
    """Take back the last N operations (default 1), or the named ones, and nothing else."""
    _answer(invocation, options, taking_back.undo)


@command(takeback, "redo")
@click.argument("n", type=int, required=False)
@click.option("--op", "ops", type=int, multiple=True, metavar="ID", help="This operation, or this undo's.")
@_DRY_RUN
@_ON_CONFLICT
@_REASON
def redo(invocation: Invocation, **options: Any) -> None:
    """Bring back what was undone last."""
    _answer(invocation, options, taking_back.redo)


@command(takeback, "rollback")
@click.argument("checkpoint")
@click.option("--actor", help="Only what this actor did.")
@_PATHS
@click.option("--inferred", is_flag=True, help="Also operations whose actor was concluded from time alone.")
@_DRY_RUN
@_ON_CONFLICT
@_REASON
def rollback(invocation: Invocation, checkpoint: str, **options: Any) -> None:
    """Undo everything after a checkpoint."""
    _answer(
        invocation, options, lambda workspace, request: taking_back.rollback(workspace, checkpoint, request)
    )


@command(takeback, "restore")
@click.argument("checkpoint")
@_PATHS
@_DRY_RUN
@_REASON
def restore(invocation: Invocation, checkpoint: str, **options: Any) -> None:
    """Put paths back to a checkpoint's content, as one operation."""
    _answer(
        invocation, options, lambda workspace, request: taking_back.restore(workspace, checkpoint, request)
    )


def _answer(
    invocation: Invocation, options: dict[str, Any], act: Callable[[Workspace, Request], Result]
) -> None:
    with invocation.workspace() as workspace:
        found = act(workspace, _request(invocation, workspace, options))
    invocation.answer(answers.result(found), lambda: render.result(found))
    if found.outcome is Outcome.REFUSED:
        notes = "; ".join(f"{file.path}: {file.note}" for file in found.files if file.note)
        render.problem(Refused(notes, hint="`takeback status` lists what is not captured, and why."))
        raise click.exceptions.Exit(Refused.exit_status)
    unfinished = found.outcome in (Outcome.CONFLICT, Outcome.PARTIAL)
    if unfinished or any(file.outcome is FileOutcome.CONFLICT for file in found.files):
        raise click.exceptions.Exit(EXIT_CONFLICT)


def _request(invocation: Invocation, workspace: Workspace, options: dict[str, Any]) -> Request:
    actor, turn = options.get("actor"), options.get("turn")
    return Request(
        n=options.get("n"),
        ops=tuple(OpId(op) for op in options.get("ops", ())),
        turn=TurnId(turn) if turn is not None else None,
        since=options.get("since"),
        actor=parse_actor(actor) if actor is not None else None,
        paths=invocation.paths(workspace, options.get("paths", ())),
        hunk=options.get("hunk"),
        inferred=options.get("inferred", False),
        dry_run=options.get("dry_run", False),
        on_conflict=OnConflict(options.get("on_conflict", OnConflict.STOP)),
        place=invocation.place(workspace),
        reason=options.get("reason") or "",
    )
