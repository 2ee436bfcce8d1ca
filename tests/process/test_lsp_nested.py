"""One open folder lies in another: a document belongs to both, and each knows what the other made of it."""

from __future__ import annotations

import pytest

from editor import TEXT, until

pytestmark = [
    pytest.mark.server,
    pytest.mark.asyncio,
    pytest.mark.filterwarnings("error::pytest_lsp.LspSpecificationWarning"),
]

NAME = "inner/c.txt"


async def written(editor, n, old, new):
    """Somebody writes, and both folders have recorded it as operation `n`."""
    editor.write(NAME, old, new)
    for folder in (editor.root, editor.root / "inner"):

        async def recorded(folder=folder):
            operations = (await editor.run("takeback.status", {"workspace": folder.as_uri()}))["operations"]
            return operations and operations[0]["id"] >= n

        await until(recorded)


@pytest.mark.promise(2)
@pytest.mark.promise(8)
@pytest.mark.parametrize("order", [["", "inner"], ["inner", ""]])
@pytest.mark.parametrize("unsaved", [True, False])
async def test_an_undo_through_each_takes_back_both(nested_client, order, unsaved):
    """Two operations are taken back, one through each folder: file and document are as before, and unsaved text stays."""
    editor = nested_client.editor
    await written(editor, 1, "line 3\n", "agent\n")
    await written(editor, 2, "line 20\n", "other\n")
    editor.open(NAME)
    if unsaved:
        editor.replace(NAME, "line 39\n", "mine\n")
    first, second = ((editor.root / place).as_uri() for place in order)

    one = await editor.run("takeback.undoOperations", {"ids": [2], "workspace": first})
    other = await editor.run("takeback.undoOperations", {"ids": [1], "workspace": second})

    assert (one["outcome"], other["outcome"]) == ("applied", "applied")
    assert (editor.root / NAME).read_text(encoding="utf-8") == TEXT
    assert editor.texts[NAME] == (TEXT.replace("line 39\n", "mine\n") if unsaved else TEXT)


@pytest.mark.promise(3)
@pytest.mark.promise(8)
@pytest.mark.parametrize("order", [["", "inner"], ["inner", ""]])
@pytest.mark.parametrize("unsaved", [True, False])
async def test_an_undo_through_one_is_taken_back_through_the_other(nested_client, order, unsaved):
    """What one folder took back comes back through the other, in the file and in the document alike."""
    editor = nested_client.editor
    await written(editor, 1, "line 3\n", "agent\n")
    editor.open(NAME)
    if unsaved:
        editor.replace(NAME, "line 39\n", "mine\n")
    first, second = ((editor.root / place).as_uri() for place in order)
    before = editor.texts[NAME]
    await editor.run("takeback.undoOperations", {"ids": [1], "workspace": first})

    async def recorded():
        return (await editor.run("takeback.status", {"workspace": second}))["operations"][0]["id"] == 2

    await until(recorded)
    result = await editor.run("takeback.undoOperations", {"ids": [2], "workspace": second})

    assert result["outcome"] == "applied"
    assert (editor.root / NAME).read_text(encoding="utf-8") == TEXT.replace("line 3\n", "agent\n")
    assert editor.texts[NAME] == before
