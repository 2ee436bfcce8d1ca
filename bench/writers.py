"""Everybody who writes into one workspace at the same time, each by the means that it has in real life.

Each write adds one line that nobody else writes, `writer#number`: so the bytes of a change say whose it is.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import anyio
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp_types import Implementation

from bench.places import git
from bench.runner import started
from bench.wire import Message, receive, send

TAKEBACK = (sys.executable, "-P", "-m", "takeback")
N_FILES = 8
N_SHARED = 4
_SHARED = 0.05
"""How often a writer takes a file that all of them write."""
_FORMATTED = 0.5
"""How often a formatter changes what is saved."""
_PER_TURN = 10
_AHEAD = 0.03
"""How much of its work a writer may be ahead of the slowest: all of them write until the end."""
GIT_FILES = 2
"""How many files differ between the branches."""


class Pace:
    """Lets several writers come to their ends together."""

    def __init__(self) -> None:
        self._done: dict[str, float] = {}
        self._moved = threading.Condition()

    def steps(self, name: str, n_steps: int) -> Iterator[int]:
        """The numbers of the steps, each as soon as the others have come as far."""
        try:
            for number in range(n_steps):
                with self._moved:
                    self._done[name] = number / n_steps
                    self._moved.notify_all()
                    self._moved.wait_for(lambda: self._done[name] <= min(self._done.values()) + _AHEAD)
                yield number
        finally:
            with self._moved:
                self._done[name] = 2.0
                self._moved.notify_all()


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """The workspace that everybody writes into."""

    root: str
    pace: Pace = field(default_factory=Pace)
    locks: Mapping[str, threading.Lock] = field(
        default_factory=lambda: {f"shared/{number}.txt": threading.Lock() for number in range(N_SHARED)}
    )
    """Held by who writes a shared file until it has said so: nobody overwrites what another is about to write."""

    @contextmanager
    def chosen(self, writer: str, chance: random.Random) -> Iterator[str]:
        """A file of the writer's own, or, now and then, one that all write."""
        path = f"shared/{chance.randrange(N_SHARED)}.txt"
        if chance.random() >= _SHARED:
            yield f"{writer}/{chance.randrange(N_FILES)}.txt"
            return
        with self.locks[path]:
            yield path

    def full(self, path: str) -> str:
        """Where a file is."""
        return os.path.join(self.root, path)

    def read(self, path: str) -> str:
        """What a file holds."""
        with open(self.full(path), encoding="utf-8") as file:
            return file.read()

    def write(self, path: str, text: str) -> None:
        """Write a file as most programs do."""
        with open(self.full(path), "w", encoding="utf-8") as file:
            file.write(text)

    def add(self, path: str, line: str) -> None:
        """Write a file with one more line."""
        self.write(path, f"{self.read(path)}{line}\n")


# -- agents --------------------------------------------------------------------------------------


def by_hook(project: Project, n_writes: int) -> None:
    """An agent that calls its hook before and after each edit, as Claude Code does."""
    chance = random.Random("claude")  # noqa: S311 - which file is no secret
    common = {"session_id": "bench", "cwd": project.root}
    for number in project.pace.steps("claude", n_writes):
        if number % _PER_TURN == 0:
            _hook(project, {**common, "hook_event_name": "UserPromptSubmit", "prompt": f"prompt {number}"})
        with project.chosen("claude", chance) as path:
            call = {
                **common,
                "tool_name": "Write",
                "tool_input": {"file_path": project.full(path), "content": ""},
                "tool_use_id": f"toolu_{number}",
            }
            _hook(project, {**call, "hook_event_name": "PreToolUse"})
            project.add(path, f"claude#{number}")
            answer = {"filePath": project.full(path), "success": True}
            _hook(project, {**call, "hook_event_name": "PostToolUse", "tool_response": answer})
        if number % _PER_TURN == _PER_TURN - 1:
            _hook(project, {**common, "hook_event_name": "Stop"})


def _hook(project: Project, event: Message) -> None:
    command = (*TAKEBACK, "hook", "claude")
    subprocess.run(command, input=json.dumps(event).encode(), cwd=project.root, check=True)


def by_mcp(project: Project, n_writes: int) -> None:
    """An agent that names what it wrote after it, by the official client."""
    anyio.run(_by_mcp, project, n_writes)


async def _by_mcp(project: Project, n_writes: int) -> None:
    chance = random.Random("mcp")  # noqa: S311 - which file is no secret
    server = StdioServerParameters(
        command=TAKEBACK[0], args=[*TAKEBACK[1:], "mcp"], env=dict(os.environ), cwd=project.root
    )
    client = Client(stdio_client(server), client_info=Implementation(name="mcp", version="1"))
    steps = project.pace.steps("mcp", n_writes)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(client)
        while (number := await anyio.to_thread.run_sync(next, steps, None)) is not None:
            if number % _PER_TURN == 0:
                await _call(client, "begin_turn", label=f"turn {number}")
            with project.chosen("mcp", chance) as path:
                project.add(path, f"mcp#{number}")
                await _call(client, "record", paths=[path])


async def _call(client: Client, tool: str, **arguments: Any) -> None:
    answer = await client.call_tool(tool, arguments)
    if answer.is_error:
        raise RuntimeError(f"{tool} was answered by {answer.structured_content}")


