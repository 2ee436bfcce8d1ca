"""The checkpoint commands."""

from __future__ import annotations

import json
from typing import Any

import click

from takeback.checkpoints import Checkpoint, CheckpointKind, Wanted
from takeback.cli import render
from takeback.cli.app import Invocation, command, takeback
from takeback.errors import UsageError
from takeback.service import answers, checkpointing


@takeback.group("checkpoint")
def checkpoint_group() -> None:
    """Checkpoints: durable, named states of the whole workspace."""


@command(checkpoint_group, "create")
@click.option("-m", "label", default="", metavar="LABEL", help="What to call it.")
@click.option(
    "--kind",
    type=click.Choice([kind.value for kind in CheckpointKind]),
    default=CheckpointKind.MANUAL.value,
    show_default=True,
    help="Why it is made.",
)
@click.option("--phase", help="The phase of work that it ends.")
@click.option("--session", help="The session it belongs to.")
@click.option("--tag", "tags", multiple=True, metavar="T", help="A tag; may be repeated.")
@click.option("--context", metavar="JSON", help="A JSON object that is kept with it.")
def create(invocation: Invocation, label: str, kind: str, context: str | None, **options: Any) -> None:
    """Make a checkpoint of the workspace as it is now."""
    wanted = Wanted(
        label=label,
        kind=CheckpointKind(kind),
        phase=options["phase"],
        session=options["session"],
        tags=options["tags"],
        context=_context(context),
    )
    with invocation.workspace() as workspace:
        _answer(invocation, checkpointing.create(workspace, wanted))


@command(checkpoint_group, "list")
def list_all(invocation: Invocation) -> None:
    """List checkpoints, newest first."""
    with invocation.workspace() as workspace:
        found = workspace.checkpoints.all()
        invocation.answer(answers.checkpoints(found), lambda: render.checkpoints(found))


@command(checkpoint_group, "show")
@click.argument("checkpoint")
def show(invocation: Invocation, checkpoint: str) -> None:
    """Show one checkpoint."""
    with invocation.workspace() as workspace:
        found = workspace.checkpoints.find(checkpoint)
        answer = answers.checkpoint(found)
        invocation.answer(answer, lambda: render.facts(answer["checkpoint"]))


@command(checkpoint_group, "rename")
@click.argument("checkpoint")
@click.argument("label")
def rename(invocation: Invocation, checkpoint: str, label: str) -> None:
    """Give a checkpoint another label."""
    with invocation.workspace() as workspace:
        _answer(invocation, workspace.checkpoints.edit(checkpoint, label=label))


@command(checkpoint_group, "pin")
@click.argument("checkpoint")
def pin(invocation: Invocation, checkpoint: str) -> None:
    """Keep a checkpoint and all its content for ever."""
    with invocation.workspace() as workspace:
        _answer(invocation, workspace.checkpoints.edit(checkpoint, pinned=True))


@command(checkpoint_group, "unpin")
@click.argument("checkpoint")
def unpin(invocation: Invocation, checkpoint: str) -> None:
    """Let a checkpoint expire as others do."""
    with invocation.workspace() as workspace:
        _answer(invocation, workspace.checkpoints.edit(checkpoint, pinned=False))


@command(checkpoint_group, "delete")
@click.argument("checkpoint")
def delete(invocation: Invocation, checkpoint: str) -> None:
    """Delete a checkpoint. Operations and their content stay."""
    with invocation.workspace() as workspace:
        _answer(invocation, workspace.checkpoints.delete(checkpoint))


@command(checkpoint_group, "export")
@click.argument("checkpoint")
@click.option("--branch", required=True, metavar="B", help="The new branch; one that exists is refused.")
def export(invocation: Invocation, checkpoint: str, branch: str) -> None:
    """Write a checkpoint as a commit on a new branch of your repository.

    This is the only command that writes in your repository, and it writes nothing else: not the index, HEAD, work
    tree, stash, reflog or any other branch; no hook runs. Files that git ignores never go out.
    """
    with invocation.workspace() as workspace:
        made = checkpointing.export(workspace, checkpoint, branch)
    invocation.answer(answers.exported(made), lambda: render.exported(made))


def _answer(invocation: Invocation, found: Checkpoint) -> None:
    invocation.answer(answers.checkpoint(found), lambda: render.checkpoints([found]))


def _context(text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    try:
        context = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"the context is no JSON: {error}") from None
    if not isinstance(context, dict):
        raise UsageError("the context is no JSON object", hint="""Give one, like '{"step": 3}'.""")
    return context
