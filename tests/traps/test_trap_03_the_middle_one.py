"""Trap 3: one of several operations on a file was wrong, and the later ones are fine."""

import itertools

import pytest

BASE = "".join(f"line {number}\n" for number in range(1, 13))


def six(scene, name="f"):
    """Six operations on one file, each on two lines of its own; the contents by the operations that stand."""

    def content(standing):
        lines = BASE.splitlines()
        for op in standing:
            lines[2 * op - 2 : 2 * op] = [f"{op} first", f"{op} second"]
        return "".join(f"{line}\n" for line in lines)

    scene.write(name, BASE)
    scene.tb("status")
    for op in range(1, 7):
        scene.write(name, content(range(1, op + 1)))
        assert scene.record(f"agent:{op % 2}") == op
    return content


@pytest.mark.trap(3)
@pytest.mark.promise(2)
def test_the_third_of_six_alone(scene):
    """Operations 1 to 6 wrote in one file and 3 was wrong: it is undone, and the other five stay."""
    content = six(scene)

    undone = scene.cli("undo", "--op", "3")

    assert (undone.status, undone.json["undone"]) == (0, [3])
    assert scene.read("f") == content([1, 2, 4, 5, 6])
    standing = {one["id"]: one["standing"] for one in scene.cli("log").json["operations"]}
    assert standing == {7: "all", 6: "all", 5: "all", 4: "all", 3: "none", 2: "all", 1: "all"}


@pytest.mark.trap(3)
def test_any_of_them_in_any_order(scene):
    """Undone one by one in whatever order, brought back in whatever order, the file is what the rest makes of it."""
    content = six(scene)
    for order in itertools.islice(itertools.permutations(range(1, 7)), 0, None, 239):
        standing = set(range(1, 7))
        for op in order:
            assert scene.tb("undo", "--op", str(op)).status == 0
            standing.remove(op)
            assert scene.read("f") == content(standing)
        for op in (order[3], order[0], order[5], *(order[1], order[2], order[4])):
            assert scene.tb("redo", "--op", str(op)).status == 0
            standing.add(op)
            assert scene.read("f") == content(standing)


@pytest.mark.trap(3)
def test_one_of_a_chain_of_renames(scene):
    """The operation that was wrong is found in the file although it had another name then, and has another now."""
    content = six(scene)
    (scene.root / "src").mkdir()
    (scene.root / "f").rename(scene.root / "src" / "g")
    scene.record("human")
    (scene.root / "src").rename(scene.root / "lib")
    scene.record("human")

    assert scene.tb("undo", "--op", "3").status == 0

    assert scene.files().keys() == {"lib/g"}
    assert scene.read("lib/g") == content([1, 2, 4, 5, 6])
