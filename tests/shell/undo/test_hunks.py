"""One hunk of an operation is taken back, and the rest of it stays."""

from __future__ import annotations

import pytest

from scenes import make_scene

LINES = [f"line {number}\n" for number in range(1, 31)]
TEXT = "".join(LINES)
AGENTS = (
    TEXT.replace("line 3\n", "agent 3\n").replace("line 15\n", "").replace("line 27\n", "line 27\nagent 27\n")
)


@pytest.fixture
def scene(tmp_path):
    """An agent changed line 3, removed line 15 and added one after line 27: operation 1, of three hunks."""
    made = make_scene(tmp_path)
    made.committed({"a.txt": TEXT, "b.txt": TEXT})
    made.tb("init")
    made.write("a.txt", AGENTS)
    assert made.record() == 1
    return made


def take_back(scene, number, *more, op=1, path="a.txt"):
    """What becomes of one hunk."""
    return scene.tb("undo", "--op", str(op), "--path", path, "--hunk", str(number), *more)


def standing(scene, op=1):
    """How much of an operation stands."""
    return scene.tb("show", str(op)).json["operations"][0]["standing"]


def test_one_hunk_goes_and_the_others_stay(scene):
    """The middle hunk is taken back: its lines return, and the operation stands in part."""
    answer = take_back(scene, 2)
    assert (answer.status, answer.json["outcome"], answer.json["undone"]) == (0, "applied", [1])
    assert scene.read("a.txt") == TEXT.replace("line 3\n", "agent 3\n").replace(
        "line 27\n", "line 27\nagent 27\n"
    )
    assert standing(scene) == "part"


def test_what_is_taken_back_is_an_operation_like_any_other(scene):
    """It says what it took back, is redone, and is taken back by its own number."""
    answer = take_back(scene, 2)
    (made,) = scene.tb("show", str(answer.json["operation"])).json["operations"]
    assert (made["kind"], made["undoes"], made["label"]) == ("undo", [1], "hunk 2 of operation 1")
    assert scene.tb("show", "1").json["operations"][0]["undone_by"] == made["id"]
    assert scene.tb("redo").json["outcome"] == "applied"
    assert (scene.read("a.txt"), standing(scene)) == (AGENTS, "all")
    assert take_back(scene, 2).status == 0
    last = scene.tb("log", "-n", "1").json["operations"][0]["id"]
    assert scene.tb("undo", "--op", str(last)).json["outcome"] == "applied"
    assert (scene.read("a.txt"), standing(scene)) == (AGENTS, "all")


def test_the_rest_is_taken_back_as_a_whole(scene):
    """After a hunk, the operation is undone as any other; a redo of that leaves the hunk taken back."""
    take_back(scene, 1)
    without = scene.read("a.txt")
    assert scene.tb("undo").json["undone"] == [1]
    assert (scene.read("a.txt"), standing(scene)) == (TEXT, "none")
    assert scene.tb("redo").json["outcome"] == "applied"
    assert (scene.read("a.txt"), standing(scene)) == (without, "part")


def test_hunk_by_hunk_nothing_of_it_is_left(scene):
    """When the last hunk is taken back, the operation no longer stands, so the last undo counts it no more."""
    for number in (2, 3, 1):
        assert take_back(scene, number).json["outcome"] == "applied"
    assert (scene.read("a.txt"), standing(scene)) == (TEXT, "none")
    assert scene.tb("undo").json["outcome"] == "nothing"
    for _ in range(3):
        assert scene.tb("redo").json["outcome"] == "applied"
    assert (scene.read("a.txt"), standing(scene)) == (AGENTS, "all")


