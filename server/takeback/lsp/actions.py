"""Code actions: what can be taken back at a range of a document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types as lsp

if TYPE_CHECKING:
    from takeback.lsp.server import Server


def register(server: Server) -> None:
    """Let `server` answer for code actions."""
    options = lsp.CodeActionOptions(code_action_kinds=[lsp.CodeActionKind.QuickFix])
    server.feature(lsp.TEXT_DOCUMENT_CODE_ACTION, options)(_actions)


async def _actions(ls: Server, params: lsp.CodeActionParams) -> list[lsp.CodeAction | lsp.Command]:
    return [action for provider in ls.action_providers for action in await provider(ls, params)]
