"""The workspace on disk: every path is reached from the opened root, and no link on the way is ever followed.

Nothing here decides. Writing is split into steps (stage, sync, exchange), because whoever writes must be able to
stop between any two of them.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Self

from takeback.errors import WorkspaceRefused
from takeback.files import native, staging
from takeback.files.faults import GONE, explained
from takeback.files.reading import UNSEARCHABLE, Reading, Stat, read_at, stat_at
from takeback.files.renaming import rename_new
from takeback.model.paths import WorkspacePath, parent
from takeback.model.state import FileKind

_LIST = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# To pass through a folder needs less than to list it: a folder may be searchable and not readable.
_PASS = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OLD = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class Folder:
    """An opened workspace. Close it, or use it in a `with` statement.

    Paths are relative to the root; a `folder` may be empty, which is the root itself. What the system refuses is
    raised as an error of Takeback (`files.faults`) that names the path.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            self._fd = os.open(path, _LIST)
        except OSError as exc:
            raise WorkspaceRefused(f"cannot open the folder {path!r}: {exc.strerror}") from exc

    def close(self) -> None:
        """Give the descriptor back; the folder cannot be used any more."""
        os.close(self._fd)

    def is_in_place(self) -> bool:
        """Whether the path still names the folder that was opened."""
        try:
            there = os.stat(self.path, follow_symlinks=False)
        except OSError:
            return False
        return os.path.samestat(there, os.fstat(self._fd))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.close()

    # Looking

    def look(self, path: WorkspacePath) -> Stat | None:
        """What `lstat` says; None when nothing is there, also because a parent is absent, no folder, or a link.

        Raises Refused when a folder on the way cannot be searched: that is not the same as absent.
        """
        with explained("look at", path):
            try:
                with self._parent(path) as (fd, name):
                    return stat_at(fd, name)
            except OSError as exc:
                if _is_gone(exc):
                    return None
                raise

    def read(self, path: WorkspacePath, max_bytes: int) -> Reading:
        """What stands at `path`, with its content where there is some; otherwise the reason, never an exception.

        A file that changes while it is read is read again a few times. Links are not followed, pipes, sockets and
        devices are not opened. Where a folder on the way cannot be searched, there may be a file: it is unreadable.
        """
        with explained("read", path):
            try:
                with self._parent(path) as (fd, name):
                    return read_at(fd, name, max_bytes)
            except PermissionError:
                return UNSEARCHABLE
            except OSError as exc:
                if _is_gone(exc):
                    return Reading()
                raise

    def names(self, folder: str) -> tuple[str, ...]:
        """The names in `folder`, in no order; none when there is no such folder."""
        with explained("list", folder or self.path):
            try:
                with self._listed(folder) as fd:
                    return tuple(os.listdir(fd))
            except OSError as exc:
                if _is_gone(exc):
                    return ()
                raise

    def can_write(self, folder: str) -> bool:
        """Whether this process may create, rename and remove in `folder`.

        For a folder that does not exist yet the nearest one above it that does is asked. A link in its place, or a
        file, is a no.
        """
        while True:
            try:
                with self._open(folder) as fd:
                    return os.access(".", os.W_OK | os.X_OK, dir_fd=fd, effective_ids=True)
            except FileNotFoundError:
                if not folder:
                    return False
                folder = parent(WorkspacePath(folder))
            except OSError:
                return False

    # Staging

    def stage_file(
        self, path: WorkspacePath, name: str, data: bytes, mode: int, *, like: bool
    ) -> WorkspacePath:
        """The path of a new file `name` beside `path` that holds `data`. Not synced.

        With `like`, owner, group and xattrs (ACLs too) are those of the file at `path`, as far as permitted.
        """
        with explained("write beside", path), self._parent(path) as (fd, old):
            staging.create_file(fd, name, data, mode, like=old if like else None)
        return _beside(path, name)

    def stage_link(self, path: WorkspacePath, name: str, target: bytes) -> WorkspacePath:
        """The path of a new symlink `name` beside `path` that points at `target`. Not synced."""
        with explained("write beside", path), self._parent(path) as (fd, _):
            os.symlink(target, os.fsencode(name), dir_fd=fd)
        return _beside(path, name)

    def sync_file(self, path: WorkspacePath) -> None:
        """The content of the file is on disk; its name is only after `sync_folder`. A symlink is all name."""
        with explained("sync", path), self._parent(path) as (fd, name):
            stat = stat_at(fd, name)
            if stat is None or stat.kind is not FileKind.FILE:
                return
            try:
                file_fd = os.open(name, os.O_RDONLY | _OLD, dir_fd=fd)
            except PermissionError:  # staged with a mode that keeps its owner out too
                native.sync_file_system(self._fd)
                return
            try:
                os.fsync(file_fd)
            finally:
                os.close(file_fd)

    def sync_folder(self, folder: str) -> None:
        """The names in `folder` are on disk."""
        with explained("sync", folder or self.path), self._listed(folder) as fd:
            os.fsync(fd)

    def sync_all(self) -> None:
        """Everything written to the file system of the workspace is on disk; for many files cheaper than each."""
        with explained("sync", self.path):
            native.sync_file_system(self._fd)

    # Changing names

    def exchange(self, staged: WorkspacePath, path: WorkspacePath) -> bool:
        """Swap what the two paths name, in one step; False, and nothing done, where that is not supported."""
        with explained("replace", path), self._parent(staged) as source, self._parent(path) as target:
            return native.exchange_at(*source, *target)

    def replace(self, source: WorkspacePath, target: WorkspacePath) -> None:
        """Rename `source`; what was at `target` is gone, in one step."""
        with (
            explained("replace", target),
            self._parent(source) as (from_fd, old),
            self._parent(target) as (to_fd, new),
        ):
            os.rename(old, new, src_dir_fd=from_fd, dst_dir_fd=to_fd)

    def place(self, staged: WorkspacePath, path: WorkspacePath) -> bool:
        """Give a staged file its name; False, and nothing done, when something is there already."""
        return self.move(staged, path)

    def move(self, source: WorkspacePath, target: WorkspacePath) -> bool:
        """Rename a file, link or folder; False, and nothing done, when something is at `target` already."""
        with explained("rename to", target), self._parent(source) as old, self._parent(target) as new:
            return rename_new(*old, *new)

    def remove(self, path: WorkspacePath) -> bool:
        """Remove a file or link; False when nothing is there. Raises Refused for a folder."""
        with explained("remove", path):
            try:
                with self._parent(path) as (fd, name):
                    os.unlink(name, dir_fd=fd)
            except FileNotFoundError:
                return False
        return True

    def make_folders(self, folder: str) -> tuple[WorkspacePath, ...]:
        """The folders that had to be made so that `folder` exists, outermost first.

        If one cannot be made, those made before it are removed again.
        """
        made: list[WorkspacePath] = []
        try:
            # `extend` takes one at a time, so what was made before a failure is in the list.
            made.extend(path for path in _down_to(folder) if self._make_folder(path))
        except BaseException:
            for path in reversed(made):
                with suppress(OSError):
                    self.remove_folder(path)
            raise
        return tuple(made)

    def remove_folder(self, path: WorkspacePath) -> bool:
        """Remove a folder if it is empty; False when it is not, or not there."""
        with explained("remove the folder", path):
            try:
                with self._parent(path) as (fd, name):
                    os.rmdir(name, dir_fd=fd)
            except OSError as exc:
                if exc.errno in (errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST):
                    return False
                raise
        return True

    # Changing what is there

    def set_mode(self, path: WorkspacePath, mode: int) -> None:
        """Give a file these permission bits. Raises Unsupported for a symlink, which has none."""
        with explained("change the mode of", path), self._parent(path) as (fd, name):
            staging.set_mode(fd, name, mode & 0o7777)

    def set_modified(self, path: WorkspacePath, mtime_ns: int) -> None:
        """Give a file this time of its last change. Links are not followed."""
        with explained("set the time of", path), self._parent(path) as (fd, name):
            os.utime(name, ns=(mtime_ns, mtime_ns), dir_fd=fd, follow_symlinks=False)

    def overwrite(self, path: WorkspacePath, data: bytes, fits: Callable[[Reading], bool]) -> bool:
        """Write `data` into the file itself, so that all its names show it. Not synced.

        False, and nothing done, where what is there does not fit, or somebody gave the name to another file. Not one
        step: a death in between leaves the new content up to some byte, and the old content after it.
        """
        with explained("write", path), self._parent(path) as (fd, name):
            return staging.overwrite_file(fd, name, data, fits)

    # The way to a path

    @contextmanager
    def _parent(self, path: WorkspacePath) -> Iterator[tuple[int, str]]:
        """The opened folder that holds `path`, and its name in there."""
        folder, _, name = path.rpartition("/")
        with self._open(folder) as fd:
            yield fd, name

    @contextmanager
    def _open(self, folder: str) -> Iterator[int]:
        """A descriptor to reach names through, not to list or sync."""
        fd = os.dup(self._fd)
        try:
            for part in folder.split("/") if folder else ():
                below = os.open(part, _PASS, dir_fd=fd)
                os.close(fd)
                fd = below
            yield fd
        finally:
            os.close(fd)

    @contextmanager
    def _listed(self, folder: str) -> Iterator[int]:
        with self._open(folder) as passed:
            fd = os.open(".", _LIST | os.O_NOFOLLOW, dir_fd=passed)
            try:
                yield fd
            finally:
                os.close(fd)

    def _make_folder(self, path: WorkspacePath) -> bool:
        with explained("make the folder", path), self._parent(path) as (fd, name):
            try:
                os.mkdir(name, dir_fd=fd)
            except FileExistsError:
                os.close(os.open(name, _PASS, dir_fd=fd))  # a link or file in its place is refused here
                return False
        return True


def _is_gone(exc: OSError) -> bool:
    return exc.errno in GONE or exc.errno == errno.ENAMETOOLONG


def _beside(path: WorkspacePath, name: str) -> WorkspacePath:
    folder = parent(path)
    return WorkspacePath(f"{folder}/{name}" if folder else name)


def _down_to(folder: str) -> Iterator[WorkspacePath]:
    """`folder` and the folders above it, outermost first."""
    parts = folder.split("/") if folder else []
    for depth in range(1, len(parts) + 1):
        yield WorkspacePath("/".join(parts[:depth]))
