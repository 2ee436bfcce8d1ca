"""Finds the history of a workspace that was moved or renamed, and gives it to the folder where it is now."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass

from takeback.errors import NotFound, Refused, TakebackError
from takeback.files.disk import Folder
from takeback.journal.log import Journal
from takeback.model.paths import WorkspacePath
from takeback.store import trees
from takeback.undo.apply import locked
from takeback.upkeep.histories import History, holds_history, opened, state_folders

_SAMPLE = 200
_ANY_SIZE = 1 << 62


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A history whose workspace is no longer where it was."""

    root: str
    state: str
    operations: int
    compared: int
    same: int
    """Of the files that were compared, those that are here with the very content that it knows."""


def candidates(root: str, state_root: str, clock: Callable[[], int]) -> tuple[Candidate, ...]:
    """Histories that might belong to the folder `root`, the likeliest first. Reads some of its files."""
    found = []
    with Folder(root) as folder:
        for state in state_folders(state_root):
            with suppress(TakebackError), opened(state, clock) as history:
                if history.root and not os.path.isdir(history.root):
                    found.append(_compared(history, folder))
    return tuple(sorted(found, key=lambda one: (one.same, one.compared, one.operations), reverse=True))


def adopt(root: str, old_root: str, states: tuple[str, str], clock: Callable[[], int]) -> str:
    """The state folder of `root`, which now holds the history of `old_root`; `states` are its old and new place.

    Raises NotFound if there is no such history, Refused if `old_root` still exists or `root` has a history of its
    own with operations in it. A history without any is kept aside.
    """
    old, new = states
    if not holds_history(old):
        raise NotFound(
            f"there is no history of {old_root}", hint="`takeback doctor` lists those without a folder."
        )
    if os.path.isdir(old_root):
        raise Refused(
            f"{old_root} is still there, and its history belongs to it",
            hint="Remove or rename that folder first, if this one is its successor.",
        )
    with locked(os.path.join(old, "lock"), 0):
        _make_way(new, clock)
        os.rename(old, new)
    with suppress(FileNotFoundError):
        os.unlink(os.path.join(new, "stat.cache"))
    _remember(new, root, clock)
    return new


def _make_way(new: str, clock: Callable[[], int]) -> None:
    if not holds_history(new):
        with suppress(FileNotFoundError, OSError):
            os.rmdir(new)
        return
    with closing(Journal(new)) as journal:
        operations = journal.last_operation()
    if operations:
        raise Refused(
            f"this folder has a history of its own already, with {operations} operations",
            hint="Two histories cannot become one. Move the newer state folder away to adopt the older one.",
        )
    folder, name = os.path.split(new)
    os.rename(new, os.path.join(folder, f".replaced-{clock() // 10**9}-{name}"))


def _remember(state: str, root: str, clock: Callable[[], int]) -> None:
    with closing(Journal(state)) as journal, journal.transaction():
        journal.append("facts", "root", os.fsencode(root), clock())


def _compared(history: History, folder: Folder) -> Candidate:
    sample = _sample(history)
    same = sum(_is_same(history, folder, path, blob) for path, blob in sample)
    return Candidate(
        root=history.root,
        state=history.state,
        operations=history.journal.last_operation(),
        compared=len(sample),
        same=same,
    )


def _sample(history: History) -> list[tuple[WorkspacePath, str]]:
    """Some of the files that the history knows to be there: those that changed, then those that never did."""
    found: dict[WorkspacePath, str] = {}
    changed = set()
    for path, known in history.journal.all_known():
        changed.add(path)
        if known.state.blob is not None and len(found) < _SAMPLE // 2:
            found[path] = known.state.blob
    tree = history.baseline.tracked if history.baseline else None
    for path, blob, _ in trees.walk(history.store, tree) if tree else ():
        if len(found) >= _SAMPLE:
            break
        if path not in changed:
            found[path] = blob
    return list(found.items())


def _is_same(history: History, folder: Folder, path: WorkspacePath, blob: str) -> bool:
    data = folder.read(path, _ANY_SIZE).data
    return data is not None and history.store.id_of(data) == blob
