"""Code lenses over the changes of others that nobody has kept yet: who, when, and Undo, Diff, Keep."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
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
    return list(_placed(ls, uri, tuple(first.values())[:_MOST])) if first else []


def _placed(ls: Server, uri: str, shown: Sequence[Stretch]) -> Iterator[lsp.CodeLens]:
    """The lenses of each stretch, one behind the other.

    Neovim 0.11 shows those of one place in any order. So each begins one column further on, beyond the end of a short
    line too: that counts as the end of the line. Source: Language Server Protocol 3.17, "Position".
    """
    lines, now_ns = ls.documents[uri].lines, time.time_ns()
    columns = Counter[int]()
    for one in shown:
        line = min(one.start, len(lines) - 1)
        end = lines.end_of(line, ls.encoding).character
        for command in _commands(uri, one, now_ns):
            column = columns[line]
            start, stop = lsp.Position(line, column), lsp.Position(line, max(column, end))
            yield lsp.CodeLens(range=lsp.Range(start=start, end=stop), command=command)
            columns[line] += 1


def _commands(uri: str, one: Stretch, now_ns: int) -> Iterator[lsp.Command]:
    from takeback.lsp.sayings import headline  # noqa: PLC0415 - imports the core, which is open by now

    said = f"{headline(one.author, now_ns)}{' (removed lines)' if one.is_gone else ''}"
    commands = (
        (said, protocol.SHOW_OPERATION, {"id": one.author.op, "uri": uri, "show": True}),
        ("Undo", *undo_of(uri, one)),
        ("Diff", protocol.SHOW_OPERATION, {"id": one.author.op, "uri": uri, "show": True}),
        ("Keep", protocol.KEEP, {"operation": one.author.op, "uri": uri}),
    )
    for title, name, arguments in commands:
        yield lsp.Command(title=title, command=name, arguments=[arguments])


def undo_of(uri: str, one: Stretch) -> tuple[str, dict[str, Any]]:
    """The command that takes back one stretch: its hunk, or what its operation did to the file as a whole."""
    op = one.author.op
    if one.hunk:
        return protocol.UNDO_HUNK, {"operation": op, "uri": uri, "hunk": one.hunk, "interactive": True}
    return protocol.UNDO_OPERATIONS, {"ids": [op], "uris": [uri], "interactive": True}
