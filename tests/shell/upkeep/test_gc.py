"""Content goes when it is too old or too much; the record, and what is still needed, stays."""

import os
import subprocess
import time

import pytest

from takeback.checkpoints import Wanted
from takeback.errors import Busy
from takeback.model.ids import OpId
from takeback.model.state import Reason
from takeback.service import checkpointing, looking, maintenance, recording, sources, taking_back
from takeback.service.opening import open_workspace
from takeback.service.requests import Request
from takeback.undo.apply import locked

DAY_NS = 86_400 * 10**9


class Clock:
    """A clock that the test moves."""

    def __init__(self):
        self.now = 1_700_000_000 * 10**9

    def __call__(self):
        """The present moment; each is later than the one before."""
        self.now += 1_000
        return self.now


@pytest.fixture
def clock():
    """A clock that the test moves."""
    return Clock()


def work(scene, workspace, n, path="f", size=2_000):
    """Record `n` operations on one path, each with content of its own."""
    for _ in range(n):
        scene.write(path, os.urandom(size).hex() + "\n")
        assert recording.record(workspace, "agent:a", "") is not None


def reasons(workspace, op):
    """Why the after-states of an operation are not there."""
    return [change.after.reason for change in looking.operation(workspace, OpId(op)).changes]


def age(scene, workspace, clock):
    """So many operations, over 40 days, that the first 20 may go."""
    scene.write("f", "base\n")
    work(scene, workspace, 20)
    clock.now += 40 * DAY_NS
    work(scene, workspace, 100)


def test_what_is_too_old_expires(scene, clock):
    """Operations older than the retention lose their content, and say so; newer ones can all be taken back."""
    with scene.opened(clock=clock) as workspace:
        age(scene, workspace, clock)
        text = scene.read("f")

        (one,) = maintenance.gc(workspace).collected

        assert (one.contents, one.before) == (19, 21)
        assert reasons(workspace, 5) == [Reason.EXPIRED]
        assert reasons(workspace, 20) == [None]
        for _ in range(100):
            assert taking_back.undo(workspace, Request()).outcome == "applied"
        assert scene.read("f") != text
        old = taking_back.undo(workspace, Request(ops=(OpId(5),)))
        assert (old.outcome, old.files[0].note) == ("refused", "not captured: expired")


def test_young_or_few_operations_stay(scene, clock):
    """Nothing goes that is younger than the retention, and none of the last hundred operations however old."""
    with scene.opened(clock=clock) as workspace:
        scene.write("f", "base\n")
        work(scene, workspace, 30)
        clock.now += 400 * DAY_NS

        (one,) = maintenance.gc(workspace).collected

        assert one.contents == 0


def test_a_pinned_checkpoint_keeps_its_content(scene, clock):
    """What a pinned checkpoint holds stays, however old, and its rollback is exact; an unpinned one's goes."""
    with scene.opened(clock=clock) as workspace:
        scene.write("f", "base\n")
        work(scene, workspace, 5)
        kept, pinned = scene.read("f"), checkpointing.create(workspace, _wanted("kept"))
        workspace.checkpoints.edit(pinned.id, pinned=True)
        work(scene, workspace, 5)
        other = checkpointing.create(workspace, _wanted("other"))
        work(scene, workspace, 5)
        clock.now += 40 * DAY_NS
        work(scene, workspace, 100)

        maintenance.gc(workspace)

        rolled = taking_back.rollback(workspace, other.id, Request())
        assert (rolled.outcome, rolled.files[0].note) == (
            "refused",
            "its state then was not captured: expired",
        )
        assert taking_back.rollback(workspace, pinned.id, Request()).outcome == "applied"
        assert scene.read("f") == kept


def test_an_undo_keeps_what_it_reaches_back_to(scene, clock):
    """A recent undo of an old operation can itself be undone: what it made fall stays with all in between."""
    with scene.opened(clock=clock) as workspace:
        scene.write("f", "".join(f"{n}\n" for n in range(30)))
        scene.write("g", "base\n")
        workspace.looker.everything(sources.unannounced(workspace))
        for number in range(5):
            lines = scene.read("f").split("\n")
            scene.write("f", "\n".join([*lines[: number * 5], f"agent {number}", *lines[number * 5 :]]))
            recording.record(workspace, "agent:a", "")
        clock.now += 40 * DAY_NS
        work(scene, workspace, 105, path="g")
        before = scene.read("f")
        assert taking_back.undo(workspace, Request(ops=(OpId(2),))).outcome == "applied"

        maintenance.gc(workspace)

        assert taking_back.redo(workspace, Request()).outcome == "applied"
        assert scene.read("f") == before


def test_expired_content_that_comes_back_is_there_again(scene, clock):
    """Content that expired and is written once more is captured again, in the old states too."""
    with scene.opened(clock=clock) as workspace:
        scene.write("f", "base\n")
        workspace.looker.everything(sources.unannounced(workspace))
        scene.write("f", "again\n")
        recording.record(workspace, "agent:a", "")
        age(scene, workspace, clock)
        maintenance.gc(workspace)
        assert reasons(workspace, 2) == [Reason.EXPIRED]

        scene.write("f", "again\n")
        recording.record(workspace, "human", "")

        assert reasons(workspace, 2) == [None]
        assert looking.diffs_of(workspace, looking.operation(workspace, OpId(2)))


