"""Who holds a lock, as far as the system says."""

from __future__ import annotations

import fcntl
import os

_MOST_BYTES = 1 << 20
"""More than any of them says."""


def hold(path: str, words: bytes) -> int:
    """A descriptor that holds a new lock file at `path` with these words; nobody finds it before it is held."""
    new = f"{path}.{os.getpid()}.new"
    descriptor = os.open(new, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        os.write(descriptor, words)
        os.rename(new, path)
    except BaseException:
        os.close(descriptor)
        os.unlink(new)
        raise
    return descriptor


def is_held(path: str) -> bool:
    """Whether a process holds the lock file at `path`. Takes it for a moment if not; creates nothing."""
    return said(path) is not None


def said(path: str) -> bytes | None:
    """What the process that holds the lock file at `path` has written in it; `None` if nobody holds it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.read(descriptor, _MOST_BYTES)
    finally:
        os.close(descriptor)
    return None


def holder(path: str) -> int | None:
    """The process that holds the lock file at `path`; `None` where the system does not tell.

    Source: proc_locks(5).
    """
    try:
        inode = os.stat(path).st_ino
        with open("/proc/locks", encoding="ascii") as table:
            lines = [line.split() for line in table]
    except OSError:
        return None
    for fields in lines:
        if fields[1] == "FLOCK" and fields[5].rpartition(":")[2] == str(inode):
            return int(fields[4])
    return None
