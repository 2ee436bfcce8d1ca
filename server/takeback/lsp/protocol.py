"""The names on the wire that are Takeback's own, and the protocol where it is not pygls's."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Generator, Mapping
from concurrent.futures import Future
from typing import Any, TypeVar

from lsprotocol import types as lsp
from pygls.exceptions import (
    JsonRpcException,
    JsonRpcInvalidParams,
    JsonRpcInvalidRequest,
    JsonRpcMethodNotFound,
    JsonRpcRequestCancelled,
)
from pygls.protocol import (
    JsonRPCNotification,
    JsonRPCRequestMessage,
    JsonRPCResponseMessage,
    LanguageServerProtocol,
    lsp_method,
)
from pygls.protocol.json_rpc import MsgId

logger = logging.getLogger(__name__)

UNDO_LAST = "takeback.undoLast"
UNDO_OPERATIONS = "takeback.undoOperations"
UNDO_TURN = "takeback.undoTurn"
UNDO_SINCE = "takeback.undoSince"
UNDO_HUNK = "takeback.undoHunk"
REDO = "takeback.redo"
ROLLBACK = "takeback.rollback"
RESTORE = "takeback.restore"
RESOLVE_CONFLICT = "takeback.resolveConflict"
KEEP = "takeback.keep"
CREATE_CHECKPOINT = "takeback.createCheckpoint"
LIST_CHECKPOINTS = "takeback.listCheckpoints"
UPDATE_CHECKPOINT = "takeback.updateCheckpoint"
DELETE_CHECKPOINT = "takeback.deleteCheckpoint"
EXPORT_CHECKPOINT = "takeback.exportCheckpoint"
COMPARE_CHECKPOINT = "takeback.compareCheckpoint"
SHOW_TIMELINE = "takeback.showTimeline"
SHOW_OPERATION = "takeback.showOperation"
PAUSE_RECORDING = "takeback.pauseRecording"
RESUME_RECORDING = "takeback.resumeRecording"
STATUS = "takeback.status"

COMMANDS = (
    UNDO_LAST,
    UNDO_OPERATIONS,
    UNDO_TURN,
    UNDO_SINCE,
    UNDO_HUNK,
    REDO,
    ROLLBACK,
    RESTORE,
    RESOLVE_CONFLICT,
    KEEP,
    CREATE_CHECKPOINT,
    LIST_CHECKPOINTS,
    UPDATE_CHECKPOINT,
    DELETE_CHECKPOINT,
    EXPORT_CHECKPOINT,
    COMPARE_CHECKPOINT,
    SHOW_TIMELINE,
    SHOW_OPERATION,
    PAUSE_RECORDING,
    RESUME_RECORDING,
    STATUS,
)

BEGIN_TURN = "takeback/beginTurn"
END_TURN = "takeback/endTurn"
RECORD_EDIT = "takeback/recordEdit"
RECORD_FAILURE = "takeback/recordFailure"
TIMELINE = "takeback/timeline"

MESSAGES = (BEGIN_TURN, END_TURN, RECORD_EDIT, RECORD_FAILURE, TIMELINE)
"""Client to server: requests, each with one object."""

SAVE = "takeback/save"
"""Server to client: save this document."""
TIMELINE_CHANGED = "takeback/timelineChanged"
"""Server to client: there are new operations."""
STATUS_CHANGED = "takeback/status"
"""Server to client: what is recorded, and what happened last."""

TO_CLIENT = (SAVE, TIMELINE_CHANGED, STATUS_CHANGED)
"""Only to clients that declare the last part of the name under `experimental.takeback`: others may warn of it."""

NOT_INITIALIZED = -32002
"""Source: Language Server Protocol 3.17, "ServerNotInitialized"."""

_IDS = frozenset({int, str})
"""`isinstance` would take a bool for a number."""

Handled = Generator[Any, Any, None]
Message = Mapping[str, Any]
T = TypeVar("T")


class Protocol(LanguageServerProtocol):
    """pygls's protocol, but for messages that are none, documents, cancelling and the end.

    It gives no answer to a request that it cannot decode, takes any object with a "jsonrpc" for a message, and renames
    keys that are no names in Python; here a message is decoded as a whole, and what is inside of it stays plain data.
    It splits lines at form feeds, so we keep the texts ourselves. It answers a cancelled command at once and lets it
    run on; here the command decides whether it is too late, so that the answer says what really happened. It
    cannot end while a request is open: it walks through the table that each request leaves as it is given up.
    """

    def __init__(self, *given: Any) -> None:
        self._cancelled: dict[MsgId, asyncio.Event] = {}
        """By request: whether the client no longer wants it."""
        self._tokens: dict[MsgId, lsp.ProgressToken] = {}
        """By request: where the client wants to see how far it is."""
        super().__init__(*given)

    # -- messages --------------------------------------------------------------------------------

    def structure_message(self, data: Any) -> Any:
        """Any object of a message, as it is: only `handle_message` knows which is the message."""
        return data

    def handle_message(self, message: Any) -> None:
        """Take in one message, as plain data. Whatever it is, a request gets an answer."""
        try:
            self._check(message)
            decoded = self._decoded(message)
        except JsonRpcException as refusal:
            self._refuse(message, refusal)
        else:
            super().handle_message(decoded)

    def _check(self, message: Any) -> None:
        """Raises JsonRpcException for what is no message, or comes at the wrong time."""
        if not isinstance(message, Mapping) or message.get("jsonrpc") != self.VERSION:
            raise JsonRpcInvalidRequest("this is no JSON-RPC 2.0 message")
        method, number = message.get("method"), message.get("id")
        if (number is not None and type(number) not in _IDS) or not isinstance(method, str | None):
            raise JsonRpcInvalidRequest("the id or the method of this message is none")
        if method is None or "id" not in message:
            return
        if number is None:
            raise JsonRpcInvalidRequest(f"{method} has no id, so it cannot be answered")
        if self._shutdown:
            raise JsonRpcInvalidRequest(f"{method} came after shutdown")
        if method == lsp.INITIALIZE and self._workspace is not None:
            raise JsonRpcInvalidRequest("initialize came a second time")
        if method != lsp.INITIALIZE and self._workspace is None:
            raise JsonRpcException(f"{method} came before initialize", NOT_INITIALIZED)

    def _decoded(self, message: Message) -> Any:
        kind = self._kind(message)
        plain = {
            JsonRPCRequestMessage: "params",
            JsonRPCNotification: "params",
            JsonRPCResponseMessage: "result",
        }
        if kind in plain:  # nobody described it, so it is plain data
            names = ("id", "method", "jsonrpc", plain[kind])
            return kind(**{name: message.get(name) for name in names if name in kind.__annotations__})
        try:
            return self._converter.structure(message, kind)
        except Exception as problem:
            name = message.get("method", "the answer")
            raise JsonRpcInvalidParams(f"{name} cannot be understood: {_why(problem)}") from problem

    def _kind(self, message: Message) -> Any:
        if "method" not in message:
            if "error" in message:
                return lsp.ResponseErrorMessage
            return self._result_types.pop(message.get("id", ""), None) or JsonRPCResponseMessage
        fallback = JsonRPCRequestMessage if "id" in message else JsonRPCNotification
        return self.get_message_type(message["method"]) or fallback

    def _refuse(self, message: Any, refusal: JsonRpcException) -> None:
        """Answer a request that cannot be handled; let whoever waits hear of an answer that is none."""
        logger.warning("a message was refused: %s", refusal)
        given = message if isinstance(message, Mapping) else {"method": None, "id": None}
        number = given.get("id") if type(given.get("id")) in _IDS else None
        error = refusal.to_response_error()
        if "method" not in given and number is not None:
            self._handle_response(number, error=error)
        elif "id" in given:
            answer = {"jsonrpc": self.VERSION, "id": number, "error": self._converter.unstructure(error)}
            self._send_data(answer)  # lsprotocol leaves an id out that is null

    # -- cancelling ------------------------------------------------------------------------------

    @property
    def is_cancelled(self) -> bool:
        """Whether the client no longer wants the request that is being handled."""
        return self.msg_id in self._cancelled and self._cancelled[self.msg_id].is_set()

    def check_cancelled(self) -> None:
        """Raises JsonRpcRequestCancelled if the client no longer wants the request that is being handled."""
        if self.is_cancelled:
            raise JsonRpcRequestCancelled("cancelled: nothing was changed")

    async def unless_cancelled(self, work: Awaitable[T]) -> T:
        """What `work` gives back: something that only reads or waits, and can be given up at any moment.

        Raises JsonRpcRequestCancelled as soon as the client no longer wants the request that is being handled.
        """
        doing = asyncio.ensure_future(work)
        cancelled = asyncio.ensure_future(self._cancelling().wait())
        try:
            await asyncio.wait((doing, cancelled), return_when=asyncio.FIRST_COMPLETED)
            if not doing.done():
                self.check_cancelled()
            return await doing
        finally:
            doing.cancel()
            cancelled.cancel()

    def _cancelling(self) -> asyncio.Event:
        """Set when the client no longer wants the request that is being handled; never outside of one."""
        if self.msg_id is None:
            return asyncio.Event()
        return self._cancelled.setdefault(self.msg_id, asyncio.Event())

    def _handle_cancel_notification(self, msg_id: MsgId) -> None:
        if msg_id in self._request_futures:
            self._cancelled.setdefault(msg_id, asyncio.Event()).set()

    @lsp_method(lsp.WINDOW_WORK_DONE_PROGRESS_CANCEL)
    def lsp_work_done_progress_cancel(self, params: lsp.WorkDoneProgressCancelParams) -> None:
        """Whoever cancels what is shown cancels the request that it is shown for."""
        for msg_id, token in self._tokens.items():
            if token == params.token:
                self._handle_cancel_notification(msg_id)

    # -- requests --------------------------------------------------------------------------------

    @property
    def token(self) -> lsp.ProgressToken | None:
        """Where the client wants to see how far the request is that is being handled, if it said so."""
        return self._tokens.get(self.msg_id) if self.msg_id is not None else None

    @token.setter
    def token(self, token: lsp.ProgressToken) -> None:
        if self.msg_id is not None:
            self._tokens[self.msg_id] = token

    @lsp_method(lsp.WORKSPACE_EXECUTE_COMMAND)
    def lsp_workspace__execute_command(self, params: lsp.ExecuteCommandParams) -> Generator[Any, Any, Any]:
        """Run a command with its arguments as they came."""
        handler = self.fm.commands.get(params.command)
        if handler is None:
            raise JsonRpcInvalidParams(f"there is no command {params.command!r}")
        if params.work_done_token is not None:
            self.token = params.work_done_token
        return (yield handler, tuple(params.arguments or ()), None)

    def _send_handler_result(self, future: Future[Any], *, msg_id: MsgId) -> None:
        self._cancelled.pop(msg_id, None)
        self._tokens.pop(msg_id, None)
        refusal = None if future.cancelled() else future.exception()
        if isinstance(refusal, JsonRpcException):  # an answer like any other: no traceback of it is logged
            self._request_futures.pop(msg_id, None)
            self._send_response(msg_id, error=refusal.to_response_error())
        else:
            super()._send_handler_result(future, msg_id=msg_id)

    def _get_handler(self, feature_name: str) -> Any:
        try:
            return super()._get_handler(feature_name)
        except JsonRpcMethodNotFound:
            raise JsonRpcMethodNotFound(f"there is no method {feature_name!r}") from None

    def _handle_response(
        self, msg_id: MsgId, result: Any | None = None, error: lsp.ResponseError | None = None
    ) -> None:
        waiting = self._request_futures.get(msg_id)
        if waiting is not None and waiting.done():  # nobody waits any more
            self._request_futures.pop(msg_id)
        else:
            super()._handle_response(msg_id, result, error)

    # -- the end, and documents ------------------------------------------------------------------

    @lsp_method(lsp.SHUTDOWN)
    def lsp_shutdown(self, params: None) -> Handled:
        """Close everything, then give up what is not answered; giving up one request ends others with it."""
        yield from self._pass_on(lsp.SHUTDOWN, params)
        for msg_id, future in tuple(self._request_futures.items()):
            if msg_id != self.msg_id:
                future.cancel()
        self._shutdown = True

    def _pass_on(self, method: str, params: Any) -> Handled:
        handler = self.fm.features.get(method)
        if handler is not None:
            yield handler, (params,), None

    @lsp_method(lsp.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: lsp.DidOpenTextDocumentParams) -> Handled:
        """Handled by us alone."""
        yield from self._pass_on(lsp.TEXT_DOCUMENT_DID_OPEN, params)

    @lsp_method(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: lsp.DidChangeTextDocumentParams) -> Handled:
        """Handled by us alone."""
        yield from self._pass_on(lsp.TEXT_DOCUMENT_DID_CHANGE, params)

    @lsp_method(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(self, params: lsp.DidCloseTextDocumentParams) -> Handled:
        """Handled by us alone."""
        yield from self._pass_on(lsp.TEXT_DOCUMENT_DID_CLOSE, params)


def _why(problem: Exception) -> str:
    """What was wrong with a message, for people, and where."""
    from cattrs import transform_error  # noqa: PLC0415 - only what is wrong needs it

    return "; ".join(dict.fromkeys(transform_error(problem, path="it")))