def test_loose_objects_are_packed_from_a_thousand_on(scene):
    """From a thousand loose objects on they go into packs; everything can still be read, and git finds no fault."""
    for number in range(1_100):
        scene.write(f"d{number % 20}/{number}", f"{number}\n")
    scene.tb("status")

    cleaned = scene.tb("gc").json["collected"][0]

    assert cleaned["packed"] > 1_100
    store = scene.state / "store.git"
    assert (
        len([path for path in store.rglob("*") if path.parent.name != "pack" and len(path.name) == 38]) == 0
    )
    subprocess.run(["git", "--git-dir", store, "fsck", "--full"], check=True, capture_output=True)
    for path in list(scene.root.rglob("*")):
        if path.is_file():
            path.unlink()
    scene.record()
    assert scene.tb("undo").status == 0
    assert scene.read("d1/1") == "1\n"


@pytest.mark.long
def test_packs_that_hold_much_waste_are_rewritten(scene, clock):
    """Expired content goes from packs too: room is really made."""
    with scene.opened(clock=clock) as workspace:
        scene.write("f", "base\n")
        for number in range(1_000):
            scene.write(f"d/{number}", f"{number}\n")
        work(scene, workspace, 60, size=20_000)
        assert maintenance.gc(workspace).collected[0].packed > 1_000
        clock.now += 40 * DAY_NS
        work(scene, workspace, 100)

        (one,) = maintenance.gc(workspace).collected

        assert one.contents == 59
        assert one.freed_bytes > 59 * 15_000
        assert taking_back.undo(workspace, Request()).outcome == "applied"
    assert scene.tb("doctor").status == 0


def test_a_pack_of_the_users_is_never_rewritten(scene, clock):
    """A pack that the user's repository shares keeps its inode and its second name."""
    scene.committed({"f": "base\n"})
    scene.git("gc", "-q")
    (pack,) = (scene.root / ".git" / "objects" / "pack").glob("*.pack")
    with scene.opened(clock=clock) as workspace:
        age(scene, workspace, clock)
        maintenance.gc(workspace)

        (ours,) = (scene.state / "store.git" / "objects" / "pack").glob("*.pack")
        assert (os.stat(ours).st_ino, os.stat(ours).st_nlink) == (os.stat(pack).st_ino, 2)


def test_one_cap_over_all_histories(scene, clock):
    """With --all the oldest content goes wherever it is; a history in use is left alone and named."""
    config = scene.base / "home" / ".config" / "takeback"
    config.mkdir(parents=True)
    (config / "config.toml").write_text("[store]\nmax_bytes = 2_450_000\n")
    older = scene.base / "older"
    older.mkdir()
    with open_workspace(str(older), scene.env, clock=clock) as workspace:
        for _ in range(120):
            (older / "f").write_bytes(os.urandom(10_000))
            recording.record(workspace, "agent:a", "")
    with scene.opened(clock=clock) as workspace:
        work(scene, workspace, 120, size=10_000)

        with locked(os.path.join(_state_of(scene, "older"), "lock"), 0):
            cleaned = maintenance.gc_all(workspace, scene.env)
        assert [one.why for one in cleaned.skipped] == ["it is in use"]
        cleaned = maintenance.gc_all(workspace, scene.env)

    contents = {os.path.basename(one.root): one.contents for one in cleaned.collected}
    assert contents["workspace"] == 0
    assert contents["older"] > 0
    assert sum(one.left_bytes for one in cleaned.collected) <= 2_450_000


def test_a_journal_kept_aside_goes_with_the_retention(scene):
    """The damaged journal that a rebuild kept aside goes when it is as old as content may become."""
    scene.write("f", "one\n")
    scene.tb("status")
    (scene.state / "journal.db").write_bytes(b"scribble" * 1000)
    scene.tb("doctor")
    assert list(scene.state.glob("journal-damaged-*"))
    with scene.opened() as workspace:
        maintenance.gc(workspace)
        assert list(scene.state.glob("journal-damaged-*"))
    with scene.opened(clock=lambda: time.time_ns() + 40 * DAY_NS) as workspace:
        maintenance.gc(workspace)

    assert not list(scene.state.glob("journal-damaged-*"))


def test_gc_waits_for_nobody_who_changes_files(scene):
    """While another process changes files of the workspace, nothing goes."""
    scene.write("f", "one\n")
    with scene.opened() as workspace, locked(os.path.join(workspace.state, "lock"), 0), pytest.raises(Busy):
        maintenance.gc(workspace)


def _wanted(label):
    return Wanted(label=label)


def _state_of(scene, name):
    (found,) = [str(one) for one in scene.states.iterdir() if one.name.startswith(name)]
    return found
