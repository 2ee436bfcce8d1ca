"""A recorder does not record what somebody is in the middle of writing, if it can help it."""

from __future__ import annotations

import pytest

from takeback.journal import views
from takeback.model.operation import OperationKind
from takeback.record import Source
from takeback.watch.events import Touched
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
        self._watching.put(Touched(path="f", at_ns=self._now_ns))
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


def test_a_file_that_is_emptied_at_the_moment_when_it_is_looked_at(scene, workspace):
    """Its event is on its way: the burst before it is not recorded as if the file were empty."""
    recording = Recording(workspace, scene.root)
    recording.write("half")
    recording.file.write_bytes(b"")
    recording.after_quiet()
    assert recording.sizes() == []

    recording.write("whole")
    recording.after_quiet()

    assert recording.sizes() == [5]


def test_a_file_that_changes_at_each_look_is_recorded(scene, workspace):
    """Nothing waits more than once."""
    recording = Recording(workspace, scene.root)
    recording.write("1")
    for text in ("22", "333"):
        recording.file.write_text(text, encoding="utf-8")
        recording.after_quiet()

    assert recording.sizes() == [3]


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
