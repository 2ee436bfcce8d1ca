"""Trap 4: a rule of what is ignored changes between a checkpoint and the way back to it."""

import pytest


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
