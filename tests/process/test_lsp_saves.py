"""What an editor saves is recorded as it is on disk, once, and as the human's exactly where a person wrote it."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal

import pytest
from lsprotocol import types as lsp

from editor import TAKEBACK, TEXT, until
from takeback.store.objects import ObjectStore

pytestmark = [
    pytest.mark.asyncio,
    pytest.mark.filterwarnings("error::pytest_lsp.LspSpecificationWarning"),
]

AGENT = TEXT.replace("line 3\n", "agent\n")


async def actors(editor):
    """Who wrote each operation, oldest first."""
    await asyncio.to_thread(editor.takeback, "log")  # everything until now is recorded
    operations = (await editor.run("takeback.status", {}))["operations"]
    return [one["actor"] for one in reversed(operations)]


@pytest.mark.promise(5)
async def test_an_unchanged_save_makes_nobodys_write_the_humans(client):
    """A document that was reloaded after an agent's write and saved as it is leaves the write the agent's."""
    editor = client.editor
    editor.open("a.txt")
    editor.write("a.txt", "line 3\n", "agent\n")
    await editor.recorded(1)
    editor.show("a.txt", AGENT)
    await editor.run("takeback.status", {})
    editor.save("a.txt")

    assert await actors(editor) == ["unknown"]


async def test_a_save_that_a_watcher_saw_first_is_the_humans(client):
    """Typed text whose save was recorded before the editor told of it is claimed by the save."""
    editor = client.editor
    editor.open("a.txt")
    (editor.root / "a.txt").write_text(AGENT, encoding="utf-8")
    await editor.recorded(1)
    editor.show("a.txt", AGENT)  # the write was the save of this text, which is told only now
    editor.told("a.txt")

    assert await actors(editor) == ["human"]


@pytest.mark.parametrize("is_formatted", [False, True])
async def test_a_save_is_recognised_before_it_is_told(client, is_formatted):
    """A watcher that sees on disk what a document shows records it as the save that it is, the formatter's part apart."""
    editor = client.editor
    editor.open("a.txt")
    editor.replace("a.txt", "line 3\n", "mine\n")
    editor.will_save("a.txt")
    if is_formatted:
        editor.replace("a.txt", "line 5\n", "formatted\n")
    await editor.run("takeback.status", {})
    expected = ["human", "command:format"][: 1 + is_formatted]
    (editor.root / "a.txt").write_text(editor.texts["a.txt"], encoding="utf-8")
    await editor.recorded(len(expected))
    assert await actors(editor) == expected

    editor.told("a.txt")

    assert await actors(editor) == expected


async def test_a_save_during_a_command_is_the_humans(client):
    """What an editor saves while a command is at work is no part of what the command wrote, told or not."""
    editor = client.editor
    editor.open("a.txt")
    editor.replace("a.txt", "line 3\n", "mine\n")
    script = "echo done > b.txt; read line"
    command = [*TAKEBACK, "run", "--actor", "agent:x", "--", "sh", "-c", script]
    running = await asyncio.create_subprocess_exec(*command, cwd=editor.root, stdin=asyncio.subprocess.PIPE)
    await until(lambda: (editor.root / "b.txt").read_text(encoding="utf-8") == "done\n")
    (editor.root / "a.txt").write_text(editor.texts["a.txt"], encoding="utf-8")
    await running.communicate(b"go on\n")
    editor.told("a.txt")

    assert sorted(await actors(editor)) == ["agent:x", "human"]


@pytest.mark.promise(5)
async def test_a_save_with_escaped_line_ends_is_what_the_document_shows(client):
    """ALE sends the saved text with its line ends escaped: what is recorded is the text on disk, and nothing is unsaved."""
    editor = client.editor
    editor.open("a.txt")
    editor.show("a.txt", AGENT)
    (editor.root / "a.txt").write_text(AGENT, encoding="utf-8")
    editor.texts["a.txt"] = AGENT.replace("\n", "\\n")
    editor.told("a.txt")
    await editor.recorded(1)
    status = await editor.run("takeback.status", {})

    assert await actors(editor) == ["human"]
    assert [(one["path"], one["dirty"]) for one in status["documents"]] == [("a.txt", False)]


