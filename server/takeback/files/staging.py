"""Writing into an open folder: new files beside old ones, with what belongs to the old ones kept. Nothing is synced."""

from __future__ import annotations

import errno
import os
import stat as modes
import sys
from collections.abc import Callable
from contextlib import suppress

from takeback.files.reading import Reading, read_open

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_OLD = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_MODEL = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_ANY_SIZE = 1 << 62
_OTHERS_RIGHTS = modes.S_ISUID | modes.S_ISGID


def create_file(folder_fd: int, name: str, data: bytes, mode: int, *, like: str | None) -> None:
    """`name` is a new file with this content and mode, and owner, group and xattrs of `like` where permitted.

    What cannot be written whole is removed again. A file that could not get the owner of `like` does not run with
    its owner's rights either: set-user-id and set-group-id bits are left out then.
    """
    fd = os.open(name, _NEW, 0o600, dir_fd=folder_fd)
    try:
        write_all(fd, data)
        owned = like is None or _copy_metadata(folder_fd, like, fd)
        os.fchmod(fd, modes.S_IMODE(mode) & ~(0 if owned else _OTHERS_RIGHTS))
    except BaseException:
        os.unlink(name, dir_fd=folder_fd)
        raise
    finally:
        os.close(fd)


def overwrite_file(folder_fd: int, name: str, data: bytes, fits: Callable[[Reading], bool]) -> bool:
    """The file `name`, under all its names, holds `data`; False, and nothing done, where it does not fit.

    What fits and what is written are one open file, so what is saved under `name` meanwhile is never written over:
    then the file under the other names gets its content back. It is written from the start and cut afterwards, so
    that a death in between leaves the new content up to some byte and the old content after it.
    """
    fd = os.open(name, _OLD, dir_fd=folder_fd)
    try:
        if not modes.S_ISREG(os.fstat(fd).st_mode):
            raise OSError(errno.ENXIO, os.strerror(errno.ENXIO), name)
        found, steady = read_open(fd, _ANY_SIZE)
        if found.data is None or not steady or not fits(found):
            return False
        _write_over(fd, data)
        if _is_named(fd, folder_fd, name):
            return True
        _write_over(fd, found.data)
        return False
    finally:
        os.close(fd)


def _write_over(fd: int, data: bytes) -> None:
    os.lseek(fd, 0, os.SEEK_SET)
    write_all(fd, data)
    os.ftruncate(fd, len(data))


def _is_named(fd: int, folder_fd: int, name: str) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), os.lstat(name, dir_fd=folder_fd))
    except FileNotFoundError:
        return False


def set_mode(folder_fd: int, name: str, mode: int) -> None:
    """A file or folder has these permission bits, readable or not. Raises ENOTSUP for a symlink."""
    if sys.platform != "linux":
        os.chmod(name, mode, dir_fd=folder_fd, follow_symlinks=False)
        return
    # Linux changes the mode of what a descriptor names, but only `open` can be told not to follow a link.
    fd = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder_fd)
    try:
        if modes.S_ISLNK(os.fstat(fd).st_mode):
            raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP), name)
        os.chmod(f"/proc/self/fd/{fd}", mode)
    finally:
        os.close(fd)


def write_all(fd: int, data: bytes) -> None:
    """All of `data` is written at the position of `fd`, however often the system takes only a part."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]


def _copy_metadata(folder_fd: int, model: str, fd: int) -> bool:
    """Give `fd` the owner, group and xattrs of the file `model`; returns whether the owner and group agree.

    A `model` that is no readable file has nothing to give.
    """
    try:
        model_fd = os.open(model, _MODEL, dir_fd=folder_fd)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    try:
        owned = _copy_owner(model_fd, fd)
        _copy_xattrs(model_fd, fd)
    finally:
        os.close(model_fd)
    return owned


def _copy_owner(model_fd: int, fd: int) -> bool:
    wanted, given = os.fstat(model_fd), os.fstat(fd)
    # A group can be given by its members, an owner only by root: each is tried alone.
    if given.st_gid != wanted.st_gid:
        with suppress(OSError):
            os.fchown(fd, -1, wanted.st_gid)
    if given.st_uid != wanted.st_uid:
        with suppress(OSError):
            os.fchown(fd, wanted.st_uid, -1)
    given = os.fstat(fd)
    return (given.st_uid, given.st_gid) == (wanted.st_uid, wanted.st_gid)


def _copy_xattrs(model_fd: int, fd: int) -> None:
    if sys.platform != "linux":
        return
    wanted = _xattrs(model_fd)
    # What the folder's default ACL gave the new file goes, if the old file has none.
    for name in _xattrs(fd).keys() - wanted.keys():
        with suppress(OSError):
            os.removexattr(fd, name)
    for name, value in wanted.items():
        with suppress(OSError):
            os.setxattr(fd, name, value)


def _xattrs(fd: int) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    if sys.platform == "linux":
        with suppress(OSError):
            for name in os.listxattr(fd):
                with suppress(OSError):
                    found[name] = os.getxattr(fd, name)
    return found
