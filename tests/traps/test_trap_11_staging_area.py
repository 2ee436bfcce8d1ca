"""Trap 11: what the user has staged."""

import pytest

from scenes import fingerprint


def staged_hunk(scene):
    """Some of a file is staged, some is not."""
    scene.write("f", "one\nstaged\n")
    scene.git("add", "f")
    scene.write("f", "one\nstaged\nnot staged\n")


def intent_to_add(scene):
    """A file is to be added later."""
    scene.write("new", "later\n")
    scene.git("add", "-N", "new")


def unmerged(scene):
    """A merge stopped at a conflict."""
    scene.git("checkout", "-qb", "side")
    scene.write("f", "side\n")
    scene.git("commit", "-qam", "side")
    scene.git("checkout", "-q", "main")
    scene.write("f", "main\n")
    scene.git("commit", "-qam", "main")
    scene.git("merge", "side", check=False)
    assert scene.git("ls-files", "--unmerged")


def sparse(scene):
    """Only some folders are checked out."""
    scene.git("sparse-checkout", "set", "d")


def sparse_index(scene):
    """Only some folders are checked out, and the index knows the others as whole folders."""
    scene.git("sparse-checkout", "set", "--cone", "--sparse-index", "d")


def split_index(scene):
    """The index is in two files."""
    scene.git("update-index", "--split-index")


STATES = (staged_hunk, intent_to_add, unmerged, sparse, sparse_index, split_index)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.trap(11)
@pytest.mark.promise(1)
def test_the_index_stays_byte_for_byte(scene, state):
    """Around record, undo, redo, checkpoint, rollback and restore the user's `.git` stays as it is, stat and all."""
    scene.committed({"f": "one\n", "d/g": "two\n", "e/h": "three\n"})
    state(scene)
    git_dir = scene.root / ".git"
    before = fingerprint(git_dir)
    files = scene.files()

    checkpoint = scene.checkpoint()
    scene.write("d/g", "agent\n")
    scene.write("f", scene.read("f") + "agent\n" if (scene.root / "f").exists() else "agent\n")
    assert scene.record() == 1
    assert fingerprint(git_dir) == before
    for words in (("undo",), ("redo",), ("rollback", checkpoint), ("restore", checkpoint, "--path", "d/g")):
        ended = scene.tb(*words)
        assert ended.status == 0, (words, ended.err)
        assert fingerprint(git_dir) == before, words

    assert scene.files() == files
