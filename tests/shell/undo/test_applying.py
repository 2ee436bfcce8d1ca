"""Carrying a plan out on disk."""

import os

from takeback.model.operation import OperationKind
from takeback.model.paths import workspace_path
from takeback.service import taking_back
from takeback.service.requests import Request, Verb
from takeback.undo.apply import Applied


def test_a_file_has_its_time_as_soon_as_it_has_its_content(scene):
    """An editor that saves in the very moment of an undo finds the time that it knows, and does not ask."""
    scene.write("f", "one\ntwo\n")
    scene.tb("init")
    scene.write("f", "one\nTWO\n")
    scene.record()
    os.utime(scene.root / "f", ns=(5 * 10**17, 5 * 10**17))
    path = workspace_path("f")
    with scene.opened() as workspace:
        verb, request = Verb(kind=OperationKind.UNDO), Request()
        draft = taking_back.planner(workspace, verb, request)()
        applied = workspace.applier.apply(draft.plan, draft.source, {path: 5 * 10**17})
    assert (type(applied), scene.read("f")) == (Applied, "one\ntwo\n")
    assert (scene.root / "f").stat().st_mtime_ns == 5 * 10**17
