"""What a hook told and a recorder took in late: each write is whose it is all the same."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from takeback.model.operation import UNKNOWN, OperationKind
from takeback.model.source import Source
from takeback.service import hooking, sources, taking_in
from takeback.watch.settle import Move, only

PERHAPS = Source(kind=OperationKind.EDIT, actor=UNKNOWN, label="perhaps agent:claude")


class Story:
    """An agent whose hooks are taken in when the test says so, and a recorder that sees what it is told to see."""

    def __init__(self, scene, workspace):
        self.scene = scene
        self.workspace = workspace

    def say(self, event, agent="claude", tool="Write", call="1", **given):
        """An agent's hook tells of its edit of `f`, or of another tool call; nobody takes it in yet."""
        said = {
            "session_id": agent,
            "hook_event_name": event,
            "tool_name": tool,
            "tool_input": given or {"file_path": str(self.scene.root / "f")},
            "tool_use_id": call,
        }
        hooking.told(agent, json.dumps(said).encode(), "", str(self.scene.root), self.scene.env)

    def hear(self):
        """What the hooks told is taken in."""
        taking_in.take_in(self.workspace)

    def write(self, text):
        """Somebody writes."""
        self.scene.write("f", text)

    def seen(self, source=None):
        """The recorder sees what is there now."""
        self.workspace.looker.at(["f"], source or sources.unannounced(self.workspace, ""))

    def actors(self):
        """Who wrote each operation, oldest first."""
        found = self.scene.tb("log", "-n", "100").json["operations"]
        return [one["actor"] for one in reversed(found)]


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

    assert story.actors() == ["agent:claude", "unknown"]


@pytest.mark.promise(5)
@pytest.mark.parametrize("n_passes", [1, 2])
def test_an_edit_that_was_seen_together_with_what_came_before_and_after_it(story, n_passes):
    """What was recorded as one write has no name, whenever the agent's words are taken in; nor has what comes then."""
    story.write("human\none\n")
    story.say("PreToolUse")
    story.write("human\none\nagent\n")
    if n_passes > 1:
        story.hear()
    story.say("PostToolUse")
    story.write("human\none\nagent\nhuman\n")
    story.seen()
    story.hear()
    story.write("one\n")
    story.seen()

    assert "agent:claude" not in story.actors()


@pytest.mark.promise(5)
def test_an_edit_that_was_seen_together_with_what_came_before_it(story):
    """What was there when the agent began is not the agent's: of what was recorded as one, nothing is."""
    story.write("human\none\n")
    story.say("PreToolUse")
    story.write("human\none\nagent\n")
    story.seen()
    story.hear()
    story.say("PostToolUse")
    story.hear()

    assert story.actors() == ["unknown"]


@pytest.mark.promise(5)
@pytest.mark.parametrize("goes_on", [False, True])
def test_an_edit_whose_content_came_back(story, goes_on):
    """Who went back to what the agent had written wrote that; what the agent wrote is the first of it."""
    story.say("PreToolUse")
    story.hear()
    story.write("one\nagent\n")
    story.seen(PERHAPS)
    story.say("PostToolUse")
    for text in ("one\nagent\nhuman\n", "one\nagent\n", *["two\n"] * goes_on):
        story.write(text)
        story.seen()
    story.hear()

    assert story.actors() == ["agent:claude", *["unknown"] * (2 + goes_on)]


@pytest.mark.promise(5)
def test_a_file_that_was_moved_away_before_its_edit_was_told(story):
    """It is not there any more, and no operation says that it is."""
    story.say("PreToolUse")
    story.hear()
    story.write("one\nagent\n")
    story.say("PostToolUse")
    (story.scene.root / "f").rename(story.scene.root / "h")
    moved = replace(only(["f", "h"]), moves=(Move(source="f", target="h", is_folder=False),))
    story.workspace.looker.burst(moved, sources.unannounced(story.workspace, ""))
    story.hear()

    assert not story.workspace.recorder.state_of("f")[1].exists


@pytest.mark.promise(5)
def test_an_edit_while_another_agents_command_is_at_work(story):
    """The word that an edit begins gives nothing of what was there to the command."""
    story.write("human\n")
    story.seen()
    story.say("PreToolUse", agent="codex", tool="Bash", call="2", command="make")
    story.say("PreToolUse")
    story.hear()

    assert story.actors() == ["unknown"]


@pytest.mark.promise(5)
def test_an_edit_that_began_in_a_pause(story):
    """What was written in the pause is not the agent's, although its call began there."""
    story.scene.tb("pause")
    story.write("human\n")
    story.say("PreToolUse")
    story.hear()
    story.scene.tb("resume")
    story.say("PostToolUse")
    story.hear()

    assert story.actors() == ["unknown"]


@pytest.mark.promise(5)
def test_the_beginning_of_an_edit_that_is_taken_in_after_it_was_seen(story):
    """Nothing was between what was known and the edit: one write, and it is the agent's."""
    story.say("PreToolUse")
    story.write("one\nagent\n")
    story.seen()
    story.hear()
    story.say("PostToolUse")
    story.hear()

    assert story.actors() == ["agent:claude"]


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

    assert story.actors() == ["agent:claude", "unknown", "unknown"]
