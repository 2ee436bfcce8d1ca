"""The language server over its protocol: saves are recorded, undo goes through open documents."""

from __future__ import annotations

import asyncio
import json
import os

import pytest
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from editor import TEXT, UTF16, until
from takeback.lsp.documents import with_edits
from takeback.service.published import editors

pytestmark = [
    pytest.mark.asyncio,
    pytest.mark.filterwarnings("error::pytest_lsp.LspSpecificationWarning"),
]


# -- recording -----------------------------------------------------------------------------------


async def test_a_save_is_the_humans(client):
    """What the editor saves is recorded once, as `human`; what another process writes is not the human's."""
    editor = client.editor
    editor.open("a.txt")
    editor.replace("a.txt", "line 3\n", "line three\n")
    editor.save("a.txt")
    saved = await editor.recorded(1)
    editor.write("b.txt", "line 1\n", "line one\n")
    other = await editor.recorded(2)

    assert (saved["actor"], [change["path"] for change in saved["changes"]]) == ("human", ["a.txt"])
    assert (other["actor"], [change["path"] for change in other["changes"]]) == ("unknown", ["b.txt"])


async def test_a_formatter_behind_a_save_is_somebody_else(client):
    """When a formatter has rewritten the file before the save is told, both are recorded, each with its actor."""
    editor = client.editor
    editor.open("a.txt")
    editor.replace("a.txt", "line 3\n", "line   three\n")
    text = editor.texts["a.txt"]
    editor.save("a.txt")
    editor.write("a.txt", "line   three\n", "line three\n")
    editor.client.text_document_did_save(
        lsp.DidSaveTextDocumentParams(
            text_document=lsp.TextDocumentIdentifier(editor.uri("a.txt")), text=text
        )
    )
    await editor.recorded(2)

    operations = (await editor.run("takeback.status", {}))["operations"]

    assert {one["actor"] for one in operations} == {"human", "unknown"}


async def test_lines_end_as_the_protocol_says(client):
    """A form feed and U+2028 are text, not ends of lines, so edits after them land where they should."""
    editor = client.editor
    (editor.root / "a.txt").write_text("one\ftwo\u2028x\nthree 😀 four\rfive\r\nsix\n", encoding="utf-8")
    editor.open("a.txt")
    where = lsp.Range(start=lsp.Position(1, 9), end=lsp.Position(1, 13))
    editor.versions["a.txt"] += 1
    identifier = lsp.VersionedTextDocumentIdentifier(uri=editor.uri("a.txt"), version=2)
    change = lsp.TextDocumentContentChangePartial(range=where, text="FOUR")
    editor.client.text_document_did_change(
        lsp.DidChangeTextDocumentParams(text_document=identifier, content_changes=[change])
    )
    text = "one\ftwo\u2028x\nthree 😀 FOUR\rfive\r\nsix\n"
    (editor.root / "a.txt").write_bytes(text.encode())
    editor.client.text_document_did_save(
        lsp.DidSaveTextDocumentParams(text_document=lsp.TextDocumentIdentifier(editor.uri("a.txt")))
    )

    async def clean():
        documents = (await editor.run("takeback.status", {}))["documents"]
        return [(one["path"], one["dirty"]) for one in documents] == [("a.txt", False)]

    await until(clean)
    assert {one["actor"] for one in (await editor.run("takeback.status", {}))["operations"]} <= {
        "human",
        "unknown",
    }


# -- undo in open documents ----------------------------------------------------------------------


@pytest.mark.promise(8)
@pytest.mark.trap(13)
async def test_unsaved_text_stays(client):
    """An undo changes the document by one small versioned edit and the file by itself; unsaved lines stay unsaved."""
    editor = client.editor
    await editor.opened_after_agent("a.txt")
    editor.replace("a.txt", "line 39\n", "mine\n")

    result = await editor.run("takeback.undoLast", {"n": 1})

    assert (result["outcome"], result["files"][0]["outcome"]) == ("applied", "restored")
    assert editor.texts["a.txt"] == TEXT.replace("line 39\n", "mine\n")
    assert (editor.root / "a.txt").read_text(encoding="utf-8") == TEXT
    (edit,) = editor.edits
    assert [one.new_text for one in edit.edits] == ["line 3\n"]
    assert edit.text_document.version == 2


@pytest.mark.promise(8)
@pytest.mark.trap(13)
async def test_a_document_that_was_not_reloaded_is_not_touched(client):
    """Where the operation's lines are not in the document, only the file gets its former bytes."""
    editor = client.editor
    editor.open("a.txt")
    editor.replace("a.txt", "line 39\n", "mine\n")
    editor.write("a.txt", "line 3\n", "agent\n")
    await editor.recorded(1)

    result = await editor.run("takeback.undoLast", {"n": 1})

    assert result["outcome"] == "applied"
    assert editor.edits == []
    assert (editor.root / "a.txt").read_text(encoding="utf-8") == TEXT


