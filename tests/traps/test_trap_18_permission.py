"""Trap 18: what may not be read or written. Root's commands run without root's power."""

import os
import shutil

import pytest

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
