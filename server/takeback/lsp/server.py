"""The server: its documents, its workspaces, and what it says to the editor.

`initialize` is answered before anything heavy is imported; workspaces are opened after it, each on a thread of its
own. Nothing here waits for the core on the loop, and nothing writes to standard output but the protocol.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException, JsonRpcRequestCancelled
from pygls.lsp.server import LanguageServer

from takeback import __version__
from takeback.aio import Core
from takeback.errors import UsageError
from takeback.lsp import convert
from takeback.lsp.diagnostics import Diagnostics
from takeback.lsp.documents import Document
from takeback.lsp.failures import Failures
from takeback.lsp.protocol import SAVE, TIMELINE_CHANGED, Protocol

if TYPE_CHECKING:
    from takeback.model.operation import Operation
    from takeback.model.spans import LineEdit
    from takeback.service.desk import Desk
    from takeback.service.documents import Proposed

    Hears = Callable[[Core, Sequence[Operation]], None]

logger = logging.getLogger(__name__)

Provider = Callable[["Server", lsp.CodeActionParams], Awaitable[Sequence[lsp.CodeAction]]]
"""Has code actions to offer for a range of a document."""

REQUEST_FAILED = -32803
"""Source: Language Server Protocol 3.17, "RequestFailed"."""
ASK_S = 120.0
"""How long a question to the person stays open; after that nothing is done."""
UNSURE_ASK_S = 30.0
"""The same with a client that does not say whether it can ask."""
SAVE_S = 5.0


class Server(LanguageServer):
    """Takeback for one editor."""

    protocol: Protocol

    def __init__(self) -> None:
        super().__init__("takeback", __version__, protocol_cls=Protocol, max_workers=8)
        self.documents: dict[str, Document] = {}
        self.diagnostics = Diagnostics(self)
        self.action_providers: list[Provider] = []
        """Who has code actions to offer."""
        self.failures = Failures(self)
        self._cores: dict[str, Core] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._started: asyncio.Event | None = None
        self._following = asyncio.Lock()
        self._taking_back: dict[str, asyncio.Lock] = {}
        self.hear_operations: list[Hears] = []
        """Called on the loop with every operation that anybody recorded, once it can be read."""

    # -- workspaces ------------------------------------------------------------------------------

    async def start(self) -> None:
        """Open the editor's folders. Returns when it is known which; they are opened meanwhile."""
        self._started = asyncio.Event()
        try:
            await self.follow_folders()
        finally:
            self._started.set()

    async def follow_folders(self) -> None:
        """Open the workspaces of the editor's folders as they are now, and let go of all others."""
        async with self._following:
            roots = await asyncio.to_thread(_roots, self._folders())
            gone = [self._cores.pop(root) for root in self._cores.keys() - set(roots)]
            for root in roots:
                if root not in self._cores:
                    self._open(root)
            await asyncio.gather(*map(self._let_go, gone))

    async def _let_go(self, core: Core) -> None:
        async with self.lock(core):
            await core.close()

    async def core_for(self, uri: str | None) -> Core:
        """The workspace that a document or folder belongs to; without one, the first.

        Raises UsageError where no open folder holds it: what nobody opened is never recorded.
        """
        await self._has_started()
        found = self._innermost(uri) if uri else next(iter(self._cores.values()), None)
        if found is None:
            what = f"no open folder holds {uri}" if uri else "no folder is open, so there is no workspace"
            raise UsageError(what, hint="Open a folder in the editor first.")
        return found

    def _innermost(self, uri: str) -> Core | None:
        """The open workspace with the longest root that holds a document or folder."""
        inside = [core for core in self._cores.values() if convert.is_held(core.root, uri)]
        return max(inside, key=lambda core: len(core.root), default=None)

    async def core_with_id(self, workspace: str) -> Core:
        """The workspace whose path has this id. Raises UsageError where it is not open."""
        from takeback.config import workspace_id  # noqa: PLC0415 - imports more than `initialize` needs

        await self._has_started()
        found = next((core for core in self._cores.values() if workspace_id(core.root) == workspace), None)
        if found is None:
            raise UsageError(f"no open folder has the id {workspace}", hint="Open its folder first.")
        return found

    async def close(self) -> None:
        """Record what is left, and close everything."""
        await self._has_started()
        cores, self._cores = list(self._cores.values()), {}
        await asyncio.gather(*(core.close() for core in cores))

    def lock(self, core: Core) -> asyncio.Lock:
        """Held while something is taken back: documents are changed by one plan at a time."""
        return self._taking_back.setdefault(core.root, asyncio.Lock())

    async def _has_started(self) -> None:
        if self._started is not None:
            await self._started.wait()

    def _open(self, root: str) -> None:
        progress = _Progress(self, root)
        core = self._cores[root] = Core(
            root,
            self.editor,
            on_operations=partial(self._recorded, root),
            on_progress=progress.report,
            on_ready=progress.ready,
            on_trouble=partial(self._in_trouble, root),
            hand_over=partial(self._handed_over, root),
        )
        for document in tuple(self.documents.values()):
            self._tell_opened(core, document)

    def _recorded(self, root: str, operations: Sequence[Operation]) -> None:
        self.tell(TIMELINE_CHANGED, {})
        core = self._cores.get(root)
        if core is not None:
            for hear in self.hear_operations:
                hear(core, operations)

    def _folders(self) -> list[str]:
        workspace = self.workspace
        uris = [folder.uri for folder in workspace.folders.values()]  # the keys are unquoted, so ambiguous
        if not uris and workspace.root_uri:
            uris = [workspace.root_uri]
        return [path for path in map(convert.file_of, uris) if path is not None]

    # -- documents -------------------------------------------------------------------------------

    @property
    def encoding(self) -> convert.Encoding:
        """The units that columns are counted in."""
        return self.workspace.position_encoding or lsp.PositionEncodingKind.Utf16

    def tell_opened(self, document: Document) -> None:
        """Tell every workspace around a document of it: folders may lie in each other."""
        for core in self._cores.values():
            self._tell_opened(core, document)

    def _tell_opened(self, core: Core, document: Document) -> None:
        uri, version, text = document.uri, document.version, document.text
        self._post(core, uri, lambda desk, path: desk.opened(uri, path, version, text))

    def tell_changed(self, document: Document, edits: tuple[LineEdit, ...] | None) -> None:
        """Tell every workspace around a document of its next text, and which lines were replaced if that is known."""
        uri, version, text = document.uri, document.version, document.text
        for core in self._cores.values():
            self._post(core, uri, lambda desk, path: desk.changed(uri, path, version, text, edits))

    def tell_will_save(self, uri: str) -> None:
        """Tell every workspace around a document that it is about to be saved as it is, or formatted before."""
        for core in self._cores.values():
            self._post(core, uri, lambda desk, path: desk.will_save(uri, path))

    def tell_saved(self, uri: str, text: str) -> None:
        """Tell every workspace around a document that it was saved."""
        for core in self._cores.values():
            self._post(core, uri, lambda desk, path: desk.saved(uri, path, text))

    def tell_closed(self, uri: str) -> None:
        """Tell every core that a document was closed: its name may lead elsewhere by now."""
        for core in self._cores.values():
            core.post(lambda desk: desk.closed(uri))

    def tell_followed(self, through: Core, proposed: Proposed) -> None:
        """Tell every other workspace around a document that it was changed together with its file."""
        for core in self._cores.values():
            if core is not through:
                self._post(core, proposed.name, lambda desk, path: desk.followed_elsewhere(proposed, path))

    @property
    def cores(self) -> tuple[Core, ...]:
        """Every open workspace."""
        return tuple(self._cores.values())

    @staticmethod
    def _post(core: Core, uri: str, act: Callable[[Desk, str], None]) -> None:
        path = convert.document_path(core.root, uri)
        if path is not None:
            core.post(lambda desk: act(desk, path))

    # -- what is said to the editor --------------------------------------------------------------

    @property
    def editor(self) -> str:
        """What the editor calls itself."""
        return self.client_name or "an editor"

    client_name = ""

    @property
    def tells_typing_first(self) -> bool:
        """Whether what was typed is told before `willSave`: Eglot sends it later, and older ones do not say who they are."""
        return bool(self.client_name) and not self.client_name.startswith("Eglot")

    def can(self, name: str) -> bool:
        """Whether the client declared an ability under `experimental.takeback`."""
        experimental = self.client_capabilities.experimental
        ours = experimental.get("takeback") if isinstance(experimental, Mapping) else None
        return bool(isinstance(ours, Mapping) and ours.get(name))

    @property
    def can_edit(self) -> bool:
        """Whether the client changes documents when asked."""
        workspace = self.client_capabilities.workspace
        return bool(workspace and workspace.apply_edit)

    def tell(self, method: str, params: Any) -> None:
        """Send a notification of our own."""
        self.protocol.notify(method, params)

    def say(self, message: str, kind: lsp.MessageType = lsp.MessageType.Info) -> None:
        """Show a person a sentence."""
        self.window_show_message(lsp.ShowMessageParams(type=kind, message=message))

    @property
    def ask_s(self) -> float:
        """How long a question may wait; 0 if this client cannot be asked.

        Some that can do not announce it (Eglot before 1.16, lsp-mode); who neither shows messages nor changes
        documents (ALE) never answers.
        """
        window = self.client_capabilities.window
        if window is not None and window.show_message is not None:
            return ASK_S
        return UNSURE_ASK_S if self.can_edit else 0

    async def ask(self, question: str, answers: Iterable[str], otherwise: str) -> str | None:
        """The answer of the person, or `None`. Where nobody can answer, `otherwise` is said: how to go on.

        Raises JsonRpcRequestCancelled if the client no longer wants what the question is for.
        """
        if not (wait_s := self.ask_s):
            self.say(otherwise)
            return None
        items = [lsp.MessageActionItem(title=answer) for answer in answers]
        request = lsp.ShowMessageRequestParams(type=lsp.MessageType.Info, message=question, actions=items)
        try:
            answer = asyncio.wait_for(self.window_show_message_request_async(request), wait_s)
            chosen = await self.protocol.unless_cancelled(answer)
        except TimeoutError:
            self.say(otherwise)
            return None
        except JsonRpcRequestCancelled:
            raise
        except JsonRpcException:  # it was dismissed in a way of the client's own
            return None
        return chosen.title if chosen is not None else None

    async def save(self, uri: str) -> bool:
        """Whether the client saved a document."""
        if not self.can("save"):
            return False
        try:
            await asyncio.wait_for(self.protocol.send_request_async(SAVE, {"uri": uri}), SAVE_S)
        except (TimeoutError, JsonRpcException):
            return False
        return True

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Log what failed; a person cannot do anything with it."""
        logger.error("%s: %s", getattr(source, "__name__", source), error)

    def core_at(self, root: str) -> Core:
        """The open workspace at `root`."""
        return self._cores[root]

    def _in_trouble(self, root: str, why: str) -> None:
        if why:
            self.say(f"Takeback cannot record {root}, and tries again: {why}", lsp.MessageType.Warning)

    def _handed_over(self, root: str, message: dict[str, Any]) -> dict[str, Any]:
        """Answer another process; called on a thread of its own."""
        from takeback.lsp.taking_back import handed_over  # noqa: PLC0415 - imports the core

        return handed_over(self, root, message)

    loop: asyncio.AbstractEventLoop | None = None
    """The loop that the server runs on, once it was initialized."""

    def keep(self, task: asyncio.Task[Any]) -> None:
        """Hold on to a task until it is done, and log how it failed."""
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger.error("a task failed", exc_info=task.exception())


class _Progress:
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

    def ready(self, failure: Exception | None) -> None:
        """The workspace is open, or cannot be."""
        if self._begun is not None:
            self._server.keep(asyncio.get_running_loop().create_task(self._end(self._begun)))
        if failure is not None:
            self._server.say(f"Takeback does not record {self._root}: {failure}", lsp.MessageType.Warning)

    async def _begin(self) -> None:
        await self._server.work_done_progress.create_async(self._token)
        value = lsp.WorkDoneProgressBegin(title="Takeback: first look", percentage=0)
        self._server.work_done_progress.begin(self._token, value)

    async def _end(self, begun: asyncio.Task[None]) -> None:
        await begun
        self._server.work_done_progress.end(self._token, lsp.WorkDoneProgressEnd())


def _roots(folders: list[str]) -> list[str]:
    """The workspaces of some folders, each once."""
    from takeback.service.opening import find_root  # noqa: PLC0415 - imports the core

    return list(dict.fromkeys(find_root(folder, os.environ) for folder in folders))