@pytest.mark.promise(8)
async def test_a_file_that_changed_while_it_was_opened_is_no_unsaved_text(client):
    """A document whose text is an older recorded state of its file is that state, and the undo leaves it alone."""
    editor = client.editor
    editor.write("a.txt", "line 3\n", "agent\n")
    await editor.recorded(1)
    editor.open("a.txt", TEXT)

    result = await editor.run("takeback.undoLast", {"n": 1})

    assert (result["outcome"], editor.edits) == ("applied", [])
    assert (editor.root / "a.txt").read_text(encoding="utf-8") == TEXT == editor.texts["a.txt"]


@pytest.mark.promise(8)
async def test_an_older_operation_is_taken_back_in_both_places(client):
    """Of a document that lags behind its file, each place loses exactly those lines that stand in it."""
    editor = client.editor
    editor.write("a.txt", "line 3\n", "first\n")
    await editor.recorded(1)
    editor.open("a.txt")
    editor.replace("a.txt", "line 39\n", "mine\n")
    editor.write("a.txt", "line 20\n", "second\n")
    await editor.recorded(2)

    result = await editor.run("takeback.undoOperations", {"ids": [1]})

    assert result["outcome"] == "applied"
    assert editor.texts["a.txt"] == TEXT.replace("line 39\n", "mine\n")
    assert (editor.root / "a.txt").read_text(encoding="utf-8") == TEXT.replace("line 20\n", "second\n")


@pytest.mark.trap(13)
async def test_a_clean_document_follows(client):
    """A document without unsaved text is edited too, and counts as `in_editor` until it is saved."""
    editor = client.editor
    await editor.opened_after_agent("a.txt")

    result = await editor.run("takeback.undoLast", {"n": 1})

    assert result["files"][0]["outcome"] == "in_editor"
    assert editor.texts["a.txt"] == TEXT == (editor.root / "a.txt").read_text(encoding="utf-8")


@pytest.mark.promise(2)
@pytest.mark.trap(13)
async def test_unsaved_text_over_the_same_lines_is_a_conflict(client):
    """Where unsaved text rewrote what would be taken back, nothing is written anywhere, and it is said."""
    editor = client.editor
    await editor.opened_after_agent("a.txt")
    editor.replace("a.txt", "agent\n", "agent and me\n")
    on_disk = (editor.root / "a.txt").read_bytes()

    result = await editor.run("takeback.undoLast", {"n": 1})

    assert result["outcome"] == "conflict"
    assert "unsaved text" in result["files"][0]["note"]
    assert (editor.edits, (editor.root / "a.txt").read_bytes()) == ([], on_disk)


@pytest.mark.promise(8)
async def test_a_stale_edit_that_the_editor_drops_is_not_believed(client):
    """An editor that drops a late edit and says it was applied is not believed: the plan is made anew."""
    editor = client.editor
    await editor.opened_after_agent("a.txt")

    def drop(name, document):
        editor.behave = None
        editor.replace(name, "line 39\n", "mine\n")
        return lsp.ApplyWorkspaceEditResult(applied=True)

    editor.behave = drop
    result = await editor.run("takeback.undoLast", {"n": 1})

    assert result["outcome"] == "applied"
    assert editor.texts["a.txt"] == TEXT.replace("line 39\n", "mine\n")
    assert (editor.root / "a.txt").read_text(encoding="utf-8") == TEXT


@pytest.mark.promise(8)
async def test_an_edit_over_text_that_was_not_told_yet_is_put_back(client):
    """When the editor lays the edit over lines typed before it, these come back, and it is a conflict after all."""
    editor = client.editor
    await editor.opened_after_agent("a.txt")

    def overlay(name, document):
        editor.behave = None
        editor.replace(name, "agent\n", "agent and me\n")
        editor.show(name, with_edits(editor.texts[name], document.edits, UTF16))
        return lsp.ApplyWorkspaceEditResult(applied=True)

    editor.behave = overlay
    result = await editor.run("takeback.undoLast", {"n": 1})

    assert result["outcome"] == "conflict"
    assert editor.texts["a.txt"] == TEXT.replace("line 3\n", "agent and me\n")


@pytest.mark.promise(4)
async def test_when_one_document_fails_the_others_get_their_text_back(client):
    """An undo over two documents of which one cannot be changed leaves both, and says so for each file."""
    editor = client.editor
    editor.takeback("run", "--", "sed", "-i", "s/^line 3$/agent/", "a.txt", "b.txt")
    await editor.recorded(1)
    editor.open("a.txt")
    editor.open("b.txt")

    def refuse(name, document):
        if name == "b.txt":
            return lsp.ApplyWorkspaceEditResult(applied=False, failure_reason="no")
        editor.show(name, with_edits(editor.texts[name], document.edits, UTF16))
        return lsp.ApplyWorkspaceEditResult(applied=True)

    editor.behave = refuse
    result = await editor.run("takeback.undoLast", {"n": 1})

    changed = TEXT.replace("line 3\n", "agent\n")
    assert result["outcome"] == "refused"
    assert {file["outcome"] for file in result["files"]} == {"skipped"}
    assert set(editor.texts.values()) == {changed}
    assert (editor.root / "a.txt").read_text(encoding="utf-8") == changed


