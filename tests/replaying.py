"""Plays an editor's side of recorded traffic to a server, and compares what the server says.

A recording is JSON lines, in the order in which things happened: what the `editor` and the `server` said, what an
`agent` ran, what the editor wrote to `disk`, and the `end` as it has to be. What differs from run to run has a name.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
import time

from lsprotocol import types as lsp

from editor import TAKEBACK
from editors.tee import frames
from takeback.lsp.documents import with_edits

WAIT_S = 30
_NAMES = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\d]*(?:Z|\+00:00)"), "<time>"),
    (re.compile(r"\bjust now\b|\b\d+ (?:s|sec|seconds?|min|minutes?) ago\b"), "<ago>"),
    (re.compile(r"(state/project-)[0-9a-f]{16}"), r"\1<id>"),
)
_LOOKS = {"textDocument/hover", "textDocument/codeLens", "textDocument/codeAction", "textDocument/inlayHint"}
"""What an editor asks again and again: who wrote a line is known a moment after it was written."""
_VARY = {"processId", "recorder", "bytes", "linked_bytes"}
"""What no two runs have in common."""


def normal(value, base):
    """A message without what differs from run to run."""
    if isinstance(value, dict):
        return {key: None if key in _VARY else normal(one, base) for key, one in value.items()}
    if isinstance(value, list):
        return [normal(one, base) for one in value]
    if isinstance(value, str):
        for pattern, name in _NAMES:
            value = pattern.sub(name, value)
        return value.replace(str(base), "${BASE}")
    return value


def holds(now, then):
    """Whether an answer still has everything that it had. What came in addition is fine; lists have the same length."""
    if isinstance(then, dict):
        return isinstance(now, dict) and all(key in now and holds(now[key], then[key]) for key in then)
    if isinstance(then, list):
        is_set = all(isinstance(one, str) for one in then)  # of commands, say
        if is_set and isinstance(now, list):
            return set(then) <= set(now)
        return isinstance(now, list) and len(now) == len(then) and all(map(holds, now, then))
    return now == then


class Replay:
    """One recording against a server on a real folder."""

    def __init__(self, lines, base, environment, look_s=WAIT_S):
        """`look_s` is how long the answer to a look may still become what it was, once there is one."""
        self.base = base
        self.look_s = look_s
        self.root = base / "project"
        self.lines = [json.loads(line.replace("${BASE}", str(base))) for line in lines]
        self.environment = environment
        self.documents = {}
        self.differences = []
        self._sent = {}
        """The editor's requests, by number."""
        self._asked = {}
        """The question of this run for the number of each recorded one."""
        self._heard = []
        self._hearing = threading.Condition()

    def play(self):
        """Everything in which the server differs, after all was played."""
        self.server = subprocess.Popen(
            [*TAKEBACK, "lsp"],
            cwd=self.root,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        reading = threading.Thread(target=self._read, daemon=True)
        reading.start()
        try:
            for line in self.lines:
                getattr(self, f"_play_{line['from']}")(line)
        finally:
            self.server.stdin.close()
            self.server.wait(WAIT_S)
            reading.join(WAIT_S)
            self.server.stdout.close()
        return self.differences

    # -- what others do --------------------------------------------------------------------------

    def _play_agent(self, line):
        words = ["--actor", "agent:claude", "--label", line["label"], "--", "sh", "-ec", line["script"]]
        subprocess.run([*TAKEBACK, "run", *words], cwd=self.root, env=self.environment, check=True)

    @staticmethod
    def _play_disk(line):
        with open(line["path"], "w", encoding="utf-8", newline="") as file:
            file.write(line["text"])

    def _play_end(self, line):
        for name, text in line["files"].items():
            self._compare(f"file {name}", (self.root / name).read_text(encoding="utf-8"), text)
        for name, text in line["shown"].items():
            self._compare(f"document {name}", self.documents[(self.root / name).as_uri()], text)

    # -- what the editor says --------------------------------------------------------------------

    def _play_editor(self, line):
        message = line["message"]
        if "method" not in message:
            message = self._answer(message)
        elif message["method"].startswith("textDocument/did"):
            self._follow(message)
        if message.get("method") == "initialize":
            message["params"]["processId"] = os.getpid()
        self._send(message)

    def _send(self, message):
        if "method" in message and "id" in message:
            self._sent[message["id"]] = message
        body = json.dumps(message).encode()
        self.server.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.server.stdin.flush()

    def _answer(self, message):
        """The answer to a question of this run: the choice that is called as the recorded one was."""
        asked = self._asked[message["id"]]
        message = {**message, "id": asked["id"]}
        if asked["method"] == "window/showMessageRequest" and message["result"] is not None:
            chosen = normal(message["result"]["title"], self.base)
            actions = asked["params"]["actions"]
            message["result"] = next(one for one in actions if normal(one["title"], self.base) == chosen)
        return message

    def _follow(self, message):
        document = message["params"]["textDocument"]
        if message["method"] == "textDocument/didOpen":
            self.documents[document["uri"]] = document["text"]
        for change in message["params"].get("contentChanges", ()):
            self.documents[document["uri"]] = self._changed(self.documents[document["uri"]], change)

    def _changed(self, text, change):
        if "range" not in change:
            return change["text"]
        start, end = (lsp.Position(**change["range"][name]) for name in ("start", "end"))
        edit = lsp.TextEdit(range=lsp.Range(start=start, end=end), new_text=change["text"])
        return with_edits(text, [edit], self.encoding)

    # -- what the server says --------------------------------------------------------------------

    def _play_server(self, line):
        then = line["message"]
        if "method" not in then:
            now = (
                self._looked(then)
                if self._sent[then["id"]]["method"] in _LOOKS
                else self._answered(then["id"])
            )
            if "capabilities" in (now.get("result") or {}):
                self.encoding = now["result"]["capabilities"]["positionEncoding"]
            part = "error" if "error" in then else "result"
            self._compare(f"answer {then['id']}", now.get(part), then[part])
        elif "id" in then:
            now = self._take(lambda one: "id" in one and one.get("method") == then["method"])
            self._asked[then["id"]] = now
            self._compare(then["method"], now.get("params"), then.get("params"))

    def _compare(self, what, now, then):
        now, then = normal(now, self.base), normal(then, self.base)
        if not holds(now, then):
            self.differences.append((what, {"now": now, "then": then}))

    def _answered(self, number):
        return self._take(lambda one: "method" not in one and one["id"] == number)

    def _looked(self, then):
        """The answer to a look; asked again until it holds, and whatever it is where nothing was known then."""
        now, request = self._answered(then["id"]), self._sent[then["id"]]
        until_s = time.monotonic() + WAIT_S
        while not self._holds(now.get("result"), then["result"]) and time.monotonic() < until_s:
            if now.get("result"):
                until_s = min(until_s, time.monotonic() + self.look_s)
            self._send({**request, "id": f"again {time.monotonic_ns()}"})
            now = self._answered(list(self._sent)[-1])
        return now if then["result"] else then

    def _holds(self, now, then):
        return not then or holds(normal(now, self.base), normal(then, self.base))

    def _take(self, is_it):
        """The first message that is it, once it is there; requests of the server may come in another order."""
        with self._hearing:
            assert self._hearing.wait_for(lambda: any(map(is_it, self._heard)), WAIT_S), "it never came"
            found = next(filter(is_it, self._heard))
            self._heard.remove(found)
            return found

    def _read(self):
        for _, message in frames(self.server.stdout):
            with self._hearing:
                self._heard.append(message)
                self._hearing.notify_all()
