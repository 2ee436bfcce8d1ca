"""The tables, and how an older journal becomes a newer one.

Two sorts of tables. *Records* are history: rows are only ever added, triggers refuse anything else, each row carries
a checksum and is kept a second time in the mirror. *Derived* tables answer questions quickly and can be made anew
from the records (`journal.rebuild`); `hunks` and `known` are derived too, from the store and the changes.
Neither is `unsynced`: content that only passes through.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from types import MappingProxyType

RECORDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "operations": ("id", "kind", "label", "at_ns", "checkpoint"),
        "attributions": ("id", "op", "actor", "turn", "inferred", "at_ns"),
        "changes": (
            "id",
            "op",
            "file",
            "path",
            "moved_from",
            "before_kind",
            "before_blob",
            "before_mode",
            "before_size",
            "before_reason",
            "after_kind",
            "after_blob",
            "after_mode",
            "after_size",
            "after_reason",
        ),
        "flips": ("id", "change", "target", "stands"),
        # `change`: the last change before it, so that a replay meets both in their order
        "firsts": ("id", "path", "kind", "blob", "mode", "size", "reason", "at_ns", "change"),
        "turns": ("id", "actor", "label", "at_ns"),
        "turn_ends": ("id", "turn", "at_ns"),
        "checkpoints": ("id", "position", "record", "at_ns"),
        "checkpoint_edits": ("id", "checkpoint", "edit", "at_ns"),
        "keeps": ("id", "op", "path", "at_ns"),
        "intents": ("id", "body", "at_ns"),
        "intent_ends": ("id", "intent", "outcome", "at_ns"),
        "notices": ("id", "at_ns", "reason", "path", "text"),
        "pauses": ("id", "paused", "at_ns"),
        "facts": ("id", "name", "value", "at_ns"),
        # `reason` is null where content that was gone has come back
        "losses": ("id", "blob", "reason", "at_ns"),
    }
)
"""Every record table and its columns, in the order of the checksum. `id` is dense and increases from 1."""

DERIVED = """
CREATE TABLE known (            -- the last known state of every path that differs from the baseline tree
    path BLOB PRIMARY KEY, file INTEGER NOT NULL,
    kind TEXT, blob TEXT, mode INTEGER NOT NULL, size INTEGER NOT NULL, reason TEXT
) WITHOUT ROWID;
CREATE INDEX known_by_file ON known (file);
CREATE TABLE standing (         -- changes that were flipped: whether they stand now, and which change said so
    change INTEGER PRIMARY KEY, stands INTEGER NOT NULL, by INTEGER NOT NULL
);
CREATE TABLE hunks (            -- what a change did to the lines: content, so `forget` and `gc` may drop it
    change INTEGER PRIMARY KEY, body BLOB NOT NULL
);
CREATE TABLE claimed (          -- paths of intents that have no outcome yet
    path BLOB PRIMARY KEY, intent INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE lost (             -- content that was captured and is gone, by the latest of its losses
    blob TEXT PRIMARY KEY, reason TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE counters (name TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;
"""

_INDEXES = """
CREATE INDEX attributions_by_op ON attributions (op, id);
CREATE INDEX attributions_by_turn ON attributions (turn) WHERE turn IS NOT NULL;
CREATE INDEX changes_by_op ON changes (op);
CREATE INDEX changes_by_file ON changes (file, id);
CREATE INDEX changes_by_path ON changes (path, id);
CREATE INDEX changes_by_origin ON changes (moved_from, id) WHERE moved_from IS NOT NULL;
CREATE INDEX operations_by_checkpoint ON operations (checkpoint) WHERE checkpoint IS NOT NULL;
CREATE INDEX flips_by_change ON flips (change);
CREATE INDEX flips_by_target ON flips (target, id);
CREATE INDEX firsts_by_path ON firsts (path);
CREATE INDEX checkpoint_edits_by_checkpoint ON checkpoint_edits (checkpoint);
CREATE INDEX intent_ends_by_intent ON intent_ends (intent);
CREATE INDEX turn_ends_by_turn ON turn_ends (turn);
CREATE INDEX facts_by_name ON facts (name, id);
"""


def _first(connection: sqlite3.Connection) -> None:
    for table, columns in RECORDS.items():
        rest = ", ".join(columns[1:])
        connection.execute(
            f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, {rest}, checksum INTEGER NOT NULL)"
        )
        for verb in ("UPDATE", "DELETE"):
            connection.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        # INSERT OR REPLACE removes the old row without firing a DELETE trigger.
        connection.execute(
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "
            f"WHEN EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id) "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )
    for statement in statements(_INDEXES + DERIVED):
        connection.execute(statement)


def _second(connection: sqlite3.Connection) -> None:
    # Content that waits here until its object in the store is synced: one wait for the disk instead of four.
    connection.execute("CREATE TABLE unsynced (blob TEXT PRIMARY KEY, body BLOB NOT NULL)")


def _third(connection: sqlite3.Connection) -> None:
    # The timeline of one actor among a million operations of others.
    connection.execute("CREATE INDEX attributions_by_actor ON attributions (actor, op)")


def statements(script: str) -> Iterator[str]:
    """The statements of a script that holds no semicolon elsewhere."""
    return filter(str.strip, script.split(";"))


MIGRATIONS = (_first, _second, _third)
"""Migration N brings a journal from version N to N + 1; each runs in the transaction that records it."""


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the journal to the present version. Does nothing, and takes no lock, when it is there already."""
    while (version := _version(connection)) < len(MIGRATIONS):
        connection.execute("BEGIN IMMEDIATE")
        try:
            if _version(connection) == version:  # another process may have done it meanwhile
                MIGRATIONS[version](connection)
                connection.execute(f"PRAGMA user_version = {version + 1}")
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise


def is_newer(connection: sqlite3.Connection) -> bool:
    """Whether a newer Takeback wrote this journal."""
    return _version(connection) > len(MIGRATIONS)


def is_empty(connection: sqlite3.Connection) -> bool:
    """Whether no Takeback has written this journal yet."""
    return _version(connection) == 0


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