@pytest.mark.promise(8)
async def test_a_save_in_the_middle_of_an_undo_is_the_humans(client):
    """Somebody types and saves while an undo is on its way: what was typed is theirs, and no undo takes it back."""
    editor = client.editor
    await editor.opened_after_agent("a.txt")

    def typed(*_):
        editor.behave = None
        editor.replace("a.txt", "line 39\n", "mine\n")
        editor.save("a.txt")
        return lsp.ApplyWorkspaceEditResult(applied=False)

    editor.behave = typed
    undone = await editor.run("takeback.undoLast", {"n": 1})

    mine = TEXT.replace("line 39\n", "mine\n")
    assert (undone["outcome"], undone["undone"]) == ("applied", [1])
    assert (await actors(editor))[:2] == ["unknown", "human"]
    assert (await editor.run("takeback.undoLast", {"n": 1}))["outcome"] == "nothing"
    assert (editor.texts["a.txt"], (editor.root / "a.txt").read_text()) == (mine, mine)


@pytest.mark.promise(5)
@pytest.mark.promise(8)
async def test_a_save_that_is_told_with_later_text_is_what_is_on_disk(client):
    """Where somebody typed on before the save is told, what was written is the human's, and the rest is unsaved."""
    editor = client.editor
    editor.open("a.txt")
    for first, second in (("line 5\n", "line 9\n"), ("line 15\n", "line 19\n")):
        editor.replace("a.txt", first, "saved\n")
        (editor.root / "a.txt").write_text(editor.texts["a.txt"], encoding="utf-8")
        editor.replace("a.txt", second, "unsaved\n")
        editor.told("a.txt")
        (document,) = (await editor.run("takeback.status", {}))["documents"]
        assert (document["path"], document["dirty"]) == ("a.txt", True)

    assert await actors(editor) == ["human", "human"]
    assert (await editor.run("takeback.undoLast", {"n": 1}))["outcome"] == "nothing"
    on_disk = (editor.root / "a.txt").read_text(encoding="utf-8")
    assert (on_disk.count("unsaved\n"), editor.texts["a.txt"].count("unsaved\n")) == (1, 2)


@pytest.mark.promise(5)
async def test_saves_that_are_told_together_are_of_the_same_text(client):
    """Two saves that are told after both were written, with text that was typed since, record what is on disk once."""
    editor = client.editor
    editor.open("a.txt")
    for line in ("line 5\n", "line 9\n"):
        editor.replace("a.txt", line, "saved\n")
        (editor.root / "a.txt").write_text(editor.texts["a.txt"], encoding="utf-8")
    editor.replace("a.txt", "line 15\n", "unsaved\n")
    editor.told("a.txt")
    editor.told("a.txt")

    assert (await actors(editor))[-1] == "human"
    (document,) = (await editor.run("takeback.status", {}))["documents"]
    assert (document["path"], document["dirty"]) == ("a.txt", True)
    assert "unsaved" not in (editor.root / "a.txt").read_text(encoding="utf-8")


def blob(text):
    """The name of content in the store."""
    data = text.encode()
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


@pytest.mark.promise(9)
async def test_a_save_does_not_bring_a_forgotten_secret_back(client, tmp_path):
    """What was forgotten stays out of the store when a document that still shows it is saved."""
    editor = client.editor
    secret = "API_KEY=hunter2\n"
    editor.write("a.txt", TEXT, secret)
    await editor.recorded(1)
    status, _, problem = await asyncio.to_thread(editor.takeback, "forget", "--force", "a.txt")
    assert status == 0, problem
    editor.open("a.txt")
    editor.save("a.txt")
    editor.replace("a.txt", "hunter2", "hunter3")
    editor.save("a.txt")
    await editor.run("takeback.status", {})
    editor.replace("a.txt", "hunter3", "hunter2")
    editor.save("a.txt")
    editor.write("a.txt", "\n", "\nother\n")  # before the save is told
    editor.told("a.txt")
    await editor.run("takeback.status", {})

    (state,) = (tmp_path / "state").iterdir()
    store = ObjectStore(str(state / "store.git"))

    assert not store.has(blob(secret))
    assert store.has(blob(secret.replace("2", "3")))


