"""The recorder lease: at most one process records a workspace. The kernel frees it when that process ends, however."""

from __future__ import annotations

import fcntl
import os


class Lease:
    """The right to record one workspace, held or not."""

    def __init__(self, state: str) -> None:
        self._path = os.path.join(state, "lease")
        self._descriptor: int | None = None

    def take(self) -> bool:
        """Whether this process holds the lease now. Never waits."""
        if self._descriptor is not None:
            return True
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())  # for people; nothing decides by it
        self._descriptor = descriptor
        return True

    def give_up(self) -> None:
        """Let another process record."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def holder(state: str) -> int | None:
    """The process that records now; `None` if nobody does."""
    try:
        descriptor = os.open(os.path.join(state, "lease"), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        text = os.read(descriptor, 32).strip()
        return int(text) if text.isdigit() else 0
    else:
        return None
    finally:
        os.close(descriptor)
