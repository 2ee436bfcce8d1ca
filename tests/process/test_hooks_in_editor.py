"""An agent with hooks works beside a human in an editor: the server records both, each by name."""

import asyncio
import os
from types import SimpleNamespace

import pytest

from editor import TEXT
from hooks import Agent

pytestmark = pytest.mark.asyncio


@pytest.mark.promise(10)
async def test_an_agent_and_an_editor(client):
    """In a server's workspace an agent's edit is the agent's, at once, and a human's save between its hooks the human's."""
    editor = client.editor
    root = editor.root

    def write(path, text):
        (root / path).write_text(text, encoding="utf-8")

    agent = Agent(SimpleNamespace(root=root, env=dict(os.environ), write=write), is_patient=False)
    editor.open("b.txt")
    call = await asyncio.to_thread(agent.before_edit, "a.txt")
    write("a.txt", TEXT + "agent\n")
    editor.replace("b.txt", "line 3\n", "human\n")
    editor.save("b.txt")
    await asyncio.to_thread(agent.after, call)
    await editor.recorded(2)

    found = (await editor.run("takeback.showTimeline", {}))["operations"]
    assert {change["path"]: one["actor"] for one in found for change in one["changes"]} == {
        "a.txt": "agent:claude",
        "b.txt": "human",
    }
