"""Commands run in the user's terminal, and end as in a shell."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time

import pytest

from takeback.errors import NotFound, UsageError
from takeback.processes import pid_alive, process_started, run_command

SERVER = os.path.join(os.path.dirname(__file__), "..", "..", "server")


def run(*argv, cwd="/", env=None):
    """How a command ended."""
    return run_command(argv, cwd, env if env is not None else {"PATH": os.environ["PATH"]})


@pytest.mark.parametrize(
    ("script", "status"),
    [
        ("exit 0", 0),
        ("exit 7", 7),
        ("exit 255", 255),
        ("kill -TERM $$", 128 + 15),
        ("kill -KILL $$", 128 + 9),
    ],
)
def test_status_is_the_commands(script, status):
    """The exit status is the command's own; a signal n that ended it is 128 + n."""
    ended = run("sh", "-c", script)
    assert (ended.status, ended.problem) == (status, None)


def test_not_found_is_127():
    """A command that does not exist has status 127, and a sentence says so."""
    ended = run("no-such-command-here")
    assert (ended.status, ended.problem) == (127, "no-such-command-here: not found")


@pytest.mark.parametrize("content", ["#!/bin/sh\nexit 0\n", "no program at all"])
def test_not_executable_is_126(tmp_path, content):
    """A file without the permission to run, or that is no program, has status 126."""
    script = tmp_path / "script"
    script.write_text(content, encoding="utf-8")
    if not content.startswith("#!"):
        script.chmod(0o755)
    ended = run(str(script))
    assert ended.status == 126
    assert ended.problem is not None


def test_folder_and_environment_are_the_given_ones(tmp_path):
    """The command sees the folder and the environment it was given, and no other."""
    assert (
        run("sh", "-c", 'test "$PWD" = "$HERE"', cwd=str(tmp_path), env={"HERE": str(tmp_path)}).status == 0
    )


def test_nothing_to_run_is_a_usage_error():
    """An empty command is refused with a sentence."""
    with pytest.raises(UsageError):
        run()


def test_a_missing_folder_is_not_a_missing_command(tmp_path):
    """A folder that does not exist is our own failure, never the command's 127."""
    with pytest.raises(NotFound):
        run("true", cwd=str(tmp_path / "gone"))


def test_the_terminal_is_inherited(tmp_path):
    """The command reads our standard input and writes to our standard output and error."""
    ran = _in_a_process("cat; echo problem >&2", tmp_path)
    out, err = ran.communicate("text", timeout=20)
    assert (out, err, ran.returncode) == ("text", "problem\n", 0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_reach_the_command_and_we_outlive_it(tmp_path, number):
    """A signal to us ends the command in its own way, and we report its status afterwards."""
    script = f'trap "echo caught; exit 5" {number.name[3:]}; echo ready; while :; do sleep 0.05; done'
    ran = _in_a_process(script, tmp_path)
    assert ran.stdout.readline() == "ready\n"
    ran.send_signal(number)
    out, _err = ran.communicate(timeout=20)
    assert (out, ran.returncode) == ("caught\n", 5)


@pytest.mark.skipif(shutil.which("setsid") is None, reason="setsid gives a process a terminal of its own")
def test_what_is_typed_at_the_terminal_is_not_repeated(tmp_path):
    """The terminal itself gives Ctrl-C to the command; from us it would be a second one, which means more.

    The command here leaves our process group, so that only what we repeat could reach it.
    """
    counts = (
        "import os, signal, sys; caught = []; os.setpgid(0, 0)\n"
        "signal.signal(signal.SIGINT, lambda *_: caught.append(1))\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(5 + len(caught)))\n"
        "print('ready', flush=True)\n"
        "while True: signal.pause()"
    )
    ours, theirs = os.openpty()
    with os.fdopen(ours, "r+b", buffering=0) as terminal:
        script = f"exec {shlex.quote(sys.executable)} -c {shlex.quote(counts)}"
        ran = _in_a_process(script, tmp_path, prefix=["setsid", "--ctty"], stdin=theirs)
        os.close(theirs)
        assert ran.stdout.readline() == "ready\n"
        terminal.write(b"\x03")
        assert terminal.read(2) == b"^C"
        ran.send_signal(signal.SIGTERM)
        ran.communicate(timeout=20)
    assert ran.returncode == 5


def test_an_ignored_signal_stays_ignored(tmp_path):
    """Under nohup neither we nor the command hear a hangup."""
    ran = _in_a_process("kill -HUP $$ $PPID; echo still here", tmp_path, prefix=["nohup"])
    out, _err = ran.communicate(timeout=20)
    assert (out, ran.returncode) == ("still here\n", 0)


def test_handlers_are_put_back():
    """After a command our own handling of signals is what it was."""
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    run("true")
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before


def test_a_process_is_known_by_number_and_start():
    """A process lives until it ends; a mark of another process with its number is not taken for it."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as child:
        started = process_started(child.pid)
        assert started is not None
        assert pid_alive(child.pid, started)
        assert not pid_alive(child.pid, started + "0")
    assert not pid_alive(child.pid, started)
    assert process_started(child.pid) is None


def test_a_zombie_is_dead():
    """A process that ended counts as dead, also while nobody has asked for its status."""
    with subprocess.Popen(["true"]) as child:
        deadline = time.monotonic() + 20
        while process_started(child.pid) is not None:
            assert time.monotonic() < deadline
        assert child.returncode is None


def _in_a_process(script, cwd, prefix=(), stdin=subprocess.PIPE):
    """A process of its own, without a terminal, that runs `sh -c script` through `run_command`."""
    heard = (
        ""
        if "nohup" in prefix
        else "signal.signal(1, signal.SIG_DFL); signal.signal(2, signal.default_int_handler); "
    )
    code = (
        # Whoever runs the tests in the background may have told all below not to hear some signals.
        f"import os, signal, sys; {heard}from takeback.processes import run_command; "
        f"sys.exit(run_command(['sh', '-c', {script!r}], {str(cwd)!r}, os.environ).status)"
    )
    return subprocess.Popen(
        [*prefix, sys.executable, "-c", code],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        start_new_session=not prefix or prefix[0] != "setsid",
        env={**os.environ, "PYTHONPATH": SERVER},
    )
