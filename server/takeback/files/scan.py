"""The look at a whole tree: what is not proved to be as the last look left it.

Folders are walked level by level. One whose listing equals the cached one is settled by that comparison; only in the
others are entries compared one by one, and `leave_out` asked about names that are new. Nothing is read, nothing is
followed, nothing is decided.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from takeback.errors import WorkspaceRefused
from takeback.files.cache import Record, StatCache
from takeback.files.faults import GONE
from takeback.files.halves import Helper
from takeback.files.listing import (
    entries_of,
    list_folder,
    packed,
    packed_times,
    settled,
    unpacked,
    unpacked_times,
)
from takeback.files.reading import Stat
from takeback.model.paths import WorkspacePath
from takeback.model.staged import is_own_name

LeaveOut = Callable[[Sequence[str]], Set[str]]
"""Which of some paths are not recorded. Folders end with `/`; one that is left out is not walked."""

_NOTHING: frozenset[str] = frozenset()
_EMPTY = packed([])
_NO_RECORD: Record = (_EMPTY, _NOTHING, (), 0)
_NO_DESCRIPTOR = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What a look saw. Paths are sorted."""

    changed: tuple[WorkspacePath, ...]
    """Files, links and special files that are new, or not proved to be unchanged."""
    vanished: tuple[WorkspacePath, ...]
    """Where the cache has a file or link and there is none any more (perhaps a folder)."""
    empty_folders: tuple[WorkspacePath, ...]
    """All folders that hold nothing at all, whether they were empty before or not."""
    unreadable_folders: tuple[WorkspacePath, ...]
    """Folders that could not be listed or searched. What the cache has below them is kept, and not looked at."""
    too_deep_folders: tuple[WorkspacePath, ...]
    """Folders whose path is longer than the system takes: the same holds for them."""
    n_files: int
    """How many files and links are recorded, below unreadable folders as far as known."""
    cache: StatCache
    """For the next look. The given one itself if nothing in it had to change."""
    _times: Mapping[WorkspacePath, bytes] = field(repr=False)

    def stat(self, path: WorkspacePath) -> Stat:
        """What the look saw at one of `changed`. Number of links and device are not among it."""
        size_bytes, mtime_ns, ctime_ns, inode, mode = unpacked_times(self._times[path])
        return Stat(size_bytes=size_bytes, mtime_ns=mtime_ns, ctime_ns=ctime_ns, inode=inode, mode=mode)

    def mode(self, path: WorkspacePath) -> int:
        """The mode that the look saw at one of `changed`."""
        return unpacked_times(self._times[path])[4]

    def is_older(self, path: WorkspacePath, at_ns: int) -> bool:
        """Whether what the look saw at one of `changed` was surely there before `at_ns`."""
        times = unpacked_times(self._times[path])
        return settled(times, at_ns) is times


def scan(  # noqa: PLR0913  # three of them are named at the call
    root: str,
    cache: StatCache,
    leave_out: LeaveOut,
    *,
    started_ns: int,
    max_files: int,
    recheck: bool = False,
    ask_in: Set[str] = _NOTHING,
) -> Scan:
    """What differs from `cache` in the tree at `root`.

    `leave_out` is asked once for each level of the tree that holds names without a remembered answer; with `recheck`
    it is asked about all names again, else about those in the folders `ask_in`. `started_ns` is the wall clock before
    the call: a file that was written later, or so shortly before that a write could still follow unseen, is reported
    again by the next look.
    `.git` and staged files are passed over. Paths are not protected against folders that are replaced by links
    during the look; whoever reads them is (`disk.Folder`).
    Raises WorkspaceRefused when there are more than `max_files`, or `root` is no folder that can be listed.
    """
    try:
        root_fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as exc:
        raise WorkspaceRefused(f"cannot look at the folder {root!r}: {exc.strerror}") from exc
    try:
        with Helper(root_fd, StatCache() if recheck else cache) as helper:
            look = _Look(
                root_fd=root_fd,
                cache=cache,
                leave_out=leave_out,
                helper=helper,
                started_ns=started_ns,
                max_files=max_files,
                recheck=recheck,
                ask_in=ask_in,
            )
            level = [""]
            while level:
                level = look.descend(level)
            return look.result()
    finally:
        os.close(root_fd)


