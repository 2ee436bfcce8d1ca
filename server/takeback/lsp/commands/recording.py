"""Commands about recording."""

from __future__ import annotations

from takeback.aio import Core
from takeback.lsp.arguments import Arguments
from takeback.lsp.server import Server
from takeback.service.requests import Message


async def status(_server: Server, core: Core, _arguments: Arguments | None) -> Message:
    """The workspace at a glance."""
    return await core.do(lambda desk: desk.status())
