"""A look that two processes share."""

import os
import signal
import sys
import threading
import time
from contextlib import contextmanager

import pytest

from takeback.files import halves
from takeback.files.cache import StatCache
from takeback.files.halves import Helper
from takeback.files.scan import scan

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2, reason="needs Linux and two processors"
)
LATER_NS = 60_000_000_000


@pytest.fixture
def tree(root, monkeypatch):
    """A tree of 20 folders that counts as large, and the cache of a look at it."""
    if len(os.listdir("/proc/self/task")) > 1:
        pytest.skip("a process with threads, as under xdist, never shares a look")
    monkeypatch.setattr(halves, "MIN_FILES", 1)
    for number in range(20):
        (root / f"d{number:02}").mkdir()
        (root / f"d{number:02}" / "f").touch()
    return _look(root, StatCache()).cache


def test_a_shared_look_finds_what_a_single_one_finds(root, tree, monkeypatch):
    """Changed, new, removed and emptied folders are found in both halves."""
    for number in (0, 9, 10, 19):
        (root / f"d{number:02}" / "f").write_text("changed")
        (root / f"d{number:02}" / "new").touch()
    (root / "d05" / "f").unlink()
    (root / "d15" / "f").unlink()
    shared = _look(root, tree)

    monkeypatch.setattr(halves, "MIN_FILES", 1000)
    assert shared == _look(root, tree)
    assert shared.vanished == ("d05/f", "d15/f")
    assert shared.empty_folders == ("d05", "d15")
    assert len(shared.changed) == 8


def test_the_helper_proves_only_what_is_unchanged(root, tree):
    """In the helper's half a folder with a change is not proved, its neighbours are; in the other half none is."""
    later = list(tree.folders)[-1]
    neighbour = list(tree.folders)[-2]
    (root / later / "f").write_text("changed")

    with _helper(root, tree) as helper:
        assert helper.proves(neighbour)
        assert not helper.proves(later)
        assert not helper.proves("")
        assert not helper.proves("no/such")


def test_a_helper_that_dies_proves_nothing(root, tree):
    """When the other process is killed, the look finds all by itself, and no process is left."""
    with _helper(root, tree) as helper:
        os.kill(helper._pid, signal.SIGKILL)
        os.waitpid(helper._pid, 0)
        answers = [helper.proves(folder) for folder in tree.folders]

    assert len(answers) == 21
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_a_helper_that_is_not_asked_is_ended(root, tree):
    """A look that stops early leaves no process behind, even one with more to say than a pipe holds."""
    empty = tree.folders["d00"]
    for cache in (tree, StatCache(folders={f"gone{number}": empty for number in range(150_000)})):
        with _helper(root, cache):
            pass

    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_a_process_with_threads_is_never_forked(root, tree):
    """With a second thread, which might hold a lock, there is no helper."""
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    try:
        with _helper(root, tree) as helper:
            assert helper._pid == 0
            assert not any(helper.proves(folder) for folder in tree.folders)
    finally:
        stop.set()
        thread.join()


def _look(root, cache):
    return scan(
        str(root), cache, lambda _paths: frozenset(), started_ns=time.time_ns() + LATER_NS, max_files=1000
    )


@contextmanager
def _helper(root, cache):
    root_fd = os.open(root, os.O_RDONLY)
    try:
        with Helper(root_fd, cache) as helper:
            yield helper
    finally:
        os.close(root_fd)
