"""What an editor waits for: an undo asked for, edited in the open document, written, and answered."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from itertools import count

from bench.measure import interleaved, timed
from bench.places import Bench, opened, path_of, write
from bench.runner import started
from bench.table import Row
from bench.wire import Message, receive, send

_CAPABILITIES = {"workspace": {"applyEdit": True, "workspaceEdit": {"documentChanges": True}}}
_versions = count(1)


def rows(bench: Bench) -> Iterator[Row]:
    """An undo through an open document, from the request to its answer."""
    root = bench.tree(bench.sizes[0])
    with opened(root):
        pass
    with started(root, "-m", "takeback", "lsp") as child:
        editor = _Editor(child, root, path_of(13))
        (ours,) = interleaved(bench.n_runs * 2, editor.undo)
    yield Row(what="undo through an open document, as a round trip", ours=ours, max_ours=0.060)


class _Editor:
    """An editor with one open document, which reloads what others wrote and saves after an undo."""

    def __init__(self, child: subprocess.Popen[bytes], root: str, path: str) -> None:
        assert child.stdin is not None, "BUG: its input is a pipe"
        assert child.stdout is not None, "BUG: its output is a pipe"
        self._to, self._from = child.stdin, child.stdout
        self._root, self._path = root, path
        self._uri = f"file://{os.path.join(root, path)}"
        self._text = self._on_disk()
        self._ids = count(1)
        self._ask(
            "initialize", {"processId": None, "rootUri": f"file://{root}", "capabilities": _CAPABILITIES}
        )
        self._tell("initialized", {})
        opening = {"uri": self._uri, "languageId": "python", "version": next(_versions), "text": self._text}
        self._tell("textDocument/didOpen", {"textDocument": opening})

    def undo(self) -> float:
        """Seconds from the command to its answer, after somebody wrote the file and the editor reloaded it."""
        write(self._root, self._path, f"number {next(_versions)}\n{self._text}".encode())
        self._show(self._on_disk())
        seconds = timed(lambda: self._run("takeback.undoLast", {"n": 1, "uri": self._uri}))
        self._save()
        return seconds

    def _on_disk(self) -> str:
        with open(os.path.join(self._root, self._path), encoding="utf-8") as file:
            return file.read()

    def _run(self, command: str, argument: Message) -> None:
        answer = self._ask("workspace/executeCommand", {"command": command, "arguments": [argument]})
        if answer["result"]["outcome"] != "applied":
            raise RuntimeError(f"the undo was {answer['result']}")

    def _show(self, text: str) -> None:
        self._text = text
        document = {"uri": self._uri, "version": next(_versions)}
        self._tell("textDocument/didChange", {"textDocument": document, "contentChanges": [{"text": text}]})

    def _save(self) -> None:
        write(self._root, self._path, self._text.encode())
        self._tell("textDocument/didSave", {"textDocument": {"uri": self._uri}})

    def _tell(self, method: str, parameters: Message) -> None:
        send(self._to, {"method": method, "params": parameters})

    def _ask(self, method: str, parameters: Message) -> Message:
        number = next(self._ids)
        send(self._to, {"id": number, "method": method, "params": parameters})
        while True:
            message = receive(self._from)
            if message.get("method") == "workspace/applyEdit":
                self._apply(message)
            elif "method" in message and "id" in message:
                send(self._to, {"id": message["id"], "result": None})
            elif message.get("id") == number:
                return message

    def _apply(self, request: Message) -> None:
        """Do as asked: every edit here takes whole lines."""
        (change,) = request["params"]["edit"]["documentChanges"]
        lines = self._text.split("\n")
        for edit in sorted(change["edits"], key=lambda one: -one["range"]["start"]["line"]):
            start, end = edit["range"]["start"], edit["range"]["end"]
            before = lines[start["line"]][: start["character"]]
            after = lines[end["line"]][end["character"] :]
            lines[start["line"] : end["line"] + 1] = (before + edit["newText"] + after).split("\n")
        self._show("\n".join(lines))
        send(self._to, {"id": request["id"], "result": {"applied": True}})
