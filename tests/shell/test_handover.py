"""Another process may hold unsaved text over a file: it is asked, and what it did not say is not made up."""

from __future__ import annotations

import threading

import pytest

from takeback.errors import OutcomeUnknown, Refused
from takeback.model.operation import OperationKind
from takeback.model.paths import WorkspacePath
from takeback.service import channel, handover
from takeback.service.published import Editor
from takeback.service.requests import Request, Verb

PATHS = frozenset({WorkspacePath("a.txt")})
UNDO = Verb(kind=OperationKind.UNDO)


@pytest.fixture
def editor(tmp_path):
    """An editor that holds unsaved text, and an address where nobody answers yet."""
    address = channel.address(str(tmp_path / "state"), "server")
    return Editor(name="Testing", address=address, pid=7, dirty=PATHS)


@pytest.mark.promise(5)
@pytest.mark.trap(13)
def test_an_editor_that_does_not_answer_may_have_done_it(editor, monkeypatch):
    """Once an editor was asked, no answer means that nobody knows what became of it, and it is said so."""
    monkeypatch.setattr(handover, "ANSWER_S", 0.1)
    for_ever = threading.Event()
    listener = channel.Listener(editor.address, lambda _, message: {"too late": for_ever.wait(20)})

    with pytest.raises(OutcomeUnknown) as unknown:
        handover.take_back([editor], PATHS, UNDO, Request())

    for_ever.set()
    listener.close()
    assert "nothing was changed" not in f"{unknown.value.message} {unknown.value.hint}"


@pytest.mark.promise(5)
def test_an_editor_that_fails_may_have_done_it(editor):
    """An answer that tells of a defect does not say whether anything was changed."""
    listener = channel.Listener(editor.address, lambda _, message: message["nothing"])

    with pytest.raises(OutcomeUnknown):
        handover.take_back([editor], PATHS, UNDO, Request())

    listener.close()


@pytest.mark.promise(8)
def test_an_editor_that_cannot_be_asked_is_left_alone(editor):
    """Where nobody listens nothing was asked, so nothing was changed, and the editor is named."""
    with pytest.raises(
        Refused, match=r"Testing \(process 7\) has unsaved text in a.txt, so nothing was changed"
    ):
        handover.take_back([editor], PATHS, UNDO, Request())