def by_run(project: Project, n_writes: int) -> None:
    """An agent whose commands are run by Takeback."""
    chance = random.Random("runner")  # noqa: S311 - which file is no secret
    for number in project.pace.steps("runner", n_writes):
        with project.chosen("runner", chance) as path:
            script = ("sh", "-c", 'echo "$1" >> "$2"', "sh", f"runner#{number}", path)
            command = (*TAKEBACK, "run", "--actor", "agent:runner", "--", *script)
            subprocess.run(command, cwd=project.root, check=True)


def by_git(project: Project, n_writes: int) -> None:
    """Somebody who switches branches."""
    for number in project.pace.steps("git", n_writes // GIT_FILES):
        git(project.root, "switch", "-q", "main" if number % 2 else "other")


# -- an editor -----------------------------------------------------------------------------------


def by_editor(project: Project, n_writes: int, editor: Editor) -> None:
    """A human who types and saves, and a formatter that changes some of it before it is saved."""
    chance = random.Random("human")  # noqa: S311 - which file is no secret
    n_saves = round(n_writes / (1 + _FORMATTED))
    for number in project.pace.steps("human", n_saves):
        with project.chosen("human", chance) as path:
            editor.show(path, project.read(path))
            editor.type(path, f"human#{number}")
            editor.will_save(path)
            if number % 2:
                editor.type(path, f"format#{number}")
            editor.save(path)


class Editor:
    """An editor with the server that records the workspace."""

    def __init__(self, project: Project, child: subprocess.Popen[bytes]) -> None:
        assert child.stdin is not None, "BUG: its input is a pipe"
        assert child.stdout is not None, "BUG: its output is a pipe"
        self._project = project
        self._to, self._from = child.stdin, child.stdout
        self._texts: dict[str, str] = {}
        self._numbers, self._versions = count(1), count(1)
        self._writing = threading.Lock()
        self._answers: dict[int, Message] = {}
        self._came = threading.Condition()
        threading.Thread(target=self._listen, daemon=True).start()
        capabilities = {
            "workspace": {"applyEdit": True},
            "textDocument": {"synchronization": {"willSave": True}},
        }
        folder = {"uri": f"file://{project.root}", "name": "bench"}
        about = {"processId": None, "capabilities": capabilities, "workspaceFolders": [folder]}
        self._ask("initialize", {**about, "clientInfo": {"name": "Bench", "version": "1"}})
        self._tell("initialized", {})
        self.sync()

    def sync(self) -> None:
        """Returns when the server has taken in what was told, and recorded it."""
        self._ask("workspace/executeCommand", {"command": "takeback.createCheckpoint", "arguments": [{}]})

    def end(self) -> None:
        """Shut the server down."""
        self._ask("shutdown", None)
        self._tell("exit", None)

    def show(self, path: str, text: str) -> None:
        """Open a document, or reload it where others have written its file."""
        if path not in self._texts:
            item = {
                "uri": self._uri(path),
                "languageId": "text",
                "version": next(self._versions),
                "text": text,
            }
            self._tell("textDocument/didOpen", {"textDocument": item})
        elif self._texts[path] != text:
            self._change(path, {"text": text})
        self._texts[path] = text

    def type(self, path: str, line: str) -> None:
        """Add a line at the end of a document."""
        end = {"line": self._texts[path].count("\n"), "character": 0}
        self._change(path, {"range": {"start": end, "end": end}, "text": f"{line}\n"})
        self._texts[path] += f"{line}\n"

    def will_save(self, path: str) -> None:
        """Say that a document is about to be saved."""
        self._tell("textDocument/willSave", {"textDocument": {"uri": self._uri(path)}, "reason": 1})

    def save(self, path: str) -> None:
        """Write a document to its file."""
        self._project.write(path, self._texts[path])
        self._tell(
            "textDocument/didSave", {"textDocument": {"uri": self._uri(path)}, "text": self._texts[path]}
        )

    def _uri(self, path: str) -> str:
        return f"file://{self._project.full(path)}"

    def _change(self, path: str, change: Message) -> None:
        document = {"uri": self._uri(path), "version": next(self._versions)}
        self._tell("textDocument/didChange", {"textDocument": document, "contentChanges": [change]})

    def _tell(self, method: str, params: Any) -> None:
        with self._writing:
            send(self._to, {"method": method, "params": params})

    def _ask(self, method: str, params: Any) -> Message:
        number = next(self._numbers)
        with self._writing:
            send(self._to, {"id": number, "method": method, "params": params})
        with self._came:
            if not self._came.wait_for(lambda: number in self._answers, 120):
                raise RuntimeError(f"{method} was not answered")
            return self._answers.pop(number)

    def _listen(self) -> None:
        while True:
            try:
                message = receive(self._from)
            except (RuntimeError, ValueError):
                return
            if "method" in message and "id" in message:
                with self._writing:
                    send(self._to, {"id": message["id"], "result": None})
            elif "id" in message:
                with self._came:
                    self._answers[message["id"]] = message
                    self._came.notify_all()


@contextmanager
def editor_on(project: Project) -> Iterator[Editor]:
    """An editor whose server records the workspace."""
    with started(project.root, "-m", "takeback", "lsp") as child:
        editor = Editor(project, child)
        yield editor
        editor.sync()
        editor.end()
        child.wait(60)
