"""Who wrote what, in an editor: lenses, hovers, hints and code actions over the changes of others."""

from __future__ import annotations

import pytest
import pytest_lsp
from lsprotocol import types as lsp
from pytest_lsp import LanguageClient

from editor import TEXT, send, until
from process.conftest import SERVER, connect

pytestmark = pytest.mark.server

AGENTS = ("line 3\n", "line 20\n", "line 40\n")
"""What the agent rewrites: three hunks."""


async def agent_writes(editor, name="a.txt", actor="agent:claude", label="rename helper"):
    """An agent rewrites three lines of a file by a command."""
    scripts = [f"s/^{line.strip()}$/agent {number}/" for number, line in enumerate(AGENTS, start=1)]
    runs(editor, actor, label, *[word for script in scripts for word in ("-e", script)], name)


def runs(editor, actor, label, *words):
    """Somebody edits a file with `sed`."""
    named = ("--label", label) if label else ()
    status, _, err = editor.takeback("run", "--actor", actor, *named, "--", "sed", "-i", *words)
    assert status == 0, err


async def lenses(editor, name="a.txt"):
    """The lenses of a document: line, title, command and arguments."""
    params = lsp.CodeLensParams(text_document=lsp.TextDocumentIdentifier(uri=editor.uri(name)))
    found = await editor.client.text_document_code_lens_async(params)
    return [(one.range.start.line, one.command.title, one.command) for one in found or ()]


async def lens(editor, line, title, name="a.txt"):
    """The command of one lens, once there is one."""

    async def there():
        return next(
            (command for at, said, command in await lenses(editor, name) if (at, said) == (line, title)), None
        )

    return await until(there)


async def hover(editor, line, name="a.txt"):
    """What the hover over a line says; empty if there is none."""
    params = lsp.HoverParams(
        text_document=lsp.TextDocumentIdentifier(uri=editor.uri(name)),
        position=lsp.Position(line=line, character=0),
    )
    found = await editor.client.text_document_hover_async(params)
    return found.contents.value if found else ""


async def actions(editor, first, last=None, name="a.txt", **context):
    """The code actions for some lines, by title."""
    last = first if last is None else last
    params = lsp.CodeActionParams(
        text_document=lsp.TextDocumentIdentifier(uri=editor.uri(name)),
        range=lsp.Range(start=lsp.Position(first, 0), end=lsp.Position(last, 0)),
        context=lsp.CodeActionContext(diagnostics=[], **context),
    )
    found = await editor.client.text_document_code_action_async(params)
    return {one.title: one for one in found or ()}


async def execute(editor, command):
    """Do what a lens or an action stands for."""
    return await editor.run(command.command, *command.arguments)


async def opened(client):
    """An editor with a file open into which an agent wrote, once it knows that."""
    editor = client.editor
    await agent_writes(editor)
    editor.open("a.txt")
    await lens(editor, 2, "Undo")
    return editor


async def on_disk(editor, text, name="a.txt"):
    """The file is this text, and so is its document."""
    await until(lambda: (editor.root / name).read_text() == text)
    assert editor.texts.get(name, text) == text


@pytest.mark.asyncio
async def test_lenses_stand_over_every_change_of_an_agent(client):
    """Over each hunk: who and when and what, and Undo, Diff and Keep."""
    editor = await opened(client)
    found = [(line, title) for line, title, _ in await lenses(editor)]
    said = "agent:claude, just now: rename helper"
    assert found == [(line, title) for line in (2, 19, 39) for title in (said, "Undo", "Diff", "Keep")]


@pytest.mark.asyncio
async def test_lenses_of_one_line_come_in_their_order(client):
    """Each begins behind the one before, so that editors that sort them show them as they are meant, on no text too."""
    editor = client.editor
    runs(editor, "agent:claude", "", "-e", "s/^line 3$/agent/", "-e", "s/^line 20$//", "a.txt")
    editor.open("a.txt")
    await lens(editor, 2, "Undo")
    params = lsp.CodeLensParams(text_document=lsp.TextDocumentIdentifier(uri=editor.uri("a.txt")))
    found = await editor.client.text_document_code_lens_async(params)

    places = [(one.range.start.line, one.range.start.character, one.range.end.character) for one in found]
    assert places == [
        *((2, column, 5) for column in range(4)),
        *((19, column, column) for column in range(4)),
    ]


