"""News for clients that declare them: `takeback/timelineChanged` and `takeback/status`, for status bars and lists.

What comes in a burst is told once. A pause or a checkpoint of another process is no operation, so as long as
somebody wants to know, the state is also read every now and then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from takeback.aio import Core
from takeback.errors import TakebackError
from takeback.lsp import convert
from takeback.lsp.protocol import STATUS_CHANGED, TIMELINE_CHANGED

if TYPE_CHECKING:
    from takeback.lsp.server import Server
    from takeback.model.operation import Operation

SETTLE_S = 0.1
"""How long news are gathered before they are told."""
LOOK_S = 2.0
"""How often the state is read for those who want to know it."""


class News:
    """What the client was told last, and what it is to be told next."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._new: dict[str, list[int]] = {}
        """By workspace: operations that were not told yet."""
        self._waiting: set[str] = set()
        self._said: dict[str, dict[str, Any]] = {}
        self._looking: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Begin to tell; called once the client is ready to hear."""
        if self._server.can("status"):
            self._looking = asyncio.get_running_loop().create_task(self._look())
            self._server.keep(self._looking)

    def end(self) -> None:
        """Tell nothing any more."""
        if self._looking is not None:
            self._looking.cancel()

    def heard(self, core: Core, operations: Sequence[Operation]) -> None:
        """Somebody recorded operations."""
        self._new.setdefault(core.root, []).extend(one.id for one in operations)
        self.stir(core)

    def stir(self, core: Core) -> None:
        """Something may be new in a workspace."""
        wants = self._server.can("status") or self._server.can("timelineChanged")
        if wants and core.root not in self._waiting:
            self._waiting.add(core.root)
            self._server.keep(asyncio.get_running_loop().create_task(self._settle(core)))

    async def _settle(self, core: Core) -> None:
        await asyncio.sleep(SETTLE_S)
        self._waiting.discard(core.root)
        ops = self._new.pop(core.root, [])
        if ops and self._server.can("timelineChanged"):
            news = {
                "version": 1,
                "workspace": convert.file_uri(core.root),
                "first": min(ops),
                "last": max(ops),
            }
            self._server.tell(TIMELINE_CHANGED, news)
        if self._server.can("status"):
            await self._say(core)

    async def _look(self) -> None:
        await self._server.workspaces.has_started()
        while True:
            await asyncio.gather(*map(self._say, self._server.cores))
            await asyncio.sleep(LOOK_S)

    async def _say(self, core: Core) -> None:
        """Tell how things are in a workspace, unless it was told already."""
        from takeback.service import glimpse  # noqa: PLC0415 - imports the core

        try:
            found = await core.do(lambda desk: glimpse.of(desk.workspace))
        except TakebackError as problem:
            found = glimpse.refused(problem)
        if self._said.get(core.root) != found and core in self._server.cores:
            self._said[core.root] = found
            self._server.tell(STATUS_CHANGED, {**found, "workspace": convert.file_uri(core.root)})
