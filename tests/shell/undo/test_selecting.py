"""Which operations are taken back: the last N, some by id, a turn, since a moment; narrowed by actor and path."""

import pytest


def written(scene, *actors, name="{}"):
    """Each actor writes a file of its own, one operation after another."""
    for number, actor in enumerate(actors, start=1):
        scene.write(name.format(f"f{number}"), f"{actor}\n")
        scene.record(actor)


def check(answer, undone, left, scene):
    """These operations were undone, and these files are left."""
    assert answer.status == 0, answer
    assert sorted(answer.json["undone"]) == undone
    assert sorted(scene.files()) == left


def test_n_counts_what_stands(scene):
    """`undo` twice goes two back, and undos are not counted."""
    scene.tb("status")
    written(scene, "agent:a", "agent:a", "agent:a")

    check(scene.tb("undo"), [3], ["f1", "f2"], scene)
    check(scene.tb("undo"), [2], ["f1"], scene)
    check(scene.tb("redo"), [5], ["f1", "f2"], scene)
    check(scene.tb("undo", "2"), [1, 2], [], scene)


def test_n_is_counted_after_narrowing(scene):
    """With an actor or path the last N of those are taken."""
    scene.tb("status")
    written(scene, "agent:a", "agent:b", "agent:a", "agent:b")

    check(scene.tb("undo", "2", "--actor", "agent:a"), [1, 3], ["f2", "f4"], scene)
    check(scene.tb("undo", "--path", "f2"), [2], ["f4"], scene)


def test_git_is_passed_over_by_name(scene):
    """What git wrote is not counted and is named; by its id it is undone."""
    scene.committed({"f": "one\n"})
    scene.write("f", "two\n")
    scene.git("commit", "-qam", "two")
    scene.tb("status")
    scene.write("mine", "mine\n")
    scene.record("human")
    scene.git("checkout", "-q", "HEAD~1")
    scene.tb("status")

    undone = scene.tb("undo")
    assert undone.json["undone"] == [1]
    assert [one["operation"] for one in undone.json["passed"]] == [2]
    assert "git" in undone.json["passed"][0]["why"]
    assert scene.read("f") == "one\n"
    assert scene.tb("undo", "--op", "2").status == 0
    assert scene.read("f") == "two\n"


@pytest.mark.parametrize("moment", ["operation", "checkpoint", "turn", "time", "ago"])
def test_since(scene, moment):
    """`--since` takes an operation, a checkpoint, a turn or a time, and means after it, itself excluded."""
    scene.tb("status")
    written(scene, "agent:a", "agent:a")
    words = {"operation": "2", "checkpoint": scene.checkpoint(), "ago": "1w"}
    turn = scene.tb("turn", "begin", "--actor", "agent:b").json["turn"]
    words |= {"turn": turn["id"], "time": turn["began"]}
    scene.tb("turn", "end")
    written(scene, "agent:c", "agent:d", name="later-{}")

    expected = ([1, 2, 3, 4], []) if moment == "ago" else ([3, 4], ["f1", "f2"])
    check(scene.tb("undo", "--since", words[moment]), *expected, scene)


def test_a_turn_leaves_inferred_writes_out_and_lists_them(scene):
    """What was put down to a turn from time alone is left out of its undo, listed, and included when asked for."""
    scene.tb("status")
    turn = scene.tb("turn", "begin", "--actor", "agent:a").json["turn"]["id"]
    written(scene, "agent:a")
    scene.write("perhaps-human", "saved in another editor\n")
    scene.tb("status")
    scene.tb("turn", "end")

    undone = scene.tb("undo", "--turn", turn)
    check(undone, [1], ["perhaps-human"], scene)
    assert [one["operation"] for one in undone.json["passed"]] == [2]
    check(scene.tb("undo", "--turn", turn, "--inferred"), [2], [], scene)


def test_with_a_path_an_operation_is_undone_there_only(scene):
    """Elsewhere it stays, and stands in part; the rest of it is undone by the next."""
    scene.write("src/f", "one\n")
    scene.write("doc/f", "one\n")
    scene.tb("status")
    scene.write("src/f", "agent\n")
    scene.write("doc/f", "agent\n")
    op = scene.record()

    assert scene.tb("undo", "--path", "src").status == 0
    assert (scene.read("src/f"), scene.read("doc/f")) == ("one\n", "agent\n")
    assert scene.tb("show", str(op)).json["operations"][0]["standing"] == "part"
    assert scene.tb("undo").json["undone"] == [op]
    assert scene.read("doc/f") == "one\n"
    assert scene.tb("show", str(op)).json["operations"][0]["standing"] == "none"