@pytest.mark.asyncio
async def test_the_lens_takes_back_its_hunk_alone(client):
    """Undo over the second hunk brings back that line, on disk and in the document; the others stay."""
    editor = await opened(client)
    before = editor.texts["a.txt"]
    answer = await execute(editor, await lens(editor, 19, "Undo"))
    assert answer["outcome"] == "applied"
    await on_disk(editor, before.replace("agent 2\n", "line 20\n"))
    await until(lambda: _lines(editor, {2, 39}))


async def _lines(editor, wanted):
    return {line for line, _, _ in await lenses(editor)} == wanted


@pytest.mark.asyncio
async def test_keep_ends_the_marks(client):
    """What a person keeps has no lenses any more, in that file; it can still be taken back by an action."""
    editor = await opened(client)
    await execute(editor, await lens(editor, 2, "Keep"))
    await until(lambda: _lines(editor, set()))
    assert any(title.startswith("Take back this change") for title in await actions(editor, 2))


@pytest.mark.asyncio
async def test_marks_follow_what_is_typed(client):
    """Lines typed above move the lenses down at once; a line that is typed over is nobody's any more."""
    editor = await opened(client)
    editor.replace("a.txt", "line 1\n", "line 1\ntyped\ntyped\n")
    await until(lambda: _lines(editor, {4, 21, 41}))
    editor.replace("a.txt", "agent 2\n", "mine\n")
    await until(lambda: _lines(editor, {4, 41}))


@pytest.mark.asyncio
async def test_the_lens_takes_back_beside_unsaved_text(client):
    """Unsaved text stays as it is when a hunk beside it is taken back by its lens."""
    editor = await opened(client)
    disk = (editor.root / "a.txt").read_text()
    editor.replace("a.txt", "line 10\n", "unsaved\n")
    await execute(editor, await lens(editor, 2, "Undo"))
    await until(lambda: (editor.root / "a.txt").read_text() == disk.replace("agent 1\n", "line 3\n"))
    assert editor.texts["a.txt"] == disk.replace("agent 1\n", "line 3\n").replace("line 10\n", "unsaved\n")


@pytest.mark.asyncio
async def test_hover_says_who_wrote_a_line(client):
    """Over an agent's line: actor, time, operation and label; over other lines nothing."""
    editor = await opened(client)
    said = await hover(editor, 2)
    assert said.startswith("**agent:claude** wrote this just now, operation 1")
    assert "rename helper" in said
    assert await hover(editor, 3) == ""


@pytest.mark.asyncio
async def test_hover_takes_no_label_for_markup(client):
    """A label is anybody's words: it is shown as it is, and makes no link and no picture."""
    editor = client.editor
    await agent_writes(editor, label="![x](http://example.com/a.png) <b>")
    editor.open("a.txt")
    await lens(editor, 2, "Undo")
    assert r"\!\[x\]\(http://example\.com/a\.png\) \<b\>" in await hover(editor, 2)


@pytest.mark.asyncio
async def test_removed_lines_are_marked_where_they_were(client):
    """Where an agent removed lines a lens and a hover say so, and its Undo brings them back."""
    editor = client.editor
    runs(editor, "agent:claude", "", "-e", "5,6d", "a.txt")
    editor.open("a.txt")
    undo = await lens(editor, 4, "Undo")
    assert "removed lines here" in await hover(editor, 4)
    await execute(editor, undo)
    await on_disk(editor, TEXT)


@pytest.mark.asyncio
async def test_actions_take_back_hunk_operation_and_turn(client):
    """At a line of an agent's turn there are actions for the hunk alone, all of its operation, and its turn."""
    editor = client.editor
    turn = editor.takeback("turn", "begin", "--actor", "agent:claude", "--label", "tidy up")
    assert turn[0] == 0
    await agent_writes(editor, label="")
    assert editor.takeback("turn", "end")[0] == 0
    editor.open("a.txt")
    await lens(editor, 2, "Undo")
    said = "agent:claude, just now: tidy up"
    found = await actions(editor, 19)
    assert list(found) == [
        f"Take back this change ({said})",
        f"Take back all of operation 1 ({said})",
        f"Take back the turn ({said})",
        "Keep this change (agent:claude, just now)",
        f"Take back in this file: operation 1 ({said})",
        "Keep all changes of others in this file (1)",
    ]
    await execute(editor, found[f"Take back the turn ({said})"].command)
    await on_disk(editor, TEXT)


