"""The recorder lease: at most one process records a workspace. The kernel frees it when that process ends, however."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress

from takeback.errors import WorkspaceRefused
from takeback.files.holders import said

_ROOM_BYTES = 1024
"""Taken with the lease, so that even on a full disk it can be said that the disk is full."""


class Lease:
    """The right to record one workspace, held or not."""

    def __init__(self, state: str) -> None:
        self._state = state
        self._path = os.path.join(state, "lease")
        self._folder = os.stat(state)
        self._descriptor: int | None = None

    def take(self) -> bool:
        """Whether this process holds the lease now. Never waits."""
        if self._descriptor is not None:
            return True
        self.check()
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        self.say("")
        return True

    def check(self) -> None:
        """Raises WorkspaceRefused if the state folder was removed or replaced: what is written there reaches nobody."""
        if self._descriptor is None:
            known, place = self._folder, self._state
        else:
            known, place = os.fstat(self._descriptor), self._path
        with suppress(FileNotFoundError):
            if os.path.samestat(known, os.stat(place)):
                return
        raise WorkspaceRefused(
            f"the history in {self._state} was removed, so nothing is recorded any more",
            hint="A new history begins when Takeback is started again.",
        )

    def say(self, trouble: str) -> None:
        """Tell every process who records, and why that fails; empty: it works. Nothing decides by it."""
        text = f"{os.getpid()}\n{trouble}".encode(errors="surrogateescape")[:_ROOM_BYTES]
        if self._descriptor is not None:
            with suppress(OSError):
                os.pwrite(self._descriptor, text.ljust(_ROOM_BYTES), 0)

    def give_up(self) -> None:
        """Let another process record."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def holder(state: str) -> int | None:
    """The process that records now; `None` if nobody does."""
    words = _said(state)
    if words is None:
        return None
    pid = words.partition("\n")[0]
    return int(pid) if pid.isdigit() else 0


def trouble(state: str) -> str:
    """Why the process that records now cannot; empty if it can, or nobody records."""
    return (_said(state) or "").partition("\n")[2]


def _said(state: str) -> str | None:
    """What the holder of the lease says; `None` if nobody holds it."""
    words = said(os.path.join(state, "lease"))
    return None if words is None else words.decode(errors="surrogateescape").strip()
