"""What the operating system refuses, in words: the one place where an errno becomes an error of Takeback.

An errno that no situation of the user explains (EBADF, EFAULT, EINVAL) is a bug and passes unchanged.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from takeback.errors import Busy, NotFound, Refused, StorageFull, TakebackError, Unsupported

GONE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})
"""What opening a path says when a folder on the way is absent, is no folder, or is a link."""

_LACKING = (Unsupported, "the file system cannot do this", "Move the workspace to a local file system.")
_DENIED = (Refused, "permission denied", "Check who owns it and its folder: `ls -ld` shows that.")
_FULL = (StorageFull, "no space is left", StorageFull.hint)
_IN_THE_WAY = (
    Refused,
    "a symbolic link, or something that is no folder, stands in the way",
    "Takeback never goes through links; put the folder back, or leave this path out.",
)
_TAKEN = (
    Refused,
    "something is already there",
    "Look at what is there, and move it away if it is not needed.",
)
_TOO_MANY = (Busy, "too many files are open", "Close other programs, or raise `ulimit -n`.")
_FAILING = (Refused, "the disk reports an error", "Check the disk before going on.")

_CAUSES: Mapping[int, tuple[type[TakebackError], str, str]] = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EACCES: _DENIED,
    errno.EPERM: _DENIED,
    errno.EROFS: (Refused, "the file system is read-only", "Mount it writable, then try again."),
    errno.ENOTDIR: _IN_THE_WAY,
    errno.ELOOP: _IN_THE_WAY,
    errno.ENOENT: (NotFound, "it is not there", "It was removed meanwhile; look again, then go on."),
    errno.EEXIST: _TAKEN,
    errno.ENOTEMPTY: _TAKEN,
    errno.EISDIR: (Refused, "a folder is there", "Move the folder away, or leave this path out."),
    errno.ENXIO: (
        Refused,
        "it is a pipe, socket or device",
        "Leave this path out: it has no content to keep.",
    ),
    errno.ENAMETOOLONG: (Refused, "the name is too long here", "Use a file system with longer names."),
    errno.ETXTBSY: (Busy, "a running program uses it", "End that program, then try again."),
    errno.EBUSY: (Busy, "it is in use", "End what uses it, then try again."),
    errno.EFBIG: (Refused, "it is too large for this file system", "Move the workspace to another one."),
    errno.EXDEV: (Unsupported, "it lies on another file system", "Move it within one file system only."),
    errno.EMFILE: _TOO_MANY,
    errno.ENFILE: _TOO_MANY,
    errno.EIO: _FAILING,
    errno.ESTALE: _FAILING,
    errno.ENOSYS: _LACKING,
    errno.ENOTSUP: _LACKING,
    errno.EOPNOTSUPP: _LACKING,
}


@contextmanager
def explained(doing: str, path: str) -> Iterator[None]:
    """Turn an OSError of the block into the error of Takeback that says what could not be done, and where."""
    try:
        yield
    except OSError as exc:
        cause = _CAUSES.get(exc.errno or 0)
        if cause is None:
            raise
        kind, what, hint = cause
        raise kind(f"cannot {doing} {shown(path)}: {what}", hint=hint) from exc


def shown(path: str) -> str:
    """`path` as a message can hold it: names with newlines or bytes outside UTF-8 are quoted."""
    return path if path.isprintable() else repr(path)
