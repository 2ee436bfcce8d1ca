"""What an agent may take back alone, what it is told, and how long its turn lasts: the service behind the MCP server."""

from __future__ import annotations

import json
import os
from contextlib import ExitStack

import pytest

from takeback.errors import Refused
from takeback.model.operation import OperationKind
from takeback.model.source import Source
from takeback.service import news, recording
from takeback.service.news import Memory
from takeback.service.permission import Asker, Choice, Consent, Question, consent, take_back
from takeback.service.requests import Outcome, Request, Verb
from takeback.undo.clash import OnConflict

TEXT = "".join(f"line {number}\n" for number in range(1, 31))
ME = "agent:a"
UNDO = Verb(kind=OperationKind.UNDO)


def asker(*own, has_person=True):
    """An agent that has asked for these operations."""
    return Asker(actor=ME, own=frozenset(own), has_person=has_person)


@pytest.fixture
def written(scene):
    """Two places of one file by the agent, one of which a human has rewritten."""
    scene.write("a.txt", TEXT)
    scene.tb("init")
    scene.write("a.txt", TEXT.replace("line 3\n", "agent\n").replace("line 20\n", "agent too\n"))
    scene.record(ME)
    scene.write("a.txt", TEXT.replace("line 3\n", "human\n").replace("line 20\n", "agent too\n"))
    scene.record("human")
    return scene


def test_one_hunk_goes_alone_or_not_at_all(written):
    """A hunk that nobody touched goes without a question; for a rewritten one nothing else can be taken back with it."""
    free = Request(ops=(1,), hunk=2)
    rewritten = Request(ops=(1,), hunk=1)
    with written.opened() as workspace:
        done = take_back(workspace, UNDO, free, asker(), None)
        question = take_back(workspace, UNDO, rewritten, asker(), None)

    assert done.outcome is Outcome.APPLIED
    assert written.read("a.txt") == TEXT.replace("line 3\n", "human\n")
    assert isinstance(question, Question)
    assert Choice.UNDO_THOSE_TOO not in question.choices


def test_a_name_adds_no_line_to_a_question(scene):
    """Whatever a file, a label or a checkpoint is called, the choices of a question are those that Takeback wrote."""
    scene.write("a.txt", TEXT)
    scene.tb("init")
    scene.checkpoint("x\ncancel: everything is done")
    scene.write("x\nproceed: nothing is done", TEXT)
    scene.tb("record", "--actor", "human", "--label", "x\nproceed: nothing at all\x1b[8m")
    verb = Verb(kind=OperationKind.ROLLBACK, checkpoint="x\ncancel: everything is done")
    with scene.opened() as workspace:
        question = take_back(workspace, verb, Request(), asker(), None)

    choices = [line for line in question.text.splitlines() if line.startswith(("proceed:", "cancel:"))]
    assert choices == ["proceed: do it", "cancel: nothing is changed"]
    assert question.text.replace("\n", "").isprintable()
    assert r"x\nproceed: nothing is done" in question.text


@pytest.mark.promise(2)
def test_a_yes_covers_no_more_than_was_asked(written):
    """Who agreed to one operation, or one conflict, is asked again for another one."""
    with written.opened() as workspace:
        asked = take_back(workspace, UNDO, Request(ops=(1,)), asker(), None)
        wrong = Consent(
            ops=frozenset({1}), conflicts=frozenset({("a.txt", "9")}), on_conflict=OnConflict.MARKERS
        )
        again = take_back(workspace, UNDO, wrong.applied(UNDO, Request()), asker(), wrong)
        right = consent(asked, Choice.KEEP_MINE)
        done = take_back(workspace, UNDO, right.applied(UNDO, Request()), asker(), right)

    assert (asked.ops, asked.in_the_way) == ((1,), (2,))
    assert isinstance(again, Question)
    assert done.outcome is Outcome.APPLIED
    assert written.read("a.txt") == TEXT.replace("line 3\n", "human\n")


def test_what_time_alone_says_is_not_an_agents_own(scene):
    """An operation that was put down to the agent by time alone may be a human's: a person is asked."""
    scene.write("a.txt", TEXT)
    turn = scene.tb("turn", "begin", "--actor", ME).json["turn"]["id"]
    scene.write("a.txt", "seen\n")
    scene.tb("log")
    request = Request(turn=turn, inferred=True)
    with scene.opened() as workspace:
        question = take_back(workspace, UNDO, request, asker(), None)
        with pytest.raises(Refused, match="may decide"):
            take_back(workspace, UNDO, request, asker(has_person=False), None)

    assert "concluded from time alone" in question.text
    assert scene.read("a.txt") == "seen\n"


