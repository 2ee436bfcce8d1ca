"""Code actions: take back the change at a line, or the last ones of a file; keep them.

They follow from range and document alone: some editors send no diagnostics along. What an action does to documents is
worked out when the editor asks for it (`codeAction/resolve`). Kinds:

    refactor.takeback.hunk, .operation, .turn, .keep     at the lines of a change
    source.takeback.undo, source.takeback.keep           for the file; a setting for saving may name them
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import attrs
from lsprotocol import types as lsp

from takeback.errors import TakebackError
from takeback.lsp import convert, protocol
from takeback.lsp.lenses import undo_of
from takeback.lsp.stretches import Stretch, foreign

if TYPE_CHECKING:
    from takeback.lsp.server import Server
    from takeback.model.ids import OpId
    from takeback.service.documents import Proposed
    from takeback.service.provenance import Author

_AT_LINES = "refactor.takeback"
_UNDO_FILE = "source.takeback.undo"
_KEEP_FILE = "source.takeback.keep"
_MOST_CHANGES = 5
"""So many changes in a selected range have actions of their own; for more there is the file."""
_LAST = 3
"""So many of a file's last operations can be taken back from anywhere in it."""


@dataclass(frozen=True, slots=True)
class _Offer:
    """An action in the making."""

    kind: str
    title: str
    command: str
    arguments: Mapping[str, Any]


def register(server: Server) -> None:
    """Let `server` answer for code actions."""
    kinds = [_AT_LINES, _UNDO_FILE, _KEEP_FILE, lsp.CodeActionKind.QuickFix]
    options = lsp.CodeActionOptions(code_action_kinds=kinds, resolve_provider=True)
    server.feature(lsp.TEXT_DOCUMENT_CODE_ACTION, options)(_actions)
    server.feature(lsp.CODE_ACTION_RESOLVE)(_resolved)
    server.action_providers.append(_of_changes)


async def _actions(ls: Server, params: lsp.CodeActionParams) -> list[lsp.CodeAction | lsp.Command]:
    found = [action for provider in ls.action_providers for action in await provider(ls, params)]
    wanted = [action for action in found if _is_wanted(action.kind or "", params.context)]
    if _takes_actions(ls):
        return list(wanted)
    return [action.command for action in wanted if action.command is not None]


async def _resolved(ls: Server, action: lsp.CodeAction) -> lsp.CodeAction:
    """The action with its edit, where it changes nothing but open documents: then an editor can show it beforehand.

    The command comes after the edit: it finds the documents as they should be, writes their files and records it.
    """
    from takeback.lsp.commands.taking_back import foresee  # noqa: PLC0415 - imports the core, which is open by now

    command = action.command
    if command is None or action.edit is not None:
        return action
    try:
        found = await foresee(ls, command.command, command.arguments or ())
    except TakebackError:  # the command says what is wrong
        return action
    edits = [edit for one in found for edit in _edit(ls, one)]
    if not edits or len(edits) < len(found) or not _takes_versions(ls):
        return action
    return attrs.evolve(action, edit=lsp.WorkspaceEdit(document_changes=edits))


def _edit(ls: Server, one: Proposed) -> Iterator[lsp.TextDocumentEdit]:
    from takeback.lsp.editor_writer import versioned  # noqa: PLC0415 - the same
    from takeback.service.texts import replacements  # noqa: PLC0415 - the same

    document = ls.documents.get(one.name)
    if document is not None and document.version == one.version:
        yield versioned(
            document, convert.text_edits(one.shown, replacements(one.shown, one.text), ls.encoding)
        )


def _takes_versions(ls: Server) -> bool:
    workspace = ls.client_capabilities.workspace
    return bool(workspace and workspace.workspace_edit and workspace.workspace_edit.document_changes)


def _is_wanted(kind: str, context: lsp.CodeActionContext) -> bool:
    """Whether the editor asked for actions of this kind. Taking back by itself, on save, needs the full name."""
    if kind == _UNDO_FILE and context.trigger_kind is lsp.CodeActionTriggerKind.Automatic:
        return _UNDO_FILE in (context.only or ())
    return context.only is None or any(kind == one or kind.startswith(f"{one}.") for one in context.only)


