"""Work-done progress of first looks, for clients that show it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from lsprotocol import types as lsp

if TYPE_CHECKING:
    from takeback.lsp.server import Server


class Progress:
    """Work-done progress of a first look, for clients that show it."""

    def __init__(self, server: Server, root: str) -> None:
        self._server = server
        self._root = root
        self._token = f"takeback-baseline-{root}"
        self._begun: asyncio.Task[None] | None = None

    def report(self, done: int, total: int) -> None:
        """So many files of so many were read."""
        window = self._server.client_capabilities.window
        if window is None or not window.work_done_progress:
            return
        if self._begun is None:
            self._begun = asyncio.get_running_loop().create_task(self._begin())
            self._server.keep(self._begun)
        elif self._begun.done() and self._begun.exception() is None:
            value = lsp.WorkDoneProgressReport(percentage=done * 100 // max(total, 1))
            self._server.work_done_progress.report(self._token, value)

    def ready(self) -> None:
        """The workspace is open, or cannot be."""
        if self._begun is not None:
            self._server.keep(asyncio.get_running_loop().create_task(self._end(self._begun)))

    async def _begin(self) -> None:
        await self._server.work_done_progress.create_async(self._token)
        value = lsp.WorkDoneProgressBegin(title="Takeback: first look", percentage=0)
        self._server.work_done_progress.begin(self._token, value)

    async def _end(self, begun: asyncio.Task[None]) -> None:
        await begun
        self._server.work_done_progress.end(self._token, lsp.WorkDoneProgressEnd())
