"""What is there and not recorded: when it becomes recordable it is not new, and no undo may remove it.

A look knows it from its listings; between looks, events of what is left out tell it. Kept in memory only: the next
look knows it again.
"""

from __future__ import annotations

from takeback.files.cache import StatCache, load_cache
from takeback.model.paths import WorkspacePath, ancestors
from takeback.model.state import FileKind


class PassedOver:
    """The files and folders of one workspace that are left out."""

    def __init__(self, cache_path: str) -> None:
        """What the last look left out is read from the cache at `cache_path` when it is first needed."""
        self._cache_path = cache_path
        self._known: set[str] | None = None
        """Paths, those of folders with their `/`: what comes in the place of a folder is new."""
        self._gone: set[str] = set()
        """What events told to be gone since the last look, which a cache may still hold."""
        self.closed: set[WorkspacePath] = set()
        """Folders that no look could look into yet: what is in them was there before it could be seen."""

    def __contains__(self, path: WorkspacePath) -> bool:
        """Whether the file at `path` was there when it was left out, itself or with a folder above it."""
        above = tuple(ancestors(path))
        if self.closed and (path in self.closed or not self.closed.isdisjoint(above)):
            return True
        known = self._paths()
        return bool(known) and (path in known or any(f"{folder}/" in known for folder in above))

    def paths(self) -> set[str]:
        """Each of them, without what lies below a folder."""
        return {path.rstrip("/") for path in self._paths()}

    def learn(self, cache: StatCache) -> None:
        """Exactly what the look that made `cache` left out is left out now."""
        self._known = set(cache.left_out())
        self._gone.clear()

    def recall(self, cache: StatCache) -> None:
        """What an earlier look left out, perhaps of another process, was left out too."""
        self._known = (self._known or set()) | (set(cache.left_out()) - self._gone)

    def note(self, path: WorkspacePath, kind: FileKind | None) -> None:
        """An event told of something that is left out, or gone (`None`), which makes room for what is new."""
        names = {path, f"{path}/"}
        self._paths().difference_update(names)
        self._gone |= names
        if kind is not None:
            name = f"{path}/" if kind is FileKind.DIRECTORY else path
            self._paths().add(name)
            self._gone.discard(name)

    def moved(self, source: WorkspacePath, target: WorkspacePath) -> None:
        """What was left out goes by another name now, and was there before all the same."""
        for end in ("", "/"):
            if source + end in self._paths():
                self._paths().discard(source + end)
                self._gone.add(source + end)
                self._paths().add(target + end)
                self._gone.discard(target + end)

    def _paths(self) -> set[str]:
        if self._known is None:
            self._known = set(load_cache(self._cache_path).left_out())
        return self._known
