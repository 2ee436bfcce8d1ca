"""Killed between any two steps of gc, forget or a rebuild, nothing that is still needed is lost."""

import os
import shutil
import signal

import pytest

from scenes import Scene, make_scene
from takeback.journal import rebuild
from takeback.journal.log import Journal
from takeback.model.ids import OpId
from takeback.service import maintenance, recording
from takeback.store import packing
from takeback.upkeep import collect, needs

STEPS = (
    (packing, ("write_pack", "drop_loose", "drop_pack")),
    (rebuild, ("_fill", "_contents", "_move_aside", "_sync")),
    (Journal, ("append_many", "drop_hunks", "drop_unsynced", "scrub")),
    (os, ("replace", "unlink", "rename")),
)
MANY = 60


def killed_at(n, act):
    """Run `act` in a process that is killed at the `n`-th step that changes anything; whether it came that far."""
    child = os.fork()
    if child == 0:
        try:
            left = [n]
            for owner, names in STEPS:
                for name in names:
                    setattr(owner, name, _deadly(getattr(owner, name), left))
            act()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def _deadly(step, left):
    def dying(*args, **kwargs):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return step(*args, **kwargs)

    return dying


class Saved:
    """A workspace and its history, so that each death starts from the same state."""

    def __init__(self, scene: Scene):
        self._places = {scene.state: scene.base / "saved-state", scene.root: scene.base / "saved-workspace"}
        for place, saved in self._places.items():
            shutil.copytree(place, saved, symlinks=True)

    def put_back(self):
        """Everything is as it was when it was saved."""
        for place, saved in self._places.items():
            shutil.rmtree(place)
            shutil.copytree(saved, place, symlinks=True)


@pytest.fixture
def aged(tmp_path):
    """Operations of which the first third may go."""
    scene = make_scene(tmp_path)
    scene.write("f", "base\n")
    with scene.opened() as workspace:
        for number in range(MANY):
            scene.write("f", f"{number}\n" + os.urandom(300).hex() + "\n")
            recording.record(workspace, "agent:a", "")
    return scene


def clean(scene):
    """Let go of the first third, then tidy up, packing whatever is loose."""
    collect.PACK_FROM = 1
    with scene.opened() as workspace:
        history = maintenance.history_of(workspace)
        collect.let_go(history, OpId(MANY // 3), workspace.clock)
        collect._tidy(history, workspace.clock)


@pytest.mark.long
@pytest.mark.trap(8)
def test_killed_while_cleaning(aged):
    """Wherever `gc` dies, the doctor finds nothing broken, what stays can be undone, and what went says expired."""
    saved = Saved(aged)
    n = 0
    while killed_at(n := n + 1, lambda: clean(aged)):
        healed = aged.tb("doctor")
        assert healed.status == 0, (n, healed.json)
        assert aged.tb("undo", str(MANY // 2)).status == 0, n
        assert aged.read("f").startswith(f"{MANY // 2 - 1}\n"), n
        saved.put_back()
    assert n > 5


@pytest.mark.trap(8)
def test_killed_while_forgetting(scene):
    """Wherever `forget` dies, it can be run again, and then the content is gone."""
    scene.write("f", "one\n")
    scene.tb("status")
    scene.write("secret", "correct horse\n")
    scene.record()
    scene.tb("gc")
    saved = Saved(scene)
    n = 0
    while killed_at(n := n + 1, lambda: scene.tb("forget", "secret")):
        assert scene.tb("doctor").status == 0, n
        assert scene.tb("forget", "secret").status == 0, n
        raw = b"".join(path.read_bytes() for path in scene.state.rglob("*") if path.is_file())
        assert b"correct horse" not in raw, n
        with scene.opened() as workspace:
            assert not workspace.store.has(workspace.store.id_of(b"correct horse\n")), n
        saved.put_back()
    assert n > 5


@pytest.mark.trap(8)
def test_killed_while_rebuilding(scene):
    """Wherever a rebuild dies, the next doctor finishes it, and history tells the same."""
    scene.write("f", "one\n")
    scene.tb("status")
    for number in range(3):
        scene.write("f", f"{number}\n")
        scene.record()
    before = scene.tb("log").json
    with scene.opened() as workspace:
        workspace.journal.scrub()
    (scene.state / "journal.db").write_bytes(b"scribble" * 1000)
    saved = Saved(scene)
    n = 0
    while killed_at(n := n + 1, lambda: scene.tb("doctor")):
        assert scene.tb("doctor").status == 0, n
        assert scene.tb("log").json == before, n
        assert not list(scene.state.glob("rebuild-*")), n
        saved.put_back()
    assert n > 3


def test_the_newest_operations_are_protected(aged):
    """The first operation that may go lies before the newest hundred."""
    with aged.opened() as workspace:
        assert needs.newest_kept(workspace.journal.last_operation()) == 1
