"""Which workspaces are open: those of the editor's folders, and of documents that lie outside of every folder.

A document that nobody opened a folder for belongs to the workspace around it, if there is one already: a folder that
has history, or, in an editor without any folder, a git work tree. It stays open as long as such a document is.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from lsprotocol import types as lsp

from takeback.aio import Core
from takeback.errors import UsageError
from takeback.lsp import convert
from takeback.lsp.progress import Progress
from takeback.lsp.settings import PULL_S

if TYPE_CHECKING:
    from takeback.config import Problem
    from takeback.lsp.server import Server
    from takeback.service.requests import Message


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A workspace that has to be open."""

    root: str
    asked_for: str
    """The folder or document that it is open for."""


class Workspaces:
    """The open workspaces of one editor."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.cores: dict[str, Core] = {}
        """By root."""
        self._asked_for: dict[str, str] = {}
        self._refused: set[str] = set()
        self._started: asyncio.Event | None = None
        self._following = asyncio.Lock()
        self._last: asyncio.Task[None] | None = None
        """The newest look at folders and documents."""
        self._has_looked = True
        """Whether that look has begun: what changes from now on needs another."""
        self._locks: dict[str, asyncio.Lock] = {}

    def start(self) -> None:
        """Open the editor's folders. What comes after this waits until it is known which."""
        self._started = asyncio.Event()
        self._server.keep(asyncio.get_running_loop().create_task(self._start(self._started)))

    async def _start(self, started: asyncio.Event) -> None:
        try:
            await asyncio.gather(self.follow(), asyncio.to_thread(_load))
        finally:
            started.set()
        await self._server.settings.listen()

    async def follow(self) -> None:
        """Open the workspaces of the editor's folders and documents as they are now, and let go of all others."""
        async with self._following:
            self._has_looked = True
            documents = [path for uri in self._server.documents if (path := convert.file_of(uri))]
            wanted = await asyncio.to_thread(_wanted, self._folders(), documents)
            gone = [self.cores.pop(root) for root in self.cores.keys() - {one.root for one in wanted}]
            await self._open_all([one for one in wanted if one.root not in self.cores])
            await asyncio.gather(*map(self._let_go, gone))

    def follow_soon(self) -> None:
        """Folders came or went, or a document did, which perhaps needs another workspace, or none.

        What is asked from now on waits until it is known.
        """
        if self._has_looked and self._started is not None:
            self._has_looked = False
            self._last = asyncio.get_running_loop().create_task(self._follow_started())
            self._server.keep(self._last)

    async def _follow_started(self) -> None:
        await self.has_started()
        await self.follow()

    async def _open_all(self, wanted: Sequence[_Wanted]) -> None:
        given = await self._server.settings.of([one.asked_for for one in wanted], PULL_S)
        for one, settings in zip(wanted, given, strict=True):
            self._asked_for[one.root] = one.asked_for
            progress = Progress(self._server, one.root)
            self.cores[one.root] = Core(
                one.root,
                self._server.editor,
                settings,
                on_operations=partial(self._server.recorded, one.root),
                on_gone=partial(self._server.content_gone, one.root),
                on_progress=progress.report,
                on_ready=partial(self._ready, one.root, progress),
                on_trouble=partial(self._server.in_trouble, one.root),
                on_loss=partial(self._server.has_lost, one.root),
                on_settings=partial(self._judged, one.root),
                hand_over=partial(self._handed_over, one.root),
                is_behind=self._server.is_behind,
            )
            self._server.tell_all_opened(self.cores[one.root])

    async def _let_go(self, core: Core) -> None:
        async with self.lock(core):
            await core.close()
        self._refused.discard(core.root)
        self._server.settings.let_go(core.root)

    async def configure(self) -> None:
        """Let every workspace have the settings that the client has for it now."""
        await self.has_started()
        roots = list(self.cores)
        given = await self._server.settings.of([self._asked_for[root] for root in roots])
        for root, settings in zip(roots, given, strict=True):
            if root in self.cores:
                self.cores[root].configure(settings)

    async def close(self) -> None:
        """Record what is left, and close everything."""
        await self.has_started()
        cores = list(self.cores.values())
        self.cores.clear()
        await asyncio.gather(*(core.close() for core in cores))

    async def has_started(self) -> None:
        """Returns when it is known which folders are open, and everything is imported that commands need."""
        if self._started is not None:
            await self._started.wait()

    def lock(self, core: Core) -> asyncio.Lock:
        """Held while something is taken back: documents are changed by one plan at a time."""
        return self._locks.setdefault(core.root, asyncio.Lock())

    # -- finding one -----------------------------------------------------------------------------

    async def around(self, uri: str | None) -> Core:
        """The workspace that a document or folder belongs to; without one, the first.

        Raises UsageError where no open folder holds it: what nobody opened is never recorded.
        """
        await self._is_settled()
        cores = list(self.cores.values())
        found = await asyncio.to_thread(_innermost, cores, uri) if uri else next(iter(cores), None)
        if found is None:
            what = f"no open folder holds {uri}" if uri else "no folder is open, so there is no workspace"
            raise UsageError(what, hint="Open a folder in the editor first.")
        return found

    async def with_id(self, workspace: str) -> Core:
        """The workspace whose path has this id. Raises UsageError where it is not open."""
        from takeback.config import workspace_id  # noqa: PLC0415 - imports more than `initialize` needs

        await self._is_settled()
        found = next((core for core in self.cores.values() if workspace_id(core.root) == workspace), None)
        if found is None:
            raise UsageError(f"no open folder has the id {workspace}", hint="Open its folder first.")
        return found

    async def _is_settled(self) -> None:
        """Returns when the folders and documents that were opened until now have their workspaces."""
        await self.has_started()
        if self._last is not None:
            await asyncio.wait((self._last,))

    # -- what a workspace tells ------------------------------------------------------------------

    def _ready(self, root: str, progress: Progress, failure: Exception | None) -> None:
        """A workspace was opened, or cannot be; or could not be for a while and is open again."""
        progress.ready()
        if failure is not None:
            self._refused.add(root)
            text = f"Takeback does not record {root}: {failure}. {getattr(failure, 'hint', '')}".strip()
            self._server.say(text, lsp.MessageType.Warning)
        elif root in self._refused:
            self._refused.discard(root)
            self._server.say(f"Takeback records {root} again.")
            if root in self.cores:
                self._server.tell_all_opened(self.cores[root])

    def _judged(self, root: str, files: tuple[str, ...], problems: tuple[Problem, ...]) -> None:
        if root in self.cores:
            self._server.settings.judged(root, files, problems)

    def _handed_over(self, root: str, message: Message) -> Message:
        """Answer another process; called on a thread of its own."""
        from takeback.lsp.taking_back import handed_over  # noqa: PLC0415 - imports the core

        return handed_over(self._server, root, message)

    def _folders(self) -> list[str]:
        workspace = self._server.workspace
        uris = [folder.uri for folder in workspace.folders.values()]  # the keys are unquoted, so ambiguous
        if not uris and workspace.root_uri:
            uris = [workspace.root_uri]
        return [path for path in map(convert.file_of, uris) if path is not None]


