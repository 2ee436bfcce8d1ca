"""What is there and not recorded: when it becomes recordable it is not new, and no undo may remove it.

A look knows it from its listings; between looks, events of what is left out tell it. Kept in memory only: the next
look knows it again.
"""

from __future__ import annotations

from takeback.files.cache import StatCache, load_cache
from takeback.model.paths import WorkspacePath, ancestors


class PassedOver:
    """The files and folders of one workspace that are left out."""

    def __init__(self, cache_path: str) -> None:
        """What the last look left out is read from the cache at `cache_path` when it is first needed."""
        self._cache_path = cache_path
        self._paths: set[str] | None = None
        self.closed: set[WorkspacePath] = set()
        """Folders that no look could look into yet: what is in them was there before it could be seen."""

    def __contains__(self, path: WorkspacePath) -> bool:
        """Whether `path` was there when it was left out, itself or with a folder above it."""
        return any(
            path in known or not known.isdisjoint(ancestors(path))
            for known in (self.paths(), self.closed)
            if known
        )

    def paths(self) -> set[str]:
        """Each of them, without what lies below a folder."""
        if self._paths is None:
            self._paths = _left_out(load_cache(self._cache_path))
        return self._paths

    def learn(self, cache: StatCache) -> None:
        """Exactly what the look that made `cache` left out is left out now."""
        self._paths = _left_out(cache)

    def recall(self, cache: StatCache) -> None:
        """What an earlier look left out, perhaps of another process, was left out too."""
        self._paths = (self._paths or set()) | _left_out(cache)

    def note(self, path: WorkspacePath, *, is_there: bool) -> None:
        """An event told of something that is left out. What is gone makes room for what is new."""
        if is_there:
            self.paths().add(path)
        else:
            self.paths().discard(path)


def _left_out(cache: StatCache) -> set[str]:
    return {path.rstrip("/") for path in cache.left_out()}
