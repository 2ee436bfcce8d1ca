"""Creations, deletions and renames are taken back where nobody else holds the place, and carried along where it moved."""

import os

import pytest


def moved(scene, *steps, actor="agent:a"):
    """Renames, one after another, recorded as one operation; its id."""
    for source, target in steps:
        (scene.root / target).parent.mkdir(parents=True, exist_ok=True)
        os.replace(scene.root / source, scene.root / target)
    return scene.record(actor)


def two_files(scene):
    """Two files with content that tells them apart."""
    scene.write("a", "one\n")
    scene.write("b", "two\n")
    scene.tb("status")
    return scene.files()


RENAMES = {
    "rename over an existing file": [[("a", "b")]],
    "swap of two names": [[("a", "t"), ("b", "a"), ("t", "b")]],
    "swap step by step": [[("a", "t")], [("b", "a")], [("t", "b")]],
    "a chain": [[("a", "c")], [("c", "d/e")], [("d/e", "d/f")], [("d/f", "g")]],
    "a name taken over": [[("a", "c"), ("b", "a")]],
    "into a folder of its own name": [[("a", "t"), ("t", "a/a")]],
    "three in a circle": [[("a", "t"), ("b", "a"), ("t", "x/b")], [("x/b", "b")]],
}


@pytest.mark.parametrize("name", RENAMES)
@pytest.mark.promise(2)
@pytest.mark.promise(3)
def test_renames_are_undone_and_redone(scene, name):
    """Whatever was renamed onto whatever, undo brings each file back to its name, and redo to the other."""
    before = two_files(scene)
    for steps in RENAMES[name]:
        moved(scene, *steps)
    after, n = scene.files(), len(RENAMES[name])

    assert scene.cli("undo", str(n)).status == 0
    assert scene.files() == before
    assert scene.cli("redo").status == 0
    assert scene.files() == after


@pytest.mark.promise(2)
def test_an_edit_is_undone_where_the_file_is_now(scene):
    """An edit of a file that was renamed twice since is undone under the present name, and the name stays."""
    two_files(scene)
    scene.write("a", "one\nagent\n")
    op = scene.record("agent:a")
    moved(scene, ("a", "c"), actor="human")
    moved(scene, ("c", "d/e"), actor="human")

    undone = scene.tb("undo", "--op", str(op))

    assert [file["path"] for file in undone.json["files"]] == ["d/e"]
    assert scene.files().keys() == {"b", "d/e"}
    assert scene.read("d/e") == "one\n"


@pytest.mark.promise(2)
def test_a_rename_is_undone_with_what_was_written_since(scene):
    """A rename taken back keeps the edits that others made under the new name."""
    two_files(scene)
    op = moved(scene, ("a", "c"))
    scene.write("c", "one\nhuman\n")
    scene.record("human")

    assert scene.tb("undo", "--op", str(op)).status == 0

    assert scene.read("a") == "one\nhuman\n"
    assert not (scene.root / "c").exists()


def another_file(scene):
    """Somebody's file."""
    scene.write("a", "somebody's\n")


def a_large_file(scene):
    """Somebody's file that is too large to be captured."""
    scene.write("a", b"x" * (11 << 20))


def an_empty_folder(scene):
    """Somebody's folder, with nothing in it yet."""
    (scene.root / "a").mkdir()


def a_folder(scene):
    """Somebody's folder of files."""
    scene.write("a/x", "somebody's\n")


def a_folder_of_ignored_files(scene):
    """A folder in which nothing is recorded."""
    scene.write("a/x.o", "somebody's\n")


def a_link(scene):
    """Somebody's link."""
    (scene.root / "a").symlink_to("b")


@pytest.mark.parametrize("verb", ["rename", "deletion"])
@pytest.mark.parametrize(
    "taken", [another_file, a_large_file, an_empty_folder, a_folder, a_folder_of_ignored_files, a_link]
)
@pytest.mark.promise(2)
@pytest.mark.promise(4)
def test_a_place_that_somebody_else_took(scene, taken, verb):
    """Something else is where the file would come back: a conflict, whatever it is; nothing is moved, nothing lost."""
    scene.committed({".gitignore": "*.o\n"})
    two_files(scene)
    if verb == "rename":
        op = moved(scene, ("a", "c"))
    else:
        (scene.root / "a").unlink()
        op = scene.record()
    taken(scene)
    scene.record("human")
    before = scene.files()

    undone = scene.tb("undo", "--op", str(op))

    assert (undone.status, undone.json["outcome"]) in {(1, "conflict"), (3, "refused")}
    assert scene.files() == before
    assert (scene.root / "a").exists()
    assert scene.tb("doctor").json["well"]


@pytest.mark.promise(2)
def test_undo_of_a_creation_with_foreign_edits(scene):
    """A person wrote in the file that an agent created: keep-mine leaves their text, take-theirs removes the file."""
    two_files(scene)
    scene.write("new", "agent\n")
    op = str(scene.record("agent:a"))
    scene.write("new", "agent\nhuman\n")
    scene.record("human")

    assert scene.tb("undo", "--op", op).json["conflicts"][0]["what"] == "existence"
    kept = scene.tb("undo", "--op", op, "--on-conflict", "keep-mine")
    assert (kept.status, scene.read("new")) == (0, "human\n")
    assert scene.tb("undo", "--op", str(kept.json["operation"])).status == 0
    assert scene.read("new") == "agent\nhuman\n"
    assert scene.tb("undo", "--op", op, "--on-conflict", "take-theirs").status == 0
    assert not (scene.root / "new").exists()


@pytest.mark.promise(2)
def test_a_file_deleted_and_made_anew_by_the_same(scene):
    """Deleted, made anew, and both undone: the file is what it was; one by one too, from the last."""
    before = two_files(scene)
    (scene.root / "a").unlink()
    scene.record()
    scene.write("a", "anew\n")
    scene.record()

    assert scene.tb("undo").status == 0
    assert not (scene.root / "a").exists()
    assert scene.tb("undo").status == 0
    assert scene.files() == before
    assert scene.tb("redo", "2").status == 0
    assert scene.read("a") == "anew\n"
