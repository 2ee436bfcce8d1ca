"""The user's repository is never written."""

import os
import shutil

import pytest

from scenes import fingerprint

QUESTIONS = (
    ("fsck", "--full"),
    ("status", "--porcelain=v2", "--branch"),
    ("stash", "list"),
    ("reflog", "--all"),
    ("for-each-ref",),
    ("config", "--list", "--local"),
    ("diff", "--cached"),
    ("worktree", "list", "--porcelain"),
)
"""What git is asked about a repository when it must be as it was."""


@pytest.fixture
def busy(scene):
    """A repository in the middle of work: staged, half staged, stashed, packed and loose, with hooks and a tag."""
    scene.committed({"f": "one\n", "g": "two\n", "h": "three\n"})
    scene.git("tag", "v1")
    scene.git("branch", "other")
    scene.git("gc", "-q")
    scene.write("g", "stashed\n")
    scene.git("stash")
    scene.write("f", "one\nstaged\n")
    scene.git("add", "f")
    scene.write("f", "one\nstaged\nnot staged\n")
    scene.write("new", "intended\n")
    scene.git("add", "-N", "new")
    for hook in ("pre-commit", "post-index-change", "reference-transaction", "fsmonitor-watchman"):
        path = scene.root / ".git" / "hooks" / hook
        path.write_text(f"#!/bin/sh\ntouch {scene.base}/hook-ran\n")
        path.chmod(0o755)
    scene.git("config", "core.fsmonitor", str(scene.root / ".git" / "hooks" / "fsmonitor-watchman"))
    return scene


def verbs(scene):
    """Every verb but export, each with something to do, as commands that are run one after the other."""
    yield lambda: scene.tb("status")
    yield lambda: scene.tb("checkpoint", "create", "-m", "start")
    scene.write("f", "one\nstaged\nnot staged\nagent\n")
    yield lambda: scene.tb("record", "--actor", "agent:a")
    yield lambda: scene.tb("turn", "begin", "--actor", "agent:b")
    scene.write("h", "three and more\n")
    os.remove(scene.root / "g")
    yield lambda: scene.tb("turn", "end")
    yield lambda: scene.process("run", "--", "sh", "-c", "echo made > made; rm h")
    yield lambda: scene.tb("log")
    yield lambda: scene.tb("show", "1")
    yield lambda: scene.tb("diff", "1..")
    yield lambda: scene.tb("undo", "--dry-run")
    yield lambda: scene.tb("undo")
    yield lambda: scene.tb("undo", "--op", "1")
    yield lambda: scene.tb("redo")
    yield lambda: scene.tb("keep")
    yield lambda: scene.tb("checkpoint", "create", "-m", "later")
    yield lambda: scene.tb("checkpoint", "rename", "cp-2", "renamed")
    yield lambda: scene.tb("checkpoint", "pin", "cp-2")
    yield lambda: scene.tb("checkpoint", "unpin", "cp-2")
    yield lambda: scene.tb("checkpoint", "list")
    yield lambda: scene.tb("checkpoint", "show", "cp-2")
    yield lambda: scene.tb("restore", "cp-1", "--path", "g")
    yield lambda: scene.tb("rollback", "cp-1")
    yield lambda: scene.tb("checkpoint", "delete", "cp-2")
    yield lambda: scene.tb("pause")
    yield lambda: scene.tb("resume")
    yield lambda: scene.tb("gc")
    yield lambda: scene.tb("gc", "--all")
    yield lambda: scene.tb("forget", "made")
    yield lambda: scene.tb("doctor")
    yield lambda: scene.tb("doctor", "--detach")


@pytest.mark.promise(1)
def test_no_verb_writes_in_the_repository(busy, tmp_path):
    """After each verb every file under `.git` has its bytes and its stat, and at the end git sees what it saw."""
    shutil.copytree(busy.base / "workspace", tmp_path / "untouched", symlinks=True)
    git_dir = busy.root / ".git"
    before = fingerprint(git_dir)
    for number, act in enumerate(verbs(busy)):
        ended = act()

        status = getattr(ended, "status", getattr(ended, "returncode", 0))
        assert status == 0, f"verb {number}: {ended}"
        assert fingerprint(git_dir) == before, f"verb {number}"

    assert not (busy.base / "hook-ran").exists()
    unmonitored = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
    for question in QUESTIONS:
        ours = busy.git(*unmonitored, *question)
        theirs = busy.git(*unmonitored, *question, at=tmp_path / "untouched")
        assert ours == theirs.replace(str(tmp_path / "untouched"), str(busy.root)), question


@pytest.mark.promise(1)
def test_export_writes_objects_and_one_branch(busy):
    """An export leaves every file under `.git` as it was and adds objects and the branch, and nothing else."""
    checkpoint = busy.checkpoint()
    git_dir = busy.root / ".git"
    before = fingerprint(git_dir)

    made = busy.tb("checkpoint", "export", checkpoint, "--branch", "tb/x")

    assert made.status == 0, made.err
    after = fingerprint(git_dir)
    files = {path for path, facts in before.items() if facts[0] is not None}
    assert {path: after.get(path) for path in files} == {path: before[path] for path in files}
    new = {
        os.path.relpath(path, git_dir) for path in after.keys() - before.keys() if after[path][0] is not None
    }
    assert {name for name in new if not name.startswith("objects/")} == {"refs/heads/tb/x"}
    assert not (busy.base / "hook-ran").exists()
