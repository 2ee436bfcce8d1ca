"""Reads files that somebody else may have put there: a pipe, a device or an endless file in their place stops nothing."""

from __future__ import annotations

import errno
import os
import stat

_OPEN = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
"""To open a pipe would else wait for whoever writes to it."""


def read(path: str | bytes, max_bytes: int) -> bytes:
    """The content of a regular file. Raises OSError for anything else, and for one of more than `max_bytes`."""
    descriptor = os.open(path, _OPEN)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is no regular file", path)
        with open(descriptor, "rb", closefd=False) as file:
            data = file.read(max_bytes + 1)
    finally:
        os.close(descriptor)
    if len(data) > max_bytes:
        raise OSError(errno.EFBIG, f"it is larger than {max_bytes} bytes", path)
    return data


def names(folder: str) -> list[str]:
    """The names of the regular files in a folder of ours, sorted, without those that begin with a point."""
    return sorted(name for name, is_file in _entries(folder) if is_file)


def others(folder: str) -> list[str]:
    """The names there of whatever is no regular file, sorted: nobody has put it there for us."""
    return sorted(name for name, is_file in _entries(folder) if not is_file)


def _entries(folder: str) -> list[tuple[str, bool]]:
    try:
        with os.scandir(folder) as found:
            visible = [one for one in found if not one.name.startswith(".")]
            return [(one.name, one.is_file(follow_symlinks=False)) for one in visible]
    except (FileNotFoundError, NotADirectoryError):
        return []


def has_end(path: str | bytes) -> bool:
    """Whether git can read what is at `path`, if anything is: it waits for ever for a pipe, and for most devices."""
    try:
        found = os.stat(path)
    except OSError:
        return True
    is_null = stat.S_ISCHR(found.st_mode) and found.st_rdev == os.stat(os.devnull).st_rdev
    return is_null or not (stat.S_ISFIFO(found.st_mode) or stat.S_ISCHR(found.st_mode))
