"""What stands at a name of an open folder: its stat and its content. Never follows a link, never waits on a pipe."""

from __future__ import annotations

import errno
import os
import stat as modes
from dataclasses import dataclass

from takeback.files.faults import GONE
from takeback.model.state import FileKind, Reason

_ATTEMPTS = 4
"""How often a file that changes under the reader is read before the last reading is taken."""
_CHUNK_BYTES = 1 << 20
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_NO_DESCRIPTOR = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})
"""Our own shortage: it says nothing about the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stat:
    """What `lstat` says about a path."""

    size_bytes: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    mode: int
    """All of `st_mode`: kind and permission bits."""
    n_links: int = 0
    """0: not known, because a scan does not ask."""
    device: int = 0
    """0: not known, because a scan does not ask."""

    @property
    def kind(self) -> FileKind | None:
        """File, symlink or directory; `None` for a socket, pipe or device."""
        return _KINDS.get(modes.S_IFMT(self.mode))

    @property
    def permissions(self) -> int:
        """The permission bits, as a file state keeps them."""
        return modes.S_IMODE(self.mode)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was read at a path."""

    stat: Stat | None = None
    """`None`: nothing is there, or (with a reason) a folder on the way cannot be searched."""
    kind: FileKind | None = None
    """`None`: nothing is there. What is special or unreadable counts as a file."""
    data: bytes | None = None
    """The content of a file or the target of a symlink, complete."""
    reason: Reason | None = None
    """Why there is no `data` although there should be."""


UNSEARCHABLE = Reading(kind=FileKind.FILE, reason=Reason.UNREADABLE)

_KINDS = {
    modes.S_IFREG: FileKind.FILE,
    modes.S_IFLNK: FileKind.SYMLINK,
    modes.S_IFDIR: FileKind.DIRECTORY,
}


def stat_at(folder_fd: int, name: str) -> Stat | None:
    """The stat of `name` itself, or None when there is none.

    Raises PermissionError when the folder cannot be searched.
    """
    try:
        return _stat(os.lstat(name, dir_fd=folder_fd))
    except OSError as exc:
        if exc.errno in GONE or exc.errno == errno.ENAMETOOLONG:
            return None
        raise


def read_at(folder_fd: int, name: str, max_bytes: int) -> Reading:
    """What stands at `name`; a file that changes meanwhile is read again, a few times.

    Files of more than `max_bytes` are not read. Pipes, sockets and devices are not opened.
    """
    reading = Reading()
    for _ in range(_ATTEMPTS):
        reading, steady = _read_once(folder_fd, name, max_bytes)
        if steady:
            break
    return reading


def _read_once(folder_fd: int, name: str, max_bytes: int) -> tuple[Reading, bool]:
    stat = stat_at(folder_fd, name)
    if stat is None:
        return Reading(), True
    if stat.kind is FileKind.DIRECTORY:
        return Reading(stat=stat, kind=FileKind.DIRECTORY), True
    if stat.kind is None:
        return Reading(stat=stat, kind=FileKind.FILE, reason=Reason.SPECIAL), True
    try:
        if stat.kind is FileKind.SYMLINK:
            return _read_link(folder_fd, name, stat)
        return _read_file(folder_fd, name, max_bytes)
    except OSError as exc:
        if exc.errno in _NO_DESCRIPTOR:
            raise
        if exc.errno in GONE or exc.errno == errno.EINVAL:  # it became something else since the stat
            return Reading(), False
        return Reading(stat=stat, kind=stat.kind, reason=Reason.UNREADABLE), True


def _read_link(folder_fd: int, name: str, before: Stat) -> tuple[Reading, bool]:
    target = os.readlink(os.fsencode(name), dir_fd=folder_fd)
    steady = stat_at(folder_fd, name) == before
    return Reading(stat=before, kind=FileKind.SYMLINK, data=target), steady


def _read_file(folder_fd: int, name: str, max_bytes: int) -> tuple[Reading, bool]:
    fd = os.open(name, _OPEN, dir_fd=folder_fd)
    try:
        return read_open(fd, max_bytes)
    finally:
        os.close(fd)


def read_open(fd: int, max_bytes: int) -> tuple[Reading, bool]:
    """What an open file holds from the position of `fd` on, and whether it stayed the same meanwhile."""
    stat = _stat(os.fstat(fd))
    if stat.kind is not FileKind.FILE:
        return Reading(), False
    data = _content(fd, stat.size_bytes, max_bytes)
    after = _stat(os.fstat(fd))
    if data is None:
        return Reading(stat=after, kind=FileKind.FILE, reason=Reason.TOO_LARGE), True
    return Reading(stat=after, kind=FileKind.FILE, data=data), stat == after


def _content(fd: int, size_bytes: int, max_bytes: int) -> bytes | None:
    """All bytes of an open file, or None when there are more than `max_bytes`."""
    if size_bytes > max_bytes:
        return None
    chunks: list[bytes] = []
    n_read = 0
    while chunk := os.read(fd, max(size_bytes - n_read, 0) + 1 if not chunks else _CHUNK_BYTES):
        chunks.append(chunk)
        n_read += len(chunk)
        if n_read > max_bytes:
            return None
    return b"".join(chunks)


def _stat(found: os.stat_result) -> Stat:
    return Stat(
        size_bytes=found.st_size,
        mtime_ns=found.st_mtime_ns,
        ctime_ns=found.st_ctime_ns,
        inode=found.st_ino,
        mode=found.st_mode,
        n_links=found.st_nlink,
        device=found.st_dev,
    )
