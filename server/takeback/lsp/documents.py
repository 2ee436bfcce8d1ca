"""The texts of open documents, as the editor edits them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from lsprotocol import types as lsp

from takeback.lsp.columns import Encoding
from takeback.lsp.lines import Lines
from takeback.model.spans import LineEdit


@dataclass(slots=True, kw_only=True)
class Document:
    """One open document; its text changes with every edit."""

    uri: str
    version: int
    lines: Lines
    waiting: list[asyncio.Future[None]] = field(default_factory=list)
    """Who wants to know of the next text."""
    trail: list[Lines] | None = None
    """While an edit of ours is under way: every text since it was sent, one after each change."""

    @property
    def text(self) -> str:
        """All that it shows."""
        return self.lines.text

    def edited(
        self, version: int, changes: Iterable[lsp.TextDocumentContentChangeEvent], encoding: Encoding
    ) -> tuple[LineEdit, ...] | None:
        """Take in the changes of one notification, in order. The lines that they replaced; `None`: it does not say."""
        edits: list[LineEdit | None] = []
        for change in changes:
            edits.append(self._changed(change, encoding))
            if self.trail is not None:
                self.trail.append(self.lines.copy())
        self.version = version
        for waiter in self.waiting:
            if not waiter.done():
                waiter.set_result(None)
        self.waiting.clear()
        known = tuple(edit for edit in edits if edit is not None)
        return known if len(known) == len(edits) else None

    def _changed(self, change: lsp.TextDocumentContentChangeEvent, encoding: Encoding) -> LineEdit | None:
        """Take in one change; the lines that it replaced, if it says so."""
        if not isinstance(change, lsp.TextDocumentContentChangePartial):
            self.lines = Lines(change.text)
            return None
        start = self.lines.place(change.range.start, encoding)
        return self.lines.replace(start, self.lines.place(change.range.end, encoding), change.text)

    async def next_text(self, timeout_s: float, others: Iterable[asyncio.Future[Any]] = ()) -> None:
        """Returns when the document was edited, when one of `others` is done, or after `timeout_s`."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.append(waiter)
        await asyncio.wait((waiter, *others), timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)


def with_edits(text: str, edits: Iterable[lsp.TextEdit], encoding: Encoding) -> str:
    """`text` as a client makes it that applies `edits`; their ranges are those of the text before any of them."""
    lines = Lines(text)
    for start, end, new in lines.placed(edits, encoding):
        lines.replace(start, end, new)
    return lines.text
