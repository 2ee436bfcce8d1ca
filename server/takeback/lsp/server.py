"""The server: its documents, its workspaces, and what it says to the editor.

`initialize` is answered before anything heavy is imported; workspaces are opened after it, each on a thread of its
own. Nothing here waits for the core on the loop, and nothing writes to standard output but the protocol.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException, JsonRpcRequestCancelled
from pygls.lsp.server import LanguageServer

from takeback import __version__
from takeback.aio import Core
from takeback.lsp import convert
from takeback.lsp.authorship import Authorships
from takeback.lsp.columns import Encoding
from takeback.lsp.diagnostics import Diagnostics
from takeback.lsp.documents import Document
from takeback.lsp.failures import Failures
from takeback.lsp.news import News
from takeback.lsp.protocol import SAVE, Protocol
from takeback.lsp.settings import ClientSettings
from takeback.lsp.workspaces import Workspaces

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
        self.workspaces = Workspaces(self)
        self.settings = ClientSettings(self)
        self.authorships = Authorships(self)
        self.diagnostics = Diagnostics(self)
        self.action_providers: list[Provider] = []
        """Who has code actions to offer."""
        self.failures = Failures(self)
        self.news = News(self)
        self.is_behind: Callable[[], bool] = lambda: False
        """Whether the client has sent something that is not handled yet, as far as that can be known."""
        self._tasks: set[asyncio.Task[Any]] = set()
        self.hear_operations: list[Hears] = []
        """Called on the loop with every operation that anybody recorded, once it can be read."""
        self.hear_operations.append(self.news.heard)
        self.hear_gone: list[Callable[[Core], None]] = []
        """Called on the loop when content of a history is there no longer."""

    # -- workspaces ------------------------------------------------------------------------------

    async def core_for(self, uri: str | None) -> Core:
        """The workspace that a document or folder belongs to; without one, the first.

        Raises UsageError where no open folder holds it: what nobody opened is never recorded.
        """
        return await self.workspaces.around(uri)

    @property
    def cores(self) -> tuple[Core, ...]:
        """Every open workspace."""
        return tuple(self._cores.values())

    def core_at(self, root: str) -> Core:
        """The open workspace at `root`."""
        return self._cores[root]

    def lock(self, core: Core) -> asyncio.Lock:
        """Held while something is taken back: documents are changed by one plan at a time."""
        return self.workspaces.lock(core)

    async def close(self) -> None:
        """Record what is left, and close everything."""
        await self.workspaces.close()

    @property
    def _cores(self) -> dict[str, Core]:
        return self.workspaces.cores

    def recorded(self, root: str, operations: Sequence[Operation]) -> None:
        """Somebody recorded something in an open workspace."""
        core = self._cores.get(root)
        if core is not None:
            for hear in self.hear_operations:
                hear(core, operations)

    def content_gone(self, root: str) -> None:
        """Somebody had content of an open workspace forgotten, or it expired."""
        core = self._cores.get(root)
        if core is not None:
            for hear in self.hear_gone:
                hear(core)

    # -- documents -------------------------------------------------------------------------------

    @property
    def encoding(self) -> Encoding:
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

    def tell_all_opened(self, core: Core) -> None:
        """Tell a workspace that was just opened of every document around it."""
        for document in tuple(self.documents.values()):
            self._tell_opened(core, document)

    @staticmethod
    def _post(core: Core, uri: str, act: Callable[[Desk, str], None]) -> None:
        """Have a workspace do something about a document of its own. Whether it is one is found out on its thread."""

        def do(desk: Desk) -> None:
            path = convert.document_path(core.root, uri)
            if path is not None:
                act(desk, path)

        core.post(do)

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

    def has_lost(self, root: str, what: str) -> None:
        """Say that events were lost, and what was done about it."""
        self.say(f"Takeback in {root}: {what}", lsp.MessageType.Warning)

    def in_trouble(self, root: str, why: str) -> None:
        """Nothing can be recorded in an open workspace; or it can again, if there is no reason why not."""
        if why:
            self.say(f"Takeback cannot record {root}, and tries again: {why}", lsp.MessageType.Warning)

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
