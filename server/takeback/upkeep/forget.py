"""Drops the content of paths or of one operation for good: a secret, say. The record of what happened stays.

Gone afterwards: the blobs, from loose files and from packs; the hunks, from the journal's database and its log; the
bodies of past intents; damaged journals that a rebuild kept aside. The mirror holds rows only, never content.
Forgotten content is not taken in again while it still stands in the workspace.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

from takeback.errors import NotFound, Refused
from takeback.journal.rows import path_in
from takeback.model.ids import ChangeSeq, FileId, OpId
from takeback.model.paths import WorkspacePath, is_within
from takeback.model.state import FileState, Reason
from takeback.record import NO_FILE
from takeback.store import packing, trees
from takeback.store.inventory import loose_objects, packed_objects, packs
from takeback.store.objects import EMPTY_BLOB
from takeback.undo.apply import locked
from takeback.upkeep.collect import named
from takeback.upkeep.histories import History

_LOCK_WAIT_S = 5.0
_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The content that is to go."""

    blobs: frozenset[str]
    changes: tuple[ChangeSeq, ...]
    """Changes whose hunks hold some of it."""
    shared: tuple[WorkspacePath, ...]
    """Other paths that have, or had, the same content."""
    notes: tuple[str, ...]
    """What stays although one might not expect it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """What went."""

    contents: int
    shared: tuple[WorkspacePath, ...]
    notes: tuple[str, ...]


def of_path(history: History, path: WorkspacePath) -> Chosen:
    """Every state of every file that ever was at `path` or below it, under its other names too.

    Raises NotFound if nothing was ever recorded there.
    """
    files = _files_at(history, path)
    rows = _changes_of(history, files)
    blobs = {blob for _, before, after in rows for blob in (before, after)}
    blobs |= {blob for place, blob in _first_states(history) if is_within(place, path)}
    chosen = _without_empty(blobs)
    if not chosen:
        raise NotFound(f"no content of {path} is recorded", hint="`takeback log --path P` shows what is.")
    changes = tuple(ChangeSeq(row[0]) for row in rows)
    shared = _others(history, chosen, lambda place, file: file in files or is_within(place, path))
    return Chosen(blobs=chosen, changes=changes, shared=shared, notes=())


def of_operation(history: History, op: OpId) -> Chosen:
    """The states that one operation left. What later states of the same files still hold of it stays.

    Raises NotFound if the operation left no content.
    """
    rows = history.journal.query("SELECT id, file, path, after_blob FROM changes WHERE op = ?", (op,))
    chosen = _without_empty({row[3] for row in rows})
    if not chosen:
        raise NotFound(f"no content that operation {op} wrote is recorded", hint=NotFound.hint)
    files = {FileId(row[1]) for row in rows}
    others = {blob for _, before, after in _changes_of(history, files) for blob in (before, after)}
    n_others = len(_without_empty(others) - chosen)
    notes = (
        (
            f"{n_others} other states of the same files stay, and may hold the same lines: forget the path for those",
        )
        if n_others
        else ()
    )
    shared = _others(history, chosen, lambda _, file: file in files)
    return Chosen(blobs=chosen, changes=_naming(history, chosen), shared=shared, notes=notes)


def forget(history: History, chosen: Chosen, clock: Callable[[], int], *, shared_too: bool) -> Forgotten:
    """Drop the chosen content. Raises Refused if other paths share it and that is not wanted."""
    if chosen.shared and not shared_too:
        raise Refused(
            f"the same content is, or was, at {_few(chosen.shared)} too",
            hint="`--force` forgets it there as well; nothing was dropped.",
        )
    notes = list(chosen.notes)
    with locked(history.lock_path, _LOCK_WAIT_S):
        with history.journal.transaction():
            _know_first_states(history, chosen.blobs, clock())
            history.journal.append("facts", "cleaned", f"{len(chosen.blobs)} forgotten", clock())
            history.journal.lose(((blob, Reason.FORGOTTEN) for blob in sorted(chosen.blobs)), clock())
            history.journal.drop_hunks({*chosen.changes, *_naming(history, chosen.blobs)})
        linked = _drop(history, chosen.blobs)
    history.store.reopen()
    notes += [
        f"your own repository holds {linked} of these contents too; only you can remove them there"
    ] * bool(linked)
    if not history.journal.scrub():
        notes.append(
            "another process reads the journal; run it again when that has ended, to clear its log too"
        )
    notes += [f"removed {name}, which could hold the same lines" for name in _drop_kept_aside(history.state)]
    return Forgotten(contents=len(chosen.blobs), shared=chosen.shared, notes=tuple(notes))


def _drop(history: History, blobs: frozenset[str]) -> int:
    """Remove the blobs and the bodies of past intents; how many the user's repository holds too."""
    journal, store = history.journal, history.store
    bodies = journal.query("SELECT body FROM intents")  # those of open ones are named
    with journal.transaction():
        doomed = blobs | ({row[0] for row in bodies} - named(history))
        linked = sum(one.linked for one in loose_objects(store) if one.id in blobs)
        packing.drop_loose(store, doomed)
        for pack in packs(store):
            held = packed_objects(pack).keys() & doomed
            if held:
                linked += len(held & blobs) if pack.linked else 0
                wanted = named(history)
                packing.drop_from_pack(store, pack, lambda one: one in wanted)  # noqa: B023 - used before the next
    return linked


