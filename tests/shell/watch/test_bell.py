"""Who follows a journal is told when anybody has appended to it."""

from __future__ import annotations

import threading

import pytest

from takeback.service import running
from takeback.service.inbox import Inbox
from takeback.service.lease import Lease
from takeback.service.running import Running
from takeback.watch.bell import Bell
from waiting import WAIT_S

HOUR_S = 3600.0


@pytest.fixture
def follower(scene, monkeypatch):
    """A process that follows a workspace which another one records; nothing but a bell wakes it."""
    scene.write("f", "one\n")
    scene.tb("init")
    monkeypatch.setattr(running, "POLL_S", HOUR_S)
    lease = Lease(str(scene.state))
    assert lease.take()
    heard, waiting, inbox = [], threading.Semaphore(0), Inbox()

    def follow():
        with scene.opened() as workspace:
            found = Running(
                workspace, inbox, on_operations=lambda ops: (heard.extend(ops), waiting.release())
            )
            inbox.do(waiting.release)
            heard.append(found)
            found.run()

    thread = threading.Thread(target=follow)
    thread.start()
    waiting.acquire(timeout=WAIT_S)
    yield heard, waiting
    heard[0].stop()
    thread.join()
    lease.give_up()


def test_a_follower_is_told_of_an_operation(scene, follower):
    """What anybody records is told to a follower at once: it does not wait until it looks again."""
    heard, waiting = follower
    scene.write("f", "two\n")

    scene.record("agent:a")

    assert waiting.acquire(timeout=WAIT_S)
    assert [one.actor for one in heard[1:]] == ["agent:a"]


def test_a_bell_rings_for_what_is_appended(tmp_path):
    """A bell rings when a file grows, and no longer once it is closed."""
    path, rung = tmp_path / "journal.log", threading.Semaphore(0)
    path.touch()
    bell = Bell(str(path), rung.release)
    path.write_text("one")
    assert rung.acquire(timeout=WAIT_S)

    bell.close()


def test_a_bell_for_nothing_is_silent(tmp_path):
    """Where there is no file to watch, nothing rings and nothing fails."""
    Bell(str(tmp_path / "missing"), lambda: None).close()
