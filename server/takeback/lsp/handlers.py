"""What the editor sends, and what is done about it. Small: decode, and hand on."""

from __future__ import annotations

import asyncio
from typing import Any

from lsprotocol import types as lsp

from takeback.lsp import actions, failures, files, hints, hovers, lenses, messages, settings, virtual
from takeback.lsp.documents import Document
from takeback.lsp.lines import Lines
from takeback.lsp.protocol import COMMANDS
from takeback.lsp.server import Server


def register(server: Server) -> None:
    """Let `server` answer everything that Takeback answers."""
    server.feature(lsp.INITIALIZE)(_initialize)
    server.feature(lsp.INITIALIZED)(_initialized)
    server.feature(lsp.SHUTDOWN)(_shutdown)
    server.feature(lsp.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)(_folders_changed)
    server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)(_opened)
    server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)(_changed)
    server.feature(lsp.TEXT_DOCUMENT_WILL_SAVE)(_will_save)
    server.feature(lsp.TEXT_DOCUMENT_DID_SAVE, lsp.SaveOptions(include_text=True))(_saved)
    server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)(_closed)
    for part in (files, settings, virtual, messages, failures, actions, lenses, hovers, hints):
        part.register(server)
    server.hear_operations.append(server.authorships.heard)
    server.hear_gone.append(server.authorships.look_again)
    for name in COMMANDS:
        server.command(name)(_command(name))


def _initialize(ls: Server, params: lsp.InitializeParams) -> None:
    client = params.client_info
    ls.client_name = f"{client.name} {client.version or ''}".strip() if client else ""
    ls.settings.began(params.initialization_options)


def _initialized(ls: Server, _params: lsp.InitializedParams) -> None:
    ls.loop = asyncio.get_running_loop()
    ls.workspaces.start()
    ls.keep(ls.loop.create_task(virtual.announce(ls)))
    ls.news.begin()


def _folders_changed(ls: Server, _params: lsp.DidChangeWorkspaceFoldersParams) -> None:
    ls.workspaces.follow_soon()


async def _shutdown(ls: Server, _params: None) -> None:
    ls.news.end()
    await ls.close()


def _opened(ls: Server, params: lsp.DidOpenTextDocumentParams) -> None:
    item = params.text_document
    document = Document(uri=item.uri, version=item.version, lines=Lines(item.text))
    ls.documents[item.uri] = document
    ls.tell_opened(document)
    ls.workspaces.follow_soon()
    ls.authorships.opened(document)
    ls.diagnostics.opened(item.uri)
    ls.failures.opened(document)


def _changed(ls: Server, params: lsp.DidChangeTextDocumentParams) -> None:
    document = ls.documents.get(params.text_document.uri)
    if document is None:
        return
    before = document.text
    edits = document.edited(params.text_document.version, params.content_changes, ls.encoding)
    ls.tell_changed(document, edits)
    ls.failures.edited(document, before)
    ls.authorships.edited(document, edits)


def _will_save(ls: Server, params: lsp.WillSaveTextDocumentParams) -> None:
    """What changes from now until the save is a formatter's. A save after a while is none that anything formats."""
    if ls.tells_typing_first and params.reason is not lsp.TextDocumentSaveReason.AfterDelay:
        ls.tell_will_save(params.text_document.uri)


def _saved(ls: Server, params: lsp.DidSaveTextDocumentParams) -> None:
    uri = params.text_document.uri
    document = ls.documents.get(uri)
    text = _text_of_save(params.text, document)
    if text is not None:
        ls.tell_saved(uri, text)
        ls.authorships.ask(uri)


def _text_of_save(told: str | None, document: Document | None) -> str | None:
    """The text that was saved. ALE 3 sends its line ends escaped; but it has told of all changes before."""
    if document is None:
        return told
    is_escaped = told is not None and "\\n" in told and "\n" not in told and "\n" in document.text
    return document.text if told is None or is_escaped else told


def _closed(ls: Server, params: lsp.DidCloseTextDocumentParams) -> None:
    uri = params.text_document.uri
    ls.documents.pop(uri, None)
    ls.tell_closed(uri)
    ls.workspaces.follow_soon()
    ls.authorships.closed(uri)


def _command(name: str) -> Any:
    async def run(ls: Server, *arguments: Any) -> Any:
        await ls.workspaces.has_started()
        from takeback.lsp.commands.run import run_command  # noqa: PLC0415 - imports the core

        return await run_command(ls, name, arguments)

    return run
