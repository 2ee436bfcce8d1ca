"""Little content waits in the journal, on disk with the rows that name it, until its object in the store is synced."""

import shutil
import sqlite3

import pytest

from takeback.journal import schema
from takeback.journal.connection import connect
from takeback.model.operation import HUMAN, OperationKind
from takeback.model.source import Source
from takeback.service.opening import open_workspace

SAVED = Source(kind=OperationKind.EDIT, actor=HUMAN)


@pytest.fixture
def edited(scene):
    """A workspace whose only file was edited, in a process that goes on; and its looker."""
    scene.write("f", "one\n")
    scene.tb("status")
    with open_workspace(str(scene.root), scene.env) as workspace:
        scene.write("f", "two\n")
        workspace.looker.at(["f"], SAVED)
        yield scene, workspace


def after_a_power_cut(scene, blob, torn):
    """The state folder as a power cut leaves it: what was synced is there, the object is not what was written."""
    path = scene.state / "store.git" / "objects" / blob[:2] / blob[2:]
    cut = scene.base / "states-after"
    shutil.copytree(scene.states, cut)
    found = cut / path.relative_to(scene.states)
    found.chmod(0o644)
    if torn is None:
        found.unlink()
    else:
        found.write_bytes(found.read_bytes()[:torn])
    return {"TAKEBACK_STATE_DIR": str(cut)}


@pytest.mark.promise(4)
@pytest.mark.parametrize("torn", [None, 0, 9])
def test_content_survives_a_power_cut_before_its_sync(edited, torn):
    """An object that never reached the disk, or only in part, is written anew from the journal at the next start."""
    scene, workspace = edited
    blob = workspace.store.id_of(b"two\n")
    env = after_a_power_cut(scene, blob, torn)

    scene.write("f", "three\n")
    assert scene.tb("record", "--actor", "agent:a", env=env).status == 0
    undone = scene.tb("undo", env=env)

    assert undone.json["outcome"] == "applied", undone.err
    assert scene.read("f") == "two\n"


def test_what_is_synced_waits_no_longer(edited):
    """The journal lets content go once its object is on disk: at the end of a process at the latest."""
    _, workspace = edited
    assert list(workspace.journal.unsynced().values()) == [b"two\n"]

    workspace.recorder.sync_contents()

    assert workspace.journal.unsynced() == {}


def test_not_much_ever_waits(edited):
    """However many saves one process records, the journal holds a bounded number of contents."""
    scene, workspace = edited
    for number in range(150):
        scene.write("f", f"{number}\n")
        workspace.looker.at(["f"], SAVED)
        assert workspace.journal.n_unsynced() < 64


def test_much_content_goes_to_the_store_alone(edited):
    """A large file, or many files at once, are synced where they are, and never written twice."""
    scene, workspace = edited
    workspace.recorder.sync_contents()
    scene.write("large", "x" * 100_000)
    workspace.looker.at(["large"], SAVED)
    names = [f"many/{number}" for number in range(30)]
    for name in names:
        scene.write(name, name)
    workspace.looker.at(names, SAVED)

    assert workspace.journal.unsynced() == {}


def test_forgotten_content_does_not_wait_either(edited):
    """Nothing of a forgotten content stays in the journal's files, and no later sync brings it back."""
    scene, workspace = edited
    blob = workspace.store.id_of(b"two\n")
    scene.write("f", "three\n")
    workspace.looker.at(["f"], SAVED)

    assert scene.tb("forget", "1").status == 0
    workspace.recorder.sync_contents()
    workspace.store.reopen()

    assert not workspace.store.has(blob)
    assert b"two\n" not in b"".join(path.read_bytes() for path in scene.state.glob("journal.*"))


@pytest.mark.promise(7)
def test_a_rebuild_keeps_what_waits(edited):
    """The journal is made anew from a damaged one, the power went too: the content is still there."""
    scene, workspace = edited
    env = after_a_power_cut(scene, workspace.store.id_of(b"two\n"), torn=None)
    (journal,) = (scene.base / "states-after").glob("*/journal.db")
    with sqlite3.connect(journal) as db:
        db.execute("DROP TRIGGER facts_no_update")
        db.execute("UPDATE facts SET value = 'other' WHERE name = 'root'")
    db.close()

    mended = scene.tb("doctor", env=env)

    assert mended.status == 0, mended.json
    scene.write("f", "three\n")
    assert scene.tb("undo", env=env).json["outcome"] == "applied"
    assert scene.read("f") == "two\n"


def test_an_older_journal_is_brought_up_to_date(tmp_path):
    """A journal from before content could wait in it gets the table when it is opened."""
    db = connect(str(tmp_path / "journal.db"), read_only=False)
    db.execute("BEGIN")
    schema.MIGRATIONS[0](db)
    db.execute("PRAGMA user_version = 1")
    db.execute("COMMIT")

    schema.migrate(db)

    assert db.execute("SELECT count(*) FROM unsynced").fetchone() == (0,)
    db.close()
