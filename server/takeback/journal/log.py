"""The journal: one transaction appends what happened; everything else reads.

A transaction is `BEGIN IMMEDIATE` with `synchronous=FULL`: when it returns, it is on disk. Ids are given inside it,
so they are dense however many processes write.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from takeback.errors import Busy, Damaged, NotFound, StorageFull, Unsupported
from takeback.journal import derived, schema
from takeback.journal.connection import connect, translated
from takeback.journal.mirror import Mirror
from takeback.journal.rows import (
    Row,
    change_in,
    checked,
    checksum,
    parts,
    path_in,
    path_out,
    state_in,
    state_out,
    values_out,
)
from takeback.model.ids import BlobId, ChangeSeq, FileId, OpId
from takeback.model.operation import Change
from takeback.model.paths import WorkspacePath
from takeback.model.state import FileState, Reason

logger = logging.getLogger(__name__)


class Known:
    """A last known state and the file it belongs to."""

    __slots__ = ("file", "state")

    def __init__(self, file: FileId, state: FileState) -> None:
        self.file = file
        self.state = state


class Journal:
    """One workspace's record. Not for use by two threads at once."""

    def __init__(self, folder: str, *, read_only: bool = False) -> None:
        self.path = os.path.join(folder, "journal.db")
        self._touched: set[str] = set()
        self.mirror = Mirror(os.path.join(folder, "journal.log"))
        with translated(self.path):
            self._db = connect(self.path, read_only=read_only)
            try:
                self._open(read_only=read_only)
            except BaseException:
                self._db.close()
                raise

    def _open(self, *, read_only: bool) -> None:
        if schema.is_newer(self._db):
            raise Unsupported(
                f"{self.path} was written by a newer Takeback", hint="Install the newer version again."
            )
        if schema.is_empty(self._db) and next(self.mirror.rows(), None) is not None:
            # To go on would begin a second history beside the one that the mirror still holds.
            raise Damaged(f"{self.path} is empty, and its second copy is not")
        if not read_only:
            schema.migrate(self._db)

    def close(self) -> None:
        """Release the database."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything appended inside is on disk when it ends, or nothing is.

        Raises Busy if another process holds the journal for longer than `LOCK_TIMEOUT_S`, StorageFull if the disk
        is full.
        """
        with translated(self.path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
        self._mirror()

    def _mirror(self) -> None:
        try:
            self.mirror.sync(self._db, self._touched)
            self._touched.clear()
        except OSError:  # the database has it; the next transaction mirrors what is missing
            logger.warning("the journal's second copy could not be written", exc_info=True)

    def append(self, table: str, *values: Any) -> int:
        """The id of a new row of `table`. Only inside a transaction."""
        assert self._db.in_transaction, "BUG: rows are appended inside a transaction"
        row_id = int(self._db.execute(f"SELECT coalesce(max(id), 0) + 1 FROM {table}").fetchone()[0])
        self.append_many(table, [(row_id, *values)])
        return row_id

    def append_many(self, table: str, rows: Sequence[Row]) -> None:
        """Add complete rows (id first) to `table`."""
        self._touched.add(table)
        columns = (*schema.RECORDS[table], "checksum")
        marks = ", ".join("?" * len(columns))
        self._db.executemany(
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})",
            [(*row, checksum(row)) for row in map(values_out, rows)],
        )

    def next_id(self, table: str) -> int:
        """The id that the next row of `table` gets."""
        return int(self._db.execute(f"SELECT coalesce(max(id), 0) + 1 FROM {table}").fetchone()[0])

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """The rows of a query. Raises Damaged if the database cannot be read, NotFound for a number beyond 64 bits."""
        with translated(self.path):
            try:
                return self._db.execute(sql, values_out(parameters)).fetchall()
            except OverflowError as error:
                raise NotFound("so large a number names nothing in this history") from error

    def records(self, table: str, condition: str = "1", parameters: Sequence[Any] = ()) -> list[Row]:
        """Record rows, checked, without their checksum. `condition` may end in ORDER BY and LIMIT."""
        columns = ", ".join((*schema.RECORDS[table], "checksum"))
        rows = self.query(f"SELECT {columns} FROM {table} WHERE {condition}", parameters)
        return [checked(table, row) for row in rows]

    # -- changes ---------------------------------------------------------------------------------

    def append_change(self, change: Change) -> None:
        """Add a change with its flips, and bring the derived tables up to date."""
        self.append_many("changes", [_change_row(change)])
        if change.flips:
            start = self.next_id("flips")
            rows = [
                (start + n, change.seq, target, int(on))
                for n, (target, on) in enumerate(change.flips.items())
            ]
            self.append_many("flips", rows)
        self._regain(change.after)
        derived.changed(self._db, change)

    def append_first(self, path: WorkspacePath, file: FileId, state: FileState, at_ns: int) -> None:
        """Add the first known state of a path that no operation brought about."""
        last_change = self.next_id("changes") - 1
        self.append("firsts", path_out(path), *state_out(state), at_ns, last_change)
        self._regain(state)
        self.know(path, file, state)

    def begin_intent(self, blob: BlobId, paths: Iterable[WorkspacePath], at_ns: int) -> int:
        """Write down that `paths` are about to be changed as the blob says. Until it ends, nobody records them."""
        row_id = self.append("intents", blob, at_ns)
        derived.claim(self._db, row_id, paths)
        return row_id

    def end_intent(self, row_id: int, outcome: str, at_ns: int) -> None:
        """Write down what became of an intent: `recorded` and then `finished`, or `reversed`."""
        self.append("intent_ends", row_id, outcome, at_ns)
        self._db.execute("DELETE FROM claimed WHERE intent = ?", (row_id,))

    def claimed(self) -> frozenset[WorkspacePath]:
        """The paths that Takeback itself is changing at this moment, or was when it died."""
        return frozenset(path_in(row[0]) for row in self.query("SELECT path FROM claimed"))

    def changes(self, condition: str, parameters: Sequence[Any] = ()) -> tuple[Change, ...]:
        """The changes that match, with their flips."""
        rows = self.records("changes", condition, parameters)
        if not rows:
            return ()
        flips: dict[int, dict[ChangeSeq, bool]] = {}
        for part in parts([row[0] for row in rows]):
            marks = ",".join("?" * len(part))
            for _, change, target, stands in self.records("flips", f"change IN ({marks}) ORDER BY id", part):
                flips.setdefault(change, {})[ChangeSeq(target)] = bool(stands)
        lost = self.lost(blob for row in rows for blob in (row[6], row[11]))
        return tuple(change_in(row, flips.get(row[0], {}), lost) for row in rows)

    def standing(self, seqs: Iterable[ChangeSeq]) -> dict[ChangeSeq, tuple[bool, ChangeSeq]]:
        """For each change that was ever flipped: whether it stands, and which change decided that."""
        found: dict[ChangeSeq, tuple[bool, ChangeSeq]] = {}
        for part in parts(list(seqs)):
            marks = ",".join("?" * len(part))
            rows = self.query(f"SELECT change, stands, by FROM standing WHERE change IN ({marks})", part)
            found.update((ChangeSeq(seq), (bool(on), ChangeSeq(by))) for seq, on, by in rows)
        return found

    def flips_of(self, targets: Iterable[ChangeSeq]) -> Iterator[tuple[ChangeSeq, ChangeSeq, bool]]:
        """Each time one of `targets` was flipped, oldest first: the change that did, the target, whether it stands."""
        for part in parts(list(targets)):
            marks = ",".join("?" * len(part))
            for _, by, target, stands in self.records("flips", f"target IN ({marks}) ORDER BY id", part):
                yield ChangeSeq(by), ChangeSeq(target), bool(stands)

    def save_hunks(self, bodies: Iterable[tuple[ChangeSeq, bytes]]) -> None:
        """Keep what changes did to the lines."""
        with translated(self.path):
            self._db.executemany("INSERT OR REPLACE INTO hunks VALUES (?, ?)", list(bodies))

    def keep_hunks(self, bodies: Iterable[tuple[ChangeSeq, bytes]]) -> None:
        """Keep hunks that were made after the change was recorded. Not kept is no loss: they are made again."""
        try:
            with self.transaction():
                self.save_hunks(bodies)
        except (Busy, StorageFull):
            logger.info("hunks were not kept", exc_info=True)

    def hunks(self, seqs: Iterable[ChangeSeq]) -> dict[ChangeSeq, bytes]:
        """The kept hunks of `seqs`."""
        found: dict[ChangeSeq, bytes] = {}
        for part in parts(list(seqs)):
            marks = ",".join("?" * len(part))
            rows = self.query(f"SELECT change, body FROM hunks WHERE change IN ({marks})", part)
            found.update((ChangeSeq(seq), body) for seq, body in rows)
        return found

    # -- content whose object is not known to be on disk yet --------------------------------------

    def keep_unsynced(self, contents: Mapping[BlobId, bytes]) -> None:
        """Hold content until its object in the store is synced. Only inside a transaction."""
        assert self._db.in_transaction, "BUG: content is kept with the rows that name it"
        self._db.executemany("INSERT OR IGNORE INTO unsynced VALUES (?, ?)", list(contents.items()))

    def n_unsynced(self) -> int:
        """How many contents are held."""
        return int(self.query("SELECT count(*) FROM unsynced")[0][0])

    def unsynced(self) -> dict[BlobId, bytes]:
        """The contents that are held."""
        return {BlobId(blob): body for blob, body in self.query("SELECT blob, body FROM unsynced")}

    def drop_unsynced(self, blobs: Iterable[BlobId]) -> None:
        """Let go of contents whose objects are synced. Only inside a transaction."""
        self._db.executemany("DELETE FROM unsynced WHERE blob = ?", [(blob,) for blob in blobs])

    # -- content that is gone --------------------------------------------------------------------

    def lost(self, blobs: Iterable[str | None]) -> dict[str, Reason]:
        """Why content that was captured is gone, for those of `blobs` that are."""
        if not self.has_losses():
            return {}
        found: dict[str, Reason] = {}
        for part in parts(list({blob for blob in blobs if blob is not None})):
            marks = ",".join("?" * len(part))
            rows = self.query(f"SELECT blob, reason FROM lost WHERE blob IN ({marks})", part)
            found.update((blob, Reason(reason)) for blob, reason in rows)
        return found

    def has_losses(self) -> bool:
        """Whether any content that was captured is gone."""
        return bool(self.query("SELECT 1 FROM lost LIMIT 1"))

    def lose(self, losses: Iterable[tuple[str, Reason]], at_ns: int) -> None:
        """Write down that content is gone: every state that names it reads so from now on."""
        for blob, reason in losses:
            self.append("losses", blob, reason.value, at_ns)
            derived.lose(self._db, blob, reason.value)
            self.drop_unsynced([BlobId(blob)])

    def drop_hunks(self, seqs: Iterable[ChangeSeq]) -> None:
        """Drop what changes did to the lines."""
        self._db.executemany("DELETE FROM hunks WHERE change = ?", [(seq,) for seq in seqs])

    def scrub(self) -> bool:
        """Whether what was deleted is gone from the database's files too: not if others read it meanwhile."""
        with translated(self.path):
            self._db.execute("VACUUM")
            return not self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]

    def cleanings(self) -> int:
        """How often content was dropped; whoever drops some appends the fact `cleaned` before."""
        return int(self.query("SELECT count(*) FROM facts WHERE name = 'cleaned'")[0][0])

    def _regain(self, state: FileState) -> None:
        """What is recorded with its content is in the store again."""
        if state.blob is None or not state.captured:
            return
        if self._db.execute("SELECT 1 FROM lost WHERE blob = ?", (state.blob,)).fetchone():
            self.append("losses", state.blob, None, time.time_ns())
            derived.lose(self._db, state.blob, None)

    # -- known states ----------------------------------------------------------------------------

    def known(self, path: WorkspacePath) -> Known | None:
        """The last known state of `path`, if it differs from the baseline tree."""
        rows = self.query(
            "SELECT file, kind, blob, mode, size, reason FROM known WHERE path = ?", (path_out(path),)
        )
        if not rows:
            return None
        return Known(FileId(rows[0][0]), state_in(rows[0][1:], self.lost([rows[0][2]])))

    def all_known(self, folder: WorkspacePath | None = None) -> Iterator[tuple[WorkspacePath, Known]]:
        """Every path that differs from the baseline tree, in or below `folder`."""
        sql = "SELECT path, file, kind, blob, mode, size, reason FROM known"
        parameters: tuple[bytes, ...] = ()
        if folder is not None:
            raw = path_out(folder) or b""
            sql += " WHERE path = ? OR (path > ? AND path < ?)"
            parameters = (raw, raw + b"/", raw + b"0")  # "0" follows "/"
        rows = self.query(sql, parameters)
        lost = self.lost(row[3] for row in rows)
        for row in rows:
            yield path_in(row[0]), Known(FileId(row[1]), state_in(row[2:], lost))

    def path_of(self, file: FileId) -> tuple[WorkspacePath, FileState] | None:
        """Where a file is known to be now (or was last, if it is absent), and what it is."""
        rows = self.query("SELECT path, kind, blob, mode, size, reason FROM known WHERE file = ?", (file,))
        return (path_in(rows[0][0]), state_in(rows[0][1:], self.lost([rows[0][2]]))) if rows else None

    def know(self, path: WorkspacePath, file: FileId, state: FileState) -> None:
        """Set the last known state of a path."""
        derived.know(self._db, os.fsencode(path), file, state_out(state))

    # -- counters and facts ----------------------------------------------------------------------

    def count(self, name: str, n: int = 1) -> None:
        """Add `n` to a counter."""
        derived.count(self._db, *values_out((name, n)))

    def counters(self) -> dict[str, int]:
        """Every counter."""
        return dict(self.query("SELECT name, n FROM counters ORDER BY name"))

    def fact(self, name: str) -> str | None:
        """The latest value of a fact about this workspace (`root`, `baseline` …)."""
        rows = self.records("facts", "name = ? ORDER BY id DESC LIMIT 1", (name,))
        value = rows[0][2] if rows else None
        return os.fsdecode(value) if isinstance(value, bytes) else value

    def last_change(self) -> ChangeSeq:
        """The newest change's sequence number; 0 before the first."""
        return ChangeSeq(self.query("SELECT coalesce(max(id), 0) FROM changes")[0][0])

    def last_operation(self) -> OpId:
        """The newest operation's id; 0 before the first."""
        return OpId(self.query("SELECT coalesce(max(id), 0) FROM operations")[0][0])


def _change_row(change: Change) -> tuple[Any, ...]:
    place = (path_out(change.path), path_out(change.moved_from))
    return (change.seq, change.op, change.file, *place, *state_out(change.before), *state_out(change.after))
