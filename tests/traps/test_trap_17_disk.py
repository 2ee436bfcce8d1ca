"""Trap 17: no room left, wherever it runs out.

A small file system of its own where the tests may mount one; else a limit on the size of files, which stops the same
writes with another error number.
"""

import json
import os
import subprocess

import pytest

from scenes import make_scene
from takeback.errors import StorageFull
from takeback.service import at_work, recording
from takeback.store.objects import storing
from takeback.watch import look

ROOM_KIB = 4096


@pytest.fixture
def cramped(tmp_path):
    """A workspace whose state folder is on a file system of 4 MiB."""
    scene = make_scene(tmp_path)
    yield from _mounted(scene, scene.states)


@pytest.fixture
def cramped_workspace(tmp_path):
    """A workspace that is on a file system of 4 MiB itself."""
    scene = make_scene(tmp_path)
    yield from _mounted(scene, scene.root)


def _mounted(scene, place):
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={ROOM_KIB}k,mode=0700", "none", place],
        capture_output=True,
        check=False,
    )
    if mount.returncode != 0:
        pytest.skip("this user may not mount a file system")
    yield scene
    subprocess.run(["umount", "-l", place], check=True)


def fill(folder, leave_kib=0):
    """Use up what room there is, but for so much."""
    path = os.path.join(folder, "filler")
    stat = os.statvfs(folder)
    with open(path, "wb") as file:
        room = stat.f_bavail * stat.f_frsize - leave_kib * 1024
        try:
            file.write(b"\0" * room)
            file.flush()
        except OSError:
            if leave_kib:
                raise
    return path


@pytest.mark.trap(17)
@pytest.mark.promise(7)
def test_full_while_recording(cramped):
    """A recording that finds no room says so, records nothing, and is made up for when there is room again."""
    cramped.write("f", "one\n")
    cramped.tb("status")
    filler = fill(cramped.states)
    cramped.write("f", os.urandom(200_000).hex())
    before = cramped.files()

    failed = cramped.tb("record", "--actor", "agent:a")

    assert (failed.status, failed.code) == (3, "storage_full")
    assert cramped.files() == before
    os.remove(filler)
    assert cramped.record() == 1
    assert cramped.tb("undo").status == 0
    assert cramped.read("f") == "one\n"


@pytest.mark.trap(17)
def test_full_before_the_content_of_an_undo_is_kept(cramped):
    """An undo that cannot keep what it replaces changes nothing."""
    big = os.urandom(100_000).hex()
    cramped.write("f", "one\n" + big + "\n")
    cramped.tb("status")
    cramped.write("f", "one\n" + big + "\nagent\n")
    cramped.record()
    cramped.write("f", "zero\none\n" + big + "\nagent\n")
    cramped.record("human")
    filler = fill(cramped.states)
    before = cramped.files()

    failed = cramped.tb("undo", "--op", "1")

    assert (failed.status, failed.code) == (3, "storage_full")
    assert cramped.files() == before
    os.remove(filler)
    assert cramped.tb("undo", "--op", "1").status == 0
    assert cramped.read("f") == "zero\none\n" + big + "\n"
    assert cramped.tb("doctor").status == 0


@pytest.mark.trap(17)
def test_full_while_the_journal_is_written(cramped):
    """A journal that cannot grow says so; the content that was kept before it is no harm, and nothing is half done."""
    cramped.write("f", "one\n")
    cramped.tb("status")
    for number in range(400):
        cramped.write(f"d/{number:04}" + "x" * 200, "same\n")
    filler = fill(cramped.states, leave_kib=120)
    before = cramped.files()

    failed = cramped.tb("record", "--actor", "agent:a")

    assert (failed.status, failed.code) == (3, "storage_full"), failed
    assert cramped.files() == before
    os.remove(filler)
    assert cramped.tb("log").status == 0
    assert cramped.tb("doctor").status == 0


@pytest.mark.trap(17)
@pytest.mark.promise(5)
def test_full_after_recording(scene, monkeypatch):
    """What was recorded is not said to be refused because there is no room for what would make the next look quicker."""
    scene.write("f", "one\n")
    scene.tb("status")

    def full(*_args):
        raise StorageFull("the disk is full")

    scene.write("f", "two\n")
    with monkeypatch.context() as patched:
        patched.setattr(look, "save_cache", full)
        assert scene.record() == 1

    assert scene.record() is None


