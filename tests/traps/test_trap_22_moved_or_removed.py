"""Trap 22: the workspace was moved, or removed and made anew."""

import os
import shutil

import pytest


@pytest.fixture
def worked(scene):
    """A workspace with a checkpoint and an operation after it."""
    scene.committed({"f": "one\n", "d/g": "two\n", ".gitignore": ".env\n"})
    scene.write(".env", "TOKEN\n")
    scene.checkpoint()
    scene.write("f", "agent\n")
    scene.record()
    return scene


@pytest.mark.trap(22)
def test_a_moved_workspace_finds_its_history(worked):
    """`doctor` in the new folder names the history that fits, and `--adopt` brings it over, all of it."""
    moved = worked.base / "elsewhere"
    os.rename(worked.root, moved)

    told = worked.tb("doctor", at=moved)
    assert told.status == 0
    (hint,) = [one["text"] for one in told.json["findings"] if "--adopt" in one["text"]]
    assert f"--adopt {worked.root}" in hint
    adopted = worked.tb("doctor", "--adopt", str(worked.root), at=moved)

    assert adopted.status == 0, adopted.err
    assert [one["id"] for one in worked.tb("log", at=moved).json["operations"]] == [1]
    assert worked.tb("undo", at=moved).status == 0
    assert (moved / "f").read_text() == "one\n"
    assert len(list(worked.states.iterdir())) == 1


@pytest.mark.trap(22)
def test_an_empty_new_history_is_no_obstacle(worked):
    """A command that was run in the new folder before `doctor` began a history: while it is empty, it makes way."""
    moved = worked.base / "elsewhere"
    os.rename(worked.root, moved)
    assert worked.tb("status", at=moved).status == 0

    assert any("--adopt" in one["text"] for one in worked.tb("doctor", at=moved).json["findings"])
    assert worked.tb("doctor", "--adopt", str(worked.root), at=moved).status == 0
    assert worked.tb("log", at=moved).json["operations"][0]["id"] == 1


@pytest.mark.trap(22)
def test_a_copy_does_not_take_the_history(worked):
    """While the old folder is there, its history is its own."""
    copy = worked.base / "copy"
    shutil.copytree(worked.root, copy, symlinks=True)

    assert worked.tb("doctor", "--adopt", str(worked.root), at=copy).code == "refused"
    assert worked.tb("log").json["operations"][0]["id"] == 1


@pytest.mark.trap(22)
def test_two_histories_do_not_become_one(worked):
    """A folder in which something was recorded already keeps its own history."""
    moved = worked.base / "elsewhere"
    os.rename(worked.root, moved)
    worked.tb("status", at=moved)
    (moved / "f").write_text("new\n")
    worked.tb("record", at=moved)

    assert worked.tb("doctor", "--adopt", str(worked.root), at=moved).code == "refused"


@pytest.mark.trap(22)
def test_an_unknown_folder_is_not_found(worked):
    """Only what has a history can be adopted."""
    assert worked.tb("doctor", "--adopt", "/nowhere/at/all").code == "not_found"


@pytest.mark.trap(22)
@pytest.mark.promise(7)
def test_a_removed_workspace_comes_back(worked):
    """After `rm -rf` of the whole workspace, `.git` and all, a folder made anew there gets every file back."""
    assert worked.tb("rollback", "cp-1").status == 0
    before = worked.files()
    shutil.rmtree(worked.root)
    worked.root.mkdir()

    rolled = worked.tb("rollback", "cp-1")

    assert rolled.status == 0, rolled.err
    assert worked.files() == before
    assert not (worked.root / ".git").exists()
