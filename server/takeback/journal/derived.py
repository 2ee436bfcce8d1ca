"""What the derived tables hold, kept up to date row by row, and made anew from the records by the same code.

    records in their order -> known, standing, claimed, lost, counters

`hunks` is derived too, from the store, and is made again when it is first needed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from takeback.journal.rows import Row, path_out, state_out
from takeback.journal.schema import RECORDS
from takeback.model.ids import ChangeSeq
from takeback.model.operation import Change
from takeback.model.paths import WorkspacePath
from takeback.model.state import ABSENT

TABLES = ("known", "standing", "claimed", "lost", "counters")
"""What can be made anew from the records alone."""

Claims = Callable[[str], Iterable[WorkspacePath]]
"""The paths that the intent with this body is about to change."""

_ABSENT = state_out(ABSENT)
_UNNAMED = 0
"""The file at a path that no change has named yet."""


def changed(db: sqlite3.Connection, change: Change) -> None:
    """Take in a change: what stands now, and what is where."""
    place = (path_out(change.path), path_out(change.moved_from))
    _flipped(db, change.flips)
    _moved(db, change.file, place, state_out(change.after), returns=not change.before.exists)


def know(db: sqlite3.Connection, path: bytes, file: int, state: Row) -> None:
    """Take in the last known state of a path."""
    db.execute("INSERT OR REPLACE INTO known VALUES (?, ?, ?, ?, ?, ?, ?)", (path, file, *state))


def claim(db: sqlite3.Connection, intent: int, paths: Iterable[WorkspacePath]) -> None:
    """Take in an intent: its paths are its own until it ends."""
    db.executemany("INSERT OR REPLACE INTO claimed VALUES (?, ?)", [(path_out(p), intent) for p in paths])


def lose(db: sqlite3.Connection, blob: str, reason: str | None) -> None:
    """Take in a loss; without a reason the content has come back."""
    if reason is None:
        db.execute("DELETE FROM lost WHERE blob = ?", (blob,))
    else:
        db.execute("INSERT OR REPLACE INTO lost VALUES (?, ?)", (blob, reason))


def count(db: sqlite3.Connection, name: str, n: int) -> None:
    """Add `n` to a counter."""
    db.execute(
        "INSERT INTO counters VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET n = n + excluded.n", (name, n)
    )


def replay(db: sqlite3.Connection, claims: Claims) -> None:
    """Fill the derived tables, which are empty, from the records. Cost: one pass over them."""
    firsts = _rows(db, "firsts", "change, id")
    waiting = next(firsts, None)
    for row in _rows(db, "changes", "id"):
        while waiting is not None and waiting[8] < row[0]:
            know(db, waiting[1], 0, waiting[2:7])
            waiting = next(firsts, None)
        _moved(db, row[2], (row[3], row[4]), row[10:15], returns=row[5] is None)
    while waiting is not None:
        know(db, waiting[1], 0, waiting[2:7])
        waiting = next(firsts, None)
    _flipped(
        db, [row[0] for row in db.execute("SELECT DISTINCT target FROM flips ORDER BY target").fetchall()]
    )
    for _, blob, reason, _ in _rows(db, "losses", "id"):
        lose(db, blob, reason)
    ended = {row[1] for row in _rows(db, "intent_ends", "id")}
    for intent, body, _ in _rows(db, "intents", "id"):
        if intent not in ended:
            claim(db, intent, claims(body))
    _recount(db)


def _recount(db: sqlite3.Connection) -> None:
    for table in ("operations", "changes", "checkpoints"):
        n = db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        if n:
            count(db, table, n)
    # An operation is counted for whom it was put down to last; who lost all of theirs keeps a zero.
    latest = "SELECT max(id) FROM attributions GROUP BY op"
    by_actor = f"SELECT actor, sum(id IN ({latest})) FROM attributions GROUP BY actor"
    for actor, n in db.execute(by_actor).fetchall():
        count(db, f"operations by {actor}", n)


def _flipped(db: sqlite3.Connection, flips: Iterable[ChangeSeq]) -> None:
    """Decide anew about changes that were flipped, and about what those flipped in turn."""
    waiting = list(flips)
    while waiting:
        target = waiting.pop()
        before = _decision(db, target)
        after = _decide(db, target)
        if after == before:
            continue
        if after is None:
            db.execute("DELETE FROM standing WHERE change = ?", (target,))
        else:
            db.execute("INSERT OR REPLACE INTO standing VALUES (?, ?, ?)", (target, *after))
        if (before is None or before[0]) != (after is None or after[0]):
            waiting += [row[0] for row in db.execute("SELECT target FROM flips WHERE change = ?", (target,))]


def _decide(db: sqlite3.Connection, target: int) -> tuple[int, int] | None:
    """Whether `target` stands and which change says so: the latest standing one that flipped it."""
    rows = db.execute("SELECT change, stands FROM flips WHERE target = ? ORDER BY id DESC", (target,))
    for by, stands in rows.fetchall():
        decision = _decision(db, by)
        if decision is None or decision[0]:
            return stands, by
    return None


def _decision(db: sqlite3.Connection, seq: int) -> tuple[int, int] | None:
    found: tuple[int, int] | None = db.execute(
        "SELECT stands, by FROM standing WHERE change = ?", (seq,)
    ).fetchone()
    return found


def _moved(
    db: sqlite3.Connection, file: int, place: tuple[bytes | None, bytes | None], after: Row, *, returns: bool
) -> None:
    path, origin = place
    assert path is not None, "BUG: a change names a path"
    if origin is not None:
        if not _is_taken(db, origin, file):  # what comes there next is another file
            know(db, origin, 0, _ABSENT)
    elif returns:  # perhaps under another name than it went by
        db.execute("UPDATE known SET file = 0 WHERE file = ? AND path <> ?", (file, path))
    if after != _ABSENT or not _is_taken(db, path, file):
        know(db, path, file, after)


def _is_taken(db: sqlite3.Connection, path: bytes, file: int) -> bool:
    """Whether another file is at `path` already: the changes of one operation come in any order."""
    holder = db.execute("SELECT file FROM known WHERE path = ? AND kind IS NOT NULL", (path,)).fetchone()
    return holder is not None and holder[0] not in (file, _UNNAMED)


def _rows(db: sqlite3.Connection, table: str, order: str) -> Iterator[Any]:
    return iter(db.execute(f"SELECT {', '.join(RECORDS[table])} FROM main.{table} ORDER BY {order}"))
