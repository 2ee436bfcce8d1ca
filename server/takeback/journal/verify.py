"""Whether the journal is what was written: the database's pages, every record row, and what was derived from them.

Reads only. The derived tables are compared with a replay of the records into temporary tables.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from takeback.errors import TakebackError
from takeback.journal import derived
from takeback.journal.connection import connect, translated
from takeback.journal.mirror import Mirror
from takeback.journal.rows import checksum
from takeback.journal.schema import DERIVED, RECORDS, is_empty, statements


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is wrong with a journal, one sentence each."""

    database: tuple[str, ...]
    """Rows or pages that cannot be trusted: the journal must be rebuilt."""
    derived: tuple[str, ...]
    """Tables that do not agree with the records: they must be made anew."""
    mirror: tuple[str, ...]
    """The second copy lacks something that the database has."""


def verify(folder: str, claims: derived.Claims) -> Verdict:
    """What is wrong with the journal in `folder`. Raises Busy if it is locked. Cost: one pass over every row."""
    path = os.path.join(folder, "journal.db")
    mirror = Mirror(os.path.join(folder, "journal.log"))
    if not os.path.exists(path):
        return Verdict(database=("the database is missing",), derived=(), mirror=())
    try:
        with translated(path), closing(connect(path, read_only=True)) as db:
            return _verify(db, mirror, claims)
    except TakebackError as problem:
        if problem.code != "damaged":
            raise
        return Verdict(database=(problem.message,), derived=(), mirror=())


def _verify(db: sqlite3.Connection, mirror: Mirror, claims: derived.Claims) -> Verdict:
    if is_empty(db):
        return Verdict(database=("the database is empty",), derived=(), mirror=())
    pages = [row[0] for row in db.execute("PRAGMA integrity_check(10)").fetchall() if row[0] != "ok"]
    broken = [f"the database is damaged: {text}" for text in pages[:1]] or list(_rows(db))
    if broken:
        return Verdict(database=tuple(broken), derived=(), mirror=())
    return Verdict(database=(), derived=tuple(_derived(db, claims)), mirror=tuple(_mirror(db, mirror)))


def _rows(db: sqlite3.Connection) -> Iterator[str]:
    for table, columns in RECORDS.items():
        wrong, last, n = [], 0, 0
        for *values, stored in db.execute(f"SELECT {', '.join(columns)}, checksum FROM {table} ORDER BY id"):
            n, last = n + 1, values[0]
            if checksum(values) != stored:
                wrong.append(values[0])
        if wrong:
            yield f"rows of {table} are not what was written: {_few(wrong)}"
        if n != last:
            yield f"{last - n} rows of {table} are missing"


def _derived(db: sqlite3.Connection, claims: derived.Claims) -> Iterator[str]:
    replayed(db, claims)
    for table in derived.TABLES:
        left, right = f"SELECT * FROM main.{table}", f"SELECT * FROM temp.{table}"
        differing = (
            f"SELECT count(*) FROM ({left} EXCEPT {right})",
            f"SELECT count(*) FROM ({right} EXCEPT {left})",
        )
        n = sum(db.execute(sql).fetchone()[0] for sql in differing)
        if n:
            yield f"the table {table} does not agree with the records in {n} rows"


def replayed(db: sqlite3.Connection, claims: derived.Claims) -> None:
    """Fill temporary tables of the same names with what the records say. They hide the real ones from then on."""
    for statement in statements(DERIVED):
        db.execute(statement.replace("CREATE TABLE", "CREATE TEMP TABLE"))
    derived.replay(db, claims)


def _mirror(db: sqlite3.Connection, mirror: Mirror) -> Iterator[str]:
    mirrored: dict[str, set[tuple[int, int]]] = {table: set() for table in RECORDS}
    for table, row in mirror.rows():
        mirrored[table].add((row[0], row[-1]))
    lacking = sum(
        (row[0], row[1]) not in found
        for table, found in mirrored.items()
        for row in db.execute(f"SELECT id, checksum FROM {table}")
    )
    if lacking:
        yield f"the second copy of the journal lacks {lacking} rows"


def _few(ids: list[int]) -> str:
    return ", ".join(map(str, ids[:5])) + (f" and {len(ids) - 5} more" if len(ids) > 5 else "")
