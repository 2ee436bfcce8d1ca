"""Code lenses over the changes of others that nobody has kept yet: who, when, and Undo, Diff, Keep."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from lsprotocol import types as lsp

from takeback.lsp import protocol
from takeback.lsp.server import Server
from takeback.lsp.stretches import Stretch, foreign

_MOST = 300
"""A file that was formatted anew would have more lenses than anybody reads: then the first of them."""


def register(server: Server) -> None:
    """Let `server` answer for code lenses."""
    server.feature(lsp.TEXT_DOCUMENT_CODE_LENS)(_lenses)


def _lenses(ls: Server, params: lsp.CodeLensParams) -> list[lsp.CodeLens]:
    uri = params.text_document.uri
    found = ls.authorships.shown(uri, lambda shows: shows.lenses)
    first: dict[tuple[int, int], Stretch] = {}
    for one in foreign(found):
        first.setdefault((one.author.op, one.hunk), one)
    now_ns = time.time_ns()
    n_lines = len(ls.documents[uri].lines) if first else 0
    return [lens for one in tuple(first.values())[:_MOST] for lens in _of(uri, one, now_ns, n_lines)]


def _of(uri: str, one: Stretch, now_ns: int, n_lines: int) -> Iterator[lsp.CodeLens]:
    from takeback.lsp.sayings import headline  # noqa: PLC0415 - imports the core, which is open by now

    place = lsp.Position(line=min(one.start, n_lines - 1), character=0)
    said = f"{headline(one.author, now_ns)}{' (removed lines)' if one.is_gone else ''}"
    commands = (
        (said, protocol.SHOW_OPERATION, {"id": one.author.op, "uri": uri, "show": True}),
        ("Undo", *undo_of(uri, one)),
        ("Diff", protocol.SHOW_OPERATION, {"id": one.author.op, "uri": uri, "show": True}),
        ("Keep", protocol.KEEP, {"operation": one.author.op, "uri": uri}),
    )
    for title, name, arguments in commands:
        command = lsp.Command(title=title, command=name, arguments=[arguments])
        yield lsp.CodeLens(range=lsp.Range(start=place, end=place), command=command)


def undo_of(uri: str, one: Stretch) -> tuple[str, dict[str, Any]]:
    """The command that takes back one stretch: its hunk, or what its operation did to the file as a whole."""
    op = one.author.op
    if one.hunk:
        return protocol.UNDO_HUNK, {"operation": op, "uri": uri, "hunk": one.hunk, "interactive": True}
    return protocol.UNDO_OPERATIONS, {"ids": [op], "uris": [uri], "interactive": True}
