"""Staged files that a death left in the workspace, and that no unfinished operation owns."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from takeback.files.disk import Folder
from takeback.model.paths import WorkspacePath
from takeback.model.staged import token_of
from takeback.store.objects import ObjectStore
from takeback.upkeep.histories import History, open_intents

_ANY_SIZE = 1 << 62


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftovers:
    """What lay about."""

    removed: tuple[WorkspacePath, ...]
    """Their content is in the store."""
    kept: tuple[WorkspacePath, ...]
    """Nobody else has their content."""


def clear(history: History, folder: Folder) -> Leftovers:
    """Remove leftover files whose content the store holds; name the others. Cost: one walk over the workspace."""
    owned = {intent.token for _, intent in open_intents(history.journal, history.store)}
    removed, kept = [], []
    for path, token in _staged(folder.path):
        if token in owned:
            continue
        if _is_stored(folder, path, history.store) and folder.remove(path):
            removed.append(path)
        else:
            kept.append(path)
    return Leftovers(removed=tuple(removed), kept=tuple(kept))


def _is_stored(folder: Folder, path: WorkspacePath, store: ObjectStore) -> bool:
    data = folder.read(path, _ANY_SIZE).data
    return data is not None and store.has(store.id_of(data))


def _staged(root: str) -> Iterator[tuple[WorkspacePath, str]]:
    """Everything that is called as a staged file is, with its token. No link is followed, no `.git` entered."""
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name != ".git"]
        for name in names:
            token = token_of(name)
            if token is not None:
                yield WorkspacePath(os.path.relpath(os.path.join(folder, name), root)), token
