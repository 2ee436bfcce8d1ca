"""One folder as a look sees it: a flat list that can be proved equal to an earlier one by comparing bytes.

    ["sub/", "ignored.log", "main.py", size, mtime_ns, ctime_ns, inode, mode, ...]

A name alone is a folder (with its `/`) or something left out, which is not asked for its stat.
"""

from __future__ import annotations

import marshal
import os
from collections.abc import Iterator, Sequence, Set
from operator import attrgetter
from typing import Any

from takeback.files.cache import PLAIN, StatCache

Times = tuple[int, int, int, int, int]
"""Size, mtime and ctime in nanoseconds, inode, mode: if all match, and both times are old, nothing changed."""

_TIMES = attrgetter("st_size", "st_mtime_ns", "st_ctime_ns", "st_ino", "st_mode")
_N_TIMES = 5
_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

# The kernel stamps files with the time of its last tick, which lies up to 10 ms back; and a file system that keeps
# whole seconds (or, as FAT, every other one) stamps with a time that lies further back still.
_TICK_NS = 20_000_000
_SECOND_NS = 1_000_000_000
_COARSE_NS = 2 * _SECOND_NS


def list_folder(root_fd: int, folder: str, left_out: Set[str]) -> list[Any]:
    """The listing of `folder` in the order of the file system; what is removed meanwhile is not in it.

    Raises OSError when it cannot be opened or searched, is no folder, or is a link.
    """
    fd = os.open(folder or ".", _OPEN, dir_fd=root_fd)
    try:
        with os.scandir(fd) as entries:
            return _list(entries, left_out)
    finally:
        os.close(fd)


def _list(entries: Iterator[os.DirEntry[str]], left_out: Set[str]) -> list[Any]:
    listing: list[Any] = []
    append, extend = listing.append, listing.extend
    for entry in entries:
        name = entry.name
        if entry.is_dir(follow_symlinks=False):
            append(name + "/")
        elif name in left_out:
            append(name)
        else:
            append(name)
            try:
                extend(_TIMES(entry.stat(follow_symlinks=False)))
            except FileNotFoundError:
                listing.pop()
    return listing


def packed(listing: list[Any]) -> bytes:
    """The listing as bytes: equal exactly for equal listings."""
    return marshal.dumps(listing, PLAIN)


def unpacked(listing: bytes) -> list[Any]:
    """The listing that was packed."""
    found: list[Any] = marshal.loads(listing)  # noqa: S302  # packed by us, and checked when it came from a file
    return found


def packed_times(times: Times) -> bytes:
    """The times as bytes, in a third of the room."""
    return marshal.dumps(times, PLAIN)


def unpacked_times(times: bytes) -> Times:
    """The times that were packed."""
    found: Times = marshal.loads(times)  # noqa: S302  # packed by us
    return found


def entries_of(listing: Sequence[Any]) -> Iterator[tuple[str, Times | None]]:
    """Each name with its times; None for folders and what was left out."""
    position = 0
    while position < len(listing):
        times = tuple(listing[position + 1 : position + 1 + _N_TIMES])
        if times and isinstance(times[0], int):
            yield listing[position], times
            position += 1 + _N_TIMES
        else:
            yield listing[position], None
            position += 1


def times_of(cache: StatCache, path: str) -> Times | None:
    """What the look that left `cache` saw at a file or link; None if it saw none there."""
    folder, _, name = path.rpartition("/")
    record = cache.folders.get(folder)
    listing = unpacked(record[0]) if record is not None else ()
    return next((times for one, times in entries_of(listing) if one == name), None)


def settled(times: Times, started_ns: int) -> Times:
    """`times` as they may be kept: those that prove nothing, because a write could still follow unseen, never match.

    A look that started at `started_ns` proves only what was written before.
    """
    _, mtime, ctime, inode, mode = times
    if _latest(mtime) < started_ns and _latest(ctime) < started_ns:
        return times
    return (-1, mtime, ctime, inode, mode)


def _latest(stamp_ns: int) -> int:
    """When a write at the latest happened that left this stamp."""
    return stamp_ns + (_TICK_NS if stamp_ns % _SECOND_NS else _COARSE_NS)
