"""An editor in the hands of a monkey: it says anything at any time, and knows to the letter what its documents show.

How positions and edits are to be read is written down here once more, so that a mistake of the server's is none of ours.
"""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from wire import Client

ANSWER_S = 90
"""Longer than anything may take, on a machine however busy."""
COMMAND = "workspace/executeCommand"


def lines_of(text):
    """The lines with their endings; LF, CRLF and CR end one."""
    return re.split(r"(?<=\n)|(?<=\r)(?!\n)", text)


def position_of(text, offset):
    """The position of an index, in words of UTF-16; never between the halves of an ending."""
    if text[offset - 1 : offset + 1] == "\r\n":
        offset -= 1
    *before, last = lines_of(text[:offset])
    return {"line": len(before), "character": len(last.encode("utf-16-le", "surrogatepass")) // 2}


def offset_of(text, position):
    """The index of a position; one beyond its line is at the end of the line, one beyond the text at its end."""
    lines = lines_of(text)
    if position["line"] >= len(lines):
        return len(text)
    line = lines[position["line"]].rstrip("\r\n")
    at, left = 0, position["character"]
    while at < len(line) and left > 0:
        left -= 1 + (ord(line[at]) > 0xFFFF)
        at += 1
    return sum(map(len, lines[: position["line"]])) + at


def with_changes(text, changes):
    """The text after some changes, one after the other."""
    for change in changes:
        if "range" not in change:
            text = change["text"]
            continue
        start = offset_of(text, change["range"]["start"])
        end = max(start, offset_of(text, change["range"]["end"]))
        text = text[:start] + change["text"] + text[end:]
    return text


def with_edits(text, edits):
    """The text after edits whose places are all those of the text before."""
    places = [
        (*(offset_of(text, edit["range"][end]) for end in ("start", "end")), edit["newText"])
        for edit in edits
    ]
    parts, at = [], 0
    for start, end, new in sorted(places, key=lambda place: place[:2]):
        parts += [text[at:start], new]
        at = end
    return "".join([*parts, text[at:]])


@dataclass
class Shown:
    """What an open document shows."""

    text: str
    version: int
    typed: set = field(default_factory=set)
    """What was typed into it and not saved."""


class Monkey(Client):
    """The editor's end of the wire. Documents change, and are told of, under one lock: an editor has one thread."""

    said: ClassVar = Counter()
    """How many messages every monkey has sent."""

    def __init__(self, reader, writer):
        self.lock = threading.RLock()
        self.shown = {}
        """By URI: the open documents."""
        self.pending = []
        """Requests that were not waited for: what was asked, and where the answer comes."""
        self.applies = True
        self.choice = 0
        self.wrong = []
        """What the server did that no server may."""
        super().__init__(reader, writer)
        self.answers = {
            "workspace/applyEdit": self._apply,
            "window/showMessageRequest": self._choose,
            "takeback/save": lambda _: None,
            "client/registerCapability": lambda _: None,
            "window/workDoneProgress/create": lambda _: None,
            "window/showDocument": lambda _: {"success": True},
            "workspace/textDocumentContent/refresh": lambda _: None,
            "workspace/codeLens/refresh": lambda _: None,
            "workspace/inlayHint/refresh": lambda _: None,
        }

    def raw(self, body):
        """Write these bytes as one message."""
        with self.lock:
            self.said["messages"] += 1
            super().raw(body)

    def later(self, method, params):
        """Send a request, and do not wait for its answer."""
        with self.lock:
            number, answer = self.ask(method, params)
            self.pending.append((f"{method} {json.dumps(params)[:300]}", answer))
        return number

    def command(self, name, *arguments):
        """Run a command, and do not wait for its answer."""
        return self.later(COMMAND, {"command": f"takeback.{name}", "arguments": list(arguments)})

    def drained(self):
        """Every request so far got its answer."""
        answers = []
        for what, answer in self.pending:
            try:
                answers.append((what, answer.get(timeout=ANSWER_S)))
            except Exception:  # noqa: BLE001 - queue.Empty says nothing
                raise AssertionError(f"no answer to {what}") from None
        self.pending.clear()
        return answers

    # -- documents -------------------------------------------------------------------------------

    def show(self, uri, text):
        """Open a document."""
        with self.lock:
            self.shown[uri] = Shown(text=text, version=1)
            item = {"uri": uri, "languageId": "text", "version": 1, "text": text}
            self.notify("textDocument/didOpen", {"textDocument": item})

    def change(self, uri, changes, version=None):
        """Type, and tell of it."""
        with self.lock:
            shown = self.shown[uri]
            shown.text = with_changes(shown.text, changes)
            shown.version = shown.version + 1 if version is None else version
            identifier = {"uri": uri, "version": shown.version}
            self.notify("textDocument/didChange", {"textDocument": identifier, "contentChanges": changes})

    def save(self, uri, path: Path):
        """Write a document to its file and tell of it; the bytes."""
        with self.lock:
            shown = self.shown[uri]
            data = shown.text.encode()
            path.write_bytes(data)
            shown.typed.clear()
            self.notify("textDocument/didSave", {"textDocument": {"uri": uri}, "text": shown.text})
            return data

    def close(self, uri):
        """Close a document; its unsaved text is gone."""
        with self.lock:
            del self.shown[uri]
            self.notify("textDocument/didClose", {"textDocument": {"uri": uri}})

    # -- what the server asks --------------------------------------------------------------------

    def _apply(self, params):
        with self.lock:
            (document,) = params["edit"]["documentChanges"]
            uri = document["textDocument"]["uri"]
            shown = self.shown.get(uri)
            if not self.applies or shown is None or document["textDocument"]["version"] != shown.version:
                return {"applied": False}
            before = shown.text
            changes = [{"text": with_edits(before, document["edits"])}]
            gone = [one for one in shown.typed if one in before and one not in changes[0]["text"]]
            if gone:
                self.wrong.append(f"unsaved {gone} went from {uri}: {before!r} became {changes[0]['text']!r}")
            self.change(uri, changes)
            return {"applied": True}

    def _choose(self, params):
        self.choice += 1
        actions = params.get("actions") or [None]
        return [None, actions[0], actions[-1], {"title": "nobody offered this"}][self.choice % 4]
