"""Trap 10: somebody holds the repository's lock, or git is set up so that it would fail or ask."""

import pytest

from scenes import fingerprint


def index_lock(scene):
    """Another git holds the index."""
    (scene.root / ".git" / "index.lock").touch()


def rebase(scene):
    """A rebase stopped at a conflict."""
    scene.git("checkout", "-qb", "side")
    scene.write("f", "side\n")
    scene.git("commit", "-qam", "side")
    scene.git("checkout", "-q", "main")
    scene.write("f", "main\n")
    scene.git("commit", "-qam", "main")
    scene.git("rebase", "side", check=False)
    assert (scene.root / ".git" / "rebase-merge").exists()


def signing(scene):
    """Every commit must be signed, with a program that fails."""
    scene.git("config", "commit.gpgSign", "true")
    scene.git("config", "gpg.program", "false")


def hooks(scene):
    """Every hook fails."""
    for hook in ("pre-commit", "commit-msg", "post-index-change", "reference-transaction", "post-checkout"):
        path = scene.root / ".git" / "hooks" / hook
        path.write_text("#!/bin/sh\nexit 1\n")
        path.chmod(0o755)


def broken_index(scene):
    """The index is being rewritten: at this moment it is half there."""
    index = scene.root / ".git" / "index"
    index.write_bytes(index.read_bytes()[:40])


def nothing(_scene):
    """Nothing is odd: no user.name is set in any of these."""


@pytest.mark.parametrize("trouble", [index_lock, rebase, signing, hooks, broken_index, nothing])
@pytest.mark.parametrize("when", ["before the baseline", "after it"])
@pytest.mark.trap(10)
def test_recording_and_undo_work_all_the_same(scene, trouble, when):
    """An operation is recorded and taken back, a checkpoint made and returned to, and nothing in `.git` changes."""
    scene.committed({"f": "one\n", "g": "two\n"})
    if when == "after it":
        scene.tb("status")
    trouble(scene)
    scene.tb("record")
    git_dir = fingerprint(scene.root / ".git")
    before = scene.files()
    checkpoint = scene.checkpoint()
    scene.write("g", "agent\n")
    scene.write("new", "agent\n")
    op = scene.record()

    assert op is not None
    assert scene.tb("undo").status == 0
    assert scene.files() == before
    assert scene.tb("redo").status == 0
    assert scene.tb("rollback", checkpoint).status == 0
    assert scene.files() == before
    assert fingerprint(scene.root / ".git") == git_dir


@pytest.mark.trap(10)
def test_git_variables_of_a_hook_mean_nothing(scene):
    """With GIT_DIR, GIT_WORK_TREE and GIT_INDEX_FILE of another repository set, this workspace is recorded."""
    scene.committed()
    other = scene.base / "other"
    other.mkdir()
    scene.git("init", "-q", at=other)
    env = {
        "GIT_DIR": str(other / ".git"),
        "GIT_WORK_TREE": str(other),
        "GIT_INDEX_FILE": str(other / "index"),
        "GIT_CEILING_DIRECTORIES": "/",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.bare",
        "GIT_CONFIG_VALUE_0": "true",
    }
    before = fingerprint(other)
    assert scene.process("status", env=env).returncode == 0
    scene.write("f", "agent\n")

    assert scene.process("record", env=env).returncode == 0
    assert scene.process("undo", env=env).returncode == 0
    assert scene.process("checkpoint", "create", env=env).returncode == 0
    assert scene.process("checkpoint", "export", "cp-1", "--branch", "tb", env=env).returncode == 0

    assert scene.read("f") == "one\n"
    assert "tb" in scene.git("branch")
    assert fingerprint(other) == before
