"""Trap 4: a rule of what is ignored changes between a checkpoint and the way back to it."""

import pytest

from takeback.model.operation import OperationKind
from takeback.model.source import Source


@pytest.mark.trap(4)
def test_a_rule_added(scene):
    """A folder that became ignored after the checkpoint, and what was made in it, survives the rollback."""
    scene.committed()
    checkpoint = scene.checkpoint()
    scene.write(".gitignore", "precious/\n")
    scene.write("precious/data", "irreplaceable\n")

    assert scene.tb("rollback", checkpoint).status == 0

    assert scene.read("precious/data") == "irreplaceable\n"
    assert not (scene.root / ".gitignore").exists()


@pytest.mark.trap(4)
def test_a_rule_added_over_what_was_recorded(scene):
    """What was recorded before a rule came to ignore it is still recorded, and comes back."""
    scene.committed()
    scene.write("precious/data", "one\n")
    scene.record()
    scene.write(".gitignore", "precious/\n")
    scene.record()
    scene.write("precious/data", "overwritten\n")
    scene.record()

    assert scene.tb("undo").status == 0

    assert scene.read("precious/data") == "one\n"


@pytest.mark.trap(4)
def test_a_rule_removed(scene):
    """What a rule no longer ignores was there before: it is adopted, not created, and no undo removes it."""
    scene.committed({"f": "one\n", ".gitignore": "precious/\n"})
    scene.write("precious/data", "irreplaceable\n")
    checkpoint = scene.checkpoint()
    scene.write(".gitignore", "")
    op = scene.record()

    changes = scene.tb("show", str(op)).json["operations"][0]["changes"]
    assert [change["path"] for change in changes] == [".gitignore"]
    assert scene.tb("rollback", checkpoint).status == 0
    assert scene.read("precious/data") == "irreplaceable\n"


@pytest.mark.trap(4)
def test_a_file_added_by_force(scene):
    """An ignored file that git comes to track is adopted by the next look, and its changes are recorded from then on."""
    scene.committed({"f": "one\n", ".gitignore": "*.conf\n"})
    scene.write("my.conf", "irreplaceable\n")
    scene.checkpoint()
    scene.git("add", "-f", "my.conf")
    assert scene.record() is None
    scene.write("my.conf", "agent\n")
    scene.record()

    assert scene.tb("undo").status == 0

    assert scene.read("my.conf") == "irreplaceable\n"


@pytest.mark.trap(4)
def test_a_look_at_one_path(scene):
    """What was there, ignored, and is told of by name once a rule uncovers it, is not new either."""
    scene.committed({"f": "one\n", ".gitignore": "*.conf\n"})
    scene.write("my.conf", "irreplaceable\n")
    scene.checkpoint()
    scene.write(".gitignore", "")
    scene.write("my.conf", "agent\n")
    with scene.opened() as workspace:
        workspace.looker.at(["my.conf"], Source(kind=OperationKind.EDIT, actor="agent:a"))
    scene.record()

    scene.tb("undo")

    assert scene.read("my.conf") == "agent\n"
