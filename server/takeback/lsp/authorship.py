"""Who wrote the lines of every open document, kept on the loop so that it is known at once, while somebody types too.

The core says who wrote the lines of one version; what was typed since is carried on here. Nothing here waits: what is
not known yet is not shown, and the editor is asked to look again when it is.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pygls.exceptions import JsonRpcException

from takeback.aio import Core
from takeback.errors import TakebackError
from takeback.lsp import convert
from takeback.lsp.documents import Document
from takeback.lsp.stretches import Stretch, stretches

if TYPE_CHECKING:  # importing the core takes longer than answering `initialize` may
    from takeback.config import EditorConfig
    from takeback.lsp.server import Server
    from takeback.model.operation import Operation
    from takeback.model.spans import LineEdit
    from takeback.service.provenance import Authorship

logger = logging.getLogger(__name__)

_MOST_EDITS = 500
"""So many notifications may come while the core says who wrote a version; after more it is asked again."""
_REFRESH_S = 5.0
"""How long an editor has to answer that it will ask again."""


@dataclass(slots=True, kw_only=True)
class _Known:
    """What is known of one document."""

    authorship: Authorship | None = None
    edits: list[tuple[int, tuple[LineEdit, ...] | None]] = field(default_factory=list)
    """What was typed since the core was asked, by version; `None`: all of the text."""
    asking: asyncio.Task[None] | None = None
    again: bool = False
    """Something happened since the core was asked."""


class Authorships:
    """Who wrote what, by document."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._known: dict[str, _Known] = {}
        self._refreshing: asyncio.Task[None] | None = None

    def of(self, uri: str) -> Authorship | None:
        """Who wrote the lines of a document as it is now; `None` if that is not known yet."""
        known = self._known.get(uri)
        return known.authorship if known is not None else None

    def shown(self, uri: str, wanted: Callable[[EditorConfig], bool]) -> tuple[Stretch, ...]:
        """The stretches of a document, if they are known by now and the settings want them shown."""
        authorship, document = self.of(uri), self._server.documents.get(uri)
        if authorship is None or document is None or not wanted(authorship.shows):
            return ()
        return stretches(authorship, document.text)

    # -- what happens ----------------------------------------------------------------------------

    def opened(self, document: Document) -> None:
        """A document was opened."""
        self._known[document.uri] = _Known()
        self.ask(document.uri)

    def edited(self, document: Document, edits: tuple[LineEdit, ...] | None) -> None:
        """A document has another text; `edits` are the lines that were replaced, where that is known."""
        known = self._known.get(document.uri)
        if known is None:
            return
        known.edits = [*known.edits, (document.version, edits)][-_MOST_EDITS:] if known.asking else []
        if edits is None or known.authorship is None:
            known.authorship = None
            self.ask(document.uri)
        else:
            _carry(known.authorship, edits)

    def closed(self, uri: str) -> None:
        """A document was closed."""
        self._known.pop(uri, None)

    def heard(self, core: Core, operations: Sequence[Operation]) -> None:
        """Operations were recorded: documents of the files that they touched are looked at again."""
        touched = {
            place
            for operation in operations
            for change in operation.changes
            for place in (change.path, change.moved_from)
        }
        self.look_again(core, lambda path: path in touched)

    def look_again(self, core: Core, concerns: Callable[[str], bool] = lambda _: True) -> None:
        """Ask anew about the documents of a workspace whose path `concerns`."""
        looking = self._look_again(core, concerns)
        self._server.keep(asyncio.get_running_loop().create_task(looking))

    async def _look_again(self, core: Core, concerns: Callable[[str], bool]) -> None:
        uris = tuple(self._known)
        found = await asyncio.to_thread(lambda: [convert.document_path(core.root, uri) for uri in uris])
        for uri, path in zip(uris, found, strict=True):
            if path is not None and concerns(path):
                self.ask(uri)

    # -- asking the core -------------------------------------------------------------------------

    def ask(self, uri: str) -> None:
        """Ask the core who wrote a document; once more after that if it is being asked already."""
        known = self._known.get(uri)
        if known is None:
            return
        if known.asking is not None:
            known.again = True
            return
        known.edits = []
        known.asking = asyncio.get_running_loop().create_task(self._ask(uri, known))
        self._server.keep(known.asking)

    async def _ask(self, uri: str, known: _Known) -> None:
        try:
            core = await self._server.core_for(uri)
            found = await core.do(lambda desk: desk.provenance(uri))
        except TakebackError:  # outside of every workspace, or it cannot be opened: that was said
            found = None
        finally:
            known.asking = None
        if found is not None:
            known.again = not self._taken_in(known, found) or known.again
            self.refresh()
        if known.again and found is not None and self._known.get(uri) is known:
            known.again = False
            self.ask(uri)

    @staticmethod
    def _taken_in(known: _Known, found: Authorship) -> bool:
        """Whether what the core said could be brought up to what was typed since."""
        later = [edits for version, edits in known.edits if version > found.version]
        if len(known.edits) == _MOST_EDITS or None in later:
            known.authorship = None
            return False
        for edits in later:
            _carry(found, edits or ())
        known.authorship = found
        return True

    # -- telling the editor ----------------------------------------------------------------------

    def refresh(self) -> None:
        """Have the editor ask again for what it shows; once for all that happens until it has answered."""
        if self._refreshing is None:
            self._refreshing = asyncio.get_running_loop().create_task(self._refresh())
            self._server.keep(self._refreshing)

    async def _refresh(self) -> None:
        workspace = self._server.client_capabilities.workspace
        lenses = workspace and workspace.code_lens and workspace.code_lens.refresh_support
        hints = workspace and workspace.inlay_hint and workspace.inlay_hint.refresh_support
        asked = [
            *([self._server.workspace_code_lens_refresh_async(None)] if lenses else []),
            *([self._server.workspace_inlay_hint_refresh_async(None)] if hints else []),
        ]
        self._refreshing = None  # what happens from now on needs another one
        for one in asked:
            try:
                await asyncio.wait_for(one, _REFRESH_S)
            except (TimeoutError, JsonRpcException):
                logger.info("the editor does not look again")


def _carry(authorship: Authorship, edits: Sequence[LineEdit]) -> None:
    for start, end, n_lines in edits:
        authorship.provenance.replace(start, end, n_lines)
