"""Dying at a chosen moment: the process kills itself, or is refused, when it changes a file, or a row, for the n-th time."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable
from typing import Any

from takeback.errors import StorageFull
from takeback.files.disk import Folder
from takeback.files.faults import explained
from takeback.journal.log import Journal
from takeback.store.objects import ObjectStore

FOLDER_STEPS = (
    (
        Folder,
        ("stage_file", "stage_link", "sync_file", "exchange", "move", "remove", "set_mode", "make_folders"),
    ),
    (Folder, ("remove_folder", "sync_folder", "replace", "overwrite")),
)
STEPS = (
    *FOLDER_STEPS,
    (Journal, ("append_many", "append_change", "begin_intent", "end_intent")),
    (ObjectStore, ("make_durable",)),
)


def die_at(n: int) -> None:
    """Let this process be killed at the `n`-th step that changes anything."""
    _strike(STEPS, n, lambda step: _die())


def die_before(n: int) -> None:
    """Let this process be killed just before the `n`-th change of a file."""
    _strike(FOLDER_STEPS, n, lambda step: _die())


def die_after(n: int) -> None:
    """Let this process be killed just after the `n`-th change of a file."""
    _strike(FOLDER_STEPS, n, lambda step: (step(), _die()))


def refuse_at(n: int) -> None:
    """Let the disk report an error instead of the `n`-th change of a file."""
    _strike(FOLDER_STEPS, n, lambda step: _refuse())


def no_room_for_ends() -> None:
    """Let the disk be full whenever the journal is to keep what became of an intent."""

    def full(*_args: Any) -> None:
        raise StorageFull("the disk is full")

    Journal.end_intent = full


def count_changes() -> Callable[[], int]:
    """How many changes of files this process made since now."""
    made = [0]
    _strike(FOLDER_STEPS, 0, lambda step: None, made)
    return lambda: -made[0]


def _strike(
    steps: Any, n: int, blow: Callable[[Callable[[], Any]], Any], left: list[int] | None = None
) -> None:
    left = [n] if left is None else left
    for owner, names in steps:
        for name in names:
            setattr(owner, name, _struck(getattr(owner, name), left, blow))


def _struck(step: Any, left: list[int], blow: Callable[[Callable[[], Any]], Any]) -> Any:
    def struck(*args: Any, **kwargs: Any) -> Any:
        left[0] -= 1
        if left[0] == 0:
            return blow(lambda: step(*args, **kwargs))
        return step(*args, **kwargs)

    return struck


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _refuse() -> None:
    with explained("change", "a file"):
        raise OSError(errno.EIO, os.strerror(errno.EIO))
