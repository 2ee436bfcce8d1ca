"""Calls of the C library that Python lacks. Each says whether this system has it, so a caller can do without."""

from __future__ import annotations

import ctypes
import errno
import os
import sys

_LIBC = ctypes.CDLL(None, use_errno=True)
_LACKING = frozenset({errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP})

# Source: renameat2(2) for Linux, renameatx_np(2) for macOS; the flags have the same sense.
_RENAME_NAME, _NO_REPLACE, _EXCHANGE = (
    ("renameatx_np", 4, 2) if sys.platform == "darwin" else ("renameat2", 1, 2)
)


def exchange_at(source_fd: int, source: str, target_fd: int, target: str) -> bool:
    """Two names in two open folders swap what they name, in one step; False where that is not supported."""
    return _rename_with(_EXCHANGE, source_fd, source, target_fd, target)


def rename_new_at(source_fd: int, source: str, target_fd: int, target: str) -> bool:
    """`source` is renamed and replaces nothing; False where that is not supported.

    Raises FileExistsError if something has the name already.
    """
    return _rename_with(_NO_REPLACE, source_fd, source, target_fd, target)


def sync_file_system(fd: int) -> None:
    """Everything written to the file system of `fd` is on disk; without `syncfs`, of every file system."""
    syncfs = getattr(_LIBC, "syncfs", None)
    if syncfs is None:
        os.sync()
    elif syncfs(fd) != 0:
        _raise_errno("syncfs")


def _rename_with(flags: int, source_fd: int, source: str, target_fd: int, target: str) -> bool:
    rename = getattr(_LIBC, _RENAME_NAME, None)
    if rename is None:
        return False
    if rename(source_fd, os.fsencode(source), target_fd, os.fsencode(target), ctypes.c_uint(flags)) == 0:
        return True
    if ctypes.get_errno() in _LACKING:
        return False
    return _raise_errno(source)


def _raise_errno(name: str) -> bool:
    number = ctypes.get_errno()
    raise OSError(number, os.strerror(number), name)
