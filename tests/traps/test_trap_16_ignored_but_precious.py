"""Trap 16: what git ignores, and nobody else keeps."""

import pytest


@pytest.mark.trap(16)
def test_an_overwritten_env_file_comes_back(scene):
    """`.env` is ignored by git and recorded all the same: what an agent did to it can be taken back."""
    scene.committed({"f": "one\n", ".gitignore": ".env\nnode_modules/\n"})
    scene.write(".env", "TOKEN=mine\n")
    scene.tb("status")
    scene.write(".env", "TOKEN=agent\n")

    assert scene.record() == 1
    assert scene.tb("undo").status == 0
    assert scene.read(".env") == "TOKEN=mine\n"


@pytest.mark.trap(16)
def test_dependencies_are_not_recorded(scene):
    """What is written in an ignored folder is no operation."""
    scene.committed({"f": "one\n", ".gitignore": "node_modules/\n"})
    scene.tb("status")
    scene.write("node_modules/x/index.js", "x\n")

    assert scene.record() is None


@pytest.mark.trap(16)
@pytest.mark.promise(9)
def test_ignored_content_never_goes_out(scene):
    """An export of a checkpoint that holds `.env` does not hold it, and its content is not in the repository."""
    scene.committed({"f": "one\n", ".gitignore": ".env\n"})
    scene.write(".env", "TOKEN=mine\n")
    scene.checkpoint()

    assert scene.tb("checkpoint", "export", "cp-1", "--branch", "tb").status == 0

    assert ".env" not in scene.git("ls-tree", "-r", "--name-only", "tb").split()
    secret = scene.git("hash-object", ".env").strip()
    assert secret not in scene.git("cat-file", "--batch-all-objects", "--batch-check")
