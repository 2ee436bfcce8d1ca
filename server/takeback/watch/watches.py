"""The watches on the folders of a workspace that are recorded, and on its `.git`. They belong to the worker's thread."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Sequence, Set

from takeback.model.staged import is_own_name
from takeback.watch.events import LeaveOut, Lost, Put, lost_reason
from takeback.watch.folders import Folders
from takeback.watch.git_folder import git_folder
from takeback.watch.reader import FOLDER_MASK, GIT_MASK, ROOT_MASK, Reader

logger = logging.getLogger(__name__)


class Watches:
    """Keeps the set of watches right; what cannot be watched is told as lost."""

    def __init__(
        self, root: bytes, reader: Reader, leave_out: LeaveOut, put: Put, found: Callable[[str, bool], None]
    ) -> None:
        """`found` hears of what stood in a folder that is new: its path, and whether it is a folder."""
        self.folders = Folders()
        self._root = root
        self._reader = reader
        self._leave_out = leave_out
        self._put = put
        self._found = found
        self._git_number: int | None = None
        self._left: set[str] = set()
        """Folders that are not watched because they are left out."""

    def add(self, folders: Sequence[str], *, tell: bool) -> None:
        """Watches `folders` and all below that is not left out; with `tell`, reports what stood in new ones.

        A folder is watched before it is read: what appears in between is told twice, never missed.
        """
        level = list(dict.fromkeys(folders))
        while level:
            left_out = self._left_out(level)
            level = [
                sub
                for folder in level
                if folder + "/" not in left_out
                for sub in self._add_one(folder, tell=tell)
            ]

    def add_git(self) -> None:
        """Watches `.git` for moves of HEAD and the index, if there is one."""
        folder = git_folder(self._root)
        if folder is None:
            return
        try:
            number = self._reader.watch(folder, GIT_MASK)
        except OSError as error:
            self._refused(".git", error)
            return
        if self._git_number is not None and self._git_number != number:
            self._unwatch([self._git_number])
        self._git_number = number if self.folders.path_of(number) is None else None

    def remove(self, folder: str) -> None:
        """Watches `folder` and what is below it no longer."""
        self._unwatch(self.folders.drop_tree(folder))

    def ended(self, number: int) -> None:
        """The system took a watch away."""
        if number == self._git_number:
            self._git_number = None
        else:
            self.folders.drop(number)

    def rebuild(self) -> None:
        """Watches what is there now. Watches that still stand are kept, so nothing is missed meanwhile."""
        before, self.folders = self.folders, Folders()
        if self._git_number is None:
            self.add_git()
        try:
            self.add([""], tell=False)
        except Exception:
            self.folders = before
            raise
        self._unwatch(before.numbers() - self.folders.numbers())

    def is_git(self, number: int) -> bool:
        """Whether a watch is the one on `.git`."""
        return number == self._git_number

    def left_until_now(self) -> Sequence[str]:
        """The folders to ask about again once git's index was written: that is no change of a rule."""
        left, self._left = self._left, set()
        return sorted(folder for folder in left if os.path.isdir(self._absolute(folder)))

    def _left_out(self, folders: Sequence[str]) -> Set[str]:
        asked = [folder + "/" for folder in folders if folder]
        left_out = self._leave_out(asked) if asked else frozenset()
        self._left.difference_update(folders)
        self._left.update(folder.rstrip("/") for folder in left_out)
        return left_out

    def _add_one(self, folder: str, *, tell: bool) -> Sequence[str]:
        """The folders in `folder`, once that is watched; none if it cannot be."""
        known = self.folders.number_of(folder)
        try:
            number = self._number(folder)
            return self._read(folder, tell=tell and number != known)
        except (FileNotFoundError, NotADirectoryError) as error:
            # Gone again, which its parent tells; only the root has none.
            if not folder:
                self._refused(folder, error)
        except OSError as error:
            self._refused(folder, error)
        return ()

    def _number(self, folder: str) -> int:
        number = self._reader.watch(self._absolute(folder), FOLDER_MASK if folder else ROOT_MASK)
        before = self.folders.number_of(folder)
        if before is not None and before != number:
            self._unwatch([before])
        if number == self._git_number:
            self._git_number = None
        self.folders.add(number, folder)
        return number

    def _read(self, folder: str, *, tell: bool) -> Sequence[str]:
        subfolders = []
        with os.scandir(self._absolute(folder)) as entries:
            for entry in entries:
                name = os.fsdecode(entry.name)
                if is_own_name(name):
                    continue
                is_folder = entry.is_dir(follow_symlinks=False)
                if is_folder:
                    subfolders.append(inside(folder, name))
                if tell:
                    self._found(inside(folder, name), is_folder)
        return subfolders

    def _refused(self, folder: str, error: OSError) -> None:
        logger.debug("not watched: %r: %s", folder, error.strerror)
        self._put(Lost(reason=lost_reason(error.errno), path=folder))

    def _unwatch(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            self._reader.unwatch(number)

    def _absolute(self, folder: str) -> bytes:
        return self._root + b"/" + os.fsencode(folder) if folder else self._root


def inside(folder: str, name: str) -> str:
    """The path of a name in a folder; "" is the root."""
    return f"{folder}/{name}" if folder else name
