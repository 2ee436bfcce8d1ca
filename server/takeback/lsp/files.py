"""Files and folders that a person creates, renames and deletes in the editor.

Before a rename or a deletion the editor asks; it is answered when what happened until then was recorded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from lsprotocol import types as lsp

from takeback.aio import Core
from takeback.lsp import convert
from takeback.lsp.server import Server

SETTLE_S = 1.0
"""How long an editor waits at most, before it renames or deletes files, for what happened until then to be recorded."""

_ALL = lsp.FileOperationRegistrationOptions(
    filters=[lsp.FileOperationFilter(scheme="file", pattern=lsp.FileOperationPattern(glob="**"))]
)

Ends = tuple[str | None, str | None]
"""From where and to where; `None` is outside of the workspace."""


def register(server: Server) -> None:
    """Let `server` hear of files and folders of every name."""
    server.feature(lsp.WORKSPACE_WILL_RENAME_FILES, _ALL)(_will_rename)
    server.feature(lsp.WORKSPACE_DID_RENAME_FILES, _ALL)(_did_rename)
    server.feature(lsp.WORKSPACE_DID_CREATE_FILES, _ALL)(_did_create)
    server.feature(lsp.WORKSPACE_WILL_DELETE_FILES, _ALL)(_will_delete)
    server.feature(lsp.WORKSPACE_DID_DELETE_FILES, _ALL)(_did_delete)


async def _will_rename(ls: Server, params: lsp.RenameFilesParams) -> None:
    found = list(_renamed(ls, params.files))
    for core, renamed in found:
        _post_will_rename(core, renamed)
    await _settled(core for core, _ in found)


def _did_rename(ls: Server, params: lsp.RenameFilesParams) -> None:
    for core, renamed in _renamed(ls, params.files):
        _post(core, renamed=renamed)


def _did_create(ls: Server, params: lsp.CreateFilesParams) -> None:
    for core, paths in _inside(ls, params.files):
        _post(core, created=paths)


async def _will_delete(ls: Server, params: lsp.DeleteFilesParams) -> None:
    await _settled(core for core, _ in _inside(ls, params.files))


def _did_delete(ls: Server, params: lsp.DeleteFilesParams) -> None:
    for core, paths in _inside(ls, params.files):
        _post(core, deleted=paths)


def _post_will_rename(core: Core, renamed: Sequence[Ends]) -> None:
    core.post(lambda desk: desk.will_rename(renamed))


def _post(
    core: Core, *, created: Sequence[str] = (), deleted: Sequence[str] = (), renamed: Sequence[Ends] = ()
) -> None:
    core.post(lambda desk: desk.did_files(created, deleted, renamed))


async def _settled(cores: Iterable[Core]) -> None:
    asked = [asyncio.ensure_future(_settle(core)) for core in cores]
    if asked:
        await asyncio.wait(asked, timeout=SETTLE_S)


async def _settle(core: Core) -> None:
    with suppress(Exception):  # a workspace that cannot be recorded has said so; the editor goes on
        await core.do(lambda desk: desk.settle())


def _renamed(ls: Server, files: Iterable[lsp.FileRename]) -> Iterator[tuple[Core, list[Ends]]]:
    """Every workspace that something is renamed in, out of or into."""
    for core in ls.cores:
        ends = [(_relative(core, one.old_uri), _relative(core, one.new_uri)) for one in files]
        inside = [pair for pair in ends if any(pair)]
        if inside:
            yield core, inside


def _inside(ls: Server, files: Iterable[lsp.FileCreate | lsp.FileDelete]) -> Iterator[tuple[Core, list[str]]]:
    """Every workspace that some of the files are in."""
    for core in ls.cores:
        paths = [path for path in (_relative(core, one.uri) for one in files) if path is not None]
        if paths:
            yield core, paths


def _relative(core: Core, uri: str) -> str | None:
    return convert.relative_path(core.root, uri)
