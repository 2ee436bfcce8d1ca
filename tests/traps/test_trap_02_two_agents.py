"""Trap 2: two agents in one tree."""

import pytest


@pytest.mark.trap(2)
@pytest.mark.promise(2)
def test_the_other_agents_file_is_left_alone(scene):
    """A writes one file, B another in between; undo of all by A leaves B's file, with its mtime."""
    for name in ("a.ts", "b.ts"):
        scene.write(name, "one\n")
    scene.cli("status")
    scene.write("a.ts", "first by a\n")
    scene.cli("record", "--actor", "agent:a")
    scene.write("b.ts", "by b\n")
    scene.cli("record", "--actor", "agent:b")
    scene.write("a.ts", "second by a\n")
    scene.cli("record", "--actor", "agent:a")
    untouched = (scene.root / "b.ts").stat()

    undone = scene.cli("undo", "2", "--actor", "agent:a")

    assert (undone.status, undone.json["undone"]) == (0, [3, 1])
    assert [file["path"] for file in undone.json["files"]] == ["a.ts"]
    assert (scene.read("a.ts"), scene.read("b.ts")) == ("one\n", "by b\n")
    now = (scene.root / "b.ts").stat()
    assert (now.st_mtime_ns, now.st_ctime_ns, now.st_ino) == (
        untouched.st_mtime_ns,
        untouched.st_ctime_ns,
        untouched.st_ino,
    )


@pytest.mark.trap(2)
def test_a_file_that_both_wrote_is_merged(scene):
    """Both wrote one file, B last and elsewhere: undo of A takes A's lines and leaves B's."""
    scene.write("c.ts", "1\n2\n3\n")
    scene.tb("status")
    scene.write("c.ts", "A\n2\n3\n")
    op = scene.record("agent:a")
    scene.write("c.ts", "A\n2\nB\n")
    scene.record("agent:b")

    undone = scene.tb("undo", "--op", str(op))

    assert (undone.status, undone.outcome_of("c.ts")[0]) == (0, "merged")
    assert scene.read("c.ts") == "1\n2\nB\n"


@pytest.mark.trap(2)
@pytest.mark.promise(2)
def test_lines_that_both_wrote_are_reported(scene):
    """B rewrote A's line: undo of A is a conflict that names B, and no byte, mtime or operation changes."""
    scene.write("c.ts", "1\n2\n3\n")
    scene.tb("status")
    scene.write("c.ts", "1\nA\n3\n")
    scene.record("agent:a")
    scene.write("c.ts", "1\nB\n3\n")
    scene.record("agent:b")
    before = (scene.root / "c.ts").stat()

    undone = scene.cli("undo", "--op", "1")

    assert (undone.status, undone.json["outcome"], undone.json["operation"]) == (1, "conflict", None)
    assert undone.json["conflicts"] == [{"path": "c.ts", "what": "lines", "chosen": [1], "in_the_way": [2]}]
    assert scene.read("c.ts") == "1\nB\n3\n"
    assert (scene.root / "c.ts").stat().st_mtime_ns == before.st_mtime_ns
    assert len(scene.tb("log").json["operations"]) == 2


@pytest.mark.trap(2)
def test_a_file_that_one_created_and_the_other_wrote_in(scene):
    """A created the file and B wrote in it: undo of A would remove B's text, so it is a conflict."""
    scene.tb("status")
    scene.write("new", "A\n")
    scene.record("agent:a")
    scene.write("new", "A\nB\n")
    scene.record("agent:b")

    undone = scene.tb("undo", "--op", "1")

    assert (undone.status, undone.json["outcome"]) == (1, "conflict")
    assert undone.json["conflicts"][0]["in_the_way"] == [2]
    assert scene.read("new") == "A\nB\n"
    assert scene.tb("undo", "2").status == 0
    assert not (scene.root / "new").exists()
