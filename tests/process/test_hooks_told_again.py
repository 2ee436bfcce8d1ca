"""What an agent tells of one edit twice, or only after it, takes nothing from anybody else."""

import pytest

from hooks import Agent, operations
from waiting import until


def say(agent, event, path, **more):
    """An agent that gives its calls no names tells of an edit."""
    agent.say(event, tool_name="Write", tool_input={"file_path": str(agent.scene.root / path)}, **more)


def cursor_edited(agent, path):
    """Cursor's own word for an edit that was made."""
    agent.say("afterFileEdit", file_path=str(agent.scene.root / path), edits=[])


@pytest.mark.promise(2)
@pytest.mark.parametrize("is_seen", [True, False], ids=["seen", "unseen"])
def test_a_call_that_ends_twice(either, is_seen):
    """A call whose end is told again does not take what a human wrote in its file after it."""
    agent = Agent(either)
    call = agent.before_edit("f")
    either.write("f", "agent\n")
    agent.after(call)
    either.write("f", "agent\nhuman\n")
    if is_seen:
        until(lambda: len(operations(either)) >= 2)
    agent.after(call)

    assert operations(either) == [("agent:claude", ["f"]), ("unknown", ["f"])]


def test_a_call_that_ends_twice_and_changed_nothing_since(either):
    """The end of a call that is told again adds nothing."""
    agent = Agent(either)
    call = agent.before_edit("f")
    either.write("f", "agent\n")
    agent.after(call)
    agent.after(call)

    assert operations(either) == [("agent:claude", ["f"])]


@pytest.mark.promise(2)
@pytest.mark.parametrize("is_seen", [True, False], ids=["seen", "unseen"])
def test_an_edit_that_is_told_by_another_event_too(either, is_seen):
    """Cursor tells of an edit as an edit and as a tool: the second word does not take what a human wrote since."""
    agent = Agent(either, "cursor")
    call = agent.before_edit("f")
    either.write("f", "agent\n")
    agent.after(call)
    either.write("f", "agent\nhuman\n")
    if is_seen:
        until(lambda: len(operations(either)) >= 2)
    cursor_edited(agent, "f")

    assert operations(either) == [("agent:cursor", ["f"]), ("unknown", ["f"])]


def test_an_edit_that_is_told_by_another_event_first(either):
    """An edit that Cursor tells of before it tells of the end of its tool is one operation of Cursor's."""
    agent = Agent(either, "cursor")
    either.write("f", "human\n")
    until(lambda: operations(either) == [("unknown", ["f"])])
    call = agent.before_edit("f")
    cursor_edited(agent, "f")
    either.write("f", "human\nagent\n")
    cursor_edited(agent, "f")
    agent.after(call)

    assert operations(either) == [("unknown", ["f"]), ("agent:cursor", ["f"])]


def test_an_agent_that_tells_only_of_what_it_has_done(either):
    """Older versions of Cursor tell of an edit only after it was made: it is theirs, each one, whoever saw it first."""
    agent = Agent(either, "cursor")
    for text in ("one\ntwo\n", "one\ntwo\nthree\n"):
        either.write("f", text)
        cursor_edited(agent, "f")

    assert operations(either) == [("agent:cursor", ["f"])] * 2


@pytest.mark.promise(2)
def test_an_end_whose_beginning_nobody_told(either):
    """Where the hook before a tool call was lost, what somebody wrote in that file and was seen stays nobody's."""
    either.write("f", "human\n")
    until(lambda: operations(either) == [("unknown", ["f"])])
    say(Agent(either), "PostToolUse", "f", tool_use_id="lost")

    assert operations(either) == [("unknown", ["f"])]


def test_an_end_whose_beginning_nobody_told_of_what_nobody_saw(workspace):
    """Where the hook before a tool call was lost, and nothing says otherwise, what is in its file is the agent's."""
    workspace.write("f", "agent\n")
    say(Agent(workspace), "PostToolUse", "f", tool_use_id="lost")

    assert operations(workspace) == [("agent:claude", ["f"])]


def test_an_end_whose_beginning_nobody_told_beside_another_agent(either):
    """While another agent has a call under way on that file, nobody can tell whose it is."""
    Agent(either, "codex").before_edit("f")
    either.write("f", "somebody\n")
    say(Agent(either), "PostToolUse", "f", tool_use_id="lost")

    assert operations(either) == [("unknown", ["f"])]


def test_calls_without_names_at_one_file(workspace):
    """Two calls at once on one file, of an agent that names none, end twice: what each wrote is the agent's."""
    agent = Agent(workspace, "copilot")
    say(agent, "preToolUse", "f")
    say(agent, "preToolUse", "f")
    for text in ("one\ntwo\n", "one\ntwo\nthree\n"):
        workspace.write("f", text)
        say(agent, "postToolUse", "f")
    workspace.write("f", "one\ntwo\nthree\nhuman\n")
    say(agent, "postToolUse", "f")

    assert operations(workspace) == [*[("agent:copilot", ["f"])] * 2, ("unknown", ["f"])]


def test_a_prompt_during_a_call(either):
    """An edit that ends after the next prompt has come is the agent's all the same."""
    agent = Agent(either)
    call = agent.before_edit("f")
    agent.prompt("and then the tests")
    either.write("f", "agent\n")
    agent.after(call)

    assert operations(either) == [("agent:claude", ["f"])]
