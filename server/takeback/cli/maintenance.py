"""Commands that keep histories in order: doctor, gc, forget."""

from __future__ import annotations

import os
import time

import click

from takeback.cli import render
from takeback.cli.app import Invocation, command, takeback
from takeback.errors import TakebackError
from takeback.model.ids import OpId, number_in
from takeback.service import answers, doctoring, maintenance


@command(takeback, "doctor")
@click.option(
    "--detach", is_flag=True, help="Copy what the store shares with your repository, so that it stands alone."
)
@click.option("--adopt", metavar="OLD_ROOT", help="This folder is what OLD_ROOT was: take over its history.")
def doctor(invocation: Invocation, *, detach: bool, adopt: str | None) -> None:
    """Check journal and store, mend what can be mended, finish or reverse what was interrupted.

    In a folder without history, or with an empty one, it also looks for histories whose folder is gone: a workspace
    that was moved or renamed finds its own again with --adopt. The exit status is 0 when all is well or mended, 3
    when something stays broken.
    """
    root = invocation.root()
    if adopt is not None:
        maintenance.adopt(root, adopt, os.environ, time.time_ns)
    report = doctoring.examine(root, os.environ, time.time_ns, alone=detach)
    invocation.answer(answers.report(report), lambda: render.report(report))
    if not report.is_well:
        raise click.exceptions.Exit(TakebackError.exit_status)


@command(takeback, "gc")
@click.option("--all", "every", is_flag=True, help="Keep one cap over the histories of all workspaces.")
def gc(invocation: Invocation, *, every: bool) -> None:
    """Keep the store's cap and retention (store.max_bytes, store.retention_days), and say what went.

    Content goes, the record stays: such a state then reads "not captured: expired". What always stays: the present,
    the baseline, pinned checkpoints, unfinished operations and the last 100 operations.
    """
    with invocation.workspace() as workspace:
        found = maintenance.gc_all(workspace, os.environ) if every else maintenance.gc(workspace)
    invocation.answer(answers.cleaned(found), lambda: render.cleaned(found))


@command(takeback, "forget")
@click.argument("what", metavar="PATH|OP")
@click.option("--force", is_flag=True, help="Also where other paths have the same content.")
def forget(invocation: Invocation, what: str, *, force: bool) -> None:
    """Drop content for good (a secret, say): of every state of PATH, or what operation OP wrote. Cannot be undone.

    The record stays, also names and labels; such a state then reads "not captured: forgotten", and an undo that
    needs it says so. Files in the workspace are not touched, and forgotten content that still stands there is not
    taken in again. The content is dropped wherever else it occurs; if other paths have it, that is refused without
    --force. A file whose name is a number is named ./12.
    """
    with invocation.workspace() as workspace:
        if what.isdecimal():
            found = maintenance.forget_operation(workspace, OpId(number_in(what)), shared_too=force)
        else:
            path = invocation.path(workspace, what)
            found = maintenance.forget_path(workspace, path, shared_too=force)
    invocation.answer(answers.forgotten(found), lambda: render.forgotten(found))
