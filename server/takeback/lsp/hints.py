"""Inlay hints, where they are switched on: who wrote it, behind the first line of each change of others."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from lsprotocol import types as lsp

from takeback.lsp.server import Server
from takeback.lsp.stretches import Stretch, foreign


def register(server: Server) -> None:
    """Let `server` answer for inlay hints."""
    server.feature(lsp.TEXT_DOCUMENT_INLAY_HINT)(_hints)


def _hints(ls: Server, params: lsp.InlayHintParams) -> list[lsp.InlayHint]:
    uri = params.text_document.uri
    found = foreign(ls.authorships.shown(uri, lambda shows: shows.inlay_hints))
    first, last = params.range.start.line, params.range.end.line
    met = [one for one in found if not one.is_gone and first <= one.start <= last]
    return list(_of(ls, uri, met)) if met else []


def _of(ls: Server, uri: str, found: Sequence[Stretch]) -> Iterator[lsp.InlayHint]:
    from takeback.lsp.sayings import headline  # noqa: PLC0415 - imports the core, which is open by now

    document, now_ns = ls.documents[uri], time.time_ns()
    for one in found:
        yield lsp.InlayHint(
            position=document.lines.end_of(one.start, ls.encoding),
            label=headline(one.author, now_ns),
            padding_left=True,
        )
