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
