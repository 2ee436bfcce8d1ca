"""A small repository with an editor on it, and an agent beside: what the scenarios are told in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from editors.driver import Driver
from editors.tee import note
from waiting import until

TEXT = "".join(f"line {number}\n" for number in range(1, 41))
_TAKEBACK = [sys.executable, "-P", "-m", "takeback"]
_TEE = Path(__file__).with_name("tee.py")
_OURS = ("GIT_", "XDG_", "TAKEBACK_", "VIM", "NVIM", "EMACS")


class Stage:
    """One workspace, one editor, one agent."""

    def __init__(self, client, base: Path, log: Path | None = None):
        """Everything lies below `base`; what the editor and its server say goes to `log`, if there is one."""
        self.client = client
        self.log = log
        self.base = base
        self.root = base / "project"
        self.home = base / "home"
        self.driver = None
        for folder in (self.root, self.home, base / "bin", base / "tmp"):
            folder.mkdir()
        self.write("a.py", TEXT)
        self.write("b.py", TEXT)
        self.environment = self._environment()
        self._make_program()
        for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
            self.shell("git", "-c", "user.name=A", "-c", "user.email=a@example.org", *words)

    def _environment(self):
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
        folders = {
            f"XDG_{name}_HOME": str(self.home / name.lower()) for name in ("CONFIG", "DATA", "STATE", "CACHE")
        }
        return {
            **kept,
            **folders,
            "HOME": str(self.home),
            "TMPDIR": str(self.base / "tmp"),
            "PATH": f"{self.base / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "TAKEBACK_STATE_DIR": str(self.base / "state"),
            "TERM": "xterm",
            "LC_ALL": "C.UTF-8",
        }

    def _make_program(self):
        program = self.base / "bin" / "takeback"
        words = " ".join(f"'{word}'" for word in _TAKEBACK)
        tee = (
            f"[ \"$1\" = lsp ] && exec '{sys.executable}' '{_TEE}' '{self.log}' {words} lsp\n"
            if self.log
            else ""
        )
        program.write_text(f'#!/bin/sh\n{tee}exec {words} "$@"\n', encoding="utf-8")
        program.chmod(0o755)

    # -- the agent -------------------------------------------------------------------------------

    def shell(self, *words):
        """What a program in the workspace prints."""
        done = subprocess.run(
            words,
            cwd=self.root,
            env=self.environment,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def takeback(self, *words):
        """What a command answers."""
        return json.loads(self.shell(str(self.base / "bin" / "takeback"), *words, "--json"))

    def agent(self, script, label="an answer"):
        """An agent runs a command line; the number of its operation."""
        self.run(script, label)
        return self.command("status")["operations"][0]["id"]

    def run(self, script, label):
        """An agent runs a command line."""
        takeback = str(self.base / "bin" / "takeback")
        if self.log is not None:
            note(self.log, {"from": "agent", "script": script, "label": label})
        self.shell(takeback, "run", "--actor", "agent:claude", "--label", label, "--", "sh", "-ec", script)

    def replaces(self, name, *lines, label="an answer"):
        """An agent replaces some lines; the number of its operation."""
        script = "; ".join(f"s/^line {number}$/agent {number}/" for number in lines)
        return self.agent(f"sed -i '{script}' {name}", label)

    # -- the editor ------------------------------------------------------------------------------

    def start(self, name="a.py"):
        """The editor opens a file, and its server is ready."""
        self.driver = Driver(
            self.client.command(), self.environment, self.root, on_terminal=self.client.on_terminal
        )
        self.do("open", name)
        until(lambda: self.driver.do("ready"))
        until(lambda: self.command("status").get("workspace"))

    def do(self, verb, name=None, /, **words):
        """What one step of the editor gives back."""
        path = {"path": str(self.root / name)} if name else {}
        return self.driver.do(verb, **path, **words)

    def command(self, name, arguments=None, **words):
        """The result of a command of the server, called with arguments."""
        answer = self.do("command", name=f"takeback.{name}", arguments=arguments or {}, answers=[], **words)
        assert answer["problem"] is None, answer["problem"]
        return answer["result"]

    def shows(self, name):
        """The text that the editor shows."""
        return self.do("text", name)["text"]

    def is_unsaved(self, name):
        """Whether the editor counts a document as changed."""
        return self.do("text", name)["unsaved"]

    def types(self, name, old, new):
        """A person replaces a line, and does not save."""
        self.do("type", name, old=old, new=new)

    def follow(self, name):
        """The person looks at the editor again, which shows what is on disk."""

        def same():
            self.do("reload", name)
            return self.shows(name) == self.read(name)

        until(same)

    def expect(self, name, *, disk, shown):
        """A file holds one text, and the editor shows another; one that only reloads is looked at first."""
        assert self.read(name) == disk
        if not self.client.edits and not self.is_unsaved(name):
            self.follow(name)
        assert self.shows(name) == shown

    def undoes(self, name, text):
        """The editor's own undo leads to this text."""
        self.do("undo", name)
        assert self.shows(name) == text

    def asks(self, name, answers):
        """What the person was asked by a command that was called as a person calls it."""
        self.do("ask", name=name, answers=answers)
        return until(lambda: self.do("asked"))

    def wait_for(self, name, *, disk, shown):
        """Returns when a file holds one text, and the editor shows another."""
        until(lambda: self.read(name) == disk)
        if not self.client.edits:
            self.follow(name)
        until(lambda: self.shows(name) == shown)

    def wait_recorded(self, actor):
        """Returns when the last operation is this actor's."""
        until(lambda: [one["actor"] for one in self.takeback("log", "-n", "1")["operations"]] == [actor])

    def quit(self):
        """The exit status of the editor, which ends its server first."""
        return self.driver.quit()

    def end(self):
        """Leave nothing behind."""
        if self.driver is not None:
            self.driver.end()

    # -- the files -------------------------------------------------------------------------------

    def write(self, name, text):
        """A file holds this text."""
        (self.root / name).write_bytes(text.encode())

    def read(self, name):
        """The text of a file; `None` if there is none."""
        path = self.root / name
        return path.read_bytes().decode() if path.exists() else None

    def files(self):
        """Every file of the workspace with its text, but git's and those that editors keep for themselves."""
        return {
            str(path.relative_to(self.root)): path.read_bytes().decode()
            for path in self.root.rglob("*")
            if path.is_file() and ".git" not in path.parts and not path.name.startswith((".", "#"))
        }


def agent(*lines, text=TEXT):
    """The text in which an agent has replaced these lines."""
    for number in lines:
        text = text.replace(f"line {number}\n", f"agent {number}\n")
    return text


def human(*lines, text=TEXT):
    """The text in which a person has replaced these lines."""
    for number in lines:
        text = text.replace(f"line {number}\n", f"human {number}\n")
    return text


def survivors(state: Path) -> list[str]:
    """The processes that still belong to a state folder."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes()
        except OSError:
            continue
        if f"TAKEBACK_STATE_DIR={state}".encode() in environment:
            found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found