def _takes_actions(ls: Server) -> bool:
    document = ls.client_capabilities.text_document
    return bool(document and document.code_action and document.code_action.code_action_literal_support)


async def _of_changes(ls: Server, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
    uri = params.text_document.uri
    found = [one for one in ls.authorships.shown(uri, lambda _: True) if one.author.is_foreign]
    try:
        workspace = {"workspace": convert.file_uri((await ls.core_for(uri)).root)} if found else {}
    except TakebackError:  # its folder was closed meanwhile
        return []
    met = [one for one in found if one.meets(params.range.start.line, params.range.end.line)]
    now_ns = time.time_ns()
    offers = (*_at_lines(uri, met, now_ns), *_for_file(uri, found, now_ns)) if found else ()
    return [_action(offer, workspace) for offer in offers]


def _action(offer: _Offer, workspace: Mapping[str, str]) -> lsp.CodeAction:
    """What its command gets says in which workspace: ids are of one."""
    arguments = {**offer.arguments, **workspace}
    command = lsp.Command(title=offer.title, command=offer.command, arguments=[arguments])
    return lsp.CodeAction(title=offer.title, kind=offer.kind, command=command)


# -- at lines ------------------------------------------------------------------------------------


def _at_lines(uri: str, met: Sequence[Stretch], now_ns: int) -> Iterator[_Offer]:
    """For each change: the hunk alone, its operation, its turn, and to keep it; newest first."""
    from takeback.lsp.sayings import headline, who  # noqa: PLC0415 - imports the core, which is open by now

    hunks = {(one.author.op, one.hunk): one for one in met}
    for one in sorted(hunks.values(), key=lambda one: -one.author.op)[:_MOST_CHANGES]:
        yield _Offer(
            f"{_AT_LINES}.hunk", f"Take back this change ({headline(one.author, now_ns)})", *undo_of(uri, one)
        )
    authors = _newest(met)
    for author in authors[:_MOST_CHANGES]:
        undo = {"ids": [author.op], "interactive": True}
        title = f"Take back all of operation {author.op} ({headline(author, now_ns)})"
        yield _Offer(f"{_AT_LINES}.operation", title, protocol.UNDO_OPERATIONS, undo)
    for turn, author in {one.turn: one for one in authors if one.turn}.items():
        title = f"Take back the turn ({headline(author, now_ns)})"
        yield _Offer(f"{_AT_LINES}.turn", title, protocol.UNDO_TURN, {"turn": turn, "interactive": True})
    for author in [one for one in authors if not one.kept][:_MOST_CHANGES]:
        keep = {"operation": author.op, "uri": uri}
        yield _Offer(f"{_AT_LINES}.keep", f"Keep this change ({who(author, now_ns)})", protocol.KEEP, keep)


def _newest(found: Sequence[Stretch]) -> tuple[Author, ...]:
    """Who wrote these, newest first."""
    authors: dict[OpId, Author] = {one.author.op: one.author for one in found}
    return tuple(authors[op] for op in sorted(authors, reverse=True))


# -- for a file ----------------------------------------------------------------------------------


def _for_file(uri: str, found: Sequence[Stretch], now_ns: int) -> Iterator[_Offer]:
    from takeback.lsp.sayings import headline  # noqa: PLC0415 - imports the core, which is open by now

    for author in _newest(found)[:_LAST]:
        undo = {"ids": [author.op], "uris": [uri], "interactive": True}
        title = f"Take back in this file: operation {author.op} ({headline(author, now_ns)})"
        yield _Offer(_UNDO_FILE, title, protocol.UNDO_OPERATIONS, undo)
    n = len(_newest(foreign(found)))
    if n:
        title = f"Keep all changes of others in this file ({n})"
        yield _Offer(_KEEP_FILE, title, protocol.KEEP, {"uri": uri})