@dataclass(slots=True, kw_only=True)
class _Look:
    """One walk over the tree, and what it has found so far."""

    root_fd: int
    cache: StatCache
    leave_out: LeaveOut
    helper: Helper
    started_ns: int
    max_files: int
    recheck: bool
    ask_in: Set[str]
    _folders: dict[str, Record] = field(default_factory=dict)
    _times: dict[WorkspacePath, bytes] = field(default_factory=dict)
    """Packed: they may be those of the whole tree."""
    _vanished: list[str] = field(default_factory=list)
    _empty: list[str] = field(default_factory=list)
    _unreadable: list[str] = field(default_factory=list)
    _too_deep: list[str] = field(default_factory=list)
    _n_files: int = 0

    def descend(self, level: Sequence[str]) -> list[str]:
        """Look at the folders of one level; the folders of the next."""
        below: list[str] = []
        differing: list[tuple[str, bytes]] = []
        """Packed: a level may be the whole tree."""
        for folder in level:
            record = self.cache.folders.get(folder)
            if record is not None and not self._asks(folder) and self.helper.proves(folder):
                below += self._keep(folder, record)
                continue
            listing = self._list(folder, record or _NO_RECORD)
            if listing is None:
                continue
            seen = packed(listing)
            if record is not None and not self._asks(folder) and seen == record[0]:
                below += self._keep(folder, record)
            else:
                differing.append((folder, seen))
        return below + self._compare_all(differing)

    def result(self) -> Scan:
        """The scan, when no level is left."""
        same = self._folders == self.cache.folders
        return Scan(
            changed=tuple(sorted(self._times)),
            vanished=_paths(self._vanished),
            empty_folders=_paths(self._empty),
            unreadable_folders=_paths(self._unreadable),
            too_deep_folders=_paths(self._too_deep),
            n_files=self._n_files,
            cache=self.cache if same else StatCache(folders=self._folders),
            _times=self._times,
        )

    def _list(self, folder: str, record: Record) -> list[Any] | None:
        """The listing; None when there is none, because the folder is gone or cannot be read."""
        try:
            return list_folder(self.root_fd, folder, _NOTHING if self._asks(folder) else record[1])
        except OSError as exc:
            if exc.errno in _NO_DESCRIPTOR:
                raise
            if not folder:
                raise WorkspaceRefused(f"the workspace cannot be read: {exc.strerror}") from exc
            if exc.errno in GONE:
                self._vanished += self._files_below(folder)
            else:
                unseen = self._too_deep if exc.errno == errno.ENAMETOOLONG else self._unreadable
                unseen.append(folder)
                self._keep_below(folder)
            return None

    def _keep(self, folder: str, record: Record) -> list[str]:
        """Take a folder over from the cache; the folders below it."""
        self._folders[folder] = record
        self._count(record[3])
        if record[0] == _EMPTY and folder:
            self._empty.append(folder)
        return [f"{folder}/{name}" for name in record[2]] if folder else list(record[2])

    def _keep_below(self, folder: str) -> None:
        waiting = [folder]
        while waiting:
            folder = waiting.pop()
            if (record := self.cache.folders.get(folder)) is not None:
                waiting += self._keep(folder, record)

    def _asks(self, folder: str) -> bool:
        """Whether `leave_out` is asked anew about everything in `folder`."""
        return self.recheck or folder in self.ask_in

    def _compare_all(self, differing: Sequence[tuple[str, bytes]]) -> list[str]:
        asked = [path for folder, seen in differing for path in self._unanswered(folder, unpacked(seen))]
        left_out = self.leave_out(asked) if asked else _NOTHING
        return [
            below for folder, seen in differing for below in self._compare(folder, unpacked(seen), left_out)
        ]

    def _unanswered(self, folder: str, listing: Sequence[Any]) -> Iterable[str]:
        """The paths in `folder` that nothing is known about; all of them when rules have changed."""
        prefix = f"{folder}/" if folder else ""
        record = self.cache.folders.get(folder)
        known: Set[str] = _NOTHING
        if record is not None and not self._asks(folder):
            known = {name for name, _ in entries_of(unpacked(record[0]))}
        return [
            prefix + name for name, _ in entries_of(listing) if name not in known and not _is_skipped(name)
        ]

    def _compare(self, folder: str, listing: Sequence[Any], answers: Set[str]) -> list[str]:
        """Note what differs in `folder`, remember it as it is now; the folders below it."""
        prefix = f"{folder}/" if folder else ""
        seen, left_before, _, _ = self.cache.folders.get(folder, _NO_RECORD)
        before = {name: times for name, times in entries_of(unpacked(seen)) if name not in left_before}
        now: list[Any] = []
        left_out: set[str] = set()
        below: list[str] = []
        n_files = 0
        for name, times in entries_of(listing):
            path = prefix + name
            known = before.pop(name, None)
            now.append(name)
            if _is_skipped(name):
                now += times or ()
            elif path in answers or (name in left_before and not self._asks(folder)):
                left_out.add(name)
            elif times is None:
                below.append(name[:-1])
            else:
                n_files += 1
                now += settled(times, self.started_ns)
                if known != times:
                    self._times[WorkspacePath(path)] = packed_times(times)
        self._note_vanished(prefix, before)
        self._count(n_files)
        self._folders[folder] = (packed(now), frozenset(left_out), tuple(below), n_files)
        if not now and folder:
            self._empty.append(folder)
        return [prefix + name for name in below]

    def _note_vanished(self, prefix: str, before: Iterable[str]) -> None:
        for name in before:
            if _is_skipped(name):
                continue
            if name.endswith("/"):
                self._vanished += self._files_below(prefix + name[:-1])
            else:
                self._vanished.append(prefix + name)

    def _files_below(self, folder: str) -> list[str]:
        """What the cache has as recorded files and links in `folder` and below."""
        files: list[str] = []
        waiting = [folder]
        while waiting:
            folder = waiting.pop()
            seen, left_out, below, _ = self.cache.folders.get(folder, _NO_RECORD)
            names = [name for name, times in entries_of(unpacked(seen)) if times is not None]
            files += [f"{folder}/{name}" for name in names if name not in left_out and not _is_skipped(name)]
            waiting += [f"{folder}/{name}" for name in below]
        return files

    def _count(self, n_files: int) -> None:
        self._n_files += n_files
        if self._n_files > self.max_files:
            raise WorkspaceRefused(
                f"the workspace holds more than {self.max_files} files",
                hint="Name a smaller folder with `-C DIR`, ignore what need not be recorded, or raise `record.max_files`.",
            )


def _is_skipped(name: str) -> bool:
    return is_own_name(name.removesuffix("/"))


def _paths(paths: Iterable[str]) -> tuple[WorkspacePath, ...]:
    return tuple(WorkspacePath(path) for path in sorted(paths))
