"""What an editor waits for: an undo asked for, edited in the open document, written, and answered."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from itertools import count
from typing import Any

from bench.client import Client
from bench.measure import interleaved, timed
from bench.places import Bench, opened, path_of, write
from bench.runner import started
from bench.table import Row
from bench.wire import Message

_numbers = count(1)


def rows(bench: Bench) -> Iterator[Row]:
    """An undo through an open document, from the request to its answer."""
    root = bench.tree(bench.sizes[0])
    with opened(root):
        pass
    with started(root, "-m", "takeback", "lsp") as child:
        editor = _Editor(child, root, path_of(13))
        (ours,) = interleaved(bench.n_runs * 2, editor.undo)
    yield Row(what="undo through an open document, as a round trip", ours=ours, max_ours=0.060)


class _Editor(Client):
    """An editor with one open document, which reloads what others wrote and saves after an undo."""

    def __init__(self, child: subprocess.Popen[bytes], root: str, path: str) -> None:
        super().__init__(child, root)
        self._path = path
        self._text = self.on_disk(path)
        self.open(path)

    def undo(self) -> float:
        """Seconds from the command to its answer, after somebody wrote the file and the editor reloaded it."""
        write(self.root, self._path, f"number {next(_numbers)}\n{self._text}".encode())
        self._show(self.on_disk(self._path))
        seconds = timed(self._undo)
        self._save()
        return seconds

    def _undo(self) -> None:
        result = self.run("takeback.undoLast", {"n": 1, "uri": self.uri(self._path)})
        if result["outcome"] != "applied":
            raise RuntimeError(f"the undo was {result}")

    def _show(self, text: str) -> None:
        self._text = text
        self.change(self._path, {"text": text})

    def _save(self) -> None:
        write(self.root, self._path, self._text.encode())
        self.tell("textDocument/didSave", {"textDocument": {"uri": self.uri(self._path)}})

    def asked(self, request: Message) -> Any:
        """Do as asked: every edit here takes whole lines."""
        if request["method"] != "workspace/applyEdit":
            return None
        (change,) = request["params"]["edit"]["documentChanges"]
        lines = self._text.split("\n")
        for edit in sorted(change["edits"], key=lambda one: -one["range"]["start"]["line"]):
            start, end = edit["range"]["start"], edit["range"]["end"]
            before = lines[start["line"]][: start["character"]]
            after = lines[end["line"]][end["character"] :]
            lines[start["line"] : end["line"] + 1] = (before + edit["newText"] + after).split("\n")
        self._show("\n".join(lines))
        return {"applied": True}
