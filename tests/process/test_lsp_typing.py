"""What an editor knows of a save besides the text: which lines were replaced, and what a formatter did before it."""

from __future__ import annotations

import asyncio

import pytest
from lsprotocol import types as lsp

pytestmark = [
    pytest.mark.server,
    pytest.mark.asyncio,
    pytest.mark.usefixtures("slow_watcher"),
    pytest.mark.filterwarnings("error::pytest_lsp.LspSpecificationWarning"),
]

ALIKE = "begin\n" + 4 * "same\n" + "end\n"


async def actors(editor):
    """Who wrote each operation, oldest first."""
    await asyncio.to_thread(editor.takeback, "log")
    operations = (await editor.run("takeback.status", {}))["operations"]
    return [one["actor"] for one in reversed(operations)]


async def opened(editor, text):
    """A document of this text, recorded as operation 1."""
    (editor.root / "c.txt").write_bytes(text.encode())
    await editor.recorded(1)
    editor.open("c.txt")


# -- lines that are alike ------------------------------------------------------------------------


def typed_before(editor, place):
    """A line is put in before another one."""
    editor.type("c.txt", (place, 0, place, 0, "same\n"))


def opened_behind(editor, place):
    """A line is opened behind the one before, and typed letter by letter."""
    ends = {0: 0, 1: 5}.get(place, 4)
    editor.type("c.txt", (place - 1, ends, place - 1, ends, "\n"))
    for column, letter in enumerate("same"):
        editor.type("c.txt", (place, column, place, column, letter))


def in_one_message(editor, place):
    """A line is put in, and another one below is changed there and back, in one message."""
    editor.type(
        "c.txt", (6, 0, 6, 0, "x"), (place, 0, place, 0, "same\n"), (7, 0, 7, 1, ""), (0, 0, 0, 5, "begin")
    )


def told_after_the_write(editor, place):
    """The editor writes the file before it tells of what was typed."""
    lines = editor.texts["c.txt"].splitlines(keepends=True)
    text = "".join([*lines[:place], "same\n", *lines[place:]])
    (editor.root / "c.txt").write_text(text, encoding="utf-8")
    typed_before(editor, place)


@pytest.mark.promise(2)
@pytest.mark.parametrize("type_in", [typed_before, opened_behind, in_one_message, told_after_the_write])
@pytest.mark.parametrize("place", [1, 3, 5])
async def test_an_inserted_line_keeps_its_true_place(client, type_in, place):
    """A line was typed among others that are alike, and somebody wrote behind it: its undo takes that very line."""
    editor = client.editor
    await opened(editor, ALIKE)
    type_in(editor, place)
    editor.save("c.txt")
    await editor.recorded(2)
    lines = editor.texts["c.txt"].splitlines(keepends=True)
    assert lines == ["begin\n", *5 * ["same\n"], "end\n"]
    behind = "".join([*lines[: place + 1], "agent\n", *lines[place + 1 :]])
    (editor.root / "c.txt").write_text(behind, encoding="utf-8")
    await editor.recorded(3)

    undone = await editor.run("takeback.undoOperations", {"ids": [2]})

    assert undone["outcome"] == "applied"
    was = ALIKE.splitlines(keepends=True)
    assert (editor.root / "c.txt").read_text() == "".join([*was[:place], "agent\n", *was[place:]])


async def test_an_editor_that_sends_whole_texts_is_understood(client):
    """Where no range says what was replaced, or some do and some do not, a diff does."""
    editor = client.editor
    await opened(editor, ALIKE)
    typed_before(editor, 1)
    editor.show("c.txt", editor.texts["c.txt"].replace("end", "END"))
    typed_before(editor, 1)
    editor.save("c.txt")
    await editor.recorded(2)

    await editor.run("takeback.undoOperations", {"ids": [2]})

    assert (editor.root / "c.txt").read_text(encoding="utf-8") == ALIKE


async def test_ranges_over_a_file_that_somebody_else_wrote_mean_nothing(client):
    """A document that lags behind its file is saved over it: what was replaced is found by comparing."""
    editor = client.editor
    await opened(editor, ALIKE)
    typed_before(editor, 1)
    editor.write("c.txt", "end\n", "END\nmore\n")
    await editor.recorded(2)
    editor.save("c.txt")
    await editor.recorded(3)

    await editor.run("takeback.undoOperations", {"ids": [3]})

    assert (editor.root / "c.txt").read_text(encoding="utf-8") == ALIKE.replace("end\n", "END\nmore\n")


