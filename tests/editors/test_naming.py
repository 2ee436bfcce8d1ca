"""Who wrote what is said by whatever an editor announces, and taken back from there."""

from __future__ import annotations

import pytest

from editors.clients import among
from editors.stage import TEXT, agent, human
from waiting import until

pytestmark = pytest.mark.editor


def test_a_hover_names_the_agent(stage):
    """At an agent's line stands who wrote it and for what; at a line of nobody else's stands nothing."""
    stage.replaces("a.py", 3, label="rename the third")
    stage.follow("a.py")

    said = until(lambda: stage.do("hover", "a.py", line=3))

    assert "agent:claude" in said
    assert "rename the third" in said
    assert stage.do("hover", "a.py", line=10) == ""


def test_a_code_action_takes_one_hunk_back(stage):
    """Of an operation that changed two places one goes, chosen at its line as a person chooses; the other stays."""
    stage.replaces("a.py", 3, 20, label="rename both")
    stage.follow("a.py")
    until(lambda: stage.do("actions", "a.py", line=3))

    titles = stage.do("actions", "a.py", line=3)
    stage.do("act", "a.py", line=3, title="Take back this change")

    assert any("agent:claude" in title and "rename both" in title for title in titles)
    stage.wait_for("a.py", disk=agent(20), shown=agent(20))
    stage.undoes("a.py", agent(3, 20))


@among(lambda client: client.edits)
def test_a_code_action_takes_a_turn_back_beside_unsaved_text(stage):
    """All that an agent wrote in its answer to one prompt goes, in every file, and unsaved text stays."""
    stage.takeback("turn", "begin", "--actor", "agent:claude", "--label", "make it louder")
    stage.replaces("a.py", 3)
    stage.replaces("b.py", 3)
    stage.replaces("a.py", 20)
    stage.takeback("turn", "end")
    stage.follow("a.py")
    stage.types("a.py", "line 25", "human 25")
    until(lambda: stage.do("actions", "a.py", line=3))

    stage.do("act", "a.py", line=3, title="Take back the turn")

    stage.wait_for("a.py", disk=TEXT, shown=human(25))
    until(lambda: stage.read("b.py") == TEXT)
    stage.undoes("a.py", human(25, text=agent(3, 20)))


def test_a_hunk_and_a_turn_go_by_command(stage):
    """What lenses and actions call can be called by hand too."""
    stage.takeback("turn", "begin", "--actor", "agent:claude", "--label", "make it louder")
    both = stage.replaces("a.py", 3, 20)
    stage.replaces("b.py", 3)
    turn = stage.takeback("turn", "end")["turn"]["id"]
    stage.follow("a.py")

    hunk = stage.command("undoHunk", {"operation": both, "uri": (stage.root / "a.py").as_uri(), "hunk": 1})
    stage.expect("a.py", disk=agent(20), shown=agent(20))
    rest = stage.command("undoTurn", {"turn": turn})

    assert (hunk["outcome"], rest["outcome"]) == ("applied", "applied")
    stage.expect("a.py", disk=TEXT, shown=TEXT)
    assert stage.read("b.py") == TEXT


@among(lambda client: client.name == "neovim")
def test_lenses_are_drawn_in_their_order(stage):
    """A person reads who, Undo, Diff, Keep in that order, over an empty line too, where all begin behind its end."""
    stage.agent("sed -i 's/^line 3$//' a.py", label="empty the third")
    stage.follow("a.py")
    until(lambda: stage.do("lenses", "a.py"))

    drawn = stage.do("drawn", "a.py")

    assert "agent:claude" in drawn[0]
    assert drawn[1:] == ["Undo", "Diff", "Keep"]


@among(lambda client: client.lenses)
def test_a_lens_stands_over_what_an_agent_wrote(stage):
    """Over the lines of an agent stand who and when, and what can be done; kept lines have none."""
    operation = stage.replaces("a.py", 3, label="rename the third")
    stage.follow("a.py")

    lenses = until(lambda: stage.do("lenses", "a.py"))
    stage.command("keep", {"operation": operation})

    assert {lens["line"] for lens in lenses} == {3}
    assert "agent:claude" in lenses[0]["title"]
    assert [lens["title"] for lens in lenses[1:]] == ["Undo", "Diff", "Keep"]
    until(lambda: stage.do("lenses", "a.py") == [])
