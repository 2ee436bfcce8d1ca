"""One client's connection: who it is, where it works, and its calls, one after the other on a thread of their own."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

import anyio
import anyio.from_thread
import anyio.to_thread
from mcp_types import CallToolRequestParams
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from takeback.errors import Refused, TakebackError
from takeback.mcp import folders
from takeback.mcp.asking import Asking, Context, Pushed, Questions, Retried, has_person, has_roots
from takeback.mcp.presence import Presence
from takeback.mcp.tools import Tool
from takeback.mcp.verbs import Call
from takeback.model.ids import OpId
from takeback.service import answers
from takeback.service.answers import Answer
from takeback.service.arguments import Arguments
from takeback.service.opening import Workspace, open_workspace
from takeback.service.permission import Consent, Question

logger = logging.getLogger(__name__)

UNNAMED = "agent:mcp"
"""A client that does not say what it is."""

_ROUNDS = 5
"""How often a person is asked about one call, each time because something else has changed meanwhile."""
_MOST_NAME_CHARS = 64
_PROGRESS_EVERY_S = 0.2

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Done:
    """What became of a call, and what its answer tells."""

    answer: Answer
    presence: Presence | None = None
    told: OpId | None = None


class Connection:
    """The one client of this process."""

    def __init__(self, folder: str | None, actor: str | None, patience_s: float) -> None:
        """`folder` and `actor` are given by whoever started the server; else the client says so itself."""
        self._folder = folder
        self._actor = actor
        self._patience_s = patience_s
        self._roots: tuple[str, ...] | None = None
        self._questions = Questions()
        self._presences: dict[tuple[str, str], Presence] = {}
        self._one_at_a_time = anyio.Lock()

    async def call(self, name: str, tool: Tool, context: Context, params: CallToolRequestParams) -> Answer:
        """The answer of a tool. Raises InputNeeded if the client has to call again, and any TakebackError."""
        arguments = tool.arguments(name, params.arguments or {})
        asking = self._asking(context, params)
        roots = await self._known_roots(context, asking)
        given = asking.given
        for _ in range(_ROUNDS):
            found = await self._worked(context, roots, tool, arguments, given)
            if isinstance(found, _Done):
                return self._told(found)
            given = await asking.decide(found)
        raise Refused("files keep changing while the person is asked", hint="Ask again in a moment.")

    def forget_roots(self) -> None:
        """The client has other folders open now."""
        self._roots = None

    async def close(self) -> None:
        """End what was begun."""
        for presence in self._presences.values():
            try:
                await anyio.to_thread.run_sync(presence.close)
            except TakebackError as problem:
                logger.warning("a turn could not be ended: %s", problem.message)

    # -- the client ------------------------------------------------------------------------------

    def _asking(self, context: Context, params: CallToolRequestParams) -> Asking:
        if context.protocol_version in MODERN_PROTOCOL_VERSIONS:
            return Retried(params, self._questions)
        return Pushed(context, self._patience_s)

    async def _known_roots(self, context: Context, asking: Asking) -> tuple[str, ...]:
        if self._folder is not None or not has_roots(context):
            return ()
        if self._roots is None:
            self._roots = await asking.roots()
        return self._roots

    def _who(self, context: Context) -> str:
        if self._actor is not None:
            return self._actor
        client = context.session.client_params
        return agent(client.client_info.name) if client is not None else UNNAMED

    def _told(self, done: _Done) -> Answer:
        """The answer, which the client gets now."""
        if done.presence is not None and done.told is not None:
            done.presence.heard(done.told)
        return done.answer

    # -- on the thread ---------------------------------------------------------------------------

    async def _worked(
        self,
        context: Context,
        roots: tuple[str, ...],
        tool: Tool,
        arguments: Arguments,
        given: Consent | None,
    ) -> _Done | Question:
        who, asks, progress = self._who(context), has_person(context), _progress(context)

        def work() -> _Done | Question:
            root = folders.chosen(self._folder, roots, arguments.get("workspace"))
            with open_workspace(root, progress=progress) as workspace:
                presence = self._presence(workspace, who)
                presence.keep(workspace)
                call = Call(
                    workspace=workspace,
                    presence=presence,
                    arguments=arguments,
                    has_person=asks,
                    given=given,
                )
                return _acted(tool, call)

        async with self._one_at_a_time:
            return await anyio.to_thread.run_sync(work)

    def _presence(self, workspace: Workspace, who: str) -> Presence:
        where = (workspace.state, who)
        if where not in self._presences:
            self._presences[where] = Presence(workspace, who)
        return self._presences[where]


def _acted(tool: Tool, call: Call) -> _Done | Question:
    """What became of the call, with what was taken back of the agent's since it asked last."""
    try:
        found = tool.act(call)
    except TakebackError as problem:
        found = answers.error(problem)
    if isinstance(found, Question):
        return found
    news, told = call.presence.news(call.workspace)
    if news:
        found = {**found, "undone_since": answers.undone_since(news)}
    return _Done(answer=found, presence=call.presence, told=told)


def _progress(context: Context) -> Progress:
    """Tells the client how far the first look is, and ends it when the call was cancelled."""
    said_at = -_PROGRESS_EVERY_S

    def tell(done: int, total: int) -> None:
        nonlocal said_at
        anyio.from_thread.check_cancelled()
        now = time.monotonic()
        if now - said_at >= _PROGRESS_EVERY_S or done == total:
            said_at = now
            anyio.from_thread.run(context.session.report_progress, done, total, "first look")

    return tell


def agent(client: str) -> str:
    """The actor that a client of this name is."""
    name = re.sub(r"[^a-z0-9._]+", "-", client.lower()).strip("-.")[:_MOST_NAME_CHARS]
    return f"agent:{name}" if name else UNNAMED
