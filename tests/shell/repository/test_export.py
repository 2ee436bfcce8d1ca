"""A checkpoint becomes a commit on a new branch."""

import os

import pytest

from scenes import fingerprint


def exported(scene, branch="tb", checkpoint="cp-1"):
    """The answer of an export."""
    return scene.tb("checkpoint", "export", checkpoint, "--branch", branch)


def test_the_commit_holds_what_git_would_track(scene):
    """The branch holds every file of the checkpoint with its mode, and no ignored one."""
    scene.committed({"f": "one\n", "gone": "x\n", ".gitignore": ".env\n*.log\n"})
    scene.write("f", "two\n")
    os.remove(scene.root / "gone")
    scene.write("tool", "#!/bin/sh\n")
    (scene.root / "tool").chmod(0o755)
    os.symlink("f", scene.root / "link")
    scene.write(".env", "SECRET=1\n")
    scene.checkpoint("work")
    scene.write("f", "later\n")

    made = exported(scene)

    assert made.status == 0, made.err
    listed = scene.git("ls-tree", "-r", "tb").split("\n")
    modes = {line.split("\t")[1]: line.split(" ")[0] for line in listed if line}
    assert modes == {".gitignore": "100644", "f": "100644", "link": "120000", "tool": "100755"}
    assert scene.git("show", "tb:f") == "two\n"
    assert (
        scene.git("log", "-1", "--format=%s %P", "tb").strip()
        == "work " + scene.git("rev-parse", "main").strip()
    )
    assert scene.git("reflog", "show", "tb") == ""


def test_it_goes_through_the_clean_filters(scene):
    """What a filter or a line-ending rule makes of a file is what is committed."""
    scene.committed({"f": "one\n"})
    scene.git("config", "filter.up.clean", "tr a-z A-Z")
    scene.write(".gitattributes", "*.up filter=up\n*.txt text\n")
    scene.write("a.up", "loud\n")
    scene.write("b.txt", b"x\r\ny\r\n")
    scene.checkpoint()

    assert exported(scene).status == 0
    assert scene.git("cat-file", "blob", "tb:a.up") == "LOUD\n"
    assert scene.git("cat-file", "-s", "tb:b.txt").strip() == "4"


def test_gitlinks_stay(scene):
    """A submodule stays the commit that it was, and its files are no files of the outer repository."""
    inner = scene.base / "inner"
    inner.mkdir()
    scene.git("init", "-q", at=inner)
    scene.git("commit", "-q", "--allow-empty", "-m", "x", at=inner)
    scene.committed()
    scene.git("submodule", "add", "-q", str(inner), "sub")
    scene.git("commit", "-qm", "sub")
    scene.write("sub/file", "in the submodule\n")
    scene.checkpoint()

    made = exported(scene)

    assert made.json["left_out"] == ["sub/file"]
    assert scene.git("rev-parse", "tb:sub") == scene.git("rev-parse", "main:sub")


def test_a_subfolder_keeps_the_rest_of_the_tree(scene):
    """For a workspace that is a subfolder of a repository, what lies outside is what HEAD has."""
    scene.committed({"outside": "o\n", "part/f": "one\n"})
    scene.write("outside", "changed\n")
    scene.write("part/f", "two\n")
    part = scene.root / "part"
    scene.tb("checkpoint", "create", at=part)

    made = scene.tb("checkpoint", "export", "cp-1", "--branch", "tb", at=part)

    assert made.status == 0, made.err
    assert scene.git("show", "tb:part/f") == "two\n"
    assert scene.git("show", "tb:outside") == "o\n"


def test_no_identity_is_needed(scene):
    """Without user.name the commit is Takeback's; with it, the user's."""
    scene.committed()
    scene.checkpoint()
    assert exported(scene, "one").status == 0
    scene.git("config", "user.name", "Ann")
    scene.git("config", "user.email", "ann@example.com")
    assert exported(scene, "two").status == 0

    assert scene.git("log", "-1", "--format=%an <%ae>", "one").strip() == "takeback <takeback@localhost>"
    assert scene.git("log", "-1", "--format=%an <%ae>", "two").strip() == "Ann <ann@example.com>"


def test_a_first_commit_can_be_an_export(scene):
    """In a repository without a commit, the export is one without parents."""
    scene.git("init", "-q", "-b", "main")
    scene.write("f", "one\n")
    scene.checkpoint()

    assert exported(scene).json["parent"] is None
    assert scene.git("ls-tree", "--name-only", "tb").split() == ["f"]


@pytest.mark.parametrize(
    ("branch", "status"),
    [("main", 3), ("main/x", 3), ("a..b", 2), ("-x", 2), ("HEAD", 2), ("", 2), ("a\nb", 2)],
)
def test_an_existing_or_invalid_name_is_refused(scene, branch, status):
    """Export makes a new branch or nothing at all."""
    scene.committed()
    scene.checkpoint()
    before = scene.git("for-each-ref")

    assert exported(scene, branch).status == status
    assert scene.git("for-each-ref") == before


def test_there_must_be_a_repository(scene):
    """A workspace that is in no repository has nowhere to export to."""
    scene.write("f", "one\n")
    scene.checkpoint()

    assert exported(scene).code == "refused"


def test_it_works_in_the_middle_of_a_merge(scene):
    """An unmerged index is neither read nor written."""
    scene.committed()
    scene.git("checkout", "-qb", "side")
    scene.write("f", "side\n")
    scene.git("commit", "-qam", "side")
    scene.git("checkout", "-q", "main")
    scene.write("f", "main\n")
    scene.git("commit", "-qam", "main")
    scene.git("merge", "side", check=False)
    scene.checkpoint()
    before = fingerprint(scene.root / ".git")

    assert exported(scene).status == 0
    index = str(scene.root / ".git" / "index")
    assert fingerprint(scene.root / ".git")[index] == before[index]
    assert scene.git("show", "tb:f") == scene.read("f")
