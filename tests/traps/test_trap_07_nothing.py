"""Trap 7: undo of a turn that wrote nothing."""

import os

import pytest

from scenes import fingerprint


@pytest.mark.trap(7)
def test_nothing_is_touched(scene):
    """Every byte, every time and the user's index are identical, and the answer is that there was nothing."""
    scene.committed({"f": "one\n", "d/g": "two\n"})
    scene.tb("status")
    turn = scene.tb("turn", "begin", "--actor", "agent:a").json["turn"]["id"]
    scene.tb("turn", "end")
    before = fingerprint(scene.root)

    undone = scene.tb("undo", "--turn", turn)

    assert (undone.status, undone.json["outcome"]) == (0, "nothing")
    assert fingerprint(scene.root) == before


@pytest.mark.trap(7)
def test_an_undo_leaves_other_files_alone(scene):
    """A file that an undo does not concern keeps its times."""
    scene.committed({"f": "one\n", "g": "two\n"})
    scene.tb("status")
    scene.write("f", "changed\n")
    scene.record()
    before = os.stat(scene.root / "g")

    assert scene.tb("undo").status == 0
    after = os.stat(scene.root / "g")
    assert (after.st_mtime_ns, after.st_ctime_ns) == (before.st_mtime_ns, before.st_ctime_ns)
