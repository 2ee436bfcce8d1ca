"""Files and open documents stay the same text: whatever is taken back, brought back, saved and undone again."""

from __future__ import annotations

import pytest

from editor import TEXT

pytestmark = [
    pytest.mark.asyncio,
    pytest.mark.filterwarnings("error::pytest_lsp.LspSpecificationWarning"),
]

AGENT = TEXT.replace("line 3\n", "agent\n")


def on_disk(editor, name="a.txt"):
    """The text of a file."""
    return (editor.root / name).read_bytes().decode()


# -- there and back ------------------------------------------------------------------------------


@pytest.mark.promise(3)
@pytest.mark.trap(13)
async def test_redo_reaches_a_document_that_an_undo_changed(client):
    """An undo in a clean document can be redone and undone again, and the document always shows what its file is."""
    editor = client.editor
    editor.write("a.txt", "line 3\n", "agent\n")
    await editor.recorded(1)
    editor.open("a.txt")

    for command, wanted in (("undoLast", TEXT), ("redo", AGENT), ("undoLast", TEXT)):
        result = await editor.run(f"takeback.{command}", {"n": 1})
        assert result["files"][0]["outcome"] == "in_editor"
        assert (editor.texts["a.txt"], on_disk(editor)) == (wanted, wanted)


@pytest.mark.promise(3)
@pytest.mark.promise(8)
async def test_redo_keeps_unsaved_text(client):
    """A redo after an undo brings the lines back in the document too, and unsaved text stays in it."""
    editor = client.editor
    editor.write("a.txt", "line 3\n", "agent\n")
    await editor.recorded(1)
    editor.open("a.txt")
    editor.replace("a.txt", "line 39\n", "mine\n")
    await editor.run("takeback.undoLast", {"n": 1})

    result = await editor.run("takeback.redo", {"n": 1})

    assert result["outcome"] == "applied"
    assert editor.texts["a.txt"] == AGENT.replace("line 39\n", "mine\n")
    assert on_disk(editor) == AGENT


@pytest.mark.promise(3)
async def test_several_undos_come_back_together(client):
    """Two undos, one after the other and without a save between them, are redone at once in document and file."""
    editor = client.editor
    editor.write("a.txt", "line 3\n", "agent\n")
    await editor.recorded(1)
    editor.write("a.txt", "line 20\n", "other\n")
    await editor.recorded(2)
    editor.open("a.txt")
    both = editor.texts["a.txt"]
    await editor.run("takeback.undoLast", {"n": 1})
    await editor.run("takeback.undoLast", {"n": 1})
    assert (editor.texts["a.txt"], on_disk(editor)) == (TEXT, TEXT)

    await editor.run("takeback.redo", {"n": 2})

    assert (editor.texts["a.txt"], on_disk(editor)) == (both, both)


async def test_an_edited_document_counts_as_changed_until_it_is_saved(client):
    """After an undo a clean document is listed as changed, as its editor counts it; a save ends that."""
    editor = client.editor
    editor.write("a.txt", "line 3\n", "agent\n")
    await editor.recorded(1)
    editor.open("a.txt")
    await editor.run("takeback.undoLast", {"n": 1})
    before = (await editor.run("takeback.status", {}))["documents"]
    editor.save("a.txt")

    after = (await editor.run("takeback.status", {}))["documents"]

    assert [one["dirty"] for one in (*before, *after)] == [True, False]
