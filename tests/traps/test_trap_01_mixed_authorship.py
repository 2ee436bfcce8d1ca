"""Trap 1: an agent and a person write in one file, and only one of them is taken back."""

import pytest

FILE = "".join(f"line {number}\n" for number in range(1, 41))


def edited(text, old, new):
    """`text` with one line, or run of lines, replaced."""
    assert text.count(old) == 1
    return text.replace(old, new)


def history(scene, base, *writes, name="f"):
    """`name` goes from `base` through `writes`, pairs of an actor and the new content; the operations' ids."""
    scene.write(name, base)
    scene.tb("status")
    ops = []
    for actor, content in writes:
        scene.write(name, content)
        ops.append(scene.record(actor))
    return ops


@pytest.mark.trap(1)
@pytest.mark.promise(2)
def test_line_3_is_back_and_line_39_stays(scene):
    """An agent edits line 3, a person line 39; the agent's operation is undone: line 3 is back, line 39 stays."""
    scene.write("f", FILE)
    assert scene.cli("status").status == 0
    agent = edited(FILE, "line 3\n", "agent\n")
    scene.write("f", agent)
    op = scene.cli("record", "--actor", "agent:a").json["operation"]["id"]
    scene.write("f", edited(agent, "line 39\n", "human\n"))
    scene.cli("record", "--actor", "human")

    undone = scene.cli("undo", "--op", str(op))

    assert (undone.status, undone.json["outcome"], undone.json["undone"]) == (0, "applied", [op])
    assert undone.outcome_of("f") == ("merged", "")
    assert scene.read("f") == edited(FILE, "line 39\n", "human\n")


@pytest.mark.trap(1)
def test_a_write_that_nobody_recorded_stays_too(scene):
    """What a person wrote since the last command, and nobody announced, is recorded by the undo and stays."""
    (op,) = history(scene, FILE, ("agent:a", edited(FILE, "line 3\n", "agent\n")))
    scene.write("f", edited(scene.read("f"), "line 39\n", "human\n"))

    assert scene.tb("undo", "--op", str(op)).status == 0

    assert scene.read("f") == edited(FILE, "line 39\n", "human\n")
    assert scene.tb("show", "2").json["operations"][0]["actor"] == "unknown"