def _drop_kept_aside(state: str) -> list[str]:
    names = [name for name in os.listdir(state) if name.startswith("journal-damaged-") and ".db" in name]
    for name in names:
        with suppress(FileNotFoundError):
            os.unlink(os.path.join(state, name))
    return names


def _know_first_states(history: History, blobs: frozenset[str], now_ns: int) -> None:
    """Paths that never changed get a row of their own: the tree that says what they are names content only."""
    for path, blob in _baseline_leaves(history):
        if blob in blobs and history.journal.known(path) is None:
            state: FileState = history.recorder.state_of(path)[1]
            history.journal.append_first(path, NO_FILE, state, now_ns)


def _files_at(history: History, path: WorkspacePath) -> frozenset[FileId]:
    rows = history.journal.query("SELECT DISTINCT file, path, moved_from FROM changes")
    places = ((FileId(row[0]), [path_in(raw) for raw in row[1:] if raw is not None]) for row in rows)
    return frozenset(file for file, names in places if any(is_within(name, path) for name in names))


def _changes_of(history: History, files: Iterable[FileId]) -> list[tuple[int, str | None, str | None]]:
    return [
        (row[0], row[1], row[2])
        for file in files
        for row in history.journal.query(
            "SELECT id, before_blob, after_blob FROM changes WHERE file = ?", (file,)
        )
    ]


def _first_states(history: History) -> list[tuple[WorkspacePath, str]]:
    rows = history.journal.query("SELECT path, blob FROM firsts WHERE blob IS NOT NULL")
    known = history.journal.query("SELECT path, blob FROM known WHERE blob IS NOT NULL")
    return [*((path_in(path), blob) for path, blob in (*rows, *known)), *_baseline_leaves(history)]


def _baseline_leaves(history: History) -> list[tuple[WorkspacePath, str]]:
    if history.baseline is None:
        return []
    parts = filter(None, (history.baseline.tracked, history.baseline.rest))
    return [(path, str(blob)) for tree in parts for path, blob, _ in trees.walk(history.store, tree)]


def _others(
    history: History, blobs: frozenset[str], is_chosen: Callable[[WorkspacePath, FileId], bool]
) -> tuple[WorkspacePath, ...]:
    rows = history.journal.query("SELECT DISTINCT path, file, before_blob, after_blob FROM changes")
    found = {
        path_in(row[0])
        for row in rows
        if blobs & {row[2], row[3]} and not is_chosen(path_in(row[0]), FileId(row[1]))
    }
    changed = {path_in(row[0]) for row in rows}
    found |= {
        path
        for path, blob in _first_states(history)
        if blob in blobs and path not in changed and not is_chosen(path, NO_FILE)
    }
    return tuple(sorted(found))


def _naming(history: History, blobs: frozenset[str]) -> tuple[ChangeSeq, ...]:
    """The changes that led to any of these contents: their hunks hold some of it."""
    rows = history.journal.query("SELECT id, after_blob FROM changes WHERE after_blob IS NOT NULL")
    return tuple(ChangeSeq(row[0]) for row in rows if row[1] in blobs)


def _without_empty(blobs: set[str | None] | set[str]) -> frozenset[str]:
    return frozenset(blob for blob in blobs if blob is not None and blob != EMPTY_BLOB)


def _few(paths: tuple[WorkspacePath, ...]) -> str:
    more = len(paths) - _SHOWN
    return ", ".join(paths[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
