"""Commands that record: init, record, turn, run, keep, pause, resume."""

from __future__ import annotations

import os
import shlex

import click

from takeback.cli import render
from takeback.cli.app import Invocation, command, here, takeback
from takeback.errors import TakebackError
from takeback.model.ids import OpId
from takeback.model.operation import parse_actor
from takeback.model.words import as_text
from takeback.processes import run_command
from takeback.service import answers, recording

EXIT_OWN_FAILURE = 125
_ACTOR = "Who wrote: human, agent:NAME, command:NAME, git, unknown."


@command(takeback, "init")
def init(invocation: Invocation) -> None:
    """Make the baseline now, with progress. Every other command makes it when it is needed."""
    with invocation.workspace() as workspace:
        answer = {"version": answers.VERSION, "workspace": workspace.root, "state": workspace.state}
        invocation.answer(answer, lambda: render.started(workspace.root, workspace.state))


@command(takeback, "record")
@click.option("--actor", help=_ACTOR + " Default: the open turn's, else unknown.")
@click.option("--label", default="", help="What to call it.")
def record(invocation: Invocation, actor: str | None, label: str) -> None:
    """Record what changed since the last look as one operation."""
    with invocation.workspace() as workspace:
        found = recording.record(workspace, parse_actor(actor) if actor is not None else None, label)
        invocation.answer(
            answers.recorded(found),
            lambda: render.operations([found]) if found else click.echo("Nothing changed."),
        )


@takeback.group("turn")
def turn_group() -> None:
    """Turns: labelled runs of operations of one actor, undone as one if asked."""


@command(turn_group, "begin")
@click.option("--actor", required=True, help=_ACTOR)
@click.option("--label", default="", help="What the turn is about.")
def turn_begin(invocation: Invocation, actor: str, label: str) -> None:
    """Begin a turn: what is recorded until its end belongs to it."""
    with invocation.workspace() as workspace:
        turn = recording.begin_turn(workspace, parse_actor(actor), label)
        invocation.answer(answers.turn(turn), lambda: render.turn(turn))


@command(turn_group, "end")
@click.argument("turn", required=False)
def turn_end(invocation: Invocation, turn: str | None) -> None:
    """End a turn; TURN is needed when several are open."""
    with invocation.workspace() as workspace:
        ended = recording.end_turn(workspace, turn)
        invocation.answer(answers.turn(ended), lambda: render.turn(ended))


@command(takeback, "run", json_too=False)
@click.option("--actor", help=_ACTOR + " Default: command:PROGRAM.")
@click.option("--label", default="", help="What to call it. Default: the command line.")
@click.argument("argv", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- CMD...")
def run(invocation: Invocation, actor: str | None, label: str, argv: tuple[str, ...]) -> None:
    """Run a command with its terminal and record its effects as one operation.

    They are recorded at its end; an undo or a checkpoint meanwhile records what was written so far, as the command's.

    The exit status is the command's; 125 if Takeback failed, 126 if it cannot be executed, 127 if it was not found,
    128+n if signal n ended it.
    """
    who = parse_actor(actor) if actor is not None else as_text(f"command:{os.path.basename(argv[0])}")
    try:
        with (
            invocation.workspace() as workspace,
            recording.command(workspace, who, label or shlex.join(argv)),
        ):
            ended = run_command(argv, here(), os.environ)
    except TakebackError as problem:
        render.problem(problem)
        raise click.exceptions.Exit(EXIT_OWN_FAILURE) from problem
    if ended.problem:
        render.warn(f"takeback: {ended.problem}")
    raise click.exceptions.Exit(ended.status)


@command(takeback, "keep")
@click.argument("ops", nargs=-1, type=click.IntRange(min=1), metavar="[OP]...")
def keep(invocation: Invocation, ops: tuple[int, ...]) -> None:
    """Say that these foreign operations are fine (default: all of them): their marks end."""
    with invocation.workspace() as workspace:
        kept = recording.keep(workspace, [OpId(op) for op in ops])
        invocation.answer(
            {"version": answers.VERSION, "kept": list(kept)},
            lambda: click.echo(f"Kept {len(kept)} operations."),
        )


@command(takeback, "pause")
def pause(invocation: Invocation) -> None:
    """Stop recording. What happens meanwhile becomes one operation, labelled so."""
    with invocation.workspace() as workspace:
        recording.pause(workspace)
        answer = {"version": answers.VERSION, "paused": True}
        invocation.answer(answer, lambda: click.echo("Paused. `takeback resume` records again."))


@command(takeback, "resume")
def resume(invocation: Invocation) -> None:
    """Record again."""
    with invocation.workspace() as workspace:
        found = recording.resume(workspace)
        answer = {
            "version": answers.VERSION,
            "paused": False,
            "operation": answers.recorded(found)["operation"],
        }
        invocation.answer(answer, lambda: click.echo("Recording."))
