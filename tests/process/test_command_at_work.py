"""What a command writes is one operation by it, whoever looks, records or dies meanwhile."""

import subprocess
import sys
from contextlib import contextmanager

import pytest

from takeback.service import at_work
from waiting import until, written

SCRIPT = "echo 1 > one; until [ -e go ]; do sleep 0.02; done; echo 2 > two; rm go"


@pytest.fixture
def start(scene):
    """How another takeback process in the workspace is started; all are killed at the end."""
    started = []

    def start(*words):
        command = [sys.executable, "-P", "-m", "takeback", *words]
        process = subprocess.Popen(
            command, cwd=scene.root, env=scene.env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stderr.close()


@pytest.fixture
def recorder(scene, start):
    """How a recorder is started that records when this returns."""

    def recorder():
        process = start("watch")
        until(lambda: scene.tb("status").json["recorder"] is not None)
        return process

    return recorder


@contextmanager
def running(scene, start, actor="agent:a"):
    """A command that has written one file, and writes another and ends after this."""
    command = start("run", "--actor", actor, "--", "sh", "-c", SCRIPT)
    written(scene.root / "one")
    yield command
    (scene.root / "go").touch()
    assert command.wait(30) == 0


def operations(scene):
    """Every operation, oldest first, with its actor and its paths."""
    found = scene.tb("log").json["operations"]
    return [(one["actor"], sorted(c["path"] for c in one["changes"])) for one in reversed(found)]


@pytest.fixture
def workspace(scene):
    """A workspace with a file."""
    scene.write("f", "one\n")
    scene.tb("init")
    return scene


@pytest.mark.trap(6)
@pytest.mark.parametrize("recorded", [False, True])
def test_reading_leaves_a_command_whole(workspace, start, recorder, recorded):
    """Whoever asks for the log or the status while a command runs takes nothing from it, and is told of it."""
    if recorded:
        recorder()
    with running(workspace, start):
        workspace.tb("log")
        notices = workspace.tb("status").json["notices"]

    assert notices == ["agent:a is at work: what it writes is recorded at its end"]
    assert workspace.tb("status").json["notices"] == []
    assert operations(workspace) == [("agent:a", ["one", "two"])]
    assert workspace.tb("undo").status == 0
    assert list(workspace.files()) == ["f"]


@pytest.mark.parametrize("recorded", [False, True])
def test_taking_back_meanwhile_knows_whose_it_is(workspace, start, recorder, recorded):
    """A checkpoint cannot wait for the end of a command: what was written so far is the command's all the same."""
    if recorded:
        recorder()
    with running(workspace, start):
        workspace.checkpoint()

    assert operations(workspace) == [("agent:a", ["one"]), ("agent:a", ["two"])]


def test_a_recorder_that_starts_meanwhile_takes_nothing(workspace, start, recorder):
    """An editor that is opened while a command runs leaves what it finds to the command."""
    with running(workspace, start):
        recorder()

    assert operations(workspace) == [("agent:a", ["one", "two"])]


def test_a_recorder_that_takes_over_takes_nothing(workspace, start, recorder):
    """The recorder dies while a command runs, and another follows: the operation is the command's, and one."""
    first = recorder()
    second = start("watch")
    with running(workspace, start):
        first.kill()
        until(lambda: workspace.tb("status").json["recorder"] == second.pid)

    assert operations(workspace) == [("agent:a", ["one", "two"])]


def test_a_killed_command_is_at_work_no_longer(workspace, start, recorder):
    """What a command wrote that was killed is recorded, and nothing waits for it any more."""
    command = start("run", "--", "sh", "-c", SCRIPT)
    written(workspace.root / "one")
    recorder()
    assert at_work.commands(str(workspace.state))
    command.kill()
    command.wait()

    until(lambda: operations(workspace) == [("unknown", ["one"])])
    assert at_work.commands(str(workspace.state)) == {}
    (workspace.root / "go").touch()
    written(workspace.root / "two")


def test_two_commands_at_once_share_the_doubt(workspace, start):
    """What was written while two commands ran is said to be of one or the other."""
    with running(workspace, start, "agent:b"):
        ended = workspace.process("run", "--actor", "agent:a", "--", "sh", "-c", "echo 3 > three")
        assert ended.returncode == 0

    found = workspace.tb("log").json["operations"]
    by_path = {c["path"]: (one["actor"], one["label"]) for one in found for c in one["changes"]}
    assert by_path["one"][0] == "agent:b"
    assert by_path["three"] == ("unknown", "perhaps agent:a or agent:b")
    assert by_path["two"][0] == "agent:b"
