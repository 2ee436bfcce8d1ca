"""Takes something back in documents and files, for a command or for another process.

Documents first, the files after. What moves meanwhile leads to a new plan; what would come too late is not begun.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from takeback.aio import Core
from takeback.errors import Busy, TakebackError
from takeback.lsp.editor_writer import EditorWriter, Shown, Written
from takeback.lsp.server import Server
from takeback.lsp.work import Work
from takeback.model.ids import OpId
from takeback.model.paths import WorkspacePath
from takeback.service import answers
from takeback.service.desk import Desk, Proposal
from takeback.service.requests import Message, Request, Result, Verb, about, request_in

ATTEMPTS = 5
"""How often a plan is made anew because somebody goes on typing or writing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be taken back, and how long whoever asked waits for it."""

    verb: Verb
    request: Request
    until_s: float = math.inf
    """By the monotonic clock, which all processes share: no file is written later."""

    @property
    def is_late(self) -> bool:
        """Whether nobody waits any more."""
        return time.monotonic() > self.until_s

    def check(self) -> None:
        """Raises Busy if nobody waits any more."""
        if self.is_late:
            raise Busy(
                "the editor needed too long to change its documents, so nothing was changed",
                hint="Undo from the editor, or save the documents there first.",
            )


def handed_over(server: Server, root: str, message: Message) -> Message:
    """The answer to another process that wants something taken back; called on a thread of its own."""
    assert server.loop is not None, "BUG: workspaces are opened on the loop"
    verb, request = request_in(message["request"])
    asked = Asked(verb=verb, request=request, until_s=message["until_s"])

    async def act() -> Message:
        return answers.result(await take_back(server, server.core_at(root), asked))

    try:
        return asyncio.run_coroutine_threadsafe(act(), server.loop).result()
    except TakebackError as problem:
        return answers.error(problem)


async def take_back(server: Server, core: Core, asked: Asked) -> Result:
    """The result of taking something back, file by file. Raises Busy if it would be too late, or nothing holds still."""
    async with Work(server, f"Takeback: {asked.verb.kind.value}") as work, _alone(server, core):
        try:
            for _ in range(ATTEMPTS):
                attempt = _Attempt(server, core, asked, work)
                result = await attempt.result()
                if result is not None:
                    return result
                asked = replace(asked, request=about(asked.request, attempt.chosen))
        finally:
            core.post(lambda desk: desk.let_go())
    raise Busy("files or documents of this undo keep changing", hint="Try again when nobody is writing.")


@asynccontextmanager
async def _alone(server: Server, core: Core) -> AsyncIterator[None]:
    """While nothing else is taken back. Raises JsonRpcRequestCancelled as soon as nobody wants to wait for that."""
    lock = server.lock(core)
    waiting = asyncio.ensure_future(lock.acquire())
    try:
        await server.protocol.unless_cancelled(waiting)
        yield
    finally:
        if waiting.done() and not waiting.cancelled():
            lock.release()


class _Attempt:
    """One plan, carried out or given up."""

    def __init__(self, server: Server, core: Core, asked: Asked, work: Work) -> None:
        self._server = server
        self._work = work
        self._core = core
        self._asked = asked
        self._writer = EditorWriter(server, asked.verb.kind.value)
        self._shown: list[Shown] = []
        self._left: dict[WorkspacePath, str] = {}
        self.chosen: tuple[OpId, ...] = ()
        """What the plan takes back: a plan that is made anew takes back the same."""

    async def result(self) -> Result | None:
        """What became of the request; `None` if something moved meanwhile, and nothing was changed."""
        self._server.protocol.check_cancelled()
        self._asked.check()
        asked = self._asked
        self._work.say("looking what is to be done")
        proposing = self._core.do(lambda desk: desk.propose(asked.verb, asked.request))
        found = await self._server.protocol.unless_cancelled(proposing)
        if isinstance(found, Result):
            return found
        self.chosen = found.draft.plan.undone
        if not await self._show(found):
            await self._put_back()
            return None
        if self._left:
            stay = {one.proposed.path for one in await self._writer.take_back(self._shown)}
            others = {file.path for file in found.draft.plan.files} - stay - self._left.keys()
            self._left |= dict.fromkeys(others, "left, because another document could not be changed")
        return await self._carried_out(found)

    async def _show(self, proposal: Proposal) -> bool:
        """Whether the plan still holds when every document was changed, or one could not be: that one is noted."""
        self._work.say(f"{len(proposal.edits)} documents" if proposal.edits else "")
        for proposed in proposal.edits:
            if not self._server.can_edit:
                if proposed.was_clean:
                    continue  # the file changes, and the editor reloads it
                self._left[proposed.path] = (
                    "it is open with unsaved text in an editor that lets nobody change it"
                )
                break
            if self._asked.is_late:
                return False
            written, one = await self._writer.show(proposed)
            if one is not None:
                self._shown.append(one)
            elif written is Written.STALE:
                return False
            else:
                self._left[proposed.path] = "the editor did not change its document, so its file was left too"
                break
        return True

    async def _carried_out(self, proposal: Proposal) -> Result | None:
        result = None
        if not self._server.protocol.is_cancelled:
            self._work.say(f"{len(proposal.draft.plan.files)} files")
            result = await self._written(proposal)
        if result is None:
            await self._put_back()
            return None
        there = [Shown(proposed=one, before=one.shown) for one in proposal.documents if one.is_there]
        changed = [one for one in (*self._shown, *there) if one.proposed.path not in self._left]
        for one in changed:
            self._server.tell_followed(self._core, one.proposed)
        clean = [one for one in changed if one.proposed.was_clean or one.proposed.is_there]
        return await self._saved(result, clean) if changed else result

    async def _written(self, proposal: Proposal) -> Result | None:
        """What `_write` gives back. Where it fails, no file changes, so the documents get their text back first."""
        try:
            return await self._core.do(lambda desk: self._write(desk, proposal))
        except TakebackError as problem:
            stay = await self._staying()
            if not stay:
                raise
            text = f"{problem.message}; the editor still shows {', '.join(stay)} as planned"
            raise type(problem)(text, hint=f"Undo that in the editor. {problem.hint}".strip()) from problem

    async def _saved(self, result: Result, clean: Sequence[Shown]) -> Result:
        """The result, after the editor was asked to save the documents that held no unsaved text."""
        saved = {one.proposed.path for one in clean if await self._writer.save(one)}
        paths = {one.proposed.path for one in clean}
        return await self._core.do(lambda desk: desk.noted(result, paths, saved))

    def _write(self, desk: Desk, proposal: Proposal) -> Result | None:
        """Called on the core's thread: what has begun is brought to its end."""
        if self._asked.is_late:
            return None
        shown = {one.proposed.path for one in self._shown}
        return desk.carry_out(proposal, shown, self._left)

    async def _put_back(self) -> None:
        """Let the documents show what they showed. Raises Busy if one does not, and there is no time to go on."""
        stay = await self._staying()
        if stay and self._asked.is_late:
            raise Busy(
                f"the editor needed too long, so no file was written; it still shows {', '.join(stay)} as planned",
                hint="Undo that in the editor.",
            )

    async def _staying(self) -> list[WorkspacePath]:
        """The documents that do not show again what they showed, after all were asked to."""
        return sorted(one.proposed.path for one in await self._writer.take_back(self._shown))
