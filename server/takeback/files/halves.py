"""A second process that looks at the later half of a large tree while the first looks at the rest.

It only ever says "this folder is as the cache has it". What it does not say (because it died, or there is none) is
looked at by the one who asks. It never touches anything but its pipe, and lives no longer than the look.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence, Set
from contextlib import suppress
from types import TracebackType
from typing import Self

from takeback.files.cache import StatCache
from takeback.files.listing import list_folder, packed

MIN_FILES = 20_000
"""Below, a process costs more than it saves."""
_OWN_SHARE = 0.48
"""The part of the files that this process keeps: it has more to do with each folder."""
_CHUNK_BYTES = 1 << 16


class Helper:
    """Knows, once asked, which folders of its half are unchanged. Use it in a `with` statement."""

    def __init__(self, root_fd: int, cache: StatCache) -> None:
        self._share = _later_half(cache) if _worthwhile(cache) else ()
        self._pid = 0
        self._pipe = -1
        self._unchanged: Set[str] | None = None if self._share else frozenset()
        self._folders = frozenset(self._share)
        if self._share:
            self._start(root_fd, cache)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        if self._pid:
            os.close(self._pipe)  # the child ends at its next write
            with suppress(ChildProcessError):  # where SIGCHLD is ignored, the system has reaped it
                os.waitpid(self._pid, 0)

    def proves(self, folder: str) -> bool:
        """Whether `folder` was seen to be exactly what the cache has. Waits for the other process, once."""
        if folder not in self._folders:
            return False
        if self._unchanged is None:
            self._unchanged = self._answer()
        return folder in self._unchanged

    def _start(self, root_fd: int, cache: StatCache) -> None:
        self._pipe, answer_fd = os.pipe()
        try:
            self._pid = os.fork()
        except OSError:  # no room for a process: look at everything here
            os.close(self._pipe)
            self._unchanged = frozenset()
        if self._pid == 0 and self._unchanged is None:
            os.close(self._pipe)  # or the child would wait for itself when nobody reads
            _work(root_fd, cache, self._share, answer_fd)
        os.close(answer_fd)

    def _answer(self) -> Set[str]:
        answer = bytearray()
        while chunk := os.read(self._pipe, _CHUNK_BYTES):
            answer += chunk
        return {folder for folder, same in zip(self._share, answer, strict=False) if same == 1}


def _worthwhile(cache: StatCache) -> bool:
    """Whether the tree is large, a second processor is there, and a fork is safe: no other thread holds a lock."""
    return (
        sys.platform == "linux"
        and cache.n_files >= MIN_FILES
        and len(os.sched_getaffinity(0)) > 1
        and len(os.listdir("/proc/self/task")) == 1
    )


def _later_half(cache: StatCache) -> tuple[str, ...]:
    """The folders that a look comes to last: they are in the cache in that order."""
    own = cache.n_files * _OWN_SHARE
    n_passed = 0
    later = []
    for folder, record in cache.folders.items():
        n_passed += record[3]
        if n_passed > own:
            later.append(folder)
    return tuple(later)


def _work(root_fd: int, cache: StatCache, share: Sequence[str], answer_fd: int) -> None:
    """Runs in the child, and ends it there whatever happens: nothing of the parent's is cleaned up twice."""
    try:
        gc.disable()  # a collection would copy every page that is shared with the parent
        rest = memoryview(bytes(_is_same(root_fd, cache, folder) for folder in share))
        while rest:
            rest = rest[os.write(answer_fd, rest) :]
    finally:
        os._exit(0)


def _is_same(root_fd: int, cache: StatCache, folder: str) -> bool:
    seen, left_out, _, _ = cache.folders[folder]
    try:
        return packed(list_folder(root_fd, folder, left_out)) == seen
    except OSError:
        return False
