"""Commands that stay: watch."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from types import FrameType
from typing import TYPE_CHECKING

from takeback.cli import render
from takeback.cli.app import Invocation, command, takeback
from takeback.errors import WorkspaceRefused
from takeback.model.operation import Operation
from takeback.service.inbox import Inbox
from takeback.service.lease import holder

if TYPE_CHECKING:
    from takeback.service.running import Running


@command(takeback, "watch", json_too=False)
def watch(invocation: Invocation) -> None:
    """Record in the foreground, for editors without LSP, and print operations as they come. Ctrl-C ends it."""
    from takeback.service.running import Running  # noqa: PLC0415 - no other command needs watchdog

    with invocation.workspace() as workspace:
        running = Running(workspace, Inbox(), on_operations=_show, on_trouble=_warn, on_loss=render.warn)
        _stop_on_signals(running)
        other = holder(workspace.state)
        render.warn(
            f"Recording {workspace.root}"
            if other is None
            else f"Process {other} is recording {workspace.root}; this one follows, and takes over when it ends."
        )
        running.run()
        if not os.path.isdir(workspace.root):
            raise WorkspaceRefused(
                f"the folder {workspace.root} was moved or removed, so recording has ended",
                hint="`takeback doctor` in its new place finds its history again.",
            )


def _show(found: Sequence[Operation]) -> None:
    render.operations(found)


def _warn(trouble: str) -> None:
    render.warn(
        f"Recording fails, and is tried again: {trouble}" if trouble else "Everything is recorded again."
    )


def _stop_on_signals(running: Running) -> None:
    def stop(_number: int, _frame: FrameType | None) -> None:
        running.stop_soon()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