@pytest.mark.promise(5)
async def test_a_file_that_is_too_large_is_saved_once(client):
    """One save of a file that is too large to be captured is one operation, of the human, and says so."""
    editor = client.editor
    large = "0123456789abcde\n" * (11 << 16)
    editor.texts["large.txt"] = large
    editor.save("large.txt")
    await editor.recorded(1)
    editor.open("large.txt", large)
    editor.show("large.txt", large + "more\n")
    editor.save("large.txt")
    await editor.recorded(2)

    assert await actors(editor) == ["human", "human"]
    (change,) = (await editor.run("takeback.status", {}))["operations"][0]["changes"]
    assert change["captured"] is False


async def test_a_save_in_another_encoding_is_recorded_as_it_is_on_disk(client):
    """A file that is not UTF-8 is recorded by its bytes, once, and an undo puts its former bytes back."""
    editor = client.editor
    before = "café\nline 2\n"
    (editor.root / "a.txt").write_bytes(before.encode("latin-1"))
    await editor.recorded(1)
    editor.open("a.txt", before)
    editor.replace("a.txt", "line 2", "line two")
    editor.save("a.txt", "latin-1")

    assert await actors(editor) == ["unknown", "human"]
    result = await editor.run("takeback.undoOperations", {"ids": [2]})

    assert (result["outcome"], editor.edits) == ("applied", [])
    assert (editor.root / "a.txt").read_bytes() == before.encode("latin-1")


@pytest.mark.promise(8)
async def test_unsaved_text_in_another_encoding_is_left(client):
    """A file that is not UTF-8 is changed on disk only, and not while its document holds unsaved text."""
    editor = client.editor
    before, after = "café\nline 2\n".encode("latin-1"), "café\nagent\n".encode("latin-1")
    (editor.root / "a.txt").write_bytes(before)
    await editor.recorded(1)
    (editor.root / "a.txt").write_bytes(after)
    await editor.recorded(2)
    editor.open("a.txt", after.decode("latin-1"))
    editor.replace("a.txt", "café", "thé")

    result = await editor.run("takeback.undoLast", {"n": 1})

    assert (result["outcome"], (editor.root / "a.txt").read_bytes()) == ("conflict", after)


async def test_a_save_through_a_link_is_a_write_of_its_target(client):
    """An editor that saves a link writes the file that it leads to; the link stays one."""
    editor = client.editor
    os.symlink("a.txt", editor.root / "link.txt")
    await editor.recorded(1)
    editor.open("link.txt")
    editor.replace("link.txt", "line 3\n", "mine\n")
    editor.save("link.txt")

    assert await actors(editor) == ["unknown", "human"]
    (change,) = (await editor.run("takeback.status", {}))["operations"][0]["changes"]
    assert change["path"] == "a.txt"


@pytest.mark.promise(5)
async def test_saves_on_disk_before_they_were_heard_of_are_whose_they_are(client):
    """A busy server finds the second save on disk while the word of both waits: each has its typing and its formatting."""
    editor = client.editor
    editor.open("a.txt")
    await editor.run("takeback.status", {})
    os.kill(client._server.pid, signal.SIGSTOP)
    try:
        for number in (1, 2):
            editor.replace("a.txt", f"line {number}0\n", f"typed {number}\n")
            editor.will_save("a.txt")
            editor.replace("a.txt", f"line {number}1\n", f"formatted {number}\n")
            editor.save("a.txt")
    finally:
        os.kill(client._server.pid, signal.SIGCONT)

    assert await actors(editor) == ["human", "command:format"] * 2
