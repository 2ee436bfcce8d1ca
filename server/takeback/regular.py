"""Reads files that somebody else may have put there: a pipe, a device or an endless file in their place stops nothing."""

from __future__ import annotations

import errno
import os
import stat

_OPEN = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
"""To open a pipe would else wait for whoever writes to it."""


def read(path: str | bytes, max_bytes: int) -> bytes:
    """The content of a regular file. Raises OSError for anything else, and for one of more than `max_bytes`."""
    with open(os.open(path, _OPEN), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is no regular file", path)
        data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise OSError(errno.EFBIG, f"it is larger than {max_bytes} bytes", path)
    return data


def may_be_read(path: str | bytes) -> bool:
    """Whether a regular file, or nothing, is at `path`: git waits for ever for a pipe."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except OSError:
        return True
