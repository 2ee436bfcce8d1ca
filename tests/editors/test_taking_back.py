"""The same scenarios in every editor: an agent writes, a person types beside it, and exactly what was chosen goes.

Each ends with the exact bytes on disk and in the document, and the editor's own undo works on.
"""

from __future__ import annotations

import pytest

from editors.clients import among
from editors.stage import TEXT, agent, human

pytestmark = pytest.mark.editor

EDITING = among(lambda client: client.edits)
"""Editors that change a document when asked; the others reload its file."""


@EDITING
@pytest.mark.promise(2)
@pytest.mark.promise(8)
@pytest.mark.trap(1)
def test_the_middle_operation_goes_beside_unsaved_text(stage):
    """Of three operations of an agent the second goes from file and document; unsaved text stays, and is saved as the human's."""
    stage.replaces("a.py", 3)
    middle = stage.replaces("a.py", 20)
    stage.replaces("a.py", 30)
    stage.follow("a.py")
    stage.types("a.py", "line 25", "human 25")

    result = stage.command("undoOperations", {"ids": [middle]})

    assert (result["outcome"], result["undone"]) == ("applied", [middle])
    stage.expect("a.py", disk=agent(3, 30), shown=human(25, text=agent(3, 30)))
    stage.undoes("a.py", human(25, text=agent(3, 20, 30)))
    stage.types("a.py", "agent 20", "line 20")
    stage.do("save", "a.py")
    assert stage.read("a.py") == human(25, text=agent(3, 30))
    stage.wait_recorded("human")


@pytest.mark.trap(3)
def test_a_document_without_unsaved_text_follows(stage):
    """A document without unsaved text is changed like by a person, or reloaded: the editor's own undo brings the lines back."""
    stage.replaces("a.py", 3)
    middle = stage.replaces("a.py", 20)
    stage.replaces("a.py", 30)
    stage.follow("a.py")

    result = stage.command("undoOperations", {"ids": [middle]})

    assert result["outcome"] == "applied"
    stage.expect("a.py", disk=agent(3, 30), shown=agent(3, 30))
    stage.undoes("a.py", agent(3, 20, 30))


@EDITING
def test_a_document_that_followed_is_saved_without_a_question(stage):
    """The file that was changed together with its document is no surprise to the editor: it saves, and both agree."""
    stage.replaces("a.py", 3)
    stage.follow("a.py")
    stage.command("undoLast", {"n": 1})

    stage.types("a.py", "line 25", "human 25")
    stage.do("save", "a.py")

    stage.expect("a.py", disk=human(25), shown=human(25))


@pytest.mark.trap(6)
def test_an_operation_of_many_files_goes_as_a_whole(stage):
    """Files that an agent's command has changed, made, removed and renamed are all as they were, also those that are open."""
    stage.write("gone.py", TEXT)
    stage.write("moved.py", "moved\n")
    before = stage.files()
    stage.do("open", "b.py")
    stage.do("open", "gone.py")
    stage.do("open", "a.py")
    many = stage.agent(
        "sed -i 's/^line 3$/agent 3/' a.py b.py; rm gone.py; mv moved.py away.py; mkdir new; echo new > new/made.py"
    )
    stage.follow("a.py")
    stage.follow("b.py")

    result = stage.command("undoOperations", {"ids": [many]})

    assert result["outcome"] == "applied"
    assert stage.files() == before
    for name in ("a.py", "b.py", "gone.py"):
        stage.expect(name, disk=TEXT, shown=TEXT)
    stage.undoes("a.py", agent(3))


def test_a_file_that_an_agent_made_goes_while_it_is_open(stage):
    """A file that an agent has made is removed although the editor shows it, and comes back by a redo."""
    made = stage.agent("echo made > made.py")
    stage.do("open", "made.py")

    undone = stage.command("undoOperations", {"ids": [made]})
    gone = stage.read("made.py")
    redone = stage.command("redo", {"n": 1})

    assert (undone["outcome"], gone) == ("applied", None)
    assert (redone["outcome"], stage.read("made.py")) == ("applied", "made\n")
    assert stage.shows("made.py") == "made\n"