def test_a_rollback_of_one_actor_keeps_what_others_wrote(scene):
    """With an actor, or a path, a rollback takes back that alone; without, everything since the checkpoint."""
    scene.write("f", "1\n2\n3\n")
    checkpoint = scene.checkpoint()
    scene.write("f", "A\n2\n3\n")
    scene.write("a", "agent\n")
    scene.record("agent:a")
    scene.write("f", "A\n2\nH\n")
    scene.write("h", "human\n")
    scene.record("human")

    assert scene.tb("rollback", checkpoint, "--actor", "agent:a").status == 0
    assert (scene.read("f"), sorted(scene.files())) == ("1\n2\nH\n", ["f", "h"])
    assert scene.tb("rollback", checkpoint, "--path", "h").status == 0
    assert (scene.read("f"), sorted(scene.files())) == ("1\n2\nH\n", ["f"])
    assert scene.tb("rollback", checkpoint).status == 0
    assert scene.read("f") == "1\n2\n3\n"
    assert scene.tb("undo", "--op", "5").status == 0
    assert scene.read("f") == "1\n2\nH\n"


def test_a_restore_is_an_operation_of_its_own(scene):
    """`restore` puts paths back to a checkpoint's content, others stay; it is counted and undone like an edit."""
    scene.write("d/f", "one\n")
    scene.write("g", "one\n")
    checkpoint = scene.checkpoint()
    scene.write("d/f", "agent\n")
    scene.write("d/new", "agent\n")
    scene.write("g", "agent\n")
    scene.record()
    after = scene.files()

    restored = scene.tb("restore", checkpoint, "--path", "d")
    assert (restored.status, restored.json["outcome"]) == (0, "applied")
    assert (scene.read("d/f"), scene.read("g"), sorted(scene.files())) == ("one\n", "agent\n", ["d/f", "g"])
    assert scene.tb("undo").json["undone"] == [restored.json["operation"]]
    assert scene.files() == after


@pytest.fixture
def second_thoughts(scene):
    """An agent changes a file, says it was wrong and puts it back by hand, in one turn; its id."""
    scene.write("f", "1\n2\n3\n")
    scene.write("g", "one\n")
    scene.tb("status")
    scene.write("g", "human\n")
    scene.record("human")
    turn = scene.tb("turn", "begin", "--actor", "agent:a").json["turn"]["id"]
    for line in "A", "2":
        scene.write("f", f"1\n{line}\n3\n")
        scene.record("agent:a")
    scene.tb("turn", "end")
    return turn


@pytest.mark.promise(2)
@pytest.mark.parametrize(
    ("words", "undone"),
    [
        (("--turn", "turn-1"), [2, 3]),
        (("--since", "1"), [2, 3]),
        (("--actor", "agent:a", "2"), [2, 3]),
        (("2",), [2, 3]),
        (("3",), [1, 2, 3]),
        (("--op", "2", "--op", "3"), [2, 3]),
        (("--op", "3", "--op", "2"), [2, 3]),
    ],
)
def test_what_its_author_put_back_does_not_return_with_the_rest(scene, second_thoughts, words, undone):
    """An edit that was put back by hand stands no longer; it does not stand again because that is taken back too."""
    taken_back = scene.tb("undo", *words)

    assert (taken_back.status, sorted(taken_back.json["undone"])) == (0, undone)
    assert scene.read("f") == "1\n2\n3\n"
    assert scene.read("g") == ("one\n" if 1 in undone else "human\n")
    assert {one["standing"] for one in scene.tb("log").json["operations"] if one["id"] in undone} == {"none"}
    assert scene.tb("redo").status == 0
    assert (scene.read("f"), scene.read("g")) == ("1\n2\n3\n", "human\n")
    assert scene.tb("undo", "--op", "3").status == 0
    assert scene.read("f") == "1\nA\n3\n"


@pytest.mark.promise(2)
def test_what_somebody_else_put_back_goes_with_that_or_alone(scene):
    """To undo what somebody put back is nothing; to undo both leaves nothing of both."""
    scene.write("f", "one\n")
    scene.tb("status")
    scene.write("f", "agent\n")
    scene.record("agent:a")
    scene.write("f", "one\n")
    scene.record("human")

    assert scene.tb("undo", "--op", "1").json["outcome"] == "nothing"
    assert scene.tb("undo", "--actor", "agent:a").json["outcome"] == "nothing"
    assert scene.tb("undo", "--op", "1", "--op", "2").status == 0
    assert scene.read("f") == "one\n"


@pytest.mark.promise(2)
def test_a_restore_and_what_it_took_back_go_together(scene):
    """Everything since an operation goes back to it, a restore in between or not."""
    scene.write("f", "one\n")
    checkpoint = scene.checkpoint()
    scene.write("g", "one\n")
    first = scene.record()
    scene.write("f", "two\n")
    scene.record()
    assert scene.tb("restore", checkpoint, "--path", "f").status == 0

    assert scene.tb("undo", "--since", str(first)).status == 0
    assert (scene.read("f"), scene.read("g")) == ("one\n", "one\n")