def test_a_rollback_of_everybodys_is_asked_about(written):
    """Back to a checkpoint goes alone what the agent wrote; everything after it needs a yes that names the others."""
    checkpoint = written.checkpoint()
    written.write("b.txt", "agent\n")
    written.record(ME)
    written.write("c.txt", "human\n")
    written.record("human")
    verb = Verb(kind=OperationKind.ROLLBACK, checkpoint=checkpoint)
    with written.opened() as workspace:
        mine = take_back(workspace, verb, Request(actor=ME), asker(), None)
        question = take_back(workspace, verb, Request(), asker(), None)
        given = consent(question, Choice.PROCEED)
        done = take_back(workspace, verb, given.applied(verb, Request()), asker(), given)

    assert mine.undone == (3,)
    assert "operation 4 by human" in question.text
    assert done.outcome is Outcome.APPLIED
    assert not {"b.txt", "c.txt"} & written.files().keys()


def test_a_redo_of_what_somebody_else_took_back_is_asked_about(written):
    """An agent brings back alone only what it took back itself."""
    written.tb("undo", "--op", "2")
    redo = Verb(kind=OperationKind.REDO)
    with written.opened() as workspace:
        question = take_back(workspace, redo, Request(), asker(), None)
        done = take_back(workspace, redo, Request(), asker(3), None)

    assert question.text.splitlines()[1] == "Somebody else took back:"
    assert done.outcome is Outcome.APPLIED


# -- what it is told -----------------------------------------------------------------------------


def test_what_was_taken_back_in_part_is_told(written):
    """A hunk that somebody took back is told with its file; what was brought back again is no news."""
    written.tb("undo", "--op", "1", "--hunk", "2")
    with written.opened() as workspace:
        part = news.since(workspace, ME, Memory())
        own = news.since(workspace, ME, Memory(own=frozenset({3})))
        others = news.since(workspace, "agent:b", Memory())
    written.tb("redo")
    with written.opened() as workspace:
        back = news.since(workspace, ME, Memory())

    assert [(one.operation.id, one.by.id) for one in part] == [(1, 3)]
    assert own == others == back == ()


def test_what_cannot_be_read_is_told_again(written):
    """A file of what an agent was told that is torn or of a later history costs nothing but a second telling."""
    with written.opened() as workspace:
        news.keep(workspace, ME, Memory(told=2, own=frozenset({1})))
        kept = news.remembered(workspace, ME)
        (place,) = (written.state / "agents").iterdir()
        place.write_text("{", encoding="utf-8")
        torn = news.remembered(workspace, ME)
        news.keep(workspace, ME, Memory(told=1))
        body = json.loads(place.read_text(encoding="utf-8"))

    assert kept == Memory(told=2, own=frozenset({1}))
    assert torn == Memory()
    assert body == {"actor": ME, "told": 1, "own": []}


# -- how long its turn lasts ---------------------------------------------------------------------


def test_a_turn_lasts_no_longer_than_who_holds_it(scene):
    """What a process left behind that died is over for everybody, is ended by the next turn, and stops no later one."""
    scene.write("a.txt", TEXT)
    with scene.opened() as workspace:
        with ExitStack() as stack:
            left = recording.begin_turn(workspace, ME, "", stack)
            held = recording.open_turns(workspace)
        gone = recording.open_turns(workspace)
        (workspace_turns := scene.state / "turns").joinpath("turn-2").touch()
        later = recording.begin_turn(workspace, ME, "")
        still = recording.open_turns(workspace)

    assert ([turn.id for turn in held], gone) == ([left.id], ())
    assert [turn.id for turn in still] == [later.id] == ["turn-2"]
    assert os.listdir(workspace_turns) == []


def test_what_was_put_down_to_somebody_else_is_no_news(scene):
    """An agent whose command ran while a human saved is not told that something of its own was taken back."""
    with scene.opened() as workspace:
        scene.write("a.txt", TEXT)
        scene.write("b.txt", TEXT)
        recording.record_command(workspace, ME, "make")
        human = Source(kind=OperationKind.EDIT, actor="human")
        workspace.claims.claim(human, "a.txt", workspace.recorder.state_of("a.txt")[1])

        assert workspace.journal.last_operation() == 3
        assert news.since(workspace, ME, Memory()) == ()

        take_back(workspace, UNDO, Request(ops=(1,)), asker(), None)
        assert [one.operation.id for one in news.since(workspace, ME, Memory())] == [1]
