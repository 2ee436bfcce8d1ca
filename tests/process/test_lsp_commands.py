"""Every command of the language server: with arguments it does what it says, without it asks."""

from __future__ import annotations

import asyncio
import subprocess

import pytest
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from editor import TEXT, until

pytestmark = [
    pytest.mark.server,
    pytest.mark.asyncio,
    pytest.mark.filterwarnings("error::pytest_lsp.LspSpecificationWarning"),
]


def lines(question):
    """The choices of a question."""
    return [action.title for action in question.actions]


def said(editor):
    """What was shown to the person last."""
    return editor.client.messages[-1].message


def by_agent(editor, old, new, *, name="a.txt", who=("agent:claude", "rename helper")):
    """An agent replaces a line of a file by a command; the operation is the agent's."""
    words = ("run", "--actor", who[0], "--label", who[1], "--", "sed", "-i", f"s/^{old}$/{new}/", name)
    status, _, problem = editor.takeback(*words)
    assert status == 0, problem


async def three(editor):
    """Three operations on one file: an agent's, somebody's beside it, and one over the agent's line."""
    by_agent(editor, "line 3", "agent")
    by_agent(editor, "line 20", "other", who=("agent:codex", ""))
    by_agent(editor, "agent", "black", who=("command:black", "black ."))
    await editor.recorded(3)


def text(editor, name="a.txt"):
    """What is on disk."""
    return (editor.root / name).read_text(encoding="utf-8")


# -- taking back ---------------------------------------------------------------------------------


@pytest.mark.promise(2)
async def test_a_turn_is_taken_back(client):
    """`undoTurn` takes back the named turn, else the last of which something stands; twice goes two back."""
    editor = client.editor
    for number in (1, 2):
        editor.takeback("turn", "begin", "--actor", "agent:a", "--label", f"turn {number}")
        by_agent(editor, f"line {number}", f"agent {number}", who=("agent:a", "rename helper"))
        editor.takeback("turn", "end")
    await editor.recorded(2)

    planned = await editor.run("takeback.undoTurn", {"turn": "turn-1", "dryRun": True})
    last = await editor.run("takeback.undoTurn", {})
    first = await editor.run("takeback.undoTurn", {})
    none = await editor.run("takeback.undoTurn", {})

    assert (planned["outcome"], planned["undone"]) == ("planned", [1])
    assert (last["undone"], first["undone"], none["outcome"]) == ([2], [1], "nothing")
    assert text(editor) == TEXT


async def test_what_came_since_is_taken_back(client):
    """`undoSince` takes back what came after a moment, with a reason that is kept."""
    editor = client.editor
    await three(editor)

    result = await editor.run("takeback.undoSince", {"since": "1", "reason": "it broke the build"})

    assert (result["outcome"], sorted(result["undone"])) == ("applied", [2, 3])
    assert text(editor) == TEXT.replace("line 3\n", "agent\n")
    shown = await editor.run("takeback.showOperation", {"id": result["operation"]})
    assert "it broke the build" in shown["operations"][0]["label"]


async def test_files_are_put_back(client):
    """`restore` puts the named files back to a checkpoint, and no other."""
    editor = client.editor
    made = (await editor.run("takeback.createCheckpoint", {}))["checkpoint"]["id"]
    editor.write("a.txt", "line 3\n", "agent\n")
    editor.write("b.txt", "line 3\n", "agent\n")
    await editor.recorded(1)

    planned = await editor.run(
        "takeback.restore", {"checkpoint": made, "uris": [editor.uri("a.txt")], "dryRun": True}
    )
    result = await editor.run("takeback.restore", {"checkpoint": made, "uris": [editor.uri("a.txt")]})

    assert (planned["outcome"], result["outcome"]) == ("planned", "applied")
    assert text(editor) == TEXT
    assert text(editor, "b.txt") == TEXT.replace("line 3\n", "agent\n")


