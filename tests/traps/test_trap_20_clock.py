"""Trap 20: times that lie."""

import os
import time

import pytest

from takeback.service import looking, recording

HOUR_NS = 3600 * 10**9


def written_within(path, content, times):
    """The file has other content of the same length, written in place, and shows the times it had before."""
    with path.open("r+b") as file:
        file.write(content)
    os.utime(path, ns=times)


@pytest.mark.parametrize("offset_ns", [-HOUR_NS, 0, HOUR_NS, 10 * 365 * 24 * HOUR_NS])
@pytest.mark.trap(20)
def test_a_write_that_shows_an_old_time_is_found(scene, offset_ns):
    """Same size, same inode, same mtime, whether past, present or future: the write is found all the same."""
    path = scene.root / "f"
    scene.write("f", "one\n")
    times = (0, time.time_ns() + offset_ns)
    os.utime(path, ns=times)
    scene.tb("status")
    scene.tb("status")

    for content in b"two\n", b"six\n":
        written_within(path, content, times)
        assert scene.record() is not None
    assert scene.tb("undo", "2").status == 0
    assert scene.read("f") == "one\n"


@pytest.mark.trap(20)
def test_a_write_in_the_second_of_the_look_is_found(scene):
    """A write right behind the look that read the file, within one tick of the clock, is found by the next look."""
    path = scene.root / "f"
    scene.write("f", "0000\n")
    scene.tb("status")
    with scene.opened() as workspace:
        for number in range(1, 60):
            path.write_bytes(b"%04d\n" % number)
            found = recording.record(workspace, "agent:a", "")
            assert found is not None
            assert found.id == number


@pytest.mark.trap(20)
def test_the_clock_jumps_back_an_hour(scene):
    """Operations recorded after the jump follow those before it, and are found, undone and redone in that order."""
    now = [time.time_ns()]
    scene.write("f", "0\n")
    with scene.opened(clock=lambda: now[0]) as workspace:
        for number in range(1, 5):
            scene.write("f", f"{number}\n")
            assert recording.record(workspace, "agent:a", "").id == number
            now[0] -= HOUR_NS
        found = looking.log(workspace, looking.Wanted())

    assert [one.id for one in found] == [4, 3, 2, 1]
    assert found[0].at_ns < found[-1].at_ns
    for content in "3\n", "2\n", "1\n", "0\n":
        assert scene.tb("undo").status == 0
        assert scene.read("f") == content


@pytest.mark.trap(20)
def test_a_look_whose_clock_is_wrong_proves_nothing(scene):
    """The clock of a look is a year ahead, or behind: what is written afterwards is found."""
    path = scene.root / "f"
    scene.write("f", "one\n")
    for year in 1, -1:
        with scene.opened(clock=lambda year=year: time.time_ns() + year * 365 * 24 * HOUR_NS) as workspace:
            recording.sync(workspace)
            recording.sync(workspace)
        path.write_text(f"{year:3}\n")
        assert scene.record() is not None


@pytest.mark.trap(20)
def test_a_file_replaced_by_an_older_one_is_found(scene):
    """`mv` and `cp -p` bring files with old times and the same size: they are found."""
    scene.write("f", "one\n")
    scene.write("backup", "two\n")
    os.utime(scene.root / "backup", ns=(0, 0))
    scene.tb("status")
    scene.tb("status")

    os.replace(scene.root / "backup", scene.root / "f")

    assert scene.record() is not None
    assert scene.tb("undo").status == 0
    assert (scene.read("f"), scene.read("backup")) == ("one\n", "two\n")
