"""An agent as the MCP server sees one, played by a test with the official client over standard input and output."""

from __future__ import annotations

import subprocess
import sys
from contextlib import asynccontextmanager

import anyio
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp_types import ElicitResult, Implementation, ListRootsResult, Root

LEGACY, MODERN = "legacy", "2026-07-28"
"""Revisions of the protocol in which a server asks while it works, and in which a client calls again."""


class Agent:
    """A client, and the person beside it."""

    def __init__(self):
        self.client = None
        self.says = []
        """What the person is going to answer: a choice, or how they leave the question."""
        self.asked = []
        self.is_asked = anyio.Event()
        self.roots = []
        self.progress = []

    async def call(self, tool, **arguments):
        """What a tool answers."""
        answer = await self.client.call_tool(tool, arguments, progress_callback=self.on_progress)
        await self.client.session.validate_tool_result(tool, answer)  # the client leaves errors out
        assert answer.is_error == ("error" in answer.structured_content or self._failed(answer)), answer
        return answer.structured_content

    def _failed(self, answer):
        return answer.structured_content.get("outcome") in {"conflict", "partial", "refused"}

    async def on_progress(self, done, total, _message):
        """The server tells how far it is."""
        self.progress.append((done, total))

    async def on_question(self, _context, params):
        """The server asks the person, who says nothing if they have nothing to say."""
        self.asked.append(params)
        self.is_asked.set()
        if not self.says:
            await anyio.sleep_forever()
        said = self.says.pop(0)
        if said in {"decline", "close"}:
            return ElicitResult(action="decline" if said == "decline" else "cancel")
        return ElicitResult(action="accept", content={"choice": said})

    async def on_roots(self, _context):
        """The server asks which folders are open."""
        return ListRootsResult(roots=[Root(uri=root.as_uri()) for root in self.roots])


@asynccontextmanager
async def connected(  # noqa: PLR0913 - each test names what it needs
    scene, *words, mode=LEGACY, name="Some Agent", person=True, roots=None, at=None, env=None
):
    """An agent that is connected to a server of its own."""
    agent = Agent()
    agent.roots = roots
    server = StdioServerParameters(
        command=sys.executable,
        args=["-P", "-m", "takeback", "mcp", *words],
        env={**scene.env, **(env or {})},
        cwd=at or scene.root,
    )
    client = Client(
        stdio_client(server, errlog=subprocess.DEVNULL),
        mode=mode,
        client_info=Implementation(name=name, version="1"),
        elicitation_callback=agent.on_question if person else None,
        list_roots_callback=agent.on_roots if roots is not None else None,
    )
    async with client as agent.client:
        yield agent
