"""Hover: who of the others wrote the line, when, and in which turn. Human lines have none: they would be everywhere."""

from __future__ import annotations

import time

from lsprotocol import types as lsp

from takeback.lsp.server import Server


def register(server: Server) -> None:
    """Let `server` answer for hovers."""
    server.feature(lsp.TEXT_DOCUMENT_HOVER)(_hover)


def _hover(ls: Server, params: lsp.HoverParams) -> lsp.Hover | None:
    line = params.position.line
    found = ls.authorships.shown(params.text_document.uri, lambda shows: shows.hovers)
    met = [one for one in found if one.author.is_foreign and one.meets(line, line)]
    if not met:
        return None
    from takeback.lsp import sayings  # noqa: PLC0415 - imports the core, which is open by now

    now_ns, markdown = time.time_ns(), _takes_markdown(ls)
    parts = [
        sayings.hover(
            one.author, now_ns, "removed lines here" if one.is_gone else "wrote this", markdown=markdown
        )
        for one in met
    ]
    kind = lsp.MarkupKind.Markdown if markdown else lsp.MarkupKind.PlainText
    between = "\n\n---\n\n" if markdown else "\n\n"
    return lsp.Hover(contents=lsp.MarkupContent(kind=kind, value=between.join(parts)))


def _takes_markdown(ls: Server) -> bool:
    document = ls.client_capabilities.text_document
    formats = document.hover.content_format if document and document.hover else None
    return lsp.MarkupKind.Markdown in (formats or ())