def _load() -> None:
    """Import what answers need, away from the loop: there it would hold up whatever else is asked meanwhile."""
    from takeback.lsp import sayings, taking_back  # noqa: F401, PLC0415 - imports the core
    from takeback.lsp.commands import run  # noqa: F401, PLC0415 - the same
    from takeback.service import contents, copies, glimpse, touching  # noqa: F401, PLC0415 - the same


def _wanted(folders: Sequence[str], documents: Sequence[str]) -> list[_Wanted]:
    """The workspaces of some folders and documents, each once. Looks at the disk."""
    from takeback.service.opening import find_root, root_around  # noqa: PLC0415 - imports the core

    found: dict[str, str] = {}
    for folder in folders:
        found.setdefault(find_root(folder, os.environ), folder)
    for document in documents:
        real = os.path.realpath(document)
        if not any(convert.is_below(root, real) for root in found):
            root = root_around(os.path.dirname(real), os.environ, known_only=bool(folders))
            if root is not None:
                found.setdefault(root, root)
    return [_Wanted(root, asked_for) for root, asked_for in found.items()]


def _innermost(cores: Sequence[Core], uri: str) -> Core | None:
    """The open workspace with the longest root that holds a document or folder. Looks at the disk."""
    inside = [core for core in cores if convert.is_held(core.root, uri)]
    return max(inside, key=lambda core: len(core.root), default=None)
