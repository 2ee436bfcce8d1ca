"""Files in which lines end one way and the other, in editors that show them so and in editors that show one ending."""

from __future__ import annotations

import pytest
from lsprotocol import types as lsp

from editor import TEXT, UTF16
from takeback.lsp.documents import with_edits

pytestmark = [
    pytest.mark.server,
    pytest.mark.asyncio,
    pytest.mark.filterwarnings("error::pytest_lsp.LspSpecificationWarning"),
]

MIXED = TEXT.replace("line 3\n", "agent\r\nmac\rline\r\n")


def on_disk(editor):
    """What the file is."""
    return (editor.root / "a.txt").read_bytes().decode()


def with_lf(text):
    """What an editor shows that gives every line the same ending."""
    return text.replace("\r\n", "\n")


async def written(editor, text, n=1):
    """An agent has written this, as operation `n`."""
    (editor.root / "a.txt").write_bytes(text.encode())
    await editor.recorded(n)


@pytest.mark.promise(3)
async def test_a_redo_brings_back_how_lines_end(client):
    """A document that shows its file to the byte does so after a redo that brings lines with another ending."""
    editor = client.editor
    await written(editor, MIXED)
    editor.open("a.txt")

    for command, wanted in (("undoLast", TEXT), ("redo", MIXED), ("undoLast", TEXT)):
        assert (await editor.run(f"takeback.{command}", {"n": 1}))["outcome"] == "applied"
        assert (editor.texts["a.txt"], on_disk(editor)) == (wanted, wanted)


@pytest.mark.promise(2)
async def test_an_editor_may_show_one_ending_where_a_file_has_two(client):
    """What such an editor shows is no unsaved text, so it is in nobody's way, and stays as the editor shows lines."""
    editor = client.editor
    (editor.root / "a.txt").write_bytes(MIXED.encode())
    await editor.recorded(1)
    await written(editor, MIXED.replace("mac\rline\r\n", "mac\rLINE\r\n"), 2)
    editor.open("a.txt", with_lf(on_disk(editor)))

    result = await editor.run("takeback.undoLast", {"n": 1})

    assert (result["outcome"], result["undone"]) == ("applied", [2])
    assert (editor.texts["a.txt"], on_disk(editor)) == (with_lf(MIXED), MIXED)


@pytest.mark.parametrize(
    "there", [MIXED, TEXT.replace("line 3\n", "line 3\r\n")], ids=["lines and endings", "endings alone"]
)
async def test_an_editor_may_write_one_ending_where_two_are_asked_for(client, there):
    """Such an editor does what it was asked for: the file is as it was, and the document shows the same lines."""
    editor = client.editor
    await written(editor, there)
    editor.open("a.txt", with_lf(there))
    await editor.run("takeback.undoLast", {"n": 1})
    assert (editor.texts["a.txt"], on_disk(editor)) == (TEXT, TEXT)

    def behave(name, document):
        editor.show(name, with_lf(with_edits(editor.texts[name], document.edits, UTF16)))
        return lsp.ApplyWorkspaceEditResult(applied=True)

    editor.behave = behave
    result = await editor.run("takeback.redo", {"n": 1})

    assert (result["outcome"], result["files"][0]["outcome"]) == ("applied", "in_editor")
    assert (editor.texts["a.txt"], on_disk(editor)) == (with_lf(there), there)
