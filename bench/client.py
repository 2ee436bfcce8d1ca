"""An editor of the benchmarks: it starts a server, opens documents, tells what is typed and asks."""

from __future__ import annotations

import os
import subprocess
from itertools import count
from typing import Any

from bench.wire import Message, receive, send

_CAPABILITIES = {
    "workspace": {"applyEdit": True, "workspaceEdit": {"documentChanges": True}},
    "textDocument": {"codeAction": {"codeActionLiteralSupport": {"codeActionKind": {"valueSet": []}}}},
}


class Client:
    """One editor on one server; it has read a message as soon as it waits for another."""

    def __init__(self, child: subprocess.Popen[bytes], root: str) -> None:
        assert child.stdin is not None, "BUG: its input is a pipe"
        assert child.stdout is not None, "BUG: its output is a pipe"
        self._to, self._from = child.stdin, child.stdout
        self.root = root
        self.answers: dict[int, Message] = {}
        """Of requests that nobody waits for, by number."""
        self._ids = count(1)
        self._versions = count(1)
        given = {"processId": None, "rootUri": f"file://{root}", "capabilities": _CAPABILITIES}
        self.ask("initialize", given)
        self.tell("initialized", {})

    def uri(self, path: str) -> str:
        """How the protocol names a file."""
        return f"file://{os.path.join(self.root, path)}"

    def on_disk(self, path: str) -> str:
        """The text of a file."""
        with open(os.path.join(self.root, path), encoding="utf-8") as file:
            return file.read()

    def open(self, path: str) -> None:
        """Open the document of a file."""
        item = {
            "uri": self.uri(path),
            "languageId": "python",
            "version": next(self._versions),
            "text": self.on_disk(path),
        }
        self.tell("textDocument/didOpen", {"textDocument": item})

    def change(self, path: str, *changes: Message) -> None:
        """Tell what a document becomes."""
        document = {"uri": self.uri(path), "version": next(self._versions)}
        self.tell("textDocument/didChange", {"textDocument": document, "contentChanges": changes})

    def tell(self, method: str, parameters: Message) -> None:
        """Send a notification."""
        send(self._to, {"method": method, "params": parameters})

    def ask(self, method: str, parameters: Message) -> Message:
        """The answer to a request."""
        number = self.begin(method, parameters)
        while number not in self.answers:
            self._read()
        return self.answers.pop(number)

    def begin(self, method: str, parameters: Message) -> int:
        """Send a request and do not wait; its number among the answers."""
        number = next(self._ids)
        send(self._to, {"id": number, "method": method, "params": parameters})
        return number

    def run(self, command: str, argument: Message) -> Message:
        """The result of a command."""
        answer = self.ask("workspace/executeCommand", {"command": command, "arguments": [argument]})
        if "error" in answer:
            raise RuntimeError(f"{command} failed: {answer['error']}")
        result: Message = answer["result"]
        return result

    def _read(self) -> None:
        message = receive(self._from)
        if "method" not in message:
            self.answers[message["id"]] = message
        elif "id" in message:
            send(self._to, {"id": message["id"], "result": self.asked(message)})

    def asked(self, _request: Message) -> Any:
        """What this editor answers to a request of the server."""
        return None
