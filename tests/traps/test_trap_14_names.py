"""Trap 14: names that tools stumble over."""

import os

import pytest

NAMES = [
    "two\nlines",
    'quo"ted',
    "it's",
    "-rf",
    "--",
    " ",
    "tab\t",
    "back\\slash",
    "*",
    "%s",
    "\x1b[31m",
    "\x7f",
    os.fsdecode(b"\xff\xfe"),
    "é",
    "e\u0301",
    "x" * 255,
    "\U0001f600" * 63,
    "x.git",
    ".takeback.toml",
    "CON",
]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
@pytest.mark.trap(14)
def test_any_name_that_the_file_system_takes(scene, name):
    """A file of any name is created, written, renamed, chosen by `--path` and taken back."""
    path, other = scene.root / name, scene.root / "other"
    scene.tb("status")
    path.write_text("one\n")
    scene.record()
    path.write_text("two\n")
    assert scene.record() == 2
    path.rename(other)
    scene.record()

    assert scene.tb("undo").status == 0
    assert path.read_text() == "two\n"
    undone = scene.tb("undo", "1", "--path", str(path))
    assert (undone.status, [file["path"] for file in undone.json["files"]]) == (0, [name])
    assert path.read_text() == "one\n"
    assert scene.tb("undo").status == 0
    assert os.listdir(scene.root) == []
    assert scene.tb("redo", "3").status == 0
    assert other.read_text() == "two\n"


@pytest.mark.parametrize("name", ["two\nlines", "-rf", os.fsdecode(b"\xff\xfe"), "\x1b[31m"], ids=ascii)
@pytest.mark.trap(14)
def test_strange_names_on_a_terminal(scene, name):
    """People see such names escaped, on one line; the JSON has them exactly."""
    scene.cli("status")
    (scene.root / name).write_text("one\n")
    recorded = scene.cli("record", "--actor", "agent:a")
    shown = scene.process("log").stdout

    assert recorded.json["operation"]["changes"][0]["path"] == name
    assert len(shown.splitlines()) == 1
    assert "\x1b" not in shown
    assert scene.process("undo").returncode == 0
    assert os.listdir(scene.root) == []


@pytest.mark.trap(14)
def test_names_of_255_bytes_all_the_way_down(scene):
    """Folders and file with the longest names there are: what is staged beside them has a short name of its own."""
    path = scene.root / ("d" * 255) / ("e" * 255) / ("f" * 255)
    path.parent.mkdir(parents=True)
    path.write_text("one\n")
    scene.tb("status")
    path.write_text("agent\n")
    scene.record()

    assert scene.tb("undo").status == 0

    assert path.read_text() == "one\n"


ODD = os.fsdecode(b"caf\xe9")
"""A name in an older encoding, as Python has it."""


@pytest.mark.trap(14)
def test_a_branch_whose_name_is_not_utf_8(scene):
    """A checkout between such branches is git's operation with both names, and recording goes on."""
    scene.committed({"f": "one\n"})
    scene.git("branch", ODD)
    scene.write("f", "two\n")
    scene.git("commit", "-qam", "second")
    scene.tb("status")

    scene.git("checkout", "-q", ODD)
    found = scene.tb("log").json["operations"]
    scene.write("g", "mine\n")
    scene.record()

    assert [(one["actor"], one["label"]) for one in found] == [("git", "checkout main -> caf\\udce9")]
    assert scene.tb("checkpoint", "create").json["checkpoint"]["branch"] == ODD
    assert scene.tb("undo").status == 0
    assert scene.tb("doctor").json["well"]


@pytest.mark.trap(14)
def test_words_that_are_not_utf_8(scene):
    """Commands, labels, actors, turns and branches of such names are recorded, and chosen by them again."""
    scene.committed()
    scene.cli("status")
    ran = scene.process("run", "--actor", f"agent:{ODD}", "--", "sh", "-c", "echo $0 > g; exit 7", ODD)
    began = scene.cli("turn", "begin", "--actor", f"agent:{ODD}", "--label", ODD)
    scene.write("f", "two\n")
    recorded = scene.cli("record", "--actor", f"agent:{ODD}", "--label", ODD)
    made = scene.cli("checkpoint", "create", "-m", ODD)
    exported = scene.cli("checkpoint", "export", ODD, "--branch", ODD)

    assert (ran.returncode, ran.stderr) == (7, "")
    assert began.json["turn"]["label"] == "caf\\udce9"
    assert recorded.json["operation"]["turn"] == began.json["turn"]["id"]
    assert (made.status, exported.status) == (0, 0)
    assert ODD in scene.git("branch", "--format=%(refname:short)").split()
    assert len(scene.cli("log", "--actor", f"agent:{ODD}").json["operations"]) == 2
    assert scene.cli("undo", "2", "--actor", f"agent:{ODD}").json["undone"] == [2, 1]


@pytest.mark.trap(14)
def test_a_workspace_whose_path_is_not_utf_8(scene):
    """Such a folder is recorded like any other, and its history is found when it moves."""
    place, moved = scene.root / ODD, scene.root / "moved"
    place.mkdir()
    (place / "f").write_text("one\n")
    assert scene.process("init", "-C", ODD).returncode == 0
    (place / "f").write_text("two\n")
    assert scene.cli("record", "-C", ODD).json["operation"]["id"] == 1
    assert scene.cli("status", "-C", ODD).json["workspace"] == str(place)
    assert scene.cli("doctor", "-C", ODD).json["well"]
    place.rename(moved)

    adopted = scene.cli("doctor", "-C", "moved", "--adopt", str(place))

    assert adopted.status == 0, adopted.err
    assert scene.cli("undo", "-C", "moved").json["outcome"] == "applied"
    assert (moved / "f").read_text() == "one\n"
