"""Giving a file a name that nothing has: in one step where the system can, else by claiming the name first."""

from __future__ import annotations

import errno
import os
import stat as modes

from takeback.files import native

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_UNLINKABLE = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})


def rename_new(source_fd: int, source: str, target_fd: int, target: str) -> bool:
    """Whether a file, link or folder was renamed; False, and nothing done, when something has the name."""
    try:
        if not native.rename_new_at(source_fd, source, target_fd, target):
            _rename_claiming(source_fd, source, target_fd, target)
    except FileExistsError:
        return False
    return True


def _rename_claiming(source_fd: int, source: str, target_fd: int, target: str) -> None:
    """Rename, with a hard link that claims the name together with the content.

    Where there are no hard links, and for folders, something empty claims the name and is then replaced: a death
    in between leaves that, which is better than to lose what another program just wrote there.
    """
    is_folder = modes.S_ISDIR(os.lstat(source, dir_fd=source_fd).st_mode)
    if not is_folder and _link(source_fd, source, target_fd, target):
        os.unlink(source, dir_fd=source_fd)
        return
    if is_folder:
        os.mkdir(target, dir_fd=target_fd)
    else:
        os.close(os.open(target, _NEW, dir_fd=target_fd))
    try:
        os.rename(source, target, src_dir_fd=source_fd, dst_dir_fd=target_fd)
    except BaseException:
        (os.rmdir if is_folder else os.unlink)(target, dir_fd=target_fd)
        raise


def _link(source_fd: int, source: str, target_fd: int, target: str) -> bool:
    try:
        os.link(source, target, src_dir_fd=source_fd, dst_dir_fd=target_fd, follow_symlinks=False)
    except OSError as exc:
        if exc.errno in _UNLINKABLE:
            return False
        raise
    return True
