"""The names on the wire that are Takeback's own, and the protocol without pygls's own documents."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from lsprotocol import types as lsp
from pygls.protocol import LanguageServerProtocol, lsp_method

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
    """pygls's protocol, but for documents: it splits lines at form feeds, so we keep the texts ourselves."""

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
