"""Takeback survives what it protects from: a damaged journal, an emptied one, a lost second copy."""

import fcntl
import os

import pytest

from takeback.service import at_work

PAGE = 4096


@pytest.fixture
def worked(scene):
    """A workspace with operations of several actors, an undo, a turn and a checkpoint."""
    scene.committed({"f": "one\n", "g": "two\n"})
    scene.tb("status")
    for number in range(6):
        scene.write("f" if number % 2 else "g", f"{number}\n" * 3)
        scene.record(f"agent:{number}")
    scene.tb("undo")
    scene.tb("turn", "begin", "--actor", "agent:t")
    scene.write("new", "n\n")
    scene.tb("turn", "end")
    scene.checkpoint()
    return scene


def everything(scene):
    """All that history tells."""
    return [scene.tb(*words).json for words in (("log", "-n", "50"), ("checkpoint", "list"))] + [
        scene.tb("status").json["counters"]
    ]


def settle(scene):
    """All of the database is in its one file."""
    with scene.opened() as workspace:
        workspace.journal.scrub()


def empty(path):
    """Nothing is in it."""
    path.write_bytes(b"")


def zeroed(path):
    """All its bytes are zero."""
    path.write_bytes(b"\0" * path.stat().st_size)


def gone(path):
    """It is not there."""
    path.unlink()


