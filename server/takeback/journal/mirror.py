"""The second copy of every record row: an appended file of JSON lines beside the database.

After each transaction the rows that the mirror lacks are read back and appended, then a line that says how far each
table is mirrored. So a process that died between commit and append costs nothing: the next one appends what is
missing. The file is not synced: it guards against a damaged page and a lost database, while durability is SQLite's.
"""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
import zlib
from collections.abc import Iterator, Set
from contextlib import contextmanager
from typing import Any

from takeback.journal.schema import RECORDS

_TAIL_BYTES = 1 << 16


class Mirror:
    """The mirror file of one journal."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._size = -1
        self._seen = -1
        self._high: dict[str, int] = {}

    def sync(self, connection: sqlite3.Connection, touched: Set[str] | None = None) -> None:
        """Append every row that is in the database and not in the mirror.

        `touched` are the tables that this connection appended to since the last call; the others need not be asked
        unless somebody else wrote to the database or the mirror.
        """
        with _locked(self.path) as descriptor:
            seen = int(connection.execute("PRAGMA data_version").fetchone()[0])
            alone = seen == self._seen and os.fstat(descriptor).st_size == self._size
            high = self._highest(descriptor)
            lines = []
            for table, columns in RECORDS.items():
                if alone and touched is not None and table not in touched:
                    continue
                names = ", ".join(columns)
                rows = connection.execute(
                    f"SELECT {names}, checksum FROM {table} WHERE id > ? ORDER BY id", (high.get(table, 0),)
                ).fetchall()
                lines += [_line([table, *map(_out, row)]) for row in rows]
                if rows:
                    high[table] = rows[-1][0]
            if lines:
                _write(descriptor, b"".join(lines) + _line(["high", high]))
            self._size, self._high, self._seen = os.fstat(descriptor).st_size, high, seen

    def rows(self) -> Iterator[tuple[str, tuple[Any, ...]]]:
        """Every mirrored row with its table, checksum included, oldest first. Torn or damaged lines are left out."""
        try:
            stream = open(self.path, "rb")  # noqa: SIM115 - closed below; a generator holds it
        except FileNotFoundError:
            return
        with stream:
            for raw in stream:
                entry = _entry(raw)
                if entry is not None and entry[0] in RECORDS:
                    yield entry[0], tuple(map(_in, entry[1:]))

    def _highest(self, descriptor: int) -> dict[str, int]:
        """How far each table is mirrored, from the last line that says so."""
        size = os.fstat(descriptor).st_size
        if size == self._size:
            return dict(self._high)
        window = _TAIL_BYTES
        while True:
            start = max(0, size - window)
            lines = os.pread(descriptor, size - start, start).split(b"\n")
            if lines[-1]:  # a torn last line: end it, so that what follows is whole
                os.write(descriptor, b"\n")
            for raw in reversed(lines):
                entry = _entry(raw)
                if entry is not None and entry[0] == "high":
                    return dict(entry[1])
            if start == 0:
                return {}
            window *= 8


@contextmanager
def _locked(path: str) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _line(entry: list[Any]) -> bytes:
    body = json.dumps(entry, separators=(",", ":"), ensure_ascii=True).encode()
    return b"%08x %s\n" % (zlib.crc32(body), body)


def _entry(raw: bytes) -> list[Any] | None:
    body = raw[9:].rstrip(b"\n")
    try:
        if int(raw[:8], 16) != zlib.crc32(body):
            return None
        entry: list[Any] = json.loads(body)
    except ValueError:
        return None
    return entry


def _out(value: Any) -> Any:
    return {"b": value.decode("latin-1")} if isinstance(value, bytes) else value


def _in(value: Any) -> Any:
    return value["b"].encode("latin-1") if isinstance(value, dict) else value
