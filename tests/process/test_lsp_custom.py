"""Messages that are Takeback's own: turns, edits that somebody says are theirs, and the timeline in pages."""

from __future__ import annotations

import asyncio

import pytest
from pygls.exceptions import JsonRpcException

from editor import send

pytestmark = [
    pytest.mark.server,
    pytest.mark.asyncio,
    pytest.mark.filterwarnings("error::pytest_lsp.LspSpecificationWarning"),
]


async def test_what_is_written_in_a_turn_is_its_actors(client):
    """Between `beginTurn` and `endTurn` a write that nobody announces belongs to the turn, marked as inferred."""
    editor = client.editor
    begun = await send(editor, "beginTurn", {"actor": "agent:aider", "label": "rename helper"})
    editor.write("a.txt", "line 3\n", "agent\n")
    written = await editor.recorded(1)
    ended = await send(editor, "endTurn", {"turn": begun["turn"]["id"]})

    assert (begun["turn"]["id"], begun["turn"]["label"], begun["turn"]["ended"]) == (
        "turn-1",
        "rename helper",
        None,
    )
    assert (written["actor"], written["turn"], written["inferred"]) == ("agent:aider", "turn-1", True)
    assert ended["turn"]["ended"]
    with pytest.raises(JsonRpcException, match="turn-1 has ended already"):
        await send(editor, "endTurn", {"turn": "turn-1"})


async def test_a_told_edit_is_exactly_the_actors(client):
    """`recordEdit` puts down what a file holds to the actor, also where the watcher was quicker, once."""
    editor = client.editor
    editor.write("a.txt", "line 3\n", "agent\n")
    await editor.recorded(1)
    editor.write("b.txt", "line 3\n", "agent\n")
    told = {"uris": [editor.uri("a.txt"), editor.uri("b.txt")], "actor": "agent:aider", "label": "rename"}

    found = await send(editor, "recordEdit", told)
    again = await send(editor, "recordEdit", told)

    operations = (await editor.run("takeback.status", {}))["operations"]
    assert [(one["id"], one["actor"], one["label"], one["inferred"]) for one in operations] == [
        (2, "agent:aider", "rename", False),
        (1, "agent:aider", "rename", False),
    ]
    assert set(found["claimed"]) | {(found["operation"] or {}).get("id", 2)} == {1, 2}
    assert (again["operation"], again["claimed"]) == (None, [])


@pytest.mark.parametrize("is_announced", [True, False])
async def test_an_edit_that_was_saved_can_be_an_agents(client, is_announced):
    """What an agent of the editor typed and the editor saved is the agent's once it says so."""
    editor = client.editor
    editor.open("a.txt")
    editor.replace("a.txt", "line 3\n", "agent\n")
    if is_announced:
        editor.will_save("a.txt")
    editor.save("a.txt")
    assert (await editor.recorded(1))["actor"] == "human"

    found = await send(editor, "recordEdit", {"uris": [editor.uri("a.txt")], "actor": "agent:aider"})

    assert found["claimed"] == [1]
    assert (await editor.run("takeback.showOperation", {"id": 1}))["operations"][0]["actor"] == "agent:aider"


async def test_a_file_that_the_editor_made_can_be_an_agents(client):
    """A file that an agent of the editor made by the editor's own operation is the agent's once it says so."""
    editor = client.editor
    (editor.root / "new.txt").write_text("made\n", encoding="utf-8")
    editor.told_created("new.txt")
    while (await editor.recorded(1))["actor"] != "human":
        pass

    found = await send(editor, "recordEdit", {"uris": [editor.uri("new.txt")], "actor": "agent:aider"})

    assert found["claimed"] == [1]


@pytest.mark.promise(2)
async def test_what_was_saved_in_another_editor_stays_the_humans(client, second):
    """What a person saved in another editor is not an agent's of this one, though it says so of the same content."""
    other = second.editor
    other.open("a.txt")
    other.replace("a.txt", "line 3\n", "human\n")
    other.save("a.txt")
    while (await client.editor.recorded(1))["actor"] != "human":
        pass

    told = {"uris": [client.editor.uri("a.txt")], "actor": "agent:aider"}
    found = await send(client.editor, "recordEdit", told)

    assert (found["operation"], found["claimed"]) == (None, [])
    assert (await client.editor.recorded(1))["actor"] == "human"


@pytest.mark.parametrize(
    ("method", "params", "what"),
    [
        ("beginTurn", {}, "actor is missing"),
        ("beginTurn", {"actor": "x"}, "x"),
        ("beginTurn", {"actor": "agent:a", "class": 1}, "takes no 'class'"),
        ("endTurn", {}, "no turn is open"),
        ("endTurn", {"turn": "turn-99"}, "turn-99"),
        ("recordEdit", {"actor": "agent:a"}, "uris is missing"),
        ("recordEdit", {"actor": "agent:a", "uris": []}, "uris is empty"),
        ("recordEdit", {"actor": "agent:a", "uris": ["file:///elsewhere"]}, "no open folder"),
        ("timeline", {"limit": 0}, "limit is 0"),
        ("timeline", {"filter": {"who": 1}}, "'who'"),
        ("timeline", {"filter": {"turn": "turn-99"}}, "turn-99"),
        ("timeline", {"filter": {"path": "/etc"}}, "/etc"),
        ("timeline", [1], "was sent with"),
    ],
)
async def test_a_wrong_message_is_answered_with_a_reason(client, method, params, what):
    """What a message does not take is refused as on the command line."""
    with pytest.raises(JsonRpcException) as refused:
        await send(client.editor, method, params)

    assert what in refused.value.message


async def test_the_timeline_comes_in_pages(client):
    """`timeline` gives a page and where the next begins, narrowed by actor, file, text or turn."""
    editor = client.editor
    for number in range(1, 6):
        who = "agent:a" if number % 2 else "agent:b"
        editor.write("b.txt" if number == 5 else "a.txt", f"line {number}\n", f"agent {number}\n")
        await asyncio.to_thread(editor.takeback, "record", "--actor", who, "--label", f"Step {number}")
        uris = [editor.uri("a.txt"), editor.uri("b.txt")]
        await send(editor, "recordEdit", {"uris": uris, "actor": who})

    async def ids(**params):
        found = await send(editor, "timeline", params)
        return [one["id"] for one in found["operations"]], found["next"]

    assert await ids(limit=2) == ([5, 4], 4)
    assert await ids(limit=2, before=4) == ([3, 2], 2)
    assert await ids(limit=2, before=2) == ([1], None)
    assert await ids(filter={"actor": "agent:b"}) == ([4, 2], None)
    assert await ids(filter={"uri": editor.uri("b.txt")}) == ([5], None)
    assert await ids(filter={"path": "a.txt", "actor": "agent:a"}) == ([3, 1], None)
    assert await ids(filter={"text": "B.TXT"}) == ([5], None)
    assert await ids(filter={"text": "\ud800"}) == ([], None)