def cut(path):
    """The second half is missing."""
    os.truncate(path, path.stat().st_size // 2 // PAGE * PAGE)


def scribbled(path):
    """Somebody wrote over the beginning."""
    with open(path, "r+b") as file:
        file.write(b"not a database at all")


@pytest.mark.parametrize("damage", [empty, zeroed, gone, cut, scribbled])
@pytest.mark.promise(7)
def test_a_destroyed_journal_is_rebuilt_without_loss(worked, damage):
    """Whatever became of the database, `doctor` makes it anew from the second copy, and history tells the same."""
    before, files = everything(worked), worked.files()
    settle(worked)
    damage(worked.state / "journal.db")

    if damage is not gone:
        refused = worked.tb("log")
        assert (refused.status, refused.code) == (3, "damaged")
        assert "takeback doctor" in refused.json["error"]["hint"]
    healed = worked.tb("doctor")

    assert healed.status == 0, healed.json
    assert ("journal", "mended") in {(one["what"], one["health"]) for one in healed.json["findings"]}
    assert everything(worked) == before
    assert worked.tb("rollback", "cp-1").status == 0
    assert worked.files() == files
    assert any(name.startswith("journal-damaged-") for name in os.listdir(worked.state)) or damage is gone


@pytest.mark.promise(7)
def test_a_tangled_history_is_derived_the_same(scene):
    """After renames in a circle, replaced files, adopted ones and undone undos a rebuild knows the very same states."""
    scene.committed({"a": "a\n", "b": "b\n", "c": "c\n", ".gitignore": "x/\n"})
    scene.write("x/adopted", "x\n")
    scene.tb("status")
    for old, new in (("a", "t"), ("b", "a"), ("c", "b"), ("t", "c"), ("c", "d/c")):
        (scene.root / new).parent.mkdir(exist_ok=True)
        (scene.root / old).rename(scene.root / new)
        scene.record()
    scene.write("c", "another\n")
    scene.record()
    scene.tb("undo", "2")
    scene.write(".gitignore", "")
    scene.record()
    (scene.root / "x" / "adopted").unlink()
    scene.write("x/adopted", "not the same\n")
    scene.record()
    scene.tb("undo")
    scene.tb("redo")
    known = _known(scene)

    assert scene.tb("doctor").json["well"]
    assert not [one for one in scene.tb("doctor").json["findings"] if one["health"] != "well"]
    (scene.state / "journal.db").unlink()
    assert scene.tb("doctor").status == 0
    assert _known(scene) == known


def _known(scene):
    with scene.opened() as workspace:
        return [
            workspace.journal.query(f"SELECT * FROM {table} ORDER BY 1")
            for table in ("known", "standing", "counters")
        ]


@pytest.mark.promise(7)
def test_a_journal_that_somebody_writes_is_not_moved(worked):
    """While a recorder has the damaged journal open, it is not rebuilt under its hands: the doctor says whom to end."""
    settle(worked)
    scribbled(worked.state / "journal.db")
    with open(worked.state / "lease", "w", encoding="utf-8") as lease:
        fcntl.flock(lease, fcntl.LOCK_EX)
        found = worked.tb("doctor")

    assert found.status == 3
    assert f"end process {os.getpid()}" in found.json["findings"][-1]["text"]
    assert worked.tb("doctor").status == 0


@pytest.mark.promise(7)
def test_a_journal_that_a_command_will_write_is_not_moved(worked):
    """While `takeback run` is at work the damaged journal is not rebuilt either: it would record into the old one."""
    settle(worked)
    scribbled(worked.state / "journal.db")
    with at_work.announced(str(worked.state), {}):
        found = worked.tb("doctor")

    assert found.status == 3
    assert f"end process {os.getpid()}" in found.json["findings"][-1]["text"]
    assert worked.tb("doctor").status == 0


@pytest.mark.promise(7)
def test_any_zeroed_page_is_mended(worked):
    """Each page of the database in turn is zeroed: `doctor` brings back the same history."""
    before = everything(worked)
    settle(worked)
    path = worked.state / "journal.db"
    whole = path.read_bytes()
    for start in range(0, len(whole), PAGE * 7):
        for name in os.listdir(worked.state):
            if name.startswith("journal.db-"):
                os.remove(worked.state / name)
        path.write_bytes(whole[:start] + b"\0" * PAGE + whole[start + PAGE :])

        healed = worked.tb("doctor")

        assert healed.status == 0, (start, healed.json)
        assert everything(worked) == before, start
        settle(worked)


@pytest.mark.promise(7)
def test_one_changed_byte_of_a_row_is_found(worked):
    """SQLite's own check does not see a changed letter in a row; the row's checksum does, and `doctor` mends it."""
    before = everything(worked)
    settle(worked)
    path = worked.state / "journal.db"
    path.write_bytes(path.read_bytes().replace(b"agent:3", b"agent:9"))

    refused = worked.tb("log")
    assert (refused.status, refused.code) == (3, "damaged")
    assert worked.tb("doctor").status == 0
    assert everything(worked) == before


@pytest.mark.parametrize("damage", [empty, gone, cut, scribbled])
@pytest.mark.promise(7)
def test_a_lost_second_copy_is_made_anew(worked, damage):
    """A second copy that is torn or missing is made anew from the database, and is good for a rebuild again."""
    before = everything(worked)
    settle(worked)
    damage(worked.state / "journal.log")

    assert worked.tb("doctor").status == 0
    (worked.state / "journal.db").unlink()
    assert worked.tb("doctor").status == 0
    assert everything(worked) == before


@pytest.mark.promise(7)
def test_what_was_derived_is_made_anew(worked):
    """A last known state that does not follow from the records is put right; the records count."""
    before = everything(worked)
    with worked.opened() as workspace, workspace.journal.transaction():
        workspace.journal._db.execute("UPDATE known SET size = 99, blob = NULL")
        workspace.journal._db.execute("DELETE FROM standing")
        workspace.journal._db.execute("DELETE FROM counters")

    healed = worked.tb("doctor")

    assert healed.status == 0
    texts = [one["text"] for one in healed.json["findings"] if one["health"] == "mended"]
    assert any("known" in text for text in texts)
    assert everything(worked) == before


@pytest.mark.promise(7)
@pytest.mark.promise(5)
def test_what_no_copy_has_is_said(worked):
    """Rows that neither copy holds are counted as missing, and the exit status says that something stays broken."""
    settle(worked)
    log = worked.state / "journal.log"
    lines = log.read_bytes().split(b"\n")
    log.write_bytes(b"\n".join(line for line in lines if b'["operations",2,' not in line))
    (worked.state / "journal.db").unlink()

    healed = worked.tb("doctor")

    assert healed.status == 3
    assert any("1 rows of operations" in one["text"] for one in healed.json["findings"])
