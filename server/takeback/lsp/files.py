"""Files and folders that a person creates, renames and deletes in the editor.

Before a rename or a deletion the editor asks; it is answered when what happened until then was recorded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from lsprotocol import types as lsp

from takeback.aio import Core
from takeback.lsp import convert
from takeback.lsp.server import Server

if TYPE_CHECKING:
    from takeback.service.desk import Desk

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
    await _settled(_will_rename_in(core, params.files) for core in ls.cores)


def _did_rename(ls: Server, params: lsp.RenameFilesParams) -> None:
    for core in ls.cores:
        _post(core, lambda desk, root: desk.did_files((), (), _renamed(root, params.files)))


def _did_create(ls: Server, params: lsp.CreateFilesParams) -> None:
    for core in ls.cores:
        _post(core, lambda desk, root: desk.did_files(_inside(root, params.files), (), ()))


async def _will_delete(ls: Server, params: lsp.DeleteFilesParams) -> None:
    await _settled(_will_delete_in(core, params.files) for core in ls.cores)


def _did_delete(ls: Server, params: lsp.DeleteFilesParams) -> None:
    for core in ls.cores:
        _post(core, lambda desk, root: desk.did_files((), _inside(root, params.files), ()))


def _post(core: Core, act: Callable[[Desk, str], None]) -> None:
    """Have a workspace do something. Which files are its own is found out on its thread: that reads the disk."""
    core.post(lambda desk: act(desk, core.root))


async def _settled(waiting: Iterable[Awaitable[None]]) -> None:
    asked = [asyncio.ensure_future(one) for one in waiting]
    if asked:
        await asyncio.wait(asked, timeout=SETTLE_S)


async def _will_rename_in(core: Core, files: Sequence[lsp.FileRename]) -> None:
    def act(desk: Desk) -> None:
        renamed = _renamed(core.root, files)
        if renamed:
            desk.will_rename(renamed)
            desk.settle()

    with suppress(Exception):  # a workspace that cannot be recorded has said so; the editor goes on
        await core.do(act)


async def _will_delete_in(core: Core, files: Sequence[lsp.FileDelete]) -> None:
    def act(desk: Desk) -> None:
        if _inside(core.root, files):
            desk.settle()

    with suppress(Exception):  # the same
        await core.do(act)


def _renamed(root: str, files: Iterable[lsp.FileRename]) -> list[Ends]:
    """What is renamed in, out of or into a workspace."""
    ends = [
        (convert.relative_path(root, one.old_uri), convert.relative_path(root, one.new_uri)) for one in files
    ]
    return [pair for pair in ends if any(pair)]


def _inside(root: str, files: Iterable[lsp.FileCreate | lsp.FileDelete]) -> list[str]:
    """Those of some files that are in a workspace."""
    return [path for one in files if (path := convert.relative_path(root, one.uri)) is not None]
