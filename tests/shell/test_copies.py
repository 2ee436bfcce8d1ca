"""Copies to read: a document as a file, for editors that can show nothing else."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from takeback.model.ids import OpId
from takeback.service.contents import Moment, OperationDiff, OperationFile
from takeback.service.copies import copy_of
from takeback.service.published import Publication


@pytest.fixture
def published(scene):
    """A workspace in which a server has published its documents, with one operation on a file of a strange name."""
    scene.write("name", "base\n")
    scene.tb("init")
    scene.write(os.fsdecode(b"caf\xe9 one.py"), "one\n")
    scene.record()
    with scene.opened() as workspace:
        publication = Publication(workspace.state, "Testing")
        yield workspace, publication
        publication.close()


def after(op, file):
    """The file of an operation after it."""
    return OperationFile(op=OpId(op), moment=Moment.AFTER, file=file)


@pytest.mark.trap(14)
def test_a_copy_holds_the_document(published):
    """A copy has the document's text, and a name that says what it is and ends as the file's."""
    workspace, _ = published
    file = workspace.recorder.state_of(os.fsdecode(b"caf\xe9 one.py"))[0]

    place = copy_of(workspace, after(1, file))

    assert Path(place).read_text() == "one\n"
    assert os.path.basename(place) == f"operation-1-after-{file}-caf-one.py"


@pytest.mark.promise(9)
def test_a_copy_is_private_and_nobody_writes_it(published):
    """A copy lies in the state folder, in a folder for its owner alone, and has no right to be written."""
    workspace, _ = published

    place = copy_of(workspace, OperationDiff(op=OpId(1)))

    assert place.startswith(workspace.state)
    assert stat.S_IMODE(os.stat(place).st_mode) == 0o400
    assert stat.S_IMODE(os.stat(os.path.dirname(place)).st_mode) == 0o700


def test_a_copy_is_made_anew_each_time(published):
    """A second copy of the same document takes the place of the first."""
    workspace, _ = published
    first = copy_of(workspace, OperationDiff(op=OpId(1)))

    assert copy_of(workspace, OperationDiff(op=OpId(1))) == first
    assert os.listdir(os.path.dirname(first)) == ["operation-1.diff"]


def test_copies_go_with_their_server(published):
    """When the server ends, no copy stays."""
    workspace, publication = published
    place = copy_of(workspace, OperationDiff(op=OpId(1)))

    publication.close()

    assert not os.path.exists(os.path.dirname(place))
    publication.__init__(workspace.state, "Testing")  # so that it can be closed


def test_copies_of_a_dead_server_are_swept(published):
    """What a server left that was killed is removed when the next one starts."""
    workspace, _ = published
    left = Path(workspace.state, "editors", "1-dead.shown")
    left.mkdir()
    (left / "operation-1.diff").write_text("left")
    (left.parent / "1-dead.lock").touch()

    Publication(workspace.state, "Another").close()

    assert not left.exists()
