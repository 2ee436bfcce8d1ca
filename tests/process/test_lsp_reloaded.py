"""An editor reloads a file and tells of it only together with what was typed since: that is over the file as it is now."""

from __future__ import annotations

import pytest

from editor import TEXT

pytestmark = [
    pytest.mark.asyncio,
    pytest.mark.filterwarnings("error::pytest_lsp.LspSpecificationWarning"),
]

AGENT = TEXT.replace("line 3\n", "agent\n")


async def typed_over_reloaded(editor, text):
    """An agent wrote the file of a clean document, which was reloaded and typed into before the server heard of either."""
    editor.open("a.txt")
    await editor.run("takeback.status", {})
    editor.write("a.txt", "line 3\n", "agent\n")
    await editor.recorded(1)
    editor.show("a.txt", text)


@pytest.mark.promise(8)
@pytest.mark.parametrize(("old", "typed"), [("line 39\n", "mine\n"), ("line 4\n", "mine\nline 4\n")])
async def test_what_was_reloaded_and_typed_over_at_once_is_taken_back_alone(client, old, typed):
    """The agent's line goes in the file and in the document, and what was typed stays, also right beside it."""
    editor = client.editor
    await typed_over_reloaded(editor, AGENT.replace(old, typed))

    result = await editor.run("takeback.undoLast", {"n": 1})

    assert result["outcome"] == "applied"
    assert (editor.root / "a.txt").read_text() == TEXT
    assert editor.texts["a.txt"] == TEXT.replace(old, typed)


@pytest.mark.promise(8)
@pytest.mark.parametrize("typed", ["agent and mine\n", "mine, agent\n"])
async def test_what_was_typed_over_the_very_line_is_a_conflict(client, typed):
    """Where the agent's own line was typed over, nothing is written anywhere."""
    editor = client.editor
    mine = TEXT.replace("line 3\n", typed)
    await typed_over_reloaded(editor, mine)

    result = await editor.run("takeback.undoLast", {"n": 1})

    assert (result["outcome"], editor.texts["a.txt"]) == ("conflict", mine)
    assert (editor.root / "a.txt").read_text() == AGENT


@pytest.mark.promise(8)
async def test_an_editor_that_lets_nobody_edit_keeps_what_was_typed_over_reloaded(reading_client):
    """Where an editor changes no documents when asked, the file is left."""
    editor = reading_client.editor
    await typed_over_reloaded(editor, AGENT.replace("line 39\n", "mine\n"))

    result = await editor.run("takeback.undoLast", {"n": 1})

    assert result["outcome"] == "refused"
    assert (editor.root / "a.txt").read_text() == AGENT
    assert "unsaved text" in result["files"][0]["note"]


@pytest.mark.promise(8)
async def test_what_was_typed_without_reloading_is_over_the_older_text(client):
    """Who goes on typing in the older text has none of the agent's lines: the file is taken back alone."""
    editor = client.editor
    mine = TEXT.replace("line 39\n", "mine\n")
    await typed_over_reloaded(editor, mine)

    result = await editor.run("takeback.undoLast", {"n": 1})

    assert (result["outcome"], editor.texts["a.txt"]) == ("applied", mine)
    assert (editor.root / "a.txt").read_text() == TEXT


@pytest.mark.promise(2)
@pytest.mark.trap(13)
async def test_a_formatted_file_that_is_seen_before_its_save_is_told_is_no_reloaded_one(client):
    """What a formatter changed before a save stays its own, also where the file was written before anything was told."""
    editor = client.editor
    editor.open("a.txt")
    await editor.run("takeback.status", {})
    typed = TEXT.replace("line 39\n", "mine\n")
    formatted = typed.replace("line 20\n", "    line 20\n")
    (editor.root / "a.txt").write_text(formatted)
    editor.show("a.txt", typed)
    editor.will_save("a.txt")
    editor.show("a.txt", formatted)
    editor.told("a.txt")
    await editor.recorded(2)

    found = (await editor.run("takeback.showTimeline", {}))["operations"]
    assert [one["actor"] for one in found] == ["command:format", "human"]
