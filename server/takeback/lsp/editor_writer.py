"""Changes open documents through the editor: one versioned edit a document, believed only when the text says so.

Neovim drops an edit that came too late and still answers that it was applied. So what counts is the document's next
text: it is the planned one, or the planned one with something typed since, which some editors tell in one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from takeback.lsp import convert
from takeback.lsp.columns import Encoding
from takeback.lsp.documents import Document
from takeback.lsp.lines import Lines
from takeback.lsp.server import Server
from takeback.service.documents import Proposed
from takeback.service.texts import is_made, is_typed_into, replacements, same_lines

ANSWER_S = 10.0
"""How long an editor may take to answer an edit."""
TEXT_S = 3.0
"""How long the new text may take after the answer. Neovim sends changes after 150 ms."""
OTHER_TEXT_S = 0.5
"""How long it may still take once other text came: then the edit was most likely dropped."""


class Written(Enum):
    """What became of one document."""

    DONE = auto()
    STALE = auto()
    """Other text came first; the document is as the person left it."""
    FAILED = auto()
    """The editor did not change it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A document that shows its planned text, and what it showed before."""

    proposed: Proposed
    before: str


class EditorWriter:
    """Changes documents of one workspace."""

    def __init__(self, server: Server, verb: str) -> None:
        """`verb` is what the documents are changed for: editors show it beside the edit."""
        self._server = server
        self._verb = verb

    async def show(self, proposed: Proposed) -> tuple[Written, Shown | None]:
        """Let a document become what a plan says. Text that arrived since the plan was made comes first."""
        document = self._document(proposed)
        if document is None or document.version != proposed.version:
            return Written.STALE, None
        before = document.text
        written = await self._write(document, before, proposed.text, self._verb)
        return written, Shown(proposed=proposed, before=before) if written is Written.DONE else None

    async def save(self, shown: Shown) -> bool:
        """Whether the editor saved a document, which it is asked for unless something was typed into it besides."""
        document = self._document(shown.proposed)
        is_as_planned = document is not None and document.text == shown.proposed.text
        return document is not None and is_as_planned and await self._server.save(document.uri)

    async def take_back(self, shown: Sequence[Shown]) -> list[Shown]:
        """Undo earlier edits, newest first, where the text is still ours; those that stay are returned."""
        stay = []
        for one in reversed(shown):
            document = self._document(one.proposed)
            if (
                document is None
                or not same_lines(document.text, one.proposed.text)
                or await self._put_back(document, document.text, one.before) is not Written.DONE
            ):
                stay.append(one)
        return stay

    def _document(self, proposed: Proposed) -> Document | None:
        return self._server.documents.get(proposed.name)

    async def _put_back(self, document: Document, before: str, planned: str) -> Written:
        return await self._write(document, before, planned, f"{self._verb} given up")

    async def _write(self, document: Document, before: str, planned: str, what: str) -> Written:
        edits = convert.text_edits(before, replacements(before, planned), self._server.encoding)
        edit = lsp.WorkspaceEdit(document_changes=[versioned(document, edits)])
        request = lsp.ApplyWorkspaceEditParams(edit=edit, label=f"Takeback: {what}")
        document.trail = [document.lines.copy()]
        asked = asyncio.get_running_loop().create_task(self._is_applied(request))
        self._server.keep(asked)
        try:
            landing = await self._landing(document, planned, edits, asked)
        finally:
            document.trail = None
        if landing is None and self._server.documents.get(document.uri) is not document:
            return Written.STALE  # it was closed: its file is taken back without it
        if landing is None:
            return Written.FAILED if document.text == before else Written.STALE
        return await self._judged(document, landing, before)

    async def _is_applied(self, request: lsp.ApplyWorkspaceEditParams) -> bool:
        """Whether the editor says that it has made an edit; it may never say anything."""
        try:
            return (await self._server.workspace_apply_edit_async(request)).applied
        except JsonRpcException:
            return False

    async def _landing(
        self, document: Document, planned: str, edits: Sequence[lsp.TextEdit], asked: asyncio.Task[bool]
    ) -> Landing | None:
        """On which text the edit came to lie; `None` if it was dropped. An answer only says how long to wait."""
        now = asyncio.get_running_loop().time
        deadline, is_answered = now() + ANSWER_S, False
        assert document.trail is not None, "BUG: the trail is kept while an edit is under way"
        while (found := _found(document.trail, planned, edits, self._server.encoding)) is None:
            if asked.done() and not is_answered:
                deadline, is_answered = now() + TEXT_S, True
            if is_answered and len(document.trail) > 1:
                deadline = min(deadline, now() + OTHER_TEXT_S)
            if is_answered and not asked.result():
                return None
            if is_answered and same_lines(document.text, planned):
                return Landing(document.trail[0].text, document.text)
            if now() >= deadline:
                return _typed_into(document.trail, planned) if is_answered else None
            await document.next_text(deadline - now(), () if is_answered else (asked,))
        return found

    async def _judged(self, document: Document, landing: Landing, before: str) -> Written:
        """Done, if the edit lies on the text that it was made for. Else the text that came first is put back.

        A client that does not compare versions (Neovim, while a document has version 0) lays an edit over text that
        it has not sent yet.
        """
        if landing.base == before:
            return Written.DONE
        if document.text == landing.result:
            await self._put_back(document, landing.result, landing.base)
            return Written.STALE
        return Written.FAILED


def versioned(document: Document, edits: Sequence[lsp.TextEdit]) -> lsp.TextDocumentEdit:
    """An edit of a document at its present version, and no other."""
    identifier = lsp.OptionalVersionedTextDocumentIdentifier(uri=document.uri, version=document.version)
    return lsp.TextDocumentEdit(text_document=identifier, edits=tuple(edits))


@dataclass(frozen=True, slots=True)
class Landing:
    """An edit that came to lie on a text, and what it made of it."""

    base: str
    result: str


def _found(
    trail: Sequence[Lines], planned: str, edits: Sequence[lsp.TextEdit], encoding: Encoding
) -> Landing | None:
    """The first text that was followed by what the edit makes of it, at once or one range after the other.

    Neovim waits before it tells of changes: then the edit comes together with what was typed right after it.
    """
    for place, base in enumerate(trail[:-1]):
        made = _made(base, trail[place + 1 :], edits, encoding)
        if made is not None:
            return Landing(base.text, made.text)
    before, text = trail[0].text, trail[-1].text
    return Landing(before, text) if text == planned or is_made(before, planned, text) else None


def _typed_into(trail: Sequence[Lines], planned: str) -> Landing | None:
    """The edit, where the editor says that it made it, and somebody typed in its very lines before that was told."""
    before, text = trail[0].text, trail[-1].text
    return Landing(before, text) if is_typed_into(before, planned, text) else None


def _made(
    base: Lines, following: Sequence[Lines], edits: Sequence[lsp.TextEdit], encoding: Encoding
) -> Lines | None:
    """What the edit makes of a text, if that is what followed."""
    made, is_followed = base.copy(), True
    places = base.placed(edits, encoding)
    for step, (start, end, new) in enumerate(places):
        made.replace(start, end, new)
        is_followed = is_followed and step < len(following) and following[step] == made
    return made if is_followed or following[0] == made else None