@pytest.mark.promise(2)
@pytest.mark.parametrize(
    ("choice", "outcome", "line"),
    [
        ("also", "applied", "line 3\n"),
        ("keep-mine", "applied", "black\n"),
        ("take-theirs", "applied", "line 3\n"),
        ("markers", "applied", ">>>>>>>"),
        ("skip-file", "nothing", "black\n"),
    ],
)
async def test_a_conflict_is_resolved(client, choice, outcome, line):
    """`resolveConflict` decides about one file of one operation: all ways out of `--on-conflict`, or the others too."""
    editor = client.editor
    await three(editor)
    stopped = await editor.run("takeback.undoOperations", {"ids": [1]})
    assert (stopped["outcome"], stopped["conflicts"][0]["in_the_way"]) == ("conflict", [3])

    result = await editor.run(
        "takeback.resolveConflict", {"operation": 1, "uri": editor.uri("a.txt"), "choice": choice}
    )

    assert result["outcome"] == outcome
    assert line in text(editor)
    assert "other\n" in text(editor)


# -- questions -----------------------------------------------------------------------------------


async def test_a_question_names_who_when_what_and_where(client):
    """A choice is a line for people, and what became of it is said in a sentence."""
    editor = client.editor
    by_agent(editor, "line 3", "agent")
    await editor.recorded(1)
    editor.answers = [", operation 1"]

    result = await editor.run("takeback.undoOperations")

    assert lines(editor.questions[0]) == [
        "agent:claude: rename helper (a.txt), just now, operation 1",
        "Cancel",
    ]
    assert result["outcome"] == "applied"
    assert said(editor) == "Done (operation 1): a.txt."


async def test_many_choices_are_paged(client):
    """More than a handful of choices come in pages that can be turned both ways."""
    editor = client.editor
    for number in range(1, 8):
        by_agent(editor, f"line {number}", f"agent {number}", who=("agent:claude", f"step {number}"))
    await editor.recorded(7)
    editor.answers = ["More", "Back", "More", ", operation 2"]

    result = await editor.run("takeback.undoLast")

    assert [len(lines(one)) for one in editor.questions] == [7, 4, 7, 4]
    assert editor.questions[1].message == "Take back which operation? (6 to 7 of 7)"
    assert lines(editor.questions[1])[-2:] == ["Back", "Cancel"]
    assert result["undone"] == [2]


@pytest.mark.promise(2)
@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("Take back operation 3 too", "applied"),
        ("Bring back the lines from before", "applied"),
        ("Leave these files", "nothing"),
        ("Cancel", "conflict"),
    ],
)
async def test_a_conflict_in_an_asked_undo_is_a_further_question(client, answer, outcome):
    """Who chose an operation that others wrote over is asked on, and nothing is written before the answer."""
    editor = client.editor
    await three(editor)
    editor.answers = [", operation 1", answer]
    before = text(editor)

    result = await editor.run("takeback.undoLast")

    assert editor.questions[1].message == "Operation 3 stands in the way in a.txt. What now?"
    assert result["outcome"] == outcome
    assert (text(editor) == before) == (outcome != "applied")
    assert "other\n" in text(editor)


async def test_every_other_command_asks(client):
    """Turns, moments, undos, checkpoints, files and foreign operations can be chosen, and it is said what was done."""
    editor = client.editor
    editor.takeback("turn", "begin", "--actor", "agent:a", "--label", "rename")
    by_agent(editor, "line 3", "agent", who=("agent:a", "rename helper"))
    editor.takeback("turn", "end")
    await editor.run("takeback.createCheckpoint", {"label": "before"})
    by_agent(editor, "line 20", "other")
    await editor.recorded(2)

    async def answered(command, *answers):
        editor.answers = list(answers)
        return await editor.run(f"takeback.{command}")

    assert (await answered("undoTurn", ", turn-1"))["undone"] == [1]
    assert (await answered("redo", "takeback: undo operation 1 (a.txt), just now, operation 3"))[
        "outcome"
    ] == "applied"
    assert (await answered("undoSince", "cp-1"))["outcome"] == "applied"
    assert (await answered("redo", "undo operation"))["outcome"] == "applied"
    assert (await answered("restore", "cp-1", "a.txt"))["outcome"] == "applied"
    assert (await answered("rollback", ", just now, cp-1"))["outcome"] == "applied"
    assert (await answered("keep", "All of them"))["kept"]
    assert (await answered("updateCheckpoint", "cp-1"))["checkpoint"]["pinned"]
    assert not (await answered("updateCheckpoint", "cp-1"))["checkpoint"]["pinned"]
    assert (await answered("compareCheckpoint", "cp-1"))["files"] == []
    assert (await answered("showTimeline", "More", ", operation 1", "Keep it"))["operations"][0]["id"] == 1
    assert (await answered("showOperation", "More", ", operation 2", "Cancel"))["operations"][0]["id"] == 2
    assert (await answered("createCheckpoint", "Create"))["checkpoint"]["id"] == "cp-2"
    assert (await answered("deleteCheckpoint", "cp-2"))["checkpoint"]["id"] == "cp-2"
    assert (await answered("listCheckpoints"))["checkpoints"][0]["id"] == "cp-1"
    assert said(editor) == "1 checkpoint: cp-1 before"
    await answered("status")
    assert said(editor).startswith("Takeback: recording, ")