@pytest.mark.asyncio
async def test_an_action_is_resolved_to_an_edit_of_open_documents(client):
    """The edit of an action changes the document alone; the command after it writes the file and records the undo."""
    editor = await opened(client)
    text = editor.texts["a.txt"]
    action = (await actions(editor, 19))["Take back this change (agent:claude, just now: rename helper)"]
    assert action.edit is None
    resolved = await editor.client.code_action_resolve_async(action)
    (change,) = resolved.edit.document_changes
    assert change.text_document.version == editor.versions["a.txt"]
    assert len(change.edits) == 1
    editor.apply("a.txt", change)
    assert (editor.texts["a.txt"], editor.edits) == (text.replace("agent 2\n", "line 20\n"), [])
    assert (editor.root / "a.txt").read_text() == text
    answer = await execute(editor, resolved.command)
    assert (answer["outcome"], answer["undone"], editor.edits) == ("applied", [1], [])
    assert [one["outcome"] for one in answer["files"]] == ["in_editor"]
    await on_disk(editor, text.replace("agent 2\n", "line 20\n"))


@pytest.mark.asyncio
async def test_an_action_that_reaches_further_is_resolved_to_its_command(client):
    """Where other files change too, or a file is made or removed, there is no edit: the command does it all."""
    editor = client.editor
    runs(editor, "agent:claude", "", "-e", "s/line 3/agent/", "a.txt", "b.txt")
    editor.open("a.txt")
    await lens(editor, 2, "Undo")
    found = await actions(editor, 2)
    everywhere = next(one for title, one in found.items() if title.startswith("Take back all of"))
    resolved = await editor.client.code_action_resolve_async(everywhere)
    assert resolved.edit is None
    await execute(editor, resolved.command)
    await on_disk(editor, TEXT)
    assert (editor.root / "b.txt").read_text() == TEXT


@pytest.mark.asyncio
async def test_what_was_taken_back_by_hand_already_is_no_conflict(client):
    """Somebody typed the old line again, unsaved: taking back the change leaves the document and mends the file."""
    editor = await opened(client)
    disk = (editor.root / "a.txt").read_text()
    editor.replace("a.txt", "agent 1\n", "line 3\n")
    editor.replace("a.txt", "line 50\n", "unsaved\n")
    answer = await editor.run("takeback.undoHunk", {"operation": 1, "uri": editor.uri("a.txt"), "hunk": 1})
    assert answer["outcome"] == "applied"
    assert (editor.root / "a.txt").read_text() == disk.replace("agent 1\n", "line 3\n")
    assert editor.texts["a.txt"] == disk.replace("agent 1\n", "line 3\n").replace("line 50\n", "unsaved\n")
    editor.save("a.txt")
    await editor.recorded(3)
    assert (editor.root / "a.txt").read_text() == editor.texts["a.txt"]


@pytest.mark.asyncio
async def test_a_lens_names_who_claims_a_change_later(client):
    """A write that was only seen is somebody's as soon as he says so: the lens is corrected without another write."""
    editor = client.editor
    editor.write("b.txt", "line 3\n", "agent\n")
    assert (await editor.recorded(1))["actor"] == "unknown"
    editor.open("b.txt")
    await lens(editor, 2, "unknown, just now", "b.txt")
    told = {"uris": [editor.uri("b.txt")], "actor": "agent:claude"}
    await send(editor, "recordEdit", told)
    await lens(editor, 2, "agent:claude, just now", "b.txt")


@pytest.mark.asyncio
async def test_actions_are_asked_for_by_kind(client):
    """An editor that asks for kinds gets those; taking back by itself on save needs its full name."""
    editor = await opened(client)
    only_lines = await actions(editor, 2, only=["refactor.takeback"])
    assert {one.kind for one in only_lines.values()} == {
        f"refactor.takeback.{what}" for what in ("hunk", "operation", "keep")
    }
    automatic = lsp.CodeActionTriggerKind.Automatic
    by_itself = await actions(editor, 2, only=["source.takeback"], trigger_kind=automatic)
    assert [one.kind for one in by_itself.values()] == ["source.takeback.keep"]
    named = await actions(editor, 2, only=["source.takeback.undo"], trigger_kind=automatic)
    assert [one.kind for one in named.values()] == ["source.takeback.undo"]