@pytest.mark.promise(5)
@pytest.mark.parametrize("verb", [("rollback",), ("restore", "--path", ".")])
def test_going_back_while_paused_reaches_what_was_written_since(scene, verb):
    """Recording is paused: what was written since is not left standing in silence, and can be had again."""
    scene.write("f", "one\n")
    checkpoint = scene.checkpoint()
    files = scene.files()
    scene.write("f", "two\n")
    scene.record()
    scene.tb("pause")
    scene.write("f", "three\n")
    scene.write("new", "new\n")
    later = scene.files()

    assert scene.tb(verb[0], checkpoint, *verb[1:]).status == 0
    assert scene.files() == files
    assert scene.tb("status").json["paused"]
    assert scene.tb("undo", "--op", str(scene.tb("log").json["operations"][0]["id"])).status == 0
    assert scene.files() == later


@pytest.mark.promise(2)
def test_going_back_one_by_one_or_at_once_is_the_same(scene):
    """Edits, undos of them and restores over each other: `undo 2` leaves what `undo` twice does."""
    scene.write("f", "one\n")
    checkpoint = scene.checkpoint()
    scene.write("f", "two\n")
    scene.record()
    for _ in range(2):
        scene.tb("restore", checkpoint, "--path", "f")
        scene.tb("undo")
        assert scene.read("f") == "two\n"
    scene.tb("restore", checkpoint, "--path", "f")

    assert scene.tb("undo", "2").status == 0
    assert scene.read("f") == "one\n"
    assert scene.tb("redo").status == 0
    assert scene.tb("undo").status == 0
    assert scene.read("f") == "two\n"
    assert scene.tb("undo").status == 0
    assert scene.read("f") == "one\n"


@pytest.mark.promise(4)
@pytest.mark.parametrize("path", ["b.txt", "."])
def test_a_name_that_changed_hands_in_one_operation_is_restored(scene, path):
    """One operation moves a file away from a name and another one to it: the name is not taken for free."""
    scene.write("b.txt", "content of b\n" * 5)
    scene.write("c.txt", "content of c\n" * 5)
    first = scene.checkpoint()
    for old, new in (("b.txt", "a.txt"), ("c.txt", "b.txt")):
        (scene.root / old).rename(scene.root / new)
        scene.record()
    assert scene.tb("rollback", first).status == 0
    checkpoint, files = scene.checkpoint(), scene.files()

    assert scene.tb("restore", checkpoint, "--path", path).json["outcome"] == "nothing"
    scene.write("b.txt", "broken\n")
    scene.record()
    assert scene.tb("restore", checkpoint, "--path", path).status == 0
    assert scene.files() == files
    assert scene.tb("restore", first, "--path", path).status == 0
    assert scene.files() == files


@pytest.mark.promise(2)
def test_an_undo_and_what_it_took_back_go_together(scene):
    """To take back an operation and its undo is to take back the operation, and it is there again after a redo."""
    scene.write("f", "one\n")
    scene.tb("status")
    scene.write("f", "two\n")
    scene.record()
    scene.tb("undo")

    assert scene.tb("undo", "--op", "1", "--op", "2").status == 0
    assert scene.read("f") == "one\n"
    assert scene.tb("redo", "--op", "2").status == 0


@pytest.mark.promise(2)
def test_a_redo_of_both_is_what_both_left(scene, second_thoughts):
    """An edit and the edit that put it back, brought back by name, leave the file as they did."""
    assert scene.tb("undo", "2").status == 0
    assert scene.tb("redo", "--op", "2", "--op", "3").status == 0
    assert scene.read("f") == "1\n2\n3\n"


def test_an_operation_of_another_actor_is_not_narrowed_to(scene):
    """`--op` with `--actor` is refused where the operation is not by that actor, or only concluded to be."""
    scene.tb("status")
    written(scene, "agent:a", "human")
    scene.tb("turn", "begin", "--actor", "agent:a")
    scene.write("f3", "perhaps\n")
    scene.tb("status")

    for op, why in ("2", "by human"), ("3", "from time alone"):
        refused = scene.tb("undo", "--op", "1", "--op", op, "--actor", "agent:a")
        assert (refused.status, refused.code) == (2, "usage")
        assert why in refused.json["error"]["message"]
    assert sorted(scene.files()) == ["f1", "f2", "f3"]
    check(
        scene.tb("undo", "--op", "1", "--op", "3", "--actor", "agent:a", "--inferred"), [1, 3], ["f2"], scene
    )


@pytest.mark.parametrize("words", [("1", "--op", "1"), ("--turn", "turn-1", "--since", "1"), ("0",), ("-1",)])
def test_requests_that_contradict_themselves_are_refused(scene, words):
    """N, `--op`, `--turn` and `--since` exclude each other, and N is one or more."""
    scene.tb("status")
    written(scene, "agent:a")

    assert scene.process("undo", *words).returncode == 2
    assert sorted(scene.files()) == ["f1"]