async def test_what_was_chosen_in_the_timeline_is_said_and_asked_on(client):
    """Who takes an operation back from the timeline is asked about what is in the way, and hears what became of it."""
    editor = client.editor
    await three(editor)
    editor.answers = [", operation 1", "Take it back", "Keep the lines that stand"]
    await editor.run("takeback.showTimeline")
    assert editor.questions[-1].message == "Operation 3 stands in the way in a.txt. What now?"
    assert said(editor).startswith("Done (operation 1), and no file had to change: operation 3 ")

    editor.answers = [", operation 2", "Keep it"]
    await editor.run("takeback.showOperation")
    assert said(editor) == "Kept 1 operation."


async def test_what_is_kept_in_the_timeline_has_no_lenses_any_more(client):
    """Keeping an operation from the timeline ends its marks in open documents at once."""
    editor = client.editor
    by_agent(editor, "line 3", "agent")
    await editor.recorded(1)
    editor.open("a.txt")
    document = lsp.TextDocumentIdentifier(uri=editor.uri("a.txt"))

    async def lenses():
        return await client.text_document_code_lens_async(lsp.CodeLensParams(text_document=document))

    async def none():
        return not await lenses()

    await until(lenses)
    editor.answers = [", operation 1", "Keep it"]
    await editor.run("takeback.showTimeline")
    await until(none)


async def test_a_command_without_arguments_says_what_became_of_it(client):
    """Pausing, resuming, pinning and deleting answer a person with a sentence, once it is done."""
    editor = client.editor
    await editor.run("takeback.createCheckpoint", {"label": "before"})

    async def told(command, *answers):
        editor.answers = list(answers)
        await editor.run(f"takeback.{command}")
        return said(editor)

    assert await told("pauseRecording") == (
        f"Takeback no longer records {editor.root}, until recording is resumed."
    )
    assert await told("resumeRecording") == f"Takeback records {editor.root} again."
    assert await told("updateCheckpoint", "cp-1") == "cp-1 is pinned: it never expires."
    assert await told("updateCheckpoint", "cp-1") == "cp-1 is no longer pinned."
    assert await told("deleteCheckpoint", "cp-1") == "cp-1 was deleted."


async def test_a_dismissed_question_does_nothing(client):
    """Whoever closes the question of any command has nothing done, and the command is answered."""
    editor = client.editor
    await three(editor)
    await editor.run("takeback.createCheckpoint", {})
    before = text(editor)

    for command in (
        "undoTurn",
        "undoSince",
        "restore",
        "showTimeline",
        "showOperation",
        "keep",
        "exportCheckpoint",
    ):
        await editor.run(f"takeback.{command}")
    for command in ("updateCheckpoint", "deleteCheckpoint", "compareCheckpoint"):
        assert (await editor.run(f"takeback.{command}"))["checkpoint"] is None

    assert text(editor) == before
    assert len((await editor.run("takeback.listCheckpoints", {}))["checkpoints"]) == 1


# -- checkpoints, the timeline, recording --------------------------------------------------------


async def test_checkpoints_are_kept_in_order(client):
    """Checkpoints can be listed, renamed, pinned, compared with now and deleted."""
    editor = client.editor
    await editor.run("takeback.createCheckpoint", {"label": "one"})
    editor.write("a.txt", "line 3\n", "agent\n")
    await editor.recorded(1)

    renamed = await editor.run("takeback.updateCheckpoint", {"id": "cp-1", "label": "first", "pinned": True})
    compared = await editor.run("takeback.compareCheckpoint", {"id": "first"})

    assert (renamed["checkpoint"]["label"], renamed["checkpoint"]["pinned"]) == ("first", True)
    assert compared["files"] == [{"path": "a.txt", "from": None, "status": "modified"}]
    assert "-line 3\n+agent\n" in compared["diff"]
    with pytest.raises(JsonRpcException, match="cp-1 is pinned"):
        await editor.run("takeback.deleteCheckpoint", {"id": "cp-1"})
    await editor.run("takeback.updateCheckpoint", {"id": "cp-1", "pinned": False})
    assert (await editor.run("takeback.deleteCheckpoint", {"id": "cp-1"}))["checkpoint"]["id"] == "cp-1"
    assert (await editor.run("takeback.listCheckpoints", {}))["checkpoints"] == []