@pytest.mark.promise(3)
@pytest.mark.parametrize("verb", ["redo", "undo"])
@pytest.mark.parametrize("order", [(2, 3, 4), (2, 4, 3), (3, 4, 2), (4, 2, 3)])
def test_hunks_come_back_in_any_order(scene, verb, order):
    """After all hunks were taken back one by one, each comes back when its own undo is taken back, and no other."""
    undone = {2: ("agent 3\n", "line 3\n"), 4: ("line 27\nagent 27\n", "line 27\n")}
    for number in (1, 2, 3):
        take_back(scene, number)
    expected = TEXT
    for op in order:
        assert scene.tb(verb, "--op", str(op)).json["outcome"] == "applied"
        new, old = undone.get(op, ("line 14\n", "line 14\nline 15\n"))
        expected = expected.replace(old, new)
        assert scene.read("a.txt") == expected
    assert (scene.read("a.txt"), standing(scene)) == (AGENTS, "all")


@pytest.mark.promise(3)
def test_a_hunk_that_came_back_goes_again(scene):
    """The redo of one hunk is taken back by its own number, and redone: the others stay taken back all the while."""
    for number in (1, 2, 3):
        take_back(scene, number)
    alone = TEXT.replace("line 3\n", "agent 3\n")
    redo = scene.tb("redo", "--op", "2").json["operation"]
    assert (scene.read("a.txt"), standing(scene)) == (alone, "part")
    undo = scene.tb("undo", "--op", str(redo)).json["operation"]
    assert (scene.read("a.txt"), standing(scene)) == (TEXT, "none")
    assert scene.tb("redo", "--op", str(undo)).json["outcome"] == "applied"
    assert (scene.read("a.txt"), standing(scene)) == (alone, "part")
    assert take_back(scene, 1).json["outcome"] == "applied"
    assert (scene.read("a.txt"), standing(scene)) == (TEXT, "none")


@pytest.mark.promise(3)
@pytest.mark.parametrize("numbers", [(2,), (2, 1), (1, 2, 3)])
def test_an_operation_comes_back_with_all_its_hunks(scene, numbers):
    """Brought back by its own number, an operation stands in full, however its hunks were taken back."""
    for number in numbers:
        take_back(scene, number)
    assert scene.tb("redo", "--op", "1").json["outcome"] == "applied"
    assert (scene.read("a.txt"), standing(scene)) == (AGENTS, "all")


def test_a_hunk_that_is_taken_back_already_is_nothing_to_do(scene):
    """Asked twice, the second answer says that there is nothing to do, and nothing is recorded."""
    take_back(scene, 2)
    again = take_back(scene, 2)
    assert (again.status, again.json["outcome"], again.json["operation"]) == (0, "nothing", None)


def test_what_others_wrote_around_it_stays(scene):
    """A human's edits beside the hunk and in other hunks' neighbourhood stay where they are."""
    scene.write("a.txt", AGENTS.replace("line 14\n", "line 14\nhuman\n").replace("line 4\n", "human 4\n"))
    scene.record("human")
    assert take_back(scene, 1).json["outcome"] == "applied"
    assert scene.read("a.txt") == AGENTS.replace("line 14\n", "line 14\nhuman\n").replace(
        "line 4\n", "human 4\n"
    ).replace("agent 3\n", "line 3\n")


def test_a_rewritten_hunk_is_a_conflict_of_that_hunk_alone(scene):
    """Somebody rewrote the lines of one hunk: that one cannot be taken back alone, the others can."""
    scene.write("a.txt", AGENTS.replace("agent 3\n", "human 3\n"))
    scene.record("human")
    answer = take_back(scene, 1)
    assert (answer.status, answer.json["outcome"]) == (1, "conflict")
    others, hunk = answer.json["hint"].split(" && ")
    assert others.endswith(" --op 2")
    assert hunk.endswith(" --op 1 --path a.txt --hunk 1")
    assert take_back(scene, 2).json["outcome"] == "applied"
    assert take_back(scene, 1, "--on-conflict", "take-theirs").json["outcome"] == "applied"
    assert "line 3\n" in scene.read("a.txt")


