"""Tests wait for what has to come, and never for a while."""

from __future__ import annotations

import shutil
import threading
import time

WAIT_S = 30


def until(condition):
    """What `condition` gives once it is true."""
    deadline = time.monotonic() + WAIT_S
    while not (found := condition()):
        assert time.monotonic() < deadline, "it never came"
        threading.Event().wait(0.005)
    return found


def written(path):
    """Wait until a file is there with something in it: a shell makes it first, and then writes."""
    until(lambda: path.exists() and path.stat().st_size)


def removed(folder):
    """Remove a folder whose files somebody else may be removing as well."""
    until(lambda: shutil.rmtree(folder, ignore_errors=True) or not folder.exists())
