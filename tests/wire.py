"""An editor at its plainest: messages as they go over the wire, whatever they are."""

from __future__ import annotations

import itertools
import json
import queue
import sys
import threading

from waiting import WAIT_S, until

TAKEBACK = [sys.executable, "-P", "-m", "takeback"]
TEXT = "".join(f"line {number}\n" for number in range(1, 31))
CAPABILITIES = {
    "workspace": {"applyEdit": True, "workspaceEdit": {"documentChanges": True}},
    "textDocument": {"codeAction": {"codeActionLiteralSupport": {"codeActionKind": {"valueSet": [""]}}}},
    "window": {"showMessage": {}},
}


class Client:
    """An editor at its plainest: messages as they go over the wire."""

    def __init__(self, reader, writer):
        self._reader = reader
        self._writer = writer
        self._numbers = itertools.count(1)
        self._waiting = {}
        self.told = []
        """Notifications of the server."""
        self.asked = queue.Queue()
        """Requests of the server that nobody answers by himself."""
        self.answers = {}
        """By method: makes the result of a request of the server from its params."""
        self.lost = []
        """Answers to nothing that was asked."""
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def initialize(self, *folders, capabilities=None, **more):
        """Open folders, each a path or a URI."""
        uris = [folder if isinstance(folder, str) else folder.as_uri() for folder in folders]
        named = [{"uri": uri, "name": "folder"} for uri in uris]
        given = {
            "processId": None,
            "capabilities": CAPABILITIES if capabilities is None else capabilities,
            "workspaceFolders": named,
        }
        self.request("initialize", {**given, **more})
        self.notify("initialized", {})

    def send(self, message):
        """Write one message."""
        self.raw(json.dumps({"jsonrpc": "2.0", **message}).encode())

    def raw(self, body):
        """Write these bytes as one message."""
        self._writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._writer.flush()

    def notify(self, method, params):
        """Send a notification."""
        self.send({"method": method, "params": params})

    def ask(self, method, params):
        """Send a request; its number, and the queue that gets its answer."""
        number, answer = next(self._numbers), queue.Queue()
        self._waiting[number] = answer
        self.send({"id": number, "method": method, "params": params})
        return number, answer

    def request(self, method, params):
        """The answer to a request: the whole message."""
        return self.ask(method, params)[1].get(timeout=WAIT_S)

    def run(self, command, *arguments):
        """The result of a command, or its error."""
        answer = self.request(
            "workspace/executeCommand", {"command": f"takeback.{command}", "arguments": list(arguments)}
        )
        return answer["result"] if "result" in answer else answer["error"]

    def recorded(self, n):
        """The last operations, once there are `n`."""

        def enough():
            operations = self.run("status", {})["operations"]
            return operations if operations and operations[0]["id"] >= n else None

        return until(enough)

    def open(self, path):
        """Open a document as it is on disk."""
        item = {"uri": path.as_uri(), "languageId": "text", "version": 1, "text": path.read_text("utf-8")}
        self.notify("textDocument/didOpen", {"textDocument": item})

    def write_as_agent(self):
        """Another process has replaced line 3 of the client's file, as the first operation."""
        self.path.write_text(TEXT.replace("line 3\n", "agent\n"), encoding="utf-8")
        self.recorded(1)

    def messages(self):
        """What was shown to the person."""
        return [one["params"]["message"] for one in self.told if one["method"] == "window/showMessage"]

    def _read(self):
        while (size := self._header()) is not None:
            message = json.loads(self._reader.read(size))
            if "method" not in message:
                waiting = self._waiting.pop(message["id"], None)
                self.lost.append(message) if waiting is None else waiting.put(message)
            elif message["method"] in self.answers:
                result = self.answers[message["method"]](message["params"])
                self.send({"id": message["id"], "result": result})
            elif "id" in message:
                self.asked.put(message)
            else:
                self.told.append(message)

    def _header(self):
        size = None
        while (line := self._reader.readline()) not in (b"", b"\r\n"):
            name, _, value = line.partition(b":")
            size = int(value) if name.lower() == b"content-length" else size
        return size
