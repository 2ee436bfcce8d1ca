"""The names on the wire that are Takeback's own, and the protocol without pygls's own documents."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import Future
from typing import Any

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException, JsonRpcRequestCancelled
from pygls.protocol import LanguageServerProtocol, lsp_method
from pygls.protocol.json_rpc import MsgId

UNDO_LAST = "takeback.undoLast"
UNDO_OPERATIONS = "takeback.undoOperations"
REDO = "takeback.redo"
CREATE_CHECKPOINT = "takeback.createCheckpoint"
ROLLBACK = "takeback.rollback"
STATUS = "takeback.status"

COMMANDS = (UNDO_LAST, UNDO_OPERATIONS, REDO, CREATE_CHECKPOINT, ROLLBACK, STATUS)

SAVE = "takeback/save"
"""Server to client: save this document. Only to clients that declare `experimental.takeback.save`."""
TIMELINE_CHANGED = "takeback/timelineChanged"
"""Server to client: there are new operations."""

Handled = Generator[Any, Any, None]


class Protocol(LanguageServerProtocol):
    """pygls's protocol, but for documents, cancelling and the end.

    It splits lines at form feeds, so we keep the texts ourselves. It answers a cancelled command at once and lets it
    run on; here the command decides whether it is too late, so that the answer says what really happened. It
    cannot end while a request is open: it walks through the table that each request leaves as it is given up.
    """

    def __init__(self, *given: Any) -> None:
        self._cancelled: set[MsgId] = set()
        super().__init__(*given)

    @property
    def is_cancelled(self) -> bool:
        """Whether the client no longer wants the request that is being handled."""
        return self.msg_id in self._cancelled

    def check_cancelled(self) -> None:
        """Raises JsonRpcRequestCancelled if the client no longer wants the request that is being handled."""
        if self.is_cancelled:
            raise JsonRpcRequestCancelled("cancelled: nothing was changed")

    def _handle_cancel_notification(self, msg_id: MsgId) -> None:
        if msg_id in self._request_futures:
            self._cancelled.add(msg_id)

    def _send_handler_result(self, future: Future[Any], *, msg_id: MsgId) -> None:
        self._cancelled.discard(msg_id)
        refusal = None if future.cancelled() else future.exception()
        if isinstance(refusal, JsonRpcException):  # an answer like any other: no traceback of it is logged
            self._request_futures.pop(msg_id, None)
            self._send_response(msg_id, error=refusal.to_response_error())
        else:
            super()._send_handler_result(future, msg_id=msg_id)

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
