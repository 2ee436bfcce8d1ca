"""Documents that are no files: what a file was before and after an operation, is without it, or was at a checkpoint.

    takeback:/operation/12/before/3.py?workspace=0123456789abcdef
                        │  │      └ file, with the ending by which editors choose colours
                        │  └ before, after, now, without
                        └ operation
    takeback:/operation/12.diff, /checkpoint/cp-3/3.py, /checkpoint/cp-3.diff

A URI holds ids and never content, not even a name. Clients that cannot ask for such documents (before 3.18 of the
protocol) are shown a copy that nobody can write.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote, unquote, urlsplit

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from takeback.aio import Core
from takeback.errors import TakebackError, UsageError
from takeback.lsp.server import REQUEST_FAILED, Server

if TYPE_CHECKING:  # importing the core takes longer than answering `initialize` may
    from takeback.model.ids import CheckpointId, FileId, OpId
    from takeback.model.operation import Operation
    from takeback.model.paths import WorkspacePath
    from takeback.service.contents import Content, Contested, Moment
    from takeback.undo.plan import Conflict

SCHEME = "takeback"
SHOW_S = 10.0
"""How long an editor has to show a document."""
_MOST_FILES = 5
"""So many files in conflict are shown at once."""
_MOST_READ = 256
"""So many documents are kept up to date."""

_OF_OPERATION = re.compile(
    r"/operation/(\d{1,18})/(before|after|now|without)/(\d{1,18})(\.\w{1,20})?", re.ASCII
)
_OPERATION_DIFF = re.compile(r"/operation/(\d{1,18})\.diff", re.ASCII)
_OF_CHECKPOINT = re.compile(r"/checkpoint/(cp-\d{1,18})/(\d{1,18})(\.\w{1,20})?", re.ASCII)
_CHECKPOINT_DIFF = re.compile(r"/checkpoint/(cp-\d{1,18})\.diff", re.ASCII)
_ENDING = re.compile(r"\.\w{1,20}", re.ASCII)


def register(server: Server) -> None:
    """Let `server` answer for documents of its own."""
    read = _Read()

    async def content(ls: Server, params: lsp.TextDocumentContentParams) -> lsp.TextDocumentContentResult:
        return await read.content(ls, params.uri)

    server.feature(lsp.WORKSPACE_TEXT_DOCUMENT_CONTENT)(content)
    server.hear_operations.append(lambda core, found: read.heard(server, core, found))
    server.hear_gone.append(lambda core: read.again(server, core, lambda _: True))


async def announce(server: Server) -> None:
    """Tell a client that can take it that documents of this scheme are ours; pygls does not."""
    if _reads_ours(server):
        options = lsp.TextDocumentContentRegistrationOptions(schemes=[SCHEME])
        registration = lsp.Registration(
            id="takeback-content", method=lsp.WORKSPACE_TEXT_DOCUMENT_CONTENT, register_options=options
        )
        await server.client_register_capability_async(lsp.RegistrationParams(registrations=[registration]))


# -- names ---------------------------------------------------------------------------------------


def operation_uri(root: str, op: OpId, moment: Moment | str, file: FileId, path: WorkspacePath | str) -> str:
    """One file of one operation, at one moment; of `path` only the ending is told."""
    return _uri(root, f"/operation/{op}/{moment}/{file}{_ending(path)}")


def operation_diff_uri(root: str, op: OpId) -> str:
    """Everything that one operation changed."""
    return _uri(root, f"/operation/{op}.diff")


def checkpoint_uri(root: str, checkpoint: CheckpointId, file: FileId, path: WorkspacePath | str) -> str:
    """One file as a checkpoint has it; of `path` only the ending is told."""
    return _uri(root, f"/checkpoint/{checkpoint}/{file}{_ending(path)}")


def checkpoint_diff_uri(root: str, checkpoint: CheckpointId) -> str:
    """Everything that changed since a checkpoint."""
    return _uri(root, f"/checkpoint/{checkpoint}.diff")


def contested_uris(root: str, found: Contested) -> tuple[str, str, str]:
    """The three documents of a conflict: base, mine, theirs."""
    base, mine, theirs = (
        operation_uri(root, one.op, one.moment, one.file, found.path)
        for one in (found.base, found.mine, found.theirs)
    )
    return base, mine, theirs


def content_in(uri: str) -> tuple[str, Content]:
    """The id of the workspace, and the document of it that a URI names. Raises UsageError if it names none."""
    from takeback.model import ids  # noqa: PLC0415 - the reason stands above
    from takeback.service import contents  # noqa: PLC0415 - the same

    path, workspace = _parts(uri)
    if found := _OF_OPERATION.fullmatch(path):
        op, moment, file = ids.OpId(int(found[1])), contents.Moment(found[2]), ids.FileId(int(found[3]))
        return workspace, contents.OperationFile(op=op, moment=moment, file=file)
    if found := _OPERATION_DIFF.fullmatch(path):
        return workspace, contents.OperationDiff(op=ids.OpId(int(found[1])))
    if found := _OF_CHECKPOINT.fullmatch(path):
        checkpoint, file = ids.CheckpointId(found[1]), ids.FileId(int(found[2]))
        return workspace, contents.CheckpointFile(checkpoint=checkpoint, file=file)
    if found := _CHECKPOINT_DIFF.fullmatch(path):
        return workspace, contents.CheckpointDiff(checkpoint=ids.CheckpointId(found[1]))
    raise _no_document(uri)


def _parts(uri: str) -> tuple[str, str]:
    """The path and the workspace in a URI; some editors write its `=` as `%3D`."""
    try:
        parts = urlsplit(uri)
        (workspace,) = parse_qs(unquote(parts.query))["workspace"]
    except (ValueError, KeyError):
        raise _no_document(uri) from None
    if parts.scheme != SCHEME:
        raise _no_document(uri)
    return unquote(parts.path), workspace


def _no_document(uri: str) -> UsageError:
    return UsageError(f"{uri} names no document of Takeback's", hint="Open one by `takeback.showOperation`.")


def _uri(root: str, path: str) -> str:
    from takeback.config import workspace_id  # noqa: PLC0415 - the reason stands above

    return f"{SCHEME}:{quote(path)}?workspace={workspace_id(root)}"


def _ending(path: str) -> str:
    ending = os.path.splitext(path)[1]
    return ending if _ENDING.fullmatch(ending) else ""


# -- reading -------------------------------------------------------------------------------------


class _Read:
    """The documents that the editor has read, so that it can be told when one is another."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, Content]] = {}

    async def content(self, server: Server, uri: str) -> lsp.TextDocumentContentResult:
        """What a document holds."""
        from takeback.service import answers, contents  # noqa: PLC0415 - the reason stands above

        try:
            workspace, wanted = content_in(uri)
            core = await server.workspaces.with_id(workspace)
            text = await core.do(lambda desk: contents.text(desk.workspace, wanted))
        except TakebackError as problem:
            message = f"{problem.message}. {problem.hint}".strip()
            raise JsonRpcException(message, REQUEST_FAILED, answers.error(problem)) from problem
        self._remember(uri, core.root, wanted)
        return lsp.TextDocumentContentResult(text=_without_surrogates(text))

    def _remember(self, uri: str, root: str, wanted: Content) -> None:
        self._known.pop(uri, None)
        self._known[uri] = (root, wanted)
        while len(self._known) > _MOST_READ:
            del self._known[next(iter(self._known))]

    def heard(self, server: Server, core: Core, operations: Sequence[Operation]) -> None:
        """Have the editor read again what these operations made another text."""
        from takeback.service import contents  # noqa: PLC0415 - the reason stands above

        self.again(server, core, lambda wanted: contents.changes_with(wanted, operations))

    def again(self, server: Server, core: Core, concerns: Callable[[Content], bool]) -> None:
        """Have the editor read again what it has read of a workspace, and `concerns` is true of."""
        ours = [(uri, wanted) for uri, (root, wanted) in self._known.items() if root == core.root]
        for uri, wanted in ours:
            if concerns(wanted):
                server.keep(asyncio.get_running_loop().create_task(_refresh(server, uri)))