CASES = {
    "the line below": ("1\n2\n3\n", "1\nA\n3\n", "1\nA\nH\n", "1\n2\nH\n", "1\nA\n3\n"),
    "the line above": ("1\n2\n3\n", "1\nA\n3\n", "H\nA\n3\n", "H\n2\n3\n", "1\nA\n3\n"),
    "append after append": ("1\n", "1\nA\n", "1\nA\nH\n", "1\nH\n", "1\nA\n"),
    "insertion inside the block": ("1\n9\n", "1\nA\nB\n9\n", "1\nA\nH\nB\n9\n", "1\nH\n9\n", "1\nA\nB\n9\n"),
    "insertion above the block": ("1\n9\n", "1\nA\nB\n9\n", "1\nH\nA\nB\n9\n", "1\nH\n9\n", "1\nA\nB\n9\n"),
    "insertion into a rewritten block": (
        "1\n2\n3\n9\n",
        "1\nA\nB\n9\n",
        "1\nA\nH\nB\n9\n",
        "1\n2\nH\n3\n9\n",
        "1\nA\nB\n9\n",
    ),
    "lines before and after a deletion": (
        "1\n2\n3\n4\n5\n",
        "1\n2\n4\n5\n",
        "H\n2\n4\nI\n",
        "H\n2\n3\n4\nI\n",
        "1\n2\n4\n5\n",
    ),
    "repeated lines": (
        "f {\n}\n\ng {\n}\n",
        "f {\n}\n\nA {\n}\n\ng {\n}\n",
        "f {\n}\n\nA {\n}\n\ng {\n}\n\nH {\n}\n",
        "f {\n}\n\ng {\n}\n\nH {\n}\n",
        "f {\n}\n\nA {\n}\n\ng {\n}\n",
    ),
    "CRLF": (
        "1\r\n2\r\n3\r\n",
        "1\r\nA\r\n3\r\n",
        "1\r\nA\r\n3\r\nH\r\n",
        "1\r\n2\r\n3\r\nH\r\n",
        "1\r\nA\r\n3\r\n",
    ),
    "no final newline": ("1\n2\n3", "A\n2\n3", "A\n2\nH", "1\n2\nH", "A\n2\n3"),
    "a final newline added by the other": ("1\n2\n3", "A\n2\n3", "A\n2\n3\n", "1\n2\n3\n", "A\n2\n3"),
    "append without a final newline": ("1", "1\nA", "1\nA\nH", "1\nH", "1\nA"),
    "endings converted by the other": (
        "1\n2\n3\n",
        "A\n2\n3\n",
        "A\r\n2\r\n3\r\n",
        "1\r\n2\r\n3\r\n",
        "A\n2\n3\n",
    ),
    "a byte order mark": (
        "\ufeff1\n2\n3\n",
        "\ufeff1\nA\n3\n",
        "\ufeff1\nA\nH\n",
        "\ufeff1\n2\nH\n",
        "\ufeff1\nA\n3\n",
    ),
    "a form feed and a line separator inside lines": (
        "1\f2\u20283\n4\n",
        "1\f2\u20283\nA\n",
        "H\f\u2028\nA\n",
        "H\f\u2028\n4\n",
        "1\f2\u20283\nA\n",
    ),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.trap(1)
def test_either_is_taken_back_alone_and_both_in_any_order(scene, case):
    """Undo of the agent leaves the person's lines, undo of the person the agent's; both orders end in the beginning."""
    base, agent, both, without_agent, without_human = CASES[case]
    first, second = map(str, history(scene, base, ("agent:a", agent), ("human", both)))

    for one, other, between in ((first, second, without_agent), (second, first, without_human)):
        assert scene.tb("undo", "--op", one).status == 0
        assert (scene.root / "f").read_bytes() == between.encode()
        assert scene.tb("undo", "--op", other).status == 0
        assert (scene.root / "f").read_bytes() == base.encode()
        assert scene.tb("redo", "2").status == 0
        assert (scene.root / "f").read_bytes() == both.encode()


@pytest.mark.trap(1)
@pytest.mark.promise(3)
def test_redo_after_further_edits(scene):
    """What was undone is brought back although the file was written in, and moved, since."""
    (op,) = history(scene, FILE, ("agent:a", edited(FILE, "line 3\n", "agent\n")))
    scene.tb("undo")
    scene.write("f", edited(scene.read("f"), "line 4\n", "human\n"))
    scene.record("human")
    (scene.root / "f").rename(scene.root / "g")
    scene.record("human")

    redone = scene.tb("redo", "--op", str(op))

    assert redone.status == 0
    assert scene.read("g") == edited(FILE, "line 3\nline 4\n", "agent\nhuman\n")
    assert not (scene.root / "f").exists()


@pytest.mark.trap(1)
@pytest.mark.promise(3)
def test_undo_of_an_undo_is_its_redo(scene):
    """`undo --op` of an undo brings back what it took, beside what was written since; so does the undo of that."""
    agent = edited(FILE, "line 3\n", "agent\n")
    (op,) = history(scene, FILE, ("agent:a", agent))
    undo = scene.tb("undo", "--op", str(op)).json["operation"]
    scene.write("f", edited(scene.read("f"), "line 39\n", "human\n"))
    scene.record("human")

    again = scene.tb("undo", "--op", str(undo))
    assert again.status == 0
    assert scene.read("f") == edited(agent, "line 39\n", "human\n")

    assert scene.tb("undo", "--op", str(again.json["operation"])).status == 0
    assert scene.read("f") == edited(FILE, "line 39\n", "human\n")