@pytest.mark.asyncio
async def test_all_changes_in_a_file_are_kept_at_once(client):
    """One action keeps what others did to a file; what they did to another one keeps its marks."""
    editor = await opened(client)
    await agent_writes(editor, "b.txt", "agent:codex")
    editor.open("b.txt")
    await lens(editor, 2, "Undo", "b.txt")
    await execute(editor, (await actions(editor, 0))["Keep all changes of others in this file (1)"].command)
    await until(lambda: _lines(editor, set()))
    assert await lenses(editor, "b.txt")


@pytest.mark.asyncio
async def test_a_new_file_is_taken_back_as_a_whole(client):
    """A file that an agent made has one lens; its Undo removes the file."""
    editor = client.editor
    made = editor.takeback("run", "--actor", "agent:claude", "--", "cp", "b.txt", "new.txt")
    assert made[0] == 0
    editor.open("new.txt")
    undo = await lens(editor, 0, "Undo", "new.txt")
    editor.close("new.txt")
    await execute(editor, undo)
    await until(lambda: not (editor.root / "new.txt").exists())


@pytest.mark.asyncio
async def test_a_conflict_that_was_clicked_on_asks(client):
    """A lens whose hunk somebody rewrote in part says what is in the way, and asks what to do."""
    editor = await opened(client)
    runs(editor, "command:black", "", "-e", "s/^agent 1$/black/", "a.txt")
    found = await editor.run(
        "takeback.undoHunk", {"operation": 1, "uri": editor.uri("a.txt"), "hunk": 1, "interactive": True}
    )
    assert found["outcome"] == "conflict"
    assert "operation 2" in editor.questions[-1].message.lower()


@pytest.mark.asyncio
@pytest.mark.promise(2)
async def test_what_is_in_the_way_of_a_hunk_is_taken_back_first(client):
    """Who chooses to take back the others too gets them and then the hunk taken back; its operation's rest stays."""
    editor = await opened(client)
    runs(editor, "command:black", "", "-e", "s/^agent 1$/black/", "-e", "s/^line 50$/black 50/", "a.txt")
    runs(editor, "command:isort", "", "-e", "s/^black$/isort/", "a.txt")
    await editor.recorded(3)
    editor.show("a.txt", (editor.root / "a.txt").read_text())
    editor.answers = ["Take back operation"]
    hunk = {"operation": 1, "uri": editor.uri("a.txt"), "hunk": 1, "interactive": True}
    found = await editor.run("takeback.undoHunk", hunk)
    assert found["outcome"] == "applied"
    assert sorted(found["undone"]) == [1, 2, 3]
    await on_disk(editor, TEXT.replace(AGENTS[1], "agent 2\n").replace(AGENTS[2], "agent 3\n"))


@pytest.mark.asyncio
async def test_without_a_person_a_conflict_is_the_answer(client):
    """The same call without `interactive` asks nobody, and its answer names what is in the way."""
    editor = await opened(client)
    runs(editor, "command:black", "", "-e", "s/^agent 1$/black/", "a.txt")
    found = await editor.run("takeback.undoHunk", {"operation": 1, "uri": editor.uri("a.txt"), "hunk": 1})
    assert (found["outcome"], found["conflicts"][0]["in_the_way"]) == ("conflict", [2])
    assert editor.questions == []


@pytest_lsp.fixture(config=SERVER)
async def configured(lsp_client: LanguageClient, project):
    """An editor on a folder whose settings want hints, and neither lenses nor hovers."""
    settings = "[editor]\nlenses = false\nhovers = false\ninlay_hints = true\n"
    (project / "takeback.toml").write_text(settings)
    await connect(lsp_client, project)
    yield
    await lsp_client.shutdown_session()


@pytest.mark.asyncio
async def test_settings_say_what_is_shown(configured):
    """Lenses and hovers can be switched off, and hints on: behind the first line of each change."""
    editor = configured.editor
    await agent_writes(editor)
    editor.open("a.txt")

    async def hints():
        params = lsp.InlayHintParams(
            text_document=lsp.TextDocumentIdentifier(uri=editor.uri("a.txt")),
            range=lsp.Range(start=lsp.Position(0, 0), end=lsp.Position(25, 0)),
        )
        return await editor.client.text_document_inlay_hint_async(params)

    found = await until(hints)
    said = "agent:claude, just now: rename helper"
    assert [(one.position.line, one.position.character, one.label) for one in found] == [
        (2, 7, said),
        (19, 7, said),
    ]
    assert (await lenses(editor), await hover(editor, 2)) == ([], "")
