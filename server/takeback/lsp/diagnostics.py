"""What the editor marks in files, by whom of us it is said: the protocol replaces all marks of a file at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lsprotocol import types as lsp

from takeback.lsp import convert

if TYPE_CHECKING:
    from takeback.lsp.server import Server

Marks = Sequence[lsp.Diagnostic]


class Diagnostics:
    """All that is marked now. A file is told to the editor when anything about it changes, by the editor's name for it."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._said: dict[str, dict[str, Marks]] = {}
        """By file and by who says it."""
        self._told: dict[str, str] = {}
        """By file: the URI by which the editor was told."""

    def say(self, owner: str, marks: Mapping[str, Marks]) -> None:
        """From now on `owner` says exactly this, by the URI of each file; what it said before of others is gone."""
        named: dict[str, list[lsp.Diagnostic]] = {}
        for uri, found in marks.items():
            name = convert.name_of(uri)
            named.setdefault(name, []).extend(found)
            self._told.setdefault(name, uri)
        before = [name for name, owners in self._said.items() if owner in owners and name not in named]
        for name in (*before, *named):  # by links, an editor may take several names for one file
            self._say_of(owner, name, named.get(name, ()))

    def opened(self, uri: str) -> None:
        """A document was opened: what is said of it is told by its URI from now on."""
        name = convert.name_of(uri)
        if name in self._said and self._told[name] != uri:
            self._tell(self._told[name], ())
            self._publish(name)

    def _say_of(self, owner: str, name: str, marks: Marks) -> None:
        owners = self._said.setdefault(name, {})
        if list(owners.get(owner, ())) != list(marks):
            owners[owner] = marks
            if not marks:
                del owners[owner]
            self._publish(name)
        if not owners:
            del self._said[name], self._told[name]

    def _publish(self, name: str) -> None:
        found: list[lsp.Diagnostic] = []
        for marks in self._said[name].values():
            found += [mark for mark in marks if mark not in found]  # two folders may share a file of settings
        called = (uri for uri in self._server.documents if convert.name_of(uri) == name)
        self._told[name] = next(called, self._told[name])
        self._tell(self._told[name], found)

    def _tell(self, uri: str, marks: Marks) -> None:
        self._server.text_document_publish_diagnostics(
            lsp.PublishDiagnosticsParams(uri=uri, diagnostics=marks)
        )