@EDITING
@pytest.mark.promise(3)
@pytest.mark.trap(15)
def test_a_redo_brings_it_back_over_later_text(stage):
    """What was taken back comes back, also when a person has typed since."""
    stage.replaces("a.py", 3)
    stage.replaces("a.py", 20)
    stage.follow("a.py")
    stage.command("undoLast", {"n": 2})
    stage.expect("a.py", disk=TEXT, shown=TEXT)
    stage.types("a.py", "line 10", "human 10")

    result = stage.command("redo", {"n": 1})

    assert result["outcome"] == "applied"
    stage.expect("a.py", disk=agent(3, 20), shown=human(10, text=agent(3, 20)))
    stage.undoes("a.py", human(10))


@pytest.mark.promise(3)
def test_a_rollback_goes_to_the_checkpoint(stage):
    """Everything after a checkpoint goes, in all files; a redo brings it back."""
    stage.replaces("a.py", 3)
    stage.follow("a.py")
    checkpoint = stage.command("createCheckpoint", {"label": "before"})["checkpoint"]["id"]
    stage.replaces("a.py", 20)
    stage.agent("echo made > made.py; rm b.py")
    stage.follow("a.py")

    result = stage.command("rollback", {"checkpoint": checkpoint})

    assert result["outcome"] == "applied"
    assert stage.files() == {"a.py": agent(3), "b.py": TEXT}
    stage.expect("a.py", disk=agent(3), shown=agent(3))
    stage.undoes("a.py", agent(3, 20))
    stage.do("save", "a.py")


@EDITING
@pytest.mark.promise(8)
@pytest.mark.trap(13)
def test_a_document_that_lags_behind_its_file_is_not_touched(stage):
    """Where the agent's line was never loaded, because of unsaved text, the disk gets its former bytes and the document stays."""
    stage.types("a.py", "line 25", "human 25")
    stage.replaces("a.py", 3)

    result = stage.command("undoLast", {"n": 1})

    assert result["outcome"] == "applied"
    stage.expect("a.py", disk=TEXT, shown=human(25))


@EDITING
@pytest.mark.promise(2)
@pytest.mark.promise(8)
@pytest.mark.trap(13)
@pytest.mark.parametrize("hurried", [False, True], ids=["told", "not yet told"])
def test_unsaved_text_on_the_very_line_is_a_conflict(stage, hurried):
    """Where a person has typed over the agent's line nothing is written anywhere, also when the editor did not tell yet."""
    stage.replaces("a.py", 3)
    stage.follow("a.py")
    stage.types("a.py", "agent 3", "agent 3 and mine")
    mine = agent(3).replace("agent 3\n", "agent 3 and mine\n")

    result = stage.command("undoLast", {"n": 1}, hurried=hurried)

    assert result["outcome"] == "conflict"
    stage.expect("a.py", disk=agent(3), shown=mine)


@among(lambda client: not client.edits)
@pytest.mark.promise(8)
def test_an_editor_that_lets_nobody_edit_keeps_its_unsaved_text(stage):
    """Where the editor announces no edits, a file with unsaved text is left, and the answer says so."""
    stage.replaces("a.py", 3)
    stage.follow("a.py")
    stage.types("a.py", "line 25", "human 25")

    result = stage.command("undoLast", {"n": 1})

    assert [file["note"] for file in result["files"]] == [
        "it is open with unsaved text in an editor that lets nobody change it"
    ]
    stage.expect("a.py", disk=agent(3), shown=human(25, text=agent(3)))


@among(lambda client: client.asks)
def test_a_command_without_arguments_asks(stage):
    """The person chooses among operations that say who wrote them and why, in the editor's own way of asking."""
    stage.replaces("a.py", 3, label="rename the third")
    stage.replaces("a.py", 20, label="rename the twentieth")
    stage.follow("a.py")

    asked = stage.asks("undoLast", ["rename the third"])

    assert "agent:claude: rename the twentieth (a.py), " in asked[0]["choices"][0]
    assert asked[0]["choices"][0].endswith(", operation 2")
    stage.wait_for("a.py", disk=agent(20), shown=agent(20))
    stage.undoes("a.py", agent(3, 20))


def test_nothing_is_broken_by_an_editor_that_ends(stage):
    """Editors end a server as roughly as they like: all is recorded, nothing is left to mend, and nothing runs on."""
    stage.replaces("a.py", 3)
    stage.follow("a.py")
    stage.command("undoLast", {"n": 1})
    stage.quit()

    found = stage.takeback("doctor")

    assert stage.read("a.py") == TEXT
    assert found["well"], found
