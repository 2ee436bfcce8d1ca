"""What is recorded for a call under way is looked at once: by another look, somebody may be in the middle of writing."""

from __future__ import annotations

import json

import pytest

from takeback.journal import views
from takeback.model.operation import OperationKind
from takeback.model.source import Source
from takeback.service import hooking, taking_in
from takeback.watch.events import Removed, Touched
from takeback.watch.run import Watching

SOURCE = Source(kind=OperationKind.EDIT, actor="unknown")
SETTLE_MS = 60_000
"""So long that no machine is too slow for these tests; the clock is theirs."""


class Recording:
    """A recorder that takes in what the test tells it, at the time that the test says it is."""

    def __init__(self, workspace, root, apart=lambda _: frozenset()):
        self.workspace = workspace
        self.file = root / "f"
        self._now_ns = 0
        self._watching = Watching(
            workspace.looker,
            settle_ms=SETTLE_MS,
            leave_out=lambda _: frozenset(),
            source=lambda _: SOURCE,
            is_paused=lambda: False,
            wake=lambda: None,
            apart=apart,
            clock=lambda: self._now_ns,
        )

    def write(self, text):
        """Somebody writes, and an event tells of it."""
        self.file.write_text(text, encoding="utf-8")
        self.tell(Touched(path="f", at_ns=self._now_ns))

    def tell(self, *events):
        """Events tell of something."""
        for event in events:
            self._watching.put(event)
        self._watching.take_in()

    def after_quiet(self):
        """No event comes for as long as a burst takes to settle."""
        self._now_ns += SETTLE_MS * 1_000_000
        self._watching.step()

    def sizes(self):
        """How many bytes each operation left."""
        found = views.newest_first(self.workspace.journal)
        return [one.changes[0].after.size_bytes for one in reversed(tuple(found))]


@pytest.fixture
def workspace(scene):
    """A workspace with one file."""
    scene.write("f", "one\n")
    scene.tb("init")
    with scene.opened() as opened:
        yield opened


def test_a_file_of_a_call_is_looked_at_once(scene, workspace):
    """What is recorded for a call under way is not looked at again: by now somebody may have begun to write."""

    def apart(_):
        workspace.looker.at(["f"], SOURCE)
        recording.file.write_bytes(b"")
        return frozenset({"f"})

    recording = Recording(workspace, scene.root, apart)
    recording.write("whole")
    recording.after_quiet()

    assert recording.sizes() == [5]


def test_a_folder_that_a_call_emptied(scene):
    """What is gone was looked at for the call; that its folder is empty now is recorded all the same."""
    scene.write("d/x", "one\n")
    scene.tb("init")
    with scene.opened() as workspace:

        def apart(_):
            return taking_in.apart(workspace)

        said = {"hook_event_name": "PreToolUse", "session_id": "s", "tool_name": "Write", "tool_use_id": "1"}
        said["tool_input"] = {"file_path": str(scene.root / "d" / "x")}
        hooking.told("claude", json.dumps(said).encode(), "", str(scene.root), scene.env)
        taking_in.take_in(workspace)
        recording = Recording(workspace, scene.root, apart)
        (scene.root / "d" / "x").unlink()
        recording.tell(Removed(path="d/x", is_folder=False))
        recording.after_quiet()
        changed = {one.path for each in views.newest_first(workspace.journal) for one in each.changes}

    assert changed == {"d", "d/x"}