@pytest.mark.trap(17)
@pytest.mark.promise(4)
def test_full_while_an_undo_is_staged(cramped_workspace):
    """An undo that finds no room beside the files removes what it had staged; every file is as before."""
    scene = cramped_workspace
    contents = {f"f{number}": os.urandom(300_000).hex() for number in range(3)}
    for path, content in contents.items():
        scene.write(path, content)
    scene.tb("status")
    for path in contents:
        scene.write(path, "agent\n")
    scene.record()
    fill(scene.root, leave_kib=900)
    before = scene.files()

    failed = scene.tb("undo", "--op", "1")

    assert (failed.status, failed.code) == (3, "storage_full"), failed
    assert scene.files() == before
    os.remove(scene.root / "filler")
    undone = scene.tb("undo", "--op", "1")
    assert undone.status == 0, undone.err
    assert {path: scene.read(path) for path in contents} == contents


@pytest.mark.trap(17)
@pytest.mark.promise(3)
@pytest.mark.promise(5)
def test_full_before_an_undo_is_recorded(cramped):
    """However little room is left, an undo that finds too little changed nothing, and once there is room takes one back."""
    paths = [f"f{number}" for number in range(6)]
    for word in ("one", "two", "three"):
        for path in paths:
            cramped.write(path, "".join(f"{path} {line} {word * (line % 20 == 0)}\n" for line in range(200)))
        cramped.record()
    outcomes = set()
    for leave_kib in range(0, 160, 8):
        start = cramped.files()
        filler = fill(cramped.states, leave_kib)

        undone = cramped.tb("undo")

        os.remove(filler)
        outcomes.add(undone.status)
        if undone.status == 3:
            assert (undone.code, cramped.files()) == ("storage_full", start), leave_kib
            undone = cramped.tb("undo")
        assert undone.json["undone"] == [2], leave_kib
        assert cramped.tb("redo").status == 0
        assert cramped.files() == start
    assert outcomes == {0, 3}
    assert cramped.tb("doctor").status == 0


@pytest.mark.trap(17)
def test_full_before_a_command_begins(cramped):
    """Where there is no room to say that a command is at work, that is said, it does not begin, and nothing is left."""
    cramped.tb("status")
    state = cramped.state
    filler = fill(cramped.states)

    with pytest.raises(StorageFull), at_work.announced(str(state), {"actor": "agent:a"}):
        pytest.fail("it began")

    assert list((state / "commands").iterdir()) == []
    os.remove(filler)
    assert cramped.process("run", "--", "touch", "ran").returncode == 0


@pytest.mark.trap(17)
def test_over_the_cap_old_content_goes(scene):
    """Over its cap the store lets go of the oldest content and says what went; the last hundred operations stay."""
    config = scene.base / "home" / ".config" / "takeback"
    config.mkdir(parents=True)
    (config / "config.toml").write_text("[store]\nmax_bytes = 1_048_576\n")
    scene.write("f", "0\n")
    with scene.opened() as workspace:
        for number in range(1, 130):
            scene.write("f", f"{number}\n" + os.urandom(10_000).hex())
            assert recording.record(workspace, "agent:a", "") is not None

    cleaned = scene.tb("gc")

    (one,) = cleaned.json["collected"]
    assert (one["contents"], one["before"]) == (28, 30)
    assert one["freed_bytes"] > 28 * 10_000
    assert scene.tb("show", "2").json["operations"][0]["changes"][0]["reason"] == "expired"
    assert scene.tb("undo").status == 0
    assert scene.read("f").startswith("128\n")
    assert scene.tb("doctor").status == 0


@pytest.mark.trap(17)
def test_a_limit_on_file_size_is_no_room(scene):
    """Where files may not grow beyond a limit, a recording that would need more says so and records nothing."""
    scene.write("f", "one\n")
    assert scene.process("status").returncode == 0
    scene.write("f", os.urandom(2_000_000))
    limited = ("prlimit", "--fsize=1000000", "--")

    failed = scene.process("record", "--json", under=limited)

    assert (failed.returncode, json.loads(failed.stdout)["error"]["code"]) == (3, "storage_full"), failed
    assert scene.tb("log").json["operations"][0]["changes"][0]["captured"]
    assert scene.tb("undo").status == 0
    assert scene.read("f") == "one\n"


@pytest.mark.trap(17)
def test_every_word_for_a_full_disk_is_understood():
    """Whatever libgit2 or the system calls it, no room is StorageFull."""
    for number in (28, 122):
        with pytest.raises(StorageFull), storing("x"):
            raise OSError(number, os.strerror(number))
