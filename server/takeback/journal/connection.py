"""How SQLite is opened, and what its errors mean to us."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from takeback.errors import Busy, Damaged, Refused, StorageFull

LOCK_TIMEOUT_S = 30
"""How long one writer waits for another. A transaction takes milliseconds; a burst of 10,000 files under a second."""

_DAMAGE = ("malformed", "not a database", "disk image")
_OUT_OF_REACH = ("disk I/O error", "unable to open", "readonly database")
_ROOM_BYTES = 1 << 20
"""With less room than this, SQLite calls a full disk by other names: it cannot make the files beside the database."""


def connect(path: str, *, read_only: bool) -> sqlite3.Connection:
    """The database at `path`, set up as every part of Takeback uses it."""
    mode = "ro" if read_only else "rwc"
    name = path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    connection = sqlite3.connect(
        f"file:{name}?mode={mode}",
        uri=True,
        timeout=LOCK_TIMEOUT_S,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute("PRAGMA secure_delete = ON")  # forgotten hunks do not linger in free pages
    if not read_only:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA recursive_triggers = ON")
    return connection


@contextmanager
def translated(path: str) -> Iterator[None]:
    """SQLite's errors as ours, at the one place where they enter."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        text = str(error)
        if isinstance(error, sqlite3.OperationalError) and ("locked" in text or "busy" in text):
            raise Busy(f"another process holds {path} since {LOCK_TIMEOUT_S} s") from error
        if "full" in text:
            raise StorageFull(f"the disk that holds {path} is full") from error
        if any(sign in text for sign in _OUT_OF_REACH):
            raise _out_of_reach(path, text) from error
        if any(sign in text for sign in _DAMAGE) or not isinstance(error, sqlite3.OperationalError):
            raise Damaged(f"{path} is damaged: {text}") from error
        raise


def _out_of_reach(path: str, text: str) -> Refused:
    """Why SQLite cannot get at its files: most often there is no room for them."""
    with suppress(OSError):
        room = os.statvfs(os.path.dirname(path))
        if room.f_bavail * room.f_frsize < _ROOM_BYTES:
            return StorageFull(f"the disk that holds {path} is full")
    return Refused(f"{path} cannot be used: {text}", hint="Check that its folder is yours, and the disk.")
