"""`takeback/recordFailure`: a task failed, and a tool said where."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from typing import Any

from lsprotocol import types as lsp

from takeback.aio import Core
from takeback.errors import UsageError
from takeback.lsp import convert
from takeback.lsp.arguments import LOCATION, Arguments, checked, required
from takeback.lsp.failures import Failure
from takeback.lsp.server import Server
from takeback.model.paths import WorkspacePath, workspace_path
from takeback.service import answers, locating
from takeback.service.desk import Desk
from takeback.service.locating import Level, Location
from takeback.service.requests import Message

_MOST = 1_000
_LAST_LINE = 2**31 - 2
"""What the protocol can count up to, and the line behind it."""
_SEVERITIES = {
    Level.ERROR: lsp.DiagnosticSeverity.Error,
    Level.WARNING: lsp.DiagnosticSeverity.Warning,
    Level.NOTE: lsp.DiagnosticSeverity.Information,
}
_SOURCES = ("output", "sarif", "locations")


async def record(server: Server, core: Core, parameters: Arguments) -> Message:
    """Mark the lines that a tool named; without any, the task does not fail any more."""
    task = required(parameters, "task", "test")
    named = _named(parameters)
    start = convert.file_of(parameters["cwd"]) if "cwd" in parameters else core.root
    found = await core.do(lambda desk: _there(desk, start or core.root, named))
    open_as = await asyncio.to_thread(_open_documents, tuple(server.documents), core.root)
    failures = [
        _failure(task, uri, place)
        for path, place in found
        for uri in open_as.get(path) or [convert.file_uri(os.path.join(core.root, path))]
    ]
    server.failures.report(core.root, task, failures)
    return {
        "version": answers.VERSION,
        "task": task,
        "locations": [
            {"path": path, "line": one.line, "column": one.column or None, "message": one.message}
            for path, one in found
        ],
        "elsewhere": len(named) - len(found),
    }


def _named(parameters: Arguments) -> Sequence[Location]:
    given = [name for name in _SOURCES if name in parameters]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} exclude each other", hint="Send one of them, or none.")
    if "output" in parameters:
        return locating.in_output(parameters["output"])[:_MOST]
    if "sarif" in parameters:
        return locating.in_sarif(parameters["sarif"])[:_MOST]
    return tuple(map(_told, parameters.get("locations", ())))[:_MOST]


def _told(given: Any) -> Location:
    one = checked("a location", given, LOCATION)
    return Location(
        path=required(one, "uri", "file:///a.py"),
        line=required(one, "line", 1),
        column=one.get("column", 0),
        message=one.get("message", "the task failed here"),
        level=Level(one.get("severity", Level.ERROR)),
    )


def _there(desk: Desk, start: str, named: Sequence[Location]) -> list[tuple[WorkspacePath, Location]]:
    """The places that are in the workspace, with their paths; called on the core's thread."""
    root, folder = desk.workspace.root, desk.workspace.folder
    found = []
    for one in named:
        path = _path(root, start, one.path)
        if path is not None and folder.look(path) is not None:
            found.append((path, one))
    return found


def _path(root: str, start: str, text: str) -> WorkspacePath | None:
    full = convert.file_of(text) if text.startswith("file:") else os.path.join(start, text)
    try:
        return workspace_path(os.path.relpath(os.path.realpath(full), root)) if full else None
    except (UsageError, ValueError):  # outside, or no path at all
        return None


def _open_documents(uris: Sequence[str], root: str) -> Mapping[str, list[str]]:
    """What the editor calls its open documents, by their paths."""
    found: dict[str, list[str]] = {}
    for uri in uris:
        path = convert.document_path(root, uri)
        if path is not None:
            found.setdefault(path, []).append(uri)
    return found


def _failure(task: str, uri: str, place: Location) -> Failure:
    return Failure(
        task=task,
        uri=uri,
        name=convert.name_of(uri),
        line=min(place.line - 1, _LAST_LINE),
        column=min(max(place.column - 1, 0), _LAST_LINE),
        message=place.message[:_MOST],
        severity=_SEVERITIES[place.level],
    )
