"""Trap 15: what was undone is written again, by hand or by the agent."""

import pytest


@pytest.mark.trap(15)
@pytest.mark.promise(3)
def test_the_agent_writes_the_same_again(scene):
    """The same content again is a new operation by the agent, which says that it brings back what was taken."""
    scene.write("f", "1\n2\n3\n")
    scene.cli("status")
    for expected in 1, 3:
        scene.write("f", "1\nagent\n3\n")
        again = scene.cli("record", "--actor", "agent:a").json["operation"]
        assert (again["id"], again["actor"]) == (expected, "agent:a")
        if expected == 1:
            assert scene.cli("undo").status == 0

    assert again["undoes"] == [2]
    assert scene.tb("show", "1").json["operations"][0]["standing"] == "all"
    assert scene.cli("undo").status == 0
    assert scene.read("f") == "1\n2\n3\n"


@pytest.mark.trap(15)
def test_a_person_takes_back_by_hand(scene):
    """A person undoes the agent's change by hand: the agent's operation no longer stands, and a redo brings it back."""
    scene.write("f", "1\n2\n3\n")
    scene.tb("status")
    scene.write("f", "1\nagent\n3\n")
    scene.record("agent:a")
    scene.write("f", "1\n2\n3\n")
    scene.record("human")

    shown = {one["id"]: (one["actor"], one["standing"]) for one in scene.tb("log").json["operations"]}
    assert shown == {2: ("human", "all"), 1: ("agent:a", "none")}
    assert scene.tb("undo", "--op", "1").json["outcome"] == "nothing"
    assert scene.tb("redo", "--op", "1").status == 0
    assert scene.read("f") == "1\nagent\n3\n"


@pytest.mark.trap(15)
def test_lines_brought_back_by_hand_do_not_come_twice(scene):
    """The agent deleted lines, a person put them back beside an edit: undo finds them there already, and says so."""
    scene.write("f", "1\nkeep me\n3\n4\n")
    scene.tb("status")
    scene.write("f", "1\n3\n4\n")
    scene.record("agent:a")
    scene.write("f", "1\nkeep me\n3\nfour\n")
    scene.record("human")

    undone = scene.tb("undo", "--op", "1")

    assert undone.status == 0
    assert "already" in undone.outcome_of("f")[1]
    assert scene.read("f") == "1\nkeep me\n3\nfour\n"


@pytest.mark.trap(15)
@pytest.mark.promise(3)
def test_a_redo_over_newer_edits_merges(scene):
    """Somebody wrote elsewhere in the file since the undo: redo merges."""
    scene.write("f", "1\n2\n3\n")
    scene.tb("status")
    scene.write("f", "1\nagent\n3\n")
    scene.record("agent:a")
    scene.tb("undo")
    scene.write("f", "1\n2\nhuman\n")
    scene.record("human")

    assert scene.tb("redo").status == 0

    assert scene.read("f") == "1\nagent\nhuman\n"


@pytest.mark.trap(15)
@pytest.mark.promise(3)
def test_a_redo_that_newer_edits_contradict_is_reported(scene):
    """Somebody rewrote the very lines since the undo: redo is a conflict that names them, and writes nothing."""
    scene.write("f", "1\n2\n3\n")
    scene.tb("status")
    scene.write("f", "1\nagent\n3\n")
    scene.record("agent:a")
    scene.tb("undo")
    scene.write("f", "1\nhuman\n3\n")
    scene.record("human")

    redone = scene.tb("redo")

    assert (redone.status, redone.json["outcome"]) == (1, "conflict")
    assert redone.json["conflicts"][0]["in_the_way"] == [3]
    assert scene.read("f") == "1\nhuman\n3\n"


@pytest.mark.trap(15)
def test_a_file_deleted_and_made_anew(scene):
    """A deleted file was made anew by somebody else: its undo would mix two files, so it is a conflict."""
    scene.write("f", "old\n")
    scene.tb("status")
    (scene.root / "f").unlink()
    scene.record("agent:a")
    scene.write("f", "new\n")
    scene.record("human")

    undone = scene.tb("undo", "--op", "1")
    assert (undone.status, undone.json["conflicts"][0]["in_the_way"]) == (1, [2])
    assert scene.read("f") == "new\n"

    kept = scene.tb("undo", "--op", "1", "--on-conflict", "keep-mine")
    assert (kept.status, scene.read("f")) == (0, "new\n")
    assert scene.tb("undo", "--op", str(kept.json["operation"])).status == 0
    assert scene.tb("undo", "--op", "1", "--on-conflict", "take-theirs").status == 0
    assert scene.read("f") == "old\n"
    assert scene.tb("undo", "--op", "5").status == 0
    assert scene.read("f") == "new\n"