# -- a formatter before the save -----------------------------------------------------------------

CODE = "def one():\n  pass\n\ndef two():\n  pass\n"
TYPED = CODE.replace("def one():", "def one(a,b):")
FORMATTED = TYPED.replace("a,b", "a, b").replace("  pass", "    pass")


def at_once(editor):
    """The editor tells of what the formatter made before it writes."""
    editor.show("c.txt", FORMATTED)
    editor.save("c.txt")


def afterwards(editor):
    """The editor tells of it after it has written, as Neovim does."""
    (editor.root / "c.txt").write_text(FORMATTED, encoding="utf-8")
    editor.show("c.txt", FORMATTED)
    editor.told("c.txt")


@pytest.mark.trap(13)
@pytest.mark.promise(2)
@pytest.mark.parametrize("save", [at_once, afterwards])
async def test_what_a_formatter_makes_of_a_save_is_its_own(client, save):
    """What was typed is the human's, what changed before the save a formatter's, and each is undone alone."""
    editor = client.editor
    await opened(editor, CODE)
    editor.type("c.txt", (0, 8, 0, 8, "a,b"))
    editor.will_save("c.txt")
    save(editor)

    assert await actors(editor) == ["unknown", "human", "command:format"]
    undone = await editor.run("takeback.undoLast", {"n": 1})
    assert (undone["undone"], undone["outcome"]) == ([3], "applied")
    assert (editor.texts["c.txt"], (editor.root / "c.txt").read_text()) == (TYPED, TYPED)
    await editor.run("takeback.undoOperations", {"ids": [2]})
    assert (editor.texts["c.txt"], (editor.root / "c.txt").read_text()) == (CODE, CODE)


@pytest.mark.promise(2)
async def test_the_formatters_work_stays_when_what_was_typed_goes(client):
    """Undo of what was typed leaves the formatter's other lines."""
    editor = client.editor
    await opened(editor, CODE)
    editor.type("c.txt", (0, 0, 0, 0, "import os\n"))
    editor.will_save("c.txt")
    editor.show("c.txt", editor.texts["c.txt"].replace("  pass", "    pass"))
    editor.save("c.txt")
    await actors(editor)

    undone = await editor.run("takeback.undoOperations", {"ids": [2]})

    assert undone["outcome"] == "applied"
    assert (editor.root / "c.txt").read_text() == CODE.replace("  pass", "    pass")


async def test_a_formatter_alone_is_no_human(client):
    """Nothing was typed: all that a save changes is the formatter's."""
    editor = client.editor
    await opened(editor, CODE)
    editor.will_save("c.txt")
    editor.show("c.txt", CODE.replace("  pass", "    pass"))
    editor.save("c.txt")

    assert await actors(editor) == ["unknown", "command:format"]


@pytest.mark.promise(5)
@pytest.mark.parametrize("why", ["after a delay", "saved before", "given up"])
async def test_what_is_typed_is_never_a_formatters(client, why):
    """In a save after a delay people type on; and what comes after a save, or a later announcement, is typed."""
    editor = client.editor
    await opened(editor, CODE)
    late = lsp.TextDocumentSaveReason.AfterDelay
    editor.will_save("c.txt", late if why == "after a delay" else lsp.TextDocumentSaveReason.Manual)
    if why == "saved before":
        editor.save("c.txt")
        await editor.run("takeback.status", {})
    editor.type("c.txt", (0, 8, 0, 8, "a,b"))
    if why == "given up":
        editor.will_save("c.txt")
    editor.save("c.txt")

    assert await actors(editor) == ["unknown", "human"]


@pytest.mark.promise(5)
async def test_an_editor_that_tells_of_typing_late_names_no_formatter(eglot_client):
    """Eglot announces a save before it tells of what was typed last: that is the human's all the same."""
    editor = eglot_client.editor
    await opened(editor, CODE)
    editor.will_save("c.txt")
    editor.type("c.txt", (0, 8, 0, 8, "a,b"))
    editor.save("c.txt")

    assert await actors(editor) == ["unknown", "human"]
