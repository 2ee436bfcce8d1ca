"""Messages of our own: registered here, decoded and answered as the commands are."""

from __future__ import annotations

from typing import Any

from takeback.lsp.protocol import MESSAGES
from takeback.lsp.server import Server


def register(server: Server) -> None:
    """Let `server` answer the messages that are Takeback's own."""
    for name in MESSAGES:
        server.feature(name)(_message(name))


def _message(name: str) -> Any:
    async def answer(ls: Server, params: Any) -> Any:
        from takeback.lsp.commands.run import run_message  # noqa: PLC0415 - imports the core

        return await run_message(ls, name, params)

    return answer
