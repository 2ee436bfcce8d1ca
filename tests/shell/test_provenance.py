"""Who wrote each line of a document: the operation and hunk that taking it back would be about."""

from __future__ import annotations

import pytest

from scenes import make_scene
from takeback.model.paths import workspace_path
from takeback.service import provenance, recording

TEXT = "".join(f"line {number}\n" for number in range(1, 11))


@pytest.fixture
def scene(tmp_path):
    """A repository with one file of ten lines."""
    made = make_scene(tmp_path)
    made.committed({"a.txt": TEXT})
    made.tb("init")
    return made


def found(scene, text=None, path="a.txt"):
    """What is known of a document that shows `text`, or its file."""
    with scene.opened() as workspace:
        shown = text if text is not None else (scene.root / path).read_bytes().decode()
        return provenance.of_document(workspace, workspace_path(path), 1, shown)


def marks(scene, text=None, path="a.txt"):
    """By line, from 1: the operation and the hunk that wrote it."""
    lines = found(scene, text, path).provenance.lines
    return {number: tuple(mark) for number, mark in enumerate(lines, start=1) if mark}


def edit(scene, actor, old, new, path="a.txt"):
    """Somebody replaces something."""
    before = (scene.root / path).read_bytes().decode()
    assert old in before
    scene.write(path, before.replace(old, new))
    return scene.record(actor)


def test_nobody_wrote_what_was_there_before(scene):
    """Lines that are older than the first recorded change have no mark."""
    assert marks(scene) == {}


def test_every_line_names_who_wrote_it_last(scene):
    """Two actors in one file: each line has the operation and hunk of whoever wrote it last."""
    edit(scene, "agent:a", "line 2\nline 3\nline 4\n", "a 2\na 3\na 4\n")
    edit(scene, "agent:b", "a 3\n", "b 3\n")
    edit(scene, "human", "line 9\n", "line 9\nhuman\n")
    assert marks(scene) == {2: (1, 1), 3: (2, 1), 4: (1, 1), 10: (3, 1)}


def test_hunks_are_numbered_as_they_are_taken_back(scene):
    """The number beside a line is the one that `undo --hunk` takes."""
    scene.write("a.txt", TEXT.replace("line 2\n", "x\n").replace("line 8\n", "y\n"))
    scene.record()
    assert marks(scene) == {2: (1, 1), 8: (1, 2)}
    scene.tb("undo", "--op", "1", "--path", "a.txt", "--hunk", "1")
    assert marks(scene) == {8: (1, 2)}


def test_what_returns_by_an_undo_is_its_first_author_s(scene):
    """After an undo the lines are again by whoever wrote them, and not by Takeback."""
    edit(scene, "agent:a", "line 5\n", "a 5\n")
    edit(scene, "agent:b", "a 5\n", "b 5\n")
    scene.tb("undo")
    assert marks(scene) == {5: (1, 1)}


def test_removed_lines_have_a_mark_where_they_were(scene):
    """A hunk that only removed lines is found at the line that follows; not when something came in their place."""
    edit(scene, "agent:a", "line 5\nline 6\n", "")
    edit(scene, "agent:a", "line 10\n", "")
    edit(scene, "agent:a", "line 1\n", "one\n")
    shown = found(scene).provenance
    assert [(one.line, tuple(one.mark)) for one in shown.gone] == [(4, (1, 1)), (7, (2, 1))]


def test_unsaved_lines_are_nobody_s_operation(scene):
    """What an editor shows besides the file was typed there: all other lines keep their marks."""
    edit(scene, "agent:a", "line 5\n", "a 5\n")
    typed = scene.read("a.txt").replace("line 2\n", "typed\nmore\n")
    unsaved = tuple(provenance.UNSAVED)
    assert marks(scene, typed) == {2: unsaved, 3: unsaved, 6: (1, 1)}


def test_a_created_file_is_one_operation_s_as_a_whole(scene):
    """The lines of a new file name its creation, of which no hunk is taken back alone."""
    scene.write("new.txt", "one\ntwo\n")
    scene.record()
    assert marks(scene, path="new.txt") == {1: (1, 0), 2: (1, 0)}


def test_a_renamed_file_keeps_its_marks(scene):
    """Lines are followed through a rename."""
    edit(scene, "agent:a", "line 5\n", "a 5\n")
    (scene.root / "a.txt").rename(scene.root / "b.txt")
    scene.record()
    assert marks(scene, path="b.txt") == {5: (1, 1)}


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_endings_and_a_mark_at_the_beginning_do_not_count(scene, ending):
    """An editor shows a byte order mark and endings or not: the lines are the same."""
    scene.write("w.txt", "\ufeff" + TEXT.replace("\n", "\r\n"))
    scene.record("human")
    edit(scene, "agent:a", "line 5\r\n", "a 5\r\n", "w.txt")
    shown = scene.root.joinpath("w.txt").read_bytes().decode().removeprefix("\ufeff").replace("\r\n", ending)
    by_agent = {line: mark for line, mark in marks(scene, shown, "w.txt").items() if mark[0] == 2}
    assert by_agent == {5: (2, 1)}


def test_each_operation_says_who_did_it(scene):
    """Actor, label, turn and whether it was kept are told for every operation that a line names."""
    turn = scene.tb("turn", "begin", "--actor", "agent:a", "--label", "rename helper").json["turn"]["id"]
    edit(scene, "agent:a", "line 5\n", "a 5\n")
    scene.tb("turn", "end")
    (author,) = found(scene).authors.values()
    assert (author.op, author.actor, author.turn, author.turn_label) == (1, "agent:a", turn, "rename helper")
    assert (author.is_foreign, author.kept) == (True, False)
    with scene.opened() as workspace:
        recording.keep(workspace, [1])
    assert found(scene).authors[1].kept
