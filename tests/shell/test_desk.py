"""Between the documents and the files of an undo, a server may die, or another process may record what was saved."""

from __future__ import annotations

import os

import pytest

from editor import TEXT
from takeback.model.operation import OperationKind
from takeback.service.channel import Message
from takeback.service.desk import Desk, Proposal
from takeback.service.requests import Request, Verb

AGENT = TEXT.replace("line 3\n", "agent\n")
UNDO = Verb(kind=OperationKind.UNDO)


def nobody(message: Message) -> Message:
    """What answers other processes here."""
    raise AssertionError(message)


@pytest.fixture
def died(scene):
    """A workspace whose server died when it had asked the editor to change the document of an agent's file."""
    (scene.root / "a.txt").write_text(TEXT, encoding="utf-8")
    with scene.opened():
        pass
    (scene.root / "a.txt").write_text(AGENT, encoding="utf-8")

    def begin(text):
        if not (child := os.fork()):
            with scene.opened() as workspace, Desk(workspace, "Testing", nobody) as desk:
                desk.opened("a", "a.txt", 1, text)
                os._exit(not isinstance(desk.propose(UNDO, Request(n=1)), Proposal))
        assert os.waitpid(child, 0)[1] == 0

    return begin


def documents(scene, text):
    """What is known of the document when it is opened with this text again."""
    with scene.opened() as workspace, Desk(workspace, "Testing", nobody) as desk:
        desk.opened("a", "a.txt", 1, text)
        return dict(desk.buffers.documents())


@pytest.mark.promise(4)
@pytest.mark.promise(8)
def test_a_document_that_was_changed_before_a_death_gets_its_file_changed(scene, died):
    """Where the editor shows the planned text, the undo is finished on disk, and unsaved text stays unsaved."""
    died(AGENT.replace("line 39\n", "mine\n"))

    assert documents(scene, TEXT.replace("line 39\n", "mine\n")) == {"a.txt": True}

    assert (scene.root / "a.txt").read_text(encoding="utf-8") == TEXT
    (undone, _) = scene.tb("log").json["operations"]
    assert (undone["kind"], undone["undoes"]) == ("undo", [1])


@pytest.mark.promise(4)
def test_a_document_that_was_not_changed_before_a_death_keeps_its_file(scene, died):
    """Where the editor shows what it showed before, nothing was taken back, and nothing is."""
    mine = AGENT.replace("line 39\n", "mine\n")
    died(mine)

    assert documents(scene, mine) == {"a.txt": True}

    assert (scene.root / "a.txt").read_text(encoding="utf-8") == AGENT
    assert len(scene.tb("log").json["operations"]) == 1


@pytest.mark.promise(2)
def test_a_file_that_was_changed_after_a_death_is_left(scene, died):
    """Where somebody wrote the file in between, the document's part stays unsaved text over it."""
    died(AGENT)
    other = AGENT.replace("line 20\n", "other\n")
    (scene.root / "a.txt").write_text(other, encoding="utf-8")

    documents(scene, TEXT)

    assert (scene.root / "a.txt").read_text(encoding="utf-8") == other


@pytest.mark.promise(5)
def test_a_save_that_another_process_has_recorded_is_the_undo(scene):
    """Where the save of an undone document is recorded by another process already, it is claimed, and not done twice."""
    (scene.root / "a.txt").write_text(TEXT, encoding="utf-8")
    scene.tb("status")
    (scene.root / "a.txt").write_text(AGENT, encoding="utf-8")
    with scene.opened() as workspace, Desk(workspace, "Testing", nobody) as desk:
        desk.opened("a", "a.txt", 1, AGENT)
        proposal = desk.propose(UNDO, Request(n=1))
        desk.changed("a", "a.txt", 2, TEXT)
        (scene.root / "a.txt").write_text(TEXT, encoding="utf-8")
        scene.tb("record")  # by another process: it knows nothing of the documents here

        result = desk.carry_out(proposal, {"a.txt"}, {})

        assert (result.outcome, result.operation) == ("applied", 2)
    (save, agent) = scene.tb("log").json["operations"]
    assert (save["actor"], save["undoes"], agent["standing"]) == ("takeback", [1], "none")
