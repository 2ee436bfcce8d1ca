"""Makes a damaged journal anew: from the rows of the database that can still be read, and from its second copy.

The new database is made beside the old one, checked, and moved into its place; the old one is kept under a name with
the date, for nothing is thrown away on suspicion. Whoever calls this holds the workspace's lock.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from takeback.errors import StorageFull
from takeback.journal import derived, schema
from takeback.journal.connection import connect, translated
from takeback.journal.mirror import Mirror
from takeback.journal.rows import checksum
from takeback.journal.verify import replayed

_NAME = "journal.db"
_MIRROR = "journal.log"
_SIDE_FILES = ("-wal", "-shm")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """What a rebuild could save."""

    kept_aside: str | None
    """Where the damaged database is now; `None` if there was none."""
    rows: int
    missing: tuple[str, ...]
    """What neither copy had, one sentence for each table."""


def rebuild(folder: str, claims: derived.Claims, now_ns: int) -> Rebuilt:
    """The journal in `folder`, made anew from whatever of it can be read.

    The second copy stays as it is; it may lack what only the database had.

    Raises StorageFull, with everything as it was, if there is no room for it.
    """
    path = os.path.join(folder, _NAME)
    with _room(folder), tempfile.TemporaryDirectory(dir=folder, prefix="rebuild-") as beside:
        fresh = os.path.join(beside, _NAME)
        with translated(fresh), closing(connect(fresh, read_only=False)) as db:
            schema.migrate(db)
            _fill(db, _rows_of_copy(path, beside), Mirror(os.path.join(folder, _MIRROR)))
            _contents(db, os.path.join(beside, "copy.db"))
            db.execute("BEGIN")
            derived.replay(db, claims)
            db.execute("COMMIT")
            rows, missing = _counted(db)
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        _sync(fresh)
        aside = _move_aside(path, now_ns)
        os.replace(fresh, path)
        _sync(folder)
    return Rebuilt(kept_aside=aside, rows=rows, missing=missing)


def renew_mirror(folder: str, now_ns: int) -> None:
    """Make the second copy anew from the database; the old one is kept aside."""
    with _room(folder), tempfile.TemporaryDirectory(dir=folder, prefix="rebuild-") as beside:
        fresh = os.path.join(beside, _MIRROR)
        source = os.path.join(folder, _NAME)
        with translated(source), closing(connect(source, read_only=True)) as db:
            Mirror(fresh).sync(db)
        path = os.path.join(folder, _MIRROR)
        if os.path.exists(fresh):
            _sync(fresh)
            _move_aside(path, now_ns)
            os.replace(fresh, path)
            _sync(folder)


def renew_derived(path: str, claims: derived.Claims) -> None:
    """Make the derived tables anew from the records, in one transaction."""
    with translated(path), closing(connect(path, read_only=False)) as db:
        replayed(db, claims)
        db.execute("BEGIN IMMEDIATE")
        for table in derived.TABLES:
            db.execute(f"DELETE FROM temp.{table}")
        derived.replay(db, claims)  # once more, now that nobody can write in between
        for table in derived.TABLES:
            db.execute(f"DELETE FROM main.{table}")
            db.execute(f"INSERT INTO main.{table} SELECT * FROM temp.{table}")
        db.execute("COMMIT")


def _rows_of_copy(path: str, beside: str) -> Iterator[tuple[str, Any]]:
    """The rows of the damaged database that can be read and are what was written.

    Read from a copy: SQLite would put the log of the original into it, and so write on what is damaged.
    """
    copy = os.path.join(beside, "copy.db")
    for suffix in ("", "-wal"):
        with suppress(FileNotFoundError):
            shutil.copyfile(path + suffix, copy + suffix)
    if not os.path.exists(copy):
        return
    with suppress(sqlite3.DatabaseError), closing(sqlite3.connect(copy, isolation_level=None)) as db:
        for table, columns in schema.RECORDS.items():
            sql = f"SELECT {', '.join(columns)}, checksum FROM {table}"
            yield from ((table, row) for row in _readable(db, sql))


def _readable(db: sqlite3.Connection, sql: str) -> Iterator[Any]:
    """The rows that can be read: from both ends, up to the pages that cannot be."""
    for order in ("ORDER BY 1", "ORDER BY 1 DESC"):
        try:
            yield from db.execute(f"{sql} {order}")
        except sqlite3.DatabaseError:
            continue
        return


def _fill(db: sqlite3.Connection, rows: Iterable[tuple[str, Any]], mirror: Mirror) -> None:
    db.execute("BEGIN")
    for source in (rows, mirror.rows()):
        for table, row in source:
            *values, stored = row
            if checksum(values) == stored and isinstance(values[0], int):
                _insert(db, table, row)
    db.execute("COMMIT")


def _insert(db: sqlite3.Connection, table: str, row: Any) -> None:
    marks = ", ".join("?" * len(row))
    columns = ", ".join((*schema.RECORDS[table], "checksum"))
    db.execute(
        f"INSERT INTO {table} ({columns}) SELECT {marks} WHERE NOT EXISTS (SELECT 1 FROM {table} WHERE id = ?)",
        (*row, row[0]),
    )


def _contents(db: sqlite3.Connection, copy: str) -> None:
    """Save the hunks, and the contents on their way to the store, that can be read.

    Lost hunks are made again by diffs; lost contents are in the store, unless the power went too.
    """
    if not os.path.exists(copy):
        return
    for table, key, kind in (("hunks", "change", int), ("unsynced", "blob", str)):
        with suppress(sqlite3.DatabaseError), closing(sqlite3.connect(copy, isolation_level=None)) as old:
            for name, body in _readable(old, f"SELECT {key}, body FROM {table}"):
                if isinstance(name, kind) and isinstance(body, bytes):
                    db.execute(f"INSERT OR IGNORE INTO {table} VALUES (?, ?)", (name, body))


def _counted(db: sqlite3.Connection) -> tuple[int, tuple[str, ...]]:
    rows, missing = 0, []
    for table in schema.RECORDS:
        n, last = db.execute(f"SELECT count(*), coalesce(max(id), 0) FROM {table}").fetchone()
        rows += n
        if n != last:
            missing.append(f"{last - n} rows of {table} could not be saved")
    return rows, tuple(missing)


def _move_aside(path: str, now_ns: int) -> str | None:
    """Give a damaged file a name with the date; `None` if there is none."""
    stamp = datetime.fromtimestamp(now_ns / 10**9, UTC).strftime("%Y%m%dT%H%M%S")
    base, extension = os.path.splitext(path)
    aside = f"{base}-damaged-{stamp}{extension}"
    number = 1
    while os.path.lexists(aside):
        number += 1
        aside = f"{base}-damaged-{stamp}-{number}{extension}"
    for suffix in _SIDE_FILES:
        with suppress(FileNotFoundError):
            os.replace(path + suffix, aside + suffix)
    try:
        os.replace(path, aside)
    except FileNotFoundError:
        return None
    return aside


@contextmanager
def _room(folder: str) -> Iterator[None]:
    """A block whose want of space becomes StorageFull."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull(f"no room to rebuild the journal in {folder}") from error
        raise


def _sync(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
