"""The journal is append-only: nobody can change or remove a row of history, with whatever program."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from takeback.errors import Damaged
from takeback.journal.log import Journal
from takeback.journal.schema import RECORDS


@pytest.fixture
def folder(tmp_path) -> str:
    """A journal with one row in every table of history."""
    journal = Journal(str(tmp_path))
    with journal.transaction():
        for table, columns in RECORDS.items():
            journal.append(table, *(1 for _ in columns[1:]))
    journal.close()
    return str(tmp_path)


@pytest.fixture
def foreign(folder) -> Iterator[sqlite3.Connection]:
    """Another program that opens the database without any of our settings."""
    connection = sqlite3.connect(f"{folder}/journal.db", isolation_level=None)
    yield connection
    connection.close()


@pytest.mark.promise(3)
@pytest.mark.parametrize("table", RECORDS)
def test_no_program_changes_or_removes_a_row(foreign, table):
    """UPDATE, DELETE and INSERT OR REPLACE of a row of history are refused, whoever opened the file."""
    second = RECORDS[table][1]
    marks = ", ".join("2" for _ in RECORDS[table])

    for statement in (
        f"UPDATE {table} SET {second} = 2",
        f"DELETE FROM {table}",
        f"INSERT OR REPLACE INTO {table} VALUES (1, {marks})",
    ):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            foreign.execute(statement)
    assert foreign.execute(f"SELECT {second} FROM {table}").fetchall() == [(1,)]


@pytest.mark.promise(7)
def test_a_changed_byte_in_a_row_is_noticed(folder, foreign):
    """A row that is not what was written is damage when it is read, never an answer."""
    foreign.execute("DROP TRIGGER facts_no_update")
    foreign.execute("UPDATE facts SET value = 'other'")
    journal = Journal(folder)

    with pytest.raises(Damaged):
        journal.records("facts")
    journal.close()


@pytest.mark.promise(7)
def test_the_second_copy_has_every_row(folder):
    """After a transaction, each row of history is in the second copy too, with its checksum."""
    journal = Journal(folder)
    mirrored = dict(journal.mirror.rows())
    expected = {
        table: journal.query(f"SELECT {', '.join(columns)}, checksum FROM {table}")[0]
        for table, columns in RECORDS.items()
    }
    journal.close()

    assert mirrored == expected


@pytest.mark.promise(7)
def test_a_copy_that_was_left_behind_catches_up(folder, foreign, tmp_path):
    """Where a process died between its commit and the copy, the next transaction copies what is missing."""
    copy = tmp_path / "journal.log"
    whole = copy.read_bytes()
    copy.write_bytes(whole[: len(whole) // 2])  # in the middle of a line
    journal = Journal(folder)

    with journal.transaction():
        journal.append("facts", "name", "value", 0)

    mirrored = {(table, row[0]) for table, row in journal.mirror.rows()}
    journal.close()
    assert mirrored == {(table, 1) for table in RECORDS} | {("facts", 2)}
