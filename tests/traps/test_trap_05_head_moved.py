"""Trap 5: HEAD moved between a checkpoint and the way back to it."""

import pytest

from scenes import fingerprint


def commit(scene):
    """The user commits the work."""
    scene.git("commit", "-qam", "more")


def switch(scene):
    """The user goes to another branch."""
    scene.git("commit", "-qam", "more")
    scene.git("checkout", "-q", "other")


def rebase(scene):
    """The user rebases the branch."""
    scene.git("commit", "-qam", "more")
    scene.git("rebase", "-q", "other")


@pytest.mark.parametrize("move", [commit, switch, rebase])
@pytest.mark.trap(5)
@pytest.mark.promise(7)
def test_a_rollback_changes_content_alone(scene, move):
    """Commits, branches and index are as git left them; the files are as they were at the checkpoint."""
    scene.committed({"f": "one\n", "g": "two\n"})
    scene.git("checkout", "-qb", "other")
    scene.write("g", "other\n")
    scene.git("commit", "-qam", "other")
    scene.git("checkout", "-q", "main")
    checkpoint = scene.checkpoint()
    before = scene.files()
    scene.write("f", "changed\n")
    move(scene)
    git_dir = fingerprint(scene.root / ".git")

    assert scene.tb("rollback", checkpoint).status == 0

    assert scene.files() == before
    assert fingerprint(scene.root / ".git") == git_dir
