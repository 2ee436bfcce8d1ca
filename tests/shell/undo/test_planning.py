"""Plans for many files at once."""

from __future__ import annotations

import random

import pytest

from takeback.journal import views
from takeback.model.operation import OperationKind
from takeback.model.source import Source
from takeback.service.opening import open_workspace
from takeback.store.diff import differ
from takeback.undo import history, planning
from takeback.undo.clash import OnConflict
from takeback.undo.plan import Circumstances, plan_file
from takeback.undo.rewind import step_back

PATH = "file.txt"
CONTENTS = (None, b"", b"one\ntwo\n", b"one\r\ntwo", b"two\none\ntwo\n", b"\0binary", b"a\n" * 9)
SOURCE = Source(kind=OperationKind.EDIT, actor="human")


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """An empty workspace."""
    monkeypatch.setenv("TAKEBACK_STATE_DIR", str(tmp_path / "states"))
    (tmp_path / "workspace").mkdir()
    with open_workspace(str(tmp_path / "workspace")) as opened:
        yield opened


def write(workspace, content, mode=0o644):
    """Bring the file to `content` and record it; `None` removes it."""
    if content is None:
        workspace.folder.remove(PATH)
    else:
        with open(f"{workspace.root}/{PATH}", "wb") as file:
            file.write(content)
        workspace.folder.set_mode(PATH, mode)
    return workspace.looker.at([PATH], SOURCE).operation


def ending(workspace, plan):
    """What a plan leads to."""
    blob = workspace.store.put(plan.data) if plan.data is not None else plan.after.blob
    data = workspace.store.get(blob) if blob else None
    return plan.target, dict(plan.flips), plan.after.kind, plan.after.mode, data


@pytest.mark.parametrize("seed", range(12))
def test_the_newest_change_goes_back_to_what_its_lines_give(workspace, seed):
    """Without looking at lines, taking back the newest change of a file plans exactly what its history would."""
    chance = random.Random(seed)
    compared = 0
    for _ in range(12):
        write(workspace, chance.choice(CONTENTS), chance.choice((0o644, 0o755)))
        for change in views.newest_changes(workspace.journal, [1]).values():
            flips = {change.seq: False}
            short = step_back(change, flips)
            if short is None:
                continue
            found = history.load(workspace.journal, workspace.store, change.file, flips)
            given = Circumstances(on_conflict=OnConflict.STOP, names={}, differ=differ)
            long = plan_file(found, flips, given)
            assert ending(workspace, short) == ending(workspace, long)
            compared += 1

    assert compared > 5


def test_hunks_of_many_files_are_kept_at_once(workspace, monkeypatch):
    """An undo of many files whose lines must be read ends one transaction for all their hunks."""
    paths = [f"{number}.txt" for number in range(70)]
    ops = []
    for text in ("one\n", "one\ntwo\n", "zero\none\ntwo\n"):
        for path in paths:
            with open(f"{workspace.root}/{path}", "w", encoding="utf-8") as file:
                file.write(text)
        ops.append(workspace.looker.at(paths, SOURCE).operation)
    second = views.operation(workspace.journal, ops[1])
    kept = []
    monkeypatch.setattr(workspace.journal, "keep_hunks", lambda bodies: kept.append(list(bodies)))

    flips = {change.file: {change.seq: False} for change in second.changes}
    plans = planning.plans(workspace.journal, workspace.store, flips, OnConflict.STOP)

    assert len(plans) == len(paths)
    assert [len(bodies) for bodies in kept] == [2 * len(paths)]
