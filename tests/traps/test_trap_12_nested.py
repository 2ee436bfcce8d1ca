"""Trap 12: repositories inside the workspace, and a workspace inside a repository."""

import pytest

from scenes import fingerprint, tree


def nested(scene):
    """A repository that the outer one does not know."""
    inner = scene.root / "inner"
    inner.mkdir()
    scene.git("init", "-q", "-b", "main", at=inner)
    scene.write("inner/f", "one\n")
    scene.git("add", "-A", at=inner)
    scene.git("commit", "-qm", "inner", at=inner)


def submodule(scene):
    """A submodule."""
    origin = scene.base / "origin"
    origin.mkdir()
    scene.git("init", "-q", "-b", "main", at=origin)
    (origin / "f").write_text("one\n")
    scene.git("add", "-A", at=origin)
    scene.git("commit", "-qm", "inner", at=origin)
    scene.git("submodule", "add", "-q", str(origin), "inner")


def worktree(scene):
    """A second worktree of the same repository, inside the first."""
    scene.git("worktree", "add", "-q", "inner")


@pytest.mark.parametrize("kind", [nested, submodule, worktree])
@pytest.mark.trap(12)
def test_files_of_repositories_inside_are_recorded_and_undone(scene, kind):
    """A file in a nested repository, a submodule or a worktree is recorded, undone and rolled back like any other."""
    scene.committed()
    kind(scene)
    checkpoint = scene.checkpoint()
    before, git_dir = scene.files(), fingerprint(scene.root / ".git")
    scene.write("inner/f", "agent\n")
    scene.write("inner/new", "agent\n")

    op = scene.record()

    changes = scene.tb("show", str(op)).json["operations"][0]["changes"]
    assert {change["path"] for change in changes} == {"inner/f", "inner/new"}
    assert scene.tb("undo").status == 0
    assert scene.files() == before
    assert scene.tb("redo").status == 0
    assert scene.tb("rollback", checkpoint).status == 0
    assert scene.files() == before
    assert fingerprint(scene.root / ".git") == git_dir


@pytest.mark.trap(12)
def test_siblings_of_a_subfolder_are_never_touched(scene):
    """A workspace that is a subfolder of a repository records and takes back its own files, and no others."""
    scene.committed({"part/f": "one\n", "sibling/g": "two\n"})
    part = scene.root / "part"
    scene.tb("status", at=part)
    (part / "f").write_text("agent\n")
    scene.write("sibling/g", "agent\n")
    siblings = fingerprint(scene.root / "sibling")

    assert scene.tb("record", at=part).json["operation"]["changes"][0]["path"] == "f"
    assert scene.tb("undo", at=part).status == 0

    assert tree(part)["f"][0] == b"one\n"
    assert fingerprint(scene.root / "sibling") == siblings
