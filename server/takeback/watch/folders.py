"""Which watch stands for which folder, also after the folder was moved. Pure."""

from __future__ import annotations

from collections.abc import Sequence, Set


class Folders:
    """A one-to-one map between the numbers of watches and the folders they watch; "" is the root."""

    def __init__(self) -> None:
        self._path_of: dict[int, str] = {}
        self._number_of: dict[str, int] = {}

    def path_of(self, number: int) -> str | None:
        """The folder that a watch stands for, if it is known."""
        return self._path_of.get(number)

    def number_of(self, path: str) -> int | None:
        """The watch of a folder, if it has one."""
        return self._number_of.get(path)

    def numbers(self) -> Set[int]:
        """All watches."""
        return self._path_of.keys()

    def add(self, number: int, path: str) -> None:
        """Lets `number` stand for `path`; what either stood for before is forgotten."""
        self.drop(number)
        stale = self._number_of.get(path)
        if stale is not None:
            self.drop(stale)
        self._path_of[number] = path
        self._number_of[path] = number

    def drop(self, number: int) -> None:
        """Forgets a watch, known or not."""
        path = self._path_of.pop(number, None)
        if path is not None:
            del self._number_of[path]

    def drop_tree(self, folder: str) -> Sequence[int]:
        """The watches of `folder` and below, which are forgotten."""
        numbers = [self._number_of[path] for path in self._tree(folder)]
        for number in numbers:
            self.drop(number)
        return numbers

    def move(self, source: str, target: str) -> None:
        """Lets the watches of `source` and below stand for the same below `target`. Cost: one pass."""
        moved = [(self._number_of[path], target + path[len(source) :]) for path in self._tree(source)]
        for number, path in moved:
            self.add(number, path)

    def _tree(self, folder: str) -> Sequence[str]:
        return [path for path in self._number_of if path == folder or path.startswith(folder + "/")]