async def test_an_editor_undo_passes_over_the_humans_edits(client):
    """In an editor the last operation is the last that its own undo does not take back."""
    editor = client.editor
    editor.write("b.txt", "line 3\n", "agent\n")
    await editor.recorded(1)
    editor.open("a.txt")
    editor.replace("a.txt", "line 3\n", "mine\n")
    editor.save("a.txt")
    await editor.recorded(2)

    result = await editor.run("takeback.undoLast", {})

    assert (result["undone"], [one["operation"] for one in result["passed"]]) == ([1], [2])
    assert (editor.root / "b.txt").read_text(encoding="utf-8") == TEXT


# -- other processes -----------------------------------------------------------------------------


@pytest.mark.promise(10)
@pytest.mark.trap(13)
async def test_the_command_line_hands_a_dirty_document_to_its_editor(client):
    """`takeback undo` of a file with unsaved text is done by the editor that holds it."""
    editor = client.editor
    await editor.opened_after_agent("a.txt")
    editor.replace("a.txt", "line 39\n", "mine\n")
    await editor.run("takeback.status", {})

    status, out, _ = await asyncio.to_thread(editor.takeback, "undo", "--json")

    assert (status, json.loads(out)["undone"]) == (0, [1])
    assert editor.texts["a.txt"] == TEXT.replace("line 39\n", "mine\n")
    assert (editor.root / "a.txt").read_text(encoding="utf-8") == TEXT


@pytest.mark.trap(13)
async def test_without_an_answer_of_the_editor_the_command_line_refuses(client, tmp_path):
    """Where the editor cannot be asked, the undo is refused with status 3, and the editor is named."""
    editor = client.editor
    await editor.opened_after_agent("a.txt")
    editor.replace("a.txt", "line 39\n", "mine\n")
    await editor.run("takeback.status", {})
    (folder,) = (tmp_path / "state").iterdir()
    (published,) = editors(str(folder))
    os.unlink(published.address)

    status, _, problem = await asyncio.to_thread(editor.takeback, "undo")

    assert status == 3
    assert "Testing 1" in problem
    assert "a.txt" in problem


# -- commands ------------------------------------------------------------------------------------


async def test_without_arguments_a_command_asks(client):
    """Called without arguments, undo asks which operation; called with them, it does not."""
    editor = client.editor
    editor.write("a.txt", "line 3\n", "agent\n")
    await editor.recorded(1)
    editor.answers = ["unknown: "]

    result = await editor.run("takeback.undoLast")

    assert (result["outcome"], result["undone"], len(editor.questions)) == ("applied", [1], 1)
    await editor.run("takeback.redo", {"n": 1})
    assert len(editor.questions) == 1
    assert "agent\n" in (editor.root / "a.txt").read_text(encoding="utf-8")


async def test_a_question_that_is_dismissed_changes_nothing(client):
    """Whoever closes the question without an answer has nothing taken back."""
    editor = client.editor
    editor.write("a.txt", "line 3\n", "agent\n")
    await editor.recorded(1)

    for command in ("undoLast", "undoOperations", "redo", "rollback"):
        assert (await editor.run(f"takeback.{command}"))["outcome"] == "nothing"
    assert (await editor.run("takeback.createCheckpoint"))["checkpoint"] is None
    assert "agent\n" in (editor.root / "a.txt").read_text(encoding="utf-8")


async def test_checkpoint_and_rollback(client):
    """A rollback puts files and open documents back to a checkpoint."""
    editor = client.editor
    made = (await editor.run("takeback.createCheckpoint", {"label": "before"}))["checkpoint"]
    await editor.opened_after_agent("a.txt")

    result = await editor.run("takeback.rollback", {"checkpoint": made["id"]})

    assert (made["label"], result["outcome"]) == ("before", "applied")
    assert editor.texts["a.txt"] == TEXT == (editor.root / "a.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("command", "argument"),
    [
        ("undoLast", {"n": "two"}),
        ("undoLast", {"n": 0}),
        ("undoOperations", {}),
        ("undoOperations", {"ids": [99]}),
        ("rollback", {"checkpoint": "cp-99"}),
    ],
)
async def test_a_wrong_request_is_answered_with_a_reason(client, command, argument):
    """An error carries the same code, message and hint as on the command line."""
    with pytest.raises(JsonRpcException) as refused:
        await client.editor.run(f"takeback.{command}", argument)

    error = refused.value.data["error"]
    assert error["code"] in {"usage", "not_found"}
    assert error["message"] in refused.value.message