async def _refresh(server: Server, uri: str) -> None:
    params = lsp.TextDocumentContentRefreshParams(uri=uri)
    try:
        await asyncio.wait_for(server.workspace_text_document_content_refresh_async(params), SHOW_S)
    except (TimeoutError, JsonRpcException):
        return  # the editor shows it no more, or never asked for news


# -- showing -------------------------------------------------------------------------------------


async def show(server: Server, core: Core, uri: str, title: str) -> None:
    """Have the editor show a document of ours, called `title` where only a sentence can say where it is.

    Raises what reading it raises: what does not exist is not shown.
    """
    from takeback.service import contents  # noqa: PLC0415 - the reason stands above
    from takeback.service.copies import copy_of  # noqa: PLC0415 - the same

    _, wanted = content_in(uri)
    await core.do(lambda desk: contents.check(desk.workspace, wanted))
    if _reads_ours(server) and await _shown(server, uri):
        return
    place = await core.do(lambda desk: copy_of(desk.workspace, wanted))
    if not await _shown(server, f"file://{quote(os.fsencode(place))}"):
        server.say(f"{title}: {place}")


async def show_conflicts(server: Server, core: Core, conflicts: Sequence[Conflict]) -> None:
    """Have the editor show each file in conflict as three documents: what was written, what stands, what was before."""
    from takeback.service import contents  # noqa: PLC0415 - the reason stands above

    found = await core.do(lambda desk: contents.contested(desk.workspace, conflicts))
    for one in found[:_MOST_FILES]:
        for uri, name in zip(contested_uris(core.root, one), ("Base", "Mine", "Theirs"), strict=True):
            await show(server, core, uri, f"{name} of {one.path}")


async def _shown(server: Server, uri: str) -> bool:
    """Whether the editor shows a document now, as far as it says."""
    window = server.client_capabilities.window
    if window is None or window.show_document is None or not window.show_document.support:
        return False
    request = lsp.ShowDocumentParams(uri=uri, take_focus=True)
    try:
        return (await asyncio.wait_for(server.window_show_document_async(request), SHOW_S)).success
    except (TimeoutError, JsonRpcException):
        return False


def _reads_ours(server: Server) -> bool:
    """Whether the client asks for documents of other schemes."""
    workspace = server.client_capabilities.workspace
    content = workspace.text_document_content if workspace else None
    return bool(content and content.dynamic_registration)


def _without_surrogates(text: str) -> str:
    """`text` with a replacement character for what is no UTF-8: clients in other languages refuse half a pair."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