def test_an_undo_that_needs_a_fallen_hunk_back_meets_no_conflict(scene):
    """What a hunk had in its way is gone with it: an older operation below it is taken back cleanly."""
    scene.write("b.txt", TEXT.replace("line 9\n", "first\n").replace("line 20\n", "other\n"))
    scene.record("agent:b")
    scene.write("b.txt", scene.read("b.txt").replace("first\n", "second\n").replace("line 25\n", "x\n"))
    scene.record("agent:c")
    assert scene.tb("undo", "--op", "2").json["outcome"] == "conflict"
    assert take_back(scene, 1, op=3, path="b.txt").json["outcome"] == "applied"
    assert scene.tb("undo", "--op", "2").json["outcome"] == "applied"
    assert scene.read("b.txt") == TEXT.replace("line 25\n", "x\n")


def test_the_final_newline_goes_with_the_hunk_at_the_end(scene):
    """A hunk that took away the last newline brings it back; another hunk leaves it as it is."""
    scene.write("b.txt", TEXT.replace("line 2\n", "x\n").removesuffix("line 30\n") + "end")
    scene.record()
    assert take_back(scene, 1, op=2, path="b.txt").json["outcome"] == "applied"
    assert scene.read("b.txt").endswith("line 29\nend")
    assert take_back(scene, 2, op=2, path="b.txt").json["outcome"] == "applied"
    assert scene.read("b.txt") == TEXT


def test_a_rollback_behind_a_hunk_and_back_again(scene):
    """A rollback to before the hunk was taken back lets it stand again, and its undo lets it fall again."""
    before = scene.checkpoint()
    take_back(scene, 2)
    without = scene.read("a.txt")
    assert scene.tb("rollback", before).json["outcome"] == "applied"
    assert (scene.read("a.txt"), standing(scene)) == (AGENTS, "all")
    assert scene.tb("undo", "--op", str(scene.tb("log", "-n", "1").json["operations"][0]["id"])).status == 0
    assert (scene.read("a.txt"), standing(scene)) == (without, "part")


def test_show_lists_the_hunks(scene):
    """Each change of `show` names its hunks: the first line, how many went and came, and whether it stands."""
    take_back(scene, 2)
    (change,) = scene.tb("show", "1").json["operations"][0]["changes"]
    assert change["hunks"] == [
        {"number": 1, "start": 3, "removed": 1, "inserted": 1, "stands": True},
        {"number": 2, "start": 15, "removed": 1, "inserted": 0, "stands": False},
        {"number": 3, "start": 28, "removed": 0, "inserted": 1, "stands": True},
    ]


def test_the_history_is_the_same_after_a_rebuild(scene):
    """Which hunks stand is in the records: a journal that is made anew from its second copy knows it."""
    take_back(scene, 2)
    without = scene.read("a.txt")
    for name in ("journal.db", "journal.db-wal", "journal.db-shm"):
        (scene.state / name).unlink(missing_ok=True)
    assert scene.tb("doctor").status == 0
    assert standing(scene) == "part"
    assert scene.tb("redo").json["outcome"] == "applied"
    assert scene.read("a.txt") == AGENTS
    assert take_back(scene, 2).json["outcome"] == "applied"
    assert scene.read("a.txt") == without


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--op", "1", "--path", "a.txt", "--hunk", "4"), "operation 1 has 3 hunks in a.txt, and no hunk 4"),
        (("--op", "1", "--path", "b.txt", "--hunk", "1"), "operation 1 changed nothing there"),
        (("--hunk", "1"), "a hunk is of one operation"),
        (("--op", "2", "--hunk", "1"), "operation 2 changed 2 files there"),
        (("--op", "3", "--hunk", "1"), "operation 3 has 0 hunks in new.txt"),
    ],
)
def test_a_hunk_that_does_not_exist_is_an_error(scene, words, message):
    """A wrong number, file or operation says what is there instead, and nothing is written."""
    scene.write("a.txt", AGENTS.replace("line 8\n", "more\n"))
    scene.write("b.txt", TEXT.replace("line 8\n", "more\n"))
    scene.record()
    scene.write("new.txt", "new\n")
    scene.record()
    before = scene.files()
    answer = scene.tb("undo", *words)
    assert answer.status == 2
    assert message in answer.json["error"]["message"]
    assert answer.json["error"]["hint"]
    assert scene.files() == before
