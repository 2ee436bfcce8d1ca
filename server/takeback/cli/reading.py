"""Commands that only read: status, log, show, diff."""

from __future__ import annotations

from typing import Any

import click

from takeback.cli import overview, render
from takeback.cli.app import Invocation, command, takeback
from takeback.model.ids import OpId
from takeback.service import answers, hunks, looking


@command(takeback, "status")
def status(invocation: Invocation) -> None:
    """Show the workspace, what was recorded last, and what could not be captured and why."""
    with invocation.workspace() as workspace:
        answer = looking.status(workspace)
        invocation.answer(answer, lambda: overview.status(answer))


@command(takeback, "log")
@click.option("-n", "n", type=click.IntRange(min=1), default=20, show_default=True, help="How many at most.")
@click.option("--actor", help="Only this actor's: human, agent:NAME, command:NAME, git, takeback, unknown.")
@click.option(
    "--path", "paths", multiple=True, metavar="P", help="Only those that touched this file or folder."
)
@click.option("--turn", metavar="T", help="Only those of this turn.")
@click.option(
    "--since", metavar="S", help="Only those after S: an operation, checkpoint, turn or time (10m)."
)
def log(invocation: Invocation, paths: tuple[str, ...], **options: Any) -> None:
    """List operations, newest first. `-` before the number: undone; `/`: undone in part; `?`: actor inferred."""
    with invocation.workspace() as workspace:
        wanted = looking.Wanted(paths=invocation.paths(workspace, paths), **options)
        found = looking.log(workspace, wanted)
        invocation.answer(answers.log(found), lambda: render.operations(found))


@command(takeback, "show")
@click.argument("op", type=click.IntRange(min=1))
def show(invocation: Invocation, op: int) -> None:
    """Show one operation: who, when, and what it changed."""
    with invocation.workspace() as workspace:
        found = looking.operation(workspace, OpId(op))
        diffs = looking.diffs_of(workspace, found) if not invocation.as_json else ()
        answer = answers.shown(found, hunks.of_operation(workspace, found))
        invocation.answer(answer, lambda: render.operation(found, diffs))


@command(takeback, "diff")
@click.argument("moments", metavar="[A[..B]]", required=False)
@click.argument("paths", nargs=-1, metavar="[-- P...]")
def diff(invocation: Invocation, moments: str | None, paths: tuple[str, ...]) -> None:
    """Compare the state before operation A with the state after B (default: the last operation).

    A and B are operations or checkpoints; a checkpoint is a state itself, so `cp-1..` compares it with now.
    """
    with invocation.workspace() as workspace:
        diffs = looking.diff(workspace, moments, invocation.paths(workspace, paths))
        invocation.answer({"version": answers.VERSION, "diff": "".join(diffs)}, lambda: render.diff(diffs))
