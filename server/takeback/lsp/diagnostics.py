"""What the editor marks in files, by whom of us it is said: the protocol replaces all marks of a file at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lsprotocol import types as lsp

if TYPE_CHECKING:
    from takeback.lsp.server import Server

Marks = Sequence[lsp.Diagnostic]


class Diagnostics:
    """All that is marked now. A file is told to the editor when anything about it changes."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._said: dict[str, dict[str, Marks]] = {}
        """By file and by who says it."""

    def say(self, owner: str, marks: Mapping[str, Marks]) -> None:
        """From now on `owner` says exactly this, by the URI of each file; what it said before of others is gone."""
        before = {uri for uri, owners in self._said.items() if owner in owners}
        for uri in (*marks, *(before - marks.keys())):
            self.say_of(owner, uri, marks.get(uri, ()))

    def say_of(self, owner: str, uri: str, marks: Marks) -> None:
        """From now on `owner` says exactly this of one file."""
        owners = self._said.setdefault(uri, {})
        if list(owners.get(owner, ())) == list(marks):
            return
        owners[owner] = marks
        if not marks:
            del owners[owner]
        self._publish(uri, owners)
        if not owners:
            del self._said[uri]

    def _publish(self, uri: str, owners: Mapping[str, Marks]) -> None:
        found: list[lsp.Diagnostic] = []
        for marks in owners.values():
            found += [mark for mark in marks if mark not in found]  # two folders may share a file of settings
        self._server.text_document_publish_diagnostics(
            lsp.PublishDiagnosticsParams(uri=uri, diagnostics=found)
        )
