"""Who holds a lock, as far as the system says."""

from __future__ import annotations

import fcntl
import os


def is_held(path: str) -> bool:
    """Whether another process holds the lock file at `path`. Takes it for a moment if not; creates nothing."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


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
