"""What a hook told and a recorder took in late: each write is whose it is all the same."""

from __future__ import annotations

import json

import pytest

from takeback.model.operation import UNKNOWN, OperationKind
from takeback.record import Source
from takeback.service import hooking, sources, taking_in

PERHAPS = Source(kind=OperationKind.EDIT, actor=UNKNOWN, label="perhaps agent:claude")


class Story:
    """An agent whose hooks are taken in when the test says so, and a recorder that sees what it is told to see."""

    def __init__(self, scene, workspace):
        self.scene = scene
        self.workspace = workspace

    def say(self, event):
        """The agent's hook tells of its edit of `f`; nobody takes it in yet."""
        said = {
            "session_id": "s",
            "hook_event_name": event,
            "tool_name": "Write",
            "tool_input": {"file_path": str(self.scene.root / "f")},
            "tool_use_id": "1",
        }
        hooking.told("claude", json.dumps(said).encode(), "", str(self.scene.root), self.scene.env)

    def hear(self):
        """What the hooks told is taken in."""
        taking_in.take_in(self.workspace)

    def write(self, text):
        """Somebody writes."""
        self.scene.write("f", text)

    def seen(self, source=None):
        """The recorder sees what is there now."""
        self.workspace.looker.at(["f"], source or sources.unannounced(self.workspace, ""))

    def standing(self):
        """Who wrote what stands, oldest first, and what each write left."""
        found = self.scene.tb("log", "-n", "100").json["operations"]
        return [one["actor"] for one in reversed(found) if one["standing"] == "all" and one["kind"] == "edit"]


@pytest.fixture
def story(scene):
    """A workspace with one file, and an agent."""
    scene.write("f", "one\n")
    scene.tb("init")
    with scene.opened() as workspace:
        yield Story(scene, workspace)


@pytest.mark.promise(5)
def test_an_edit_that_was_seen_and_written_over_before_it_was_told(story):
    """The recorder has seen both writes one by one: the first is the agent's."""
    story.say("PreToolUse")
    story.hear()
    story.write("one\nagent\n")
    story.seen(PERHAPS)
    story.say("PostToolUse")
    story.write("one\nagent\nhuman\n")
    story.seen()
    story.hear()

    assert story.standing() == ["agent:claude", "unknown"]


@pytest.mark.promise(5)
def test_an_edit_that_was_seen_together_with_what_came_after_it(story):
    """The recorder has seen both writes as one: the hook knows what was between them."""
    story.say("PreToolUse")
    story.hear()
    story.write("one\nagent\n")
    story.say("PostToolUse")
    story.write("one\nagent\nhuman\n")
    story.seen(PERHAPS)
    story.hear()

    assert story.standing() == ["agent:claude", "unknown"]
    assert story.scene.tb("undo", "--actor", "agent:claude").status == 0
    assert story.scene.read("f") == "one\nhuman\n"


@pytest.mark.promise(5)
def test_an_edit_that_was_seen_together_with_what_came_before_it(story):
    """What was there when the agent began is not the agent's, although both were seen as one."""
    story.write("human\none\n")
    story.say("PreToolUse")
    story.write("human\none\nagent\n")
    story.seen()
    story.hear()
    story.say("PostToolUse")
    story.hear()

    assert story.standing() == ["unknown", "agent:claude"]


@pytest.mark.promise(5)
def test_the_beginning_of_an_edit_that_is_taken_in_after_it_was_seen(story):
    """Nothing was between what was known and the edit: one write, and it is the agent's."""
    story.say("PreToolUse")
    story.write("one\nagent\n")
    story.seen()
    story.hear()
    story.say("PostToolUse")
    story.hear()

    assert story.standing() == ["agent:claude"]


@pytest.mark.promise(5)
def test_an_edit_that_was_seen_before_a_write_that_is_not_recorded_yet(story):
    """What was known already is not recorded once more, over what came after it."""
    story.say("PreToolUse")
    story.hear()
    story.write("one\nagent\n")
    story.seen(PERHAPS)
    story.say("PostToolUse")
    story.write("two\n")
    story.seen()
    story.write("three\n")
    story.hear()
    story.seen()

    assert story.standing() == ["agent:claude", "unknown", "unknown"]
