"""Every taking back can be taken back: undo, redo, rollback and restore are operations, and history only grows."""

import pytest


def written(scene):
    """Three operations: an edit, a creation with a mode, and a deletion with a rename."""
    scene.write("a", "1\n2\n3\n")
    scene.write("b", "bee\n")
    scene.write("c", "sea\n")
    scene.tb("status")
    states = [scene.files()]
    scene.write("a", "1\nagent\n3\n")
    scene.record()
    states.append(scene.files())
    scene.write("new", "new\n")
    (scene.root / "new").chmod(0o755)
    scene.record()
    states.append(scene.files())
    (scene.root / "b").unlink()
    (scene.root / "c").rename(scene.root / "d")
    scene.record()
    states.append(scene.files())
    return states


@pytest.mark.promise(3)
def test_back_and_forth_through_all_of_history(scene):
    """One by one back to the beginning and one by one to the end, each step exact, by commands alone."""
    states = written(scene)

    for state in reversed(states[:-1]):
        assert scene.cli("undo").status == 0
        assert scene.files() == state
    assert scene.cli("undo").json["outcome"] == "nothing"
    for state in states[1:]:
        assert scene.cli("redo").status == 0
        assert scene.files() == state
    assert scene.cli("redo").json["outcome"] == "nothing"


@pytest.mark.promise(3)
@pytest.mark.parametrize("words", [("undo", "3"), ("rollback", "cp-1")])
def test_a_name_that_two_files_had_returns_to_the_first(scene, words):
    """Where one operation takes a file away and another back to its name, the name is known to hold the latter."""
    scene.write("c", "first\n")
    scene.checkpoint()
    (scene.root / "c").rename(scene.root / "d")
    scene.record()
    scene.write("c", "second\n")
    scene.record()
    scene.write("d", "first\nmore\n")
    scene.record()
    newest = scene.files()

    assert scene.tb(*words).status == 0
    assert scene.files() == {"c": (b"first\n", newest["c"][1])}
    assert scene.tb("log").json["operations"][0]["id"] == 4, "a look found what nobody wrote"
    assert scene.tb("undo").json["outcome"] == "nothing"
    assert scene.tb("redo").status == 0
    assert scene.files() == newest
    assert scene.tb("doctor").status == 0


@pytest.mark.parametrize("verb", ["undo", "redo", "rollback", "restore"])
@pytest.mark.promise(3)
def test_each_verb_is_an_operation_that_can_be_undone(scene, verb):
    """Whatever took back is an operation with an id, and undo of that id brings every byte back."""
    scene.write("a", "first\n")
    checkpoint = scene.checkpoint()
    written(scene)
    if verb == "redo":
        scene.tb("undo", "2")
    before = scene.files()
    words = {"rollback": (checkpoint,), "restore": (checkpoint, "--path", "a"), "undo": ("2",)}.get(verb, ())

    done = scene.tb(verb, *words)

    assert (done.status, done.json["outcome"]) == (0, "applied")
    assert scene.files() != before
    (operation,) = scene.tb("show", str(done.json["operation"])).json["operations"]
    assert (operation["kind"], operation["actor"]) == (verb, "takeback")
    assert scene.tb("undo", "--op", str(operation["id"])).status == 0
    assert scene.files() == before


@pytest.mark.promise(3)
def test_history_is_only_appended(scene):
    """What was recorded stays as it was recorded, whatever is undone: ids, actors, changes and times."""
    written(scene)

    def recorded():
        fixed = ("id", "kind", "actor", "label", "at", "changes", "inferred")
        found = scene.tb("log").json["operations"]
        return [{name: one[name] for name in fixed} for one in reversed(found)]

    before = recorded()
    for words in ("undo", "--op", "1"), ("undo",), ("redo",), ("undo", "--op", "4"):
        assert scene.tb(*words).status == 0
        now = recorded()
        assert now[: len(before)] == before
        assert len(now) == len(before) + 1
        before = now


@pytest.mark.promise(3)
def test_undone_by_ends_with_a_redo(scene):
    """`undone_by` names the undo, and nobody after a redo, whose `undoes` names the undo."""
    written(scene)
    undo = scene.tb("undo", "--op", "1").json["operation"]
    assert scene.tb("show", "1").json["operations"][0]["undone_by"] == undo

    redo = scene.tb("redo").json["operation"]

    assert scene.tb("show", "1").json["operations"][0]["undone_by"] is None
    assert scene.tb("show", str(redo)).json["operations"][0]["undoes"] == [undo]


@pytest.mark.promise(3)
def test_an_undo_of_an_undo_of_an_undo(scene):
    """However often an undo is undone in turn, the file is one of its two versions, in alternation."""
    states = written(scene)
    op = 3
    for number in range(6):
        op = scene.tb("undo", "--op", str(op)).json["operation"]
        assert scene.files() == states[2 if number % 2 == 0 else 3]


@pytest.mark.promise(3)
@pytest.mark.parametrize("other", ["link", "bytes"])
def test_a_creation_is_taken_back_with_what_it_became(scene, other):
    """A text file that became a link, or bytes without lines, is taken back to nothing by undoing both operations."""
    scene.write("f", "one\n")
    scene.tb("status")
    scene.write("b", "text\n")
    scene.record()
    if other == "link":
        (scene.root / "b").unlink()
        (scene.root / "b").symlink_to("nowhere")
    else:
        scene.write("b", b"\0bytes")
    scene.record()

    assert scene.tb("undo", "2").json["outcome"] == "applied"
    assert list(scene.files()) == ["f"]