async def test_a_checkpoint_is_exported(client):
    """`exportCheckpoint` writes a commit on a new branch, by name or after a question, and nothing else."""
    editor = client.editor
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@example.invalid")
    words = [*git, "commit", "-q", "--allow-empty", "-m", "first"]
    await asyncio.to_thread(subprocess.run, words, cwd=editor.root, check=True)
    await editor.run("takeback.createCheckpoint", {"label": "one"})

    made = await editor.run("takeback.exportCheckpoint", {"id": "cp-1", "branch": "kept"})
    editor.answers = ["cp-1", "Export"]
    asked = await editor.run("takeback.exportCheckpoint")

    assert (made["branch"], asked["branch"]) == ("kept", "takeback/cp-1")
    assert "new branch takeback/cp-1" in said(editor)
    with pytest.raises(JsonRpcException, match="kept"):
        await editor.run("takeback.exportCheckpoint", {"id": "cp-1", "branch": "kept"})


async def test_the_timeline_of_a_file(client):
    """`showTimeline` lists the operations of a file or of all, `showOperation` shows one with its diff."""
    editor = client.editor
    by_agent(editor, "line 3", "agent")
    by_agent(editor, "line 3", "agent", name="b.txt")
    await editor.recorded(2)

    found = await editor.run("takeback.showTimeline", {"uri": editor.uri("b.txt")})
    both = await editor.run("takeback.showTimeline", {})
    shown = await editor.run("takeback.showOperation", {"id": 1})

    assert [one["id"] for one in found["operations"]] == [2]
    assert [one["id"] for one in both["operations"]] == [2, 1]
    assert "-line 3\n+agent\n" in shown["diff"]


async def test_keeping_ends_marks(client):
    """`keep` takes an operation, or an operation in one file; one that did not touch the file is refused."""
    editor = client.editor
    await three(editor)

    in_file = await editor.run("takeback.keep", {"operation": 1, "uri": editor.uri("a.txt")})
    whole = await editor.run("takeback.keep", {"operation": 1})

    assert in_file["kept"] == whole["kept"] == [1]
    with pytest.raises(JsonRpcException, match=r"operation 1 did not touch b\.txt"):
        await editor.run("takeback.keep", {"operation": 1, "uri": editor.uri("b.txt")})


async def test_recording_is_paused_and_goes_on(client):
    """While recording is paused nothing is recorded; what was written meanwhile is one operation at the end."""
    editor = client.editor
    assert (await editor.run("takeback.pauseRecording"))["paused"]
    editor.write("a.txt", "line 3\n", "unseen\n")
    assert (await editor.run("takeback.status", {}))["paused"]

    resumed = await editor.run("takeback.resumeRecording")

    assert (resumed["paused"], resumed["operation"]["changes"][0]["path"]) == (False, "a.txt")


@pytest.mark.promise(2)
async def test_a_hunk_is_taken_back_alone(client):
    """`undoHunk` takes back one hunk of an operation in a file, and the rest of it stays."""
    editor = client.editor
    words = ("run", "--actor", "agent:a", "--", "sed", "-i", "s/^line \\(3\\|20\\)$/agent \\1/", "a.txt")
    await asyncio.to_thread(editor.takeback, *words)
    await editor.recorded(1)

    result = await editor.run("takeback.undoHunk", {"operation": 1, "uri": editor.uri("a.txt"), "hunk": 2})

    assert result["outcome"] == "applied"
    assert text(editor) == TEXT.replace("line 3\n", "agent 3\n")
    for wrong in ({}, {"operation": 1, "hunk": 1}, {"operation": 1, "uri": editor.uri("a.txt"), "hunk": 9}):
        with pytest.raises(JsonRpcException):
            await editor.run("takeback.undoHunk", wrong)
