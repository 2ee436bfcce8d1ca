"""Agents that work in a workspace and call Takeback's hook, each event a real process."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from dataclasses import dataclass, field

from takeback.service import line
from waiting import WAIT_S, until

WATCH = [sys.executable, "-P", "-m", "takeback", "watch"]
HOOK = [sys.executable, "-P", "-m", "takeback", "hook"]


@dataclass
class Agent:
    """An agent with one session, which says what Claude Code says."""

    scene: object
    name: str = "claude"
    session: str = "s1"
    is_patient: bool = True
    _calls: itertools.count = field(default_factory=itertools.count)

    def say(self, event, **more):
        """Call the hook with an event. It always ends well and answers nothing."""
        body = {"session_id": self.session, "cwd": str(self.scene.root), "hook_event_name": event, **more}
        return self.say_raw(json.dumps(body).encode())

    def say_raw(self, said, *words):
        """Call the hook with these bytes; what it says on standard error."""
        ended = subprocess.run(
            [*HOOK, self.name, *words],
            input=said,
            cwd=self.scene.root,
            env=self.scene.env,
            capture_output=True,
            check=False,
            timeout=60,
        )
        assert (ended.returncode, ended.stdout) == (0, b"")
        if self.is_patient:
            self.be_taken_in()
        return ended.stderr.decode()

    def be_taken_in(self):
        """A hook waits for a recorder a moment only; what a slower one makes of it is not what most tests ask."""
        for state in self.scene.states.glob("*/journal.db"):
            line.ask(line.address(str(state.parent), "socket"), {"do": "hear"}, WAIT_S)

    def prompt(self, text):
        """A person asks for something."""
        self.say("UserPromptSubmit", prompt=text)

    def stop(self):
        """It has answered."""
        self.say("Stop")

    def before_edit(self, *paths):
        """It is about to edit; the tool call."""
        call = self._call("Write", {"file_path": str(self.scene.root / paths[0])})
        self.say("PreToolUse", **call)
        return call

    def before_command(self, command="make"):
        """It is about to run a command; the tool call."""
        call = self._call("Bash", {"command": command})
        self.say("PreToolUse", **call)
        return call

    def after(self, call):
        """The tool call has ended."""
        self.say("PostToolUse", **call, tool_response={})

    def edit(self, path, text):
        """Edit one file with a tool."""
        call = self.before_edit(path)
        self.scene.write(path, text)
        self.after(call)

    def _call(self, tool, arguments):
        return {
            "tool_name": tool,
            "tool_input": arguments,
            "tool_use_id": f"{self.session}-{next(self._calls)}",
        }


def recorder_of(scene):
    """A process that records a workspace, ready to be asked."""
    nowhere = subprocess.DEVNULL
    process = subprocess.Popen(WATCH, cwd=scene.root, env=scene.env, stdout=nowhere, stderr=nowhere)
    address = line.address(str(scene.state), "socket")
    until(lambda: line.ask(address, {"do": "hear"}, 1) is not None)
    return process


def operations(scene):
    """Every operation, oldest first: who, and which paths."""
    found = scene.tb("log", "-n", "100000").json["operations"]
    return [(one["actor"], sorted(change["path"] for change in one["changes"])) for one in reversed(found)]


def turns(scene):
    """The operations of each turn, by its number."""
    found = {}
    for one in reversed(scene.tb("log", "-n", "100000").json["operations"]):
        found.setdefault(one["turn"], []).append(sorted(change["path"] for change in one["changes"]))
    return found
