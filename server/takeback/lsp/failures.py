"""Failures of tasks at the lines that a tool named: marked in the editor, and what touched those lines to take back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lsprotocol import types as lsp

from takeback.errors import TakebackError
from takeback.lsp import convert, protocol

if TYPE_CHECKING:
    from takeback.lsp.documents import Document
    from takeback.lsp.server import Server
    from takeback.service.provenance import Author

_MOST_ACTIONS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One place where a task failed, as the document is now."""

    task: str
    uri: str
    name: str
    """What the URI names: editors may write it otherwise."""
    line: int
    """From 0."""
    column: int
    message: str
    severity: lsp.DiagnosticSeverity

    def diagnostic(self) -> lsp.Diagnostic:
        """How the editor marks it: from its column to the end of its line."""
        start = lsp.Position(line=self.line, character=self.column)
        end = lsp.Position(line=self.line + 1, character=0)
        return lsp.Diagnostic(
            range=lsp.Range(start=start, end=end),
            message=self.message,
            severity=self.severity,
            source=f"takeback: {self.task}",
        )


class Failures:
    """What the last report of each task said."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._of: dict[str, tuple[Failure, ...]] = {}
        """By task and workspace."""

    def report(self, root: str, task: str, found: Iterable[Failure]) -> None:
        """From now on a task fails exactly here; what it said before is gone."""
        self._say(f"task {task} of {root}", tuple(found))

    def at(self, uri: str, where: lsp.Range) -> tuple[Failure, ...]:
        """The failures that a range of a document meets."""
        name = convert.name_of(uri)
        return tuple(
            one
            for failures in self._of.values()
            for one in failures
            if one.name == name and where.start.line <= one.line <= where.end.line
        )

    def edited(self, document: Document, before: str) -> None:
        """Let failures stay at their lines, whatever was typed above them."""
        name = convert.name_of(document.uri) if self._of else ""
        for owner, failures in tuple(self._of.items()):
            if any(one.name == name for one in failures):
                moved = _moves(before, document.text)
                self._say(owner, tuple(_followed(one, name, moved) for one in failures))

    def opened(self, document: Document) -> None:
        """A document was opened: a task may have failed in the file that it is by a link."""
        if self._of:
            self._server.keep(asyncio.get_running_loop().create_task(self._linked(document, document.text)))

    async def _linked(self, document: Document, before: str) -> None:
        """Let the failures in the file of a document be in the document, which showed `before` when it was opened."""
        name, uri = convert.name_of(document.uri), document.uri
        real = await asyncio.to_thread(convert.real_name, uri)
        if real == name:
            return
        moved = _moves(before, document.text)
        is_open = any(convert.name_of(one) == real for one in self._server.documents)
        for owner, failures in tuple(self._of.items()):
            stay = (one for one in failures if is_open or one.name != real)
            here = (_followed(one, real, moved) for one in failures if one.name == real)
            found = (*stay, *(replace(one, uri=uri, name=name) for one in here))
            self._say(owner, tuple(dict.fromkeys(found)))

    def _say(self, owner: str, failures: tuple[Failure, ...]) -> None:
        marks: dict[str, list[lsp.Diagnostic]] = {}
        for one in failures:
            marks.setdefault(one.uri, []).append(one.diagnostic())
        self._of[owner] = failures
        if not failures:
            del self._of[owner]
        self._server.diagnostics.say(owner, marks)


@dataclass(frozen=True, slots=True)
class _Moves:
    """Lines `start` to `end` became `n` others."""

    start: int
    end: int
    n: int

    def line(self, line: int) -> int:
        """Where a line is afterwards; one that was replaced is where its replacement is."""
        if line < self.start:
            return line
        if line >= self.end:
            return line + self.n - (self.end - self.start)
        return min(line, self.start + max(self.n - 1, 0))


def _moves(before: str, after: str) -> _Moves:
    """Which lines differ, as one run: what an editor changes at a time is mostly that."""
    old, new = before.split("\n"), after.split("\n")
    shorter = min(len(old), len(new))
    head = next((n for n in range(shorter) if old[n] != new[n]), shorter)
    tail = next((n for n in range(shorter - head) if old[-1 - n] != new[-1 - n]), shorter - head)
    return _Moves(head, len(old) - tail, len(new) - tail - head)


def _followed(one: Failure, name: str, moves: _Moves) -> Failure:
    return replace(one, line=moves.line(one.line)) if one.name == name else one


# -- what touched a failing line -----------------------------------------------------------------


def register(server: Server) -> None:
    """Let `server` offer to take back what touched a failing line."""
    server.action_providers.append(_actions)


async def _actions(server: Server, params: lsp.CodeActionParams) -> Sequence[lsp.CodeAction]:
    uri = params.text_document.uri
    failures = server.failures.at(uri, params.range)
    if not failures:
        return ()
    from takeback.service import touching  # noqa: PLC0415 - imports the core

    try:
        core = await server.core_for(uri)
        lines = [one.line for one in failures]
        found = await core.do(lambda desk: touching.authors(desk, uri, lines))
    except TakebackError:  # nothing to offer: why, is said where something is asked for
        return ()
    workspace = {"workspace": convert.file_uri(core.root)}
    diagnostics = [one.diagnostic() for one in failures]
    return [_action(one, line, workspace, diagnostics) for one, line in found[:_MOST_ACTIONS]]


def _action(
    author: Author, ago: str, workspace: Mapping[str, str], diagnostics: Sequence[lsp.Diagnostic]
) -> lsp.CodeAction:
    title = f"Take back operation {author.op} ({author.actor}, {ago}), which touched this line"
    arguments = {"ids": [author.op], "interactive": True, **workspace}
    command = lsp.Command(title=title, command=protocol.UNDO_OPERATIONS, arguments=[arguments])
    return lsp.CodeAction(
        title=title, kind=lsp.CodeActionKind.QuickFix, diagnostics=diagnostics, command=command
    )
