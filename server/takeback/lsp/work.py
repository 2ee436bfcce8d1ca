"""Work of one request that may take long: shown once it does, and given up when the client no longer wants it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar
from uuid import uuid4

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from takeback.aio import Core

if TYPE_CHECKING:
    from takeback.lsp.server import Server
    from takeback.service.desk import Desk

T = TypeVar("T")

SHOWN_AFTER_S = 2.0
"""What is done sooner is not shown: it would only flicker."""


async def read(server: Server, core: Core, act: Callable[[Desk], T]) -> T:
    """What `act` gives back, which only reads. Raises JsonRpcRequestCancelled as soon as nobody wants it any more."""
    async with Work(server, "Takeback: reading"):
        return await server.protocol.unless_cancelled(core.do(act))


class Work:
    """Shows what is being done, where the client said it wants to see it, or can show it."""

    def __init__(self, server: Server, title: str) -> None:
        self._server = server
        self._title = title
        self._message = ""
        self._token: lsp.ProgressToken | None = None
        """Where it is shown, once it is."""
        self._showing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._showing = asyncio.get_running_loop().create_task(self._show())
        self._server.keep(self._showing)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        assert self._showing is not None, "BUG: what is left was entered"
        self._showing.cancel()
        if self._token is not None:
            self._server.work_done_progress.end(self._token, lsp.WorkDoneProgressEnd())
            self._server.work_done_progress.tokens.pop(self._token, None)

    def say(self, message: str) -> None:
        """What is being done now."""
        self._message = message
        if self._token is not None:
            self._server.work_done_progress.report(self._token, lsp.WorkDoneProgressReport(message=message))

    async def _show(self) -> None:
        await asyncio.sleep(SHOWN_AFTER_S)
        token = self._server.protocol.token or await self._created()
        if token is not None:
            begin = lsp.WorkDoneProgressBegin(title=self._title, message=self._message, cancellable=True)
            self._server.work_done_progress.begin(token, begin)
            self._token = token

    async def _created(self) -> lsp.ProgressToken | None:
        """A token of ours, if the client takes one."""
        window = self._server.client_capabilities.window
        if window is None or not window.work_done_progress:
            return None
        token = f"takeback-{uuid4()}"
        try:
            await self._server.work_done_progress.create_async(token)
        except JsonRpcException:  # it does not want to
            return None
        self._server.protocol.token = token
        return token
