"""Dying at a chosen moment: the process kills itself when it changes a file, or a row, for the n-th time."""

from __future__ import annotations

import os
import signal
from typing import Any

from takeback.files.disk import Folder
from takeback.journal.log import Journal
from takeback.store.objects import ObjectStore

STEPS = (
    (
        Folder,
        ("stage_file", "stage_link", "sync_file", "exchange", "move", "remove", "set_mode", "make_folders"),
    ),
    (Folder, ("remove_folder", "sync_folder", "replace", "overwrite")),
    (Journal, ("append_many", "append_change", "begin_intent", "end_intent")),
    (ObjectStore, ("make_durable",)),
)


def die_at(n: int) -> None:
    """Let this process be killed at the `n`-th step that changes anything."""
    left = [n]
    for owner, names in STEPS:
        for name in names:
            setattr(owner, name, _deadly(getattr(owner, name), left))


def _deadly(step: Any, left: list[int]) -> Any:
    def dying(*args: Any, **kwargs: Any) -> Any:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return step(*args, **kwargs)

    return dying
