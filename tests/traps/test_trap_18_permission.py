"""Trap 18: what may not be read or written. Root's commands run without root's power."""

import json
import os
import shutil

import pytest

from takeback.model.operation import Observation, OperationKind
from takeback.model.source import Source
from takeback.model.state import FileKind, FileState, Reason

WITHOUT = "-dac_override,-dac_read_search"
ORDINARY = ("setpriv", "--bounding-set", WITHOUT, "--inh-caps", WITHOUT, "--") if os.geteuid() == 0 else ()
"""Starts a command without root's power to pass every permission."""

pytestmark = pytest.mark.skipif(
    bool(ORDINARY) and shutil.which("setpriv") is None, reason="needs setpriv for root"
)


@pytest.mark.trap(18)
@pytest.mark.promise(5)
def test_an_unreadable_file_is_listed(scene):
    """A file that cannot be read is recorded as changed, not captured, with the reason, and `status` lists it."""
    scene.write("f", "one\n")
    scene.write("locked", "x\n")
    os.chmod(scene.root / "locked", 0)

    status = scene.process("status", under=ORDINARY)

    assert status.returncode == 0, status.stderr
    assert "locked: unreadable" in status.stdout


@pytest.mark.trap(18)
def test_an_undo_refuses_before_its_first_write(scene):
    """If one of the folders cannot be written, no file is, and the folder is named."""
    scene.write("a/f", "one\n")
    scene.write("b/g", "two\n")
    assert scene.process("status", under=ORDINARY).returncode == 0
    scene.write("a/f", "agent\n")
    scene.write("b/g", "agent\n")
    assert scene.process("record", "--actor", "agent:a", under=ORDINARY).returncode == 0
    os.chmod(scene.root / "b", 0o555)
    before = scene.files()

    undone = scene.process("undo", under=ORDINARY)

    assert undone.returncode == 3
    assert "b cannot be written" in undone.stderr
    assert scene.files() == before
    os.chmod(scene.root / "b", 0o755)
    assert scene.process("undo", under=ORDINARY).returncode == 0
    assert (scene.read("a/f"), scene.read("b/g")) == ("one\n", "two\n")


@pytest.mark.trap(18)
def test_a_folder_that_cannot_be_entered(scene):
    """What lies behind a folder that was closed is not taken for deleted."""
    scene.write("a/f", "one\n")
    assert scene.process("status", under=ORDINARY).returncode == 0
    os.chmod(scene.root / "a", 0)

    recorded = scene.process("record", "--json", under=ORDINARY)

    assert recorded.returncode == 0, recorded.stderr
    assert '"deleted"' not in recorded.stdout
    assert "a/: unreadable" in scene.process("status", under=ORDINARY).stdout
    os.chmod(scene.root / "a", 0o755)
    assert "a/: unreadable" not in scene.process("status", under=ORDINARY).stdout


def one_turn(scene, number, *, closed=False):
    """An operation of an agent that writes `a/f`, or where that folder is closed another file."""
    scene.write("g" if closed else "a/f", f"{number}\n")
    os.chmod(scene.root / "a", 0 if closed else 0o755)
    recorded = scene.process("record", "--actor", "agent:a", "--json", under=ORDINARY)
    os.chmod(scene.root / "a", 0o755)
    assert recorded.returncode == 0, recorded.stderr
    return {change["path"]: change for change in json.loads(recorded.stdout)["operation"]["changes"]}


@pytest.mark.trap(18)
@pytest.mark.promise(2)
def test_a_folder_that_was_closed_for_a_moment(scene):
    """What lies in it is as it was known: nothing of it is recorded, and all of it can be taken back afterwards."""
    scene.write("a/f", "0\n")
    assert scene.process("status", under=ORDINARY).returncode == 0
    one_turn(scene, 1)
    assert one_turn(scene, 2, closed=True).keys() == {"g"}
    assert one_turn(scene, 3).keys() == {"a/f"}

    assert scene.process("undo", under=ORDINARY).returncode == 0
    assert scene.read("a/f") == "1\n"
    assert scene.process("undo", "--op", "1", under=ORDINARY).returncode == 0
    assert scene.read("a/f") == "0\n"


@pytest.mark.trap(18)
@pytest.mark.promise(2)
def test_what_could_not_be_read_is_read_when_it_can_be(scene):
    """A file of a folder that was renamed while it was closed is read by the first look that can."""
    scene.write("a/f", "0\n")
    assert scene.process("status", under=ORDINARY).returncode == 0
    one_turn(scene, 1)
    with scene.opened() as workspace:
        unread = Observation(
            path="a/f", after=FileState(kind=FileKind.FILE, reason=Reason.UNREADABLE, mode=0)
        )
        workspace.recorder.record(Source(kind=OperationKind.EDIT, actor="unknown"), [unread])

    status = scene.process("status", under=ORDINARY)

    assert "unreadable" not in status.stdout
    assert scene.process("undo", "--op", "1", under=ORDINARY).returncode == 0
    assert scene.read("a/f") == "0\n"


@pytest.mark.trap(18)
@pytest.mark.promise(4)
def test_a_folder_that_was_closed_from_the_beginning(scene):
    """What is in it when it is opened was there before, and is nobody's new file: no undo removes it."""
    scene.write("a/f", "irreplaceable\n")
    os.chmod(scene.root / "a", 0)
    scene.write("g", "0\n")
    assert scene.process("status", under=ORDINARY).returncode == 0
    os.chmod(scene.root / "a", 0o755)
    assert scene.record() is None
    one_turn(scene, 1)
    scene.write("a/new", "agent\n")
    scene.record()

    assert scene.process("undo", "2", under=ORDINARY).returncode == 0

    assert scene.read("a/f") == "irreplaceable\n"
    assert not (scene.root / "a" / "new").exists()
