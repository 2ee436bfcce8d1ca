"""The settings: what the client passes on, for each folder its own, and what is wrong in any of them.

Later wins: what came with `initialize`, then what the client answers when it is asked for the section `takeback`, or
what it tells by itself where it cannot be asked. A file of settings with an error is marked at the line; what the
client set wrongly is told to the person, once.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from takeback.lsp.diagnostics import Marks

if TYPE_CHECKING:
    from takeback.config import Problem
    from takeback.lsp.server import Server

logger = logging.getLogger(__name__)

SECTION = "takeback"
PULL_S = 1.0
"""How long folders wait to be opened until the client has said how; what it says later holds from then on."""

_CLIENTS_OWN = frozenset({"trace"})
"""Sections that clients keep for themselves."""

Given = Mapping[str, Any]


def register(server: Server) -> None:
    """Let `server` take settings that change while it runs."""

    async def changed(ls: Server, params: lsp.DidChangeConfigurationParams) -> None:
        ls.settings.told = _ours(params.settings)
        await ls.workspaces.configure()

    server.feature(lsp.WORKSPACE_DID_CHANGE_CONFIGURATION)(changed)


class ClientSettings:
    """What the client has passed on."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.first: Given = {}
        """What came with `initialize`."""
        self.told: Given = {}
        """What the client told by itself last."""
        self._said: set[str] = set()

    def began(self, options: Any) -> None:
        """Take in what came with `initialize`."""
        self.first = _ours(options)

    async def listen(self) -> None:
        """Ask a client that can be asked to tell of changes: some tell nobody who did not ask."""
        workspace = self._server.client_capabilities.workspace
        changes = workspace.did_change_configuration if workspace else None
        if changes and changes.dynamic_registration:
            method = lsp.WORKSPACE_DID_CHANGE_CONFIGURATION
            options = lsp.DidChangeConfigurationRegistrationOptions(section=SECTION)
            registration = lsp.Registration(id="takeback-settings", method=method, register_options=options)
            try:
                await self._server.client_register_capability_async(
                    lsp.RegistrationParams(registrations=[registration])
                )
            except JsonRpcException as refusal:
                logger.info("the client registers nothing: %s", refusal)

    async def of(self, folders: Sequence[str], timeout_s: float | None = None) -> list[Given]:
        """The settings for each of some folders, as paths."""
        pulled = await self._pulled(folders, timeout_s)
        return [_merged(self.first, self.told, one) for one in pulled]

    @property
    def can_be_asked(self) -> bool:
        """Whether the client answers what its settings are."""
        workspace = self._server.client_capabilities.workspace
        return bool(workspace and workspace.configuration)

    async def _pulled(self, folders: Sequence[str], timeout_s: float | None) -> list[Given]:
        nothing: list[Given] = [{} for _ in folders]
        if not (folders and self.can_be_asked):
            return nothing
        items = [lsp.ConfigurationItem(scope_uri=uri_of(folder), section=SECTION) for folder in folders]
        params = lsp.ConfigurationParams(items=items)
        try:
            found = await asyncio.wait_for(self._server.workspace_configuration_async(params), timeout_s)
        except (TimeoutError, JsonRpcException):
            logger.warning("the client did not say what its settings are")
            return nothing
        known = [_section(one) for one in found or ()]
        return known if len(known) == len(folders) else nothing

    # -- what is wrong ---------------------------------------------------------------------------

    def judged(self, root: str, files: Iterable[str], problems: Iterable[Problem]) -> None:
        """Mark what is wrong in files of settings, and tell what is wrong elsewhere."""
        marks: dict[str, list[lsp.Diagnostic]] = {}
        named = frozenset(files)
        for problem in problems:
            if problem.file in named:
                marks.setdefault(uri_of(problem.file), []).append(_mark(problem))
            else:
                self._say(problem)
        self._server.diagnostics.say(f"settings of {root}", marks)

    def let_go(self, root: str) -> None:
        """The folder is no longer open."""
        none: dict[str, Marks] = {}
        self._server.diagnostics.say(f"settings of {root}", none)

    def _say(self, problem: Problem) -> None:
        where = "its settings in this editor" if problem.file == "settings" else problem.file
        text = f"Takeback leaves out a part of {where}: {problem.message}. {problem.hint}".strip()
        if text not in self._said:
            self._said.add(text)
            logger.warning("%s", text)
            self._server.say(text, lsp.MessageType.Warning)


def uri_of(path: str) -> str:
    """The URI of a file or folder."""
    return f"file://{quote(os.fsencode(path))}"


def _mark(problem: Problem) -> lsp.Diagnostic:
    line = max(0, problem.line - 1)
    start = lsp.Position(line=line, character=max(0, problem.column - 1))
    end = lsp.Position(line=line + 1, character=0)  # to the end of the line, in whatever units
    return lsp.Diagnostic(
        range=lsp.Range(start=start, end=end),
        message=f"{problem.message}. {problem.hint}".strip(),
        severity=lsp.DiagnosticSeverity.Warning,
        source=SECTION,
        code="configuration",
    )


def _ours(settings: Any) -> Given:
    """Our part of what a client passes on, which may hold ours alone or everybody's."""
    if isinstance(settings, Mapping) and SECTION in settings:
        return _section(settings[SECTION])
    return _section(settings)


def _section(settings: Any) -> Given:
    """One client's settings; what is `null` is not set."""
    if not isinstance(settings, Mapping):
        return {}
    return {
        name: {key: value for key, value in values.items() if value is not None}
        if isinstance(values, Mapping)
        else values
        for name, values in settings.items()
        if values is not None and name not in _CLIENTS_OWN
    }


def _merged(*sources: Given) -> Given:
    merged: dict[str, Any] = {}
    for source in sources:
        for name, values in source.items():
            known = merged.get(name)
            both = isinstance(known, Mapping) and isinstance(values, Mapping)
            merged[name] = {**known, **values} if both and known is not None else values
    return merged
