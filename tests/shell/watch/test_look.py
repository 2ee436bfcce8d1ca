"""A look at the whole tree finds what changed, also where the last look could not have seen it."""

from __future__ import annotations

import os

import pytest

from takeback.files.disk import Folder
from takeback.model.operation import OperationKind
from takeback.model.source import Source
from takeback.service import recording, taking_back
from takeback.service.opening import open_workspace
from takeback.service.requests import Request
from takeback.watch import observe

AGENT = Source(kind=OperationKind.EDIT, actor="agent:a")


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A folder with two files, and a state folder of its own."""
    monkeypatch.setenv("TAKEBACK_STATE_DIR", str(tmp_path / "state"))
    folder = tmp_path / "project"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / name).write_text(f"{name}\n", encoding="utf-8")
    return folder


def test_a_file_that_an_undo_brought_and_somebody_removed_at_once_is_missed(root):
    """What Takeback wrote itself was never seen by a look; when it is gone at the next one, that is a deletion."""
    with open_workspace(str(root)) as workspace:
        (root / "a").unlink()
        recording.record(workspace, "agent:a", "")
        taking_back.undo(workspace, Request())
        (root / "a").unlink()
        found = recording.record(workspace, "human", "")
    assert [(change.path, change.status.value) for change in found.changes] == [("a", "deleted")]


def test_a_file_that_is_looked_at_between_emptying_and_writing(root, monkeypatch):
    """Most programs empty a file and then write it: who looks in between waits a moment."""
    monkeypatch.setattr(observe, "_JUST_NS", 60_000_000_000)
    monkeypatch.setattr(observe.time, "sleep", lambda _: (root / "a").write_bytes(b"whole\n"))
    with open_workspace(str(root)) as workspace:
        (root / "a").write_bytes(b"")
        (change,) = recording.record(workspace, "agent:a", "").changes
    assert change.after.size_bytes == len("whole\n")


def test_a_machine_that_stands_still_after_reading_makes_no_file_old(root, monkeypatch):
    """How long ago a file was emptied is told by the time when it is read, however long after that it is judged."""
    read, late_ns = Folder.read, [0]

    def read_slowly(folder, path, max_bytes):
        found = read(folder, path, max_bytes)
        late_ns[0] += 60_000_000_000
        return found

    now_ns = observe.time.time_ns
    monkeypatch.setattr(observe, "_JUST_NS", 30_000_000_000)
    monkeypatch.setattr(observe.time, "time_ns", lambda: now_ns() + late_ns[0])
    monkeypatch.setattr(observe.time, "sleep", lambda _: (root / "a").write_bytes(b"whole\n"))
    with open_workspace(str(root)) as workspace:
        workspace.looker.everything(AGENT)
        monkeypatch.setattr(Folder, "read", read_slowly)
        late_ns[0] = 0
        (root / "a").write_bytes(b"")
        workspace.looker.at(["a"], AGENT)
        assert workspace.recorder.state_of("a")[1].size_bytes == len("whole\n")


def test_a_file_that_stays_empty_is_recorded(root, monkeypatch):
    """Nobody waits for ever for who has emptied a file."""
    monkeypatch.setattr(observe, "_JUST_NS", 60_000_000_000)
    with open_workspace(str(root)) as workspace:
        (root / "a").write_bytes(b"")
        (change,) = recording.record(workspace, "agent:a", "").changes
    assert change.after.size_bytes == 0


def test_a_deletion_is_found_although_the_stat_cache_was_lost(root):
    """Without what the last look saw, every recorded path is looked at: what is gone is recorded as gone."""
    with open_workspace(str(root)) as workspace:
        os.unlink(workspace.looker.cache_path)
        (root / "b").unlink()
        found = recording.record(workspace, "human", "")
        assert [(change.path, change.status.value) for change in found.changes] == [("b", "deleted")]
        assert recording.record(workspace, "human", "") is None


def test_a_renamed_file_of_unusual_mode_leaves_its_old_name(root):
    """A file whose first state stands in a row of its own is gone from its old name once it was renamed."""
    (root / "a").chmod(0o600)
    with open_workspace(str(root)) as workspace:
        (root / "a").rename(root / "c")
        assert recording.record(workspace, "human", "").changes[0].moved_from == "a"
        assert recording.record(workspace, "human", "") is None
        taking_back.undo(workspace, Request())
    assert (root / "a").stat().st_mode & 0o777 == 0o600
