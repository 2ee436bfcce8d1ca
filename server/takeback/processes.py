"""Running the user's commands, and asking whether a process still lives. The only module that imports subprocess."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from takeback.errors import NotFound, UsageError

NOT_EXECUTABLE = 126
NOT_FOUND = 127
SIGNALLED = 128
"""A command that signal n ended has status 128 + n, as in a shell. Source: POSIX, Shell Command Language, 2.8.2."""

FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a command ended."""

    status: int
    """The command's own exit status; 126, 127 and 128 + n as in a shell."""
    problem: str | None = None
    """A sentence on why it could not be started; `None` if it was."""


def run_command(argv: Sequence[str], cwd: str, env: Mapping[str, str]) -> Ended:
    """How `argv` ended, run in `cwd` with our own terminal (stdin, stdout, stderr) and process group.

    SIGINT, SIGTERM and SIGHUP reach the command, and we outlive it, so that its effects can be recorded. What a
    keyboard sends the terminal gives to both already, and it is not given twice: a second Ctrl-C means more than
    the first. Signals are handed on from the main thread only. Raises UsageError if nothing is to be run, NotFound
    if `cwd` is no folder.
    """
    if not argv:
        raise UsageError("no command given", hint="Name it after `--`: `takeback run -- make test`.")
    if not os.path.isdir(cwd):
        raise NotFound(f"{cwd} is no folder", hint="Name an existing folder with `-C DIR`.")
    with _outliving_signals() as running:
        try:
            child = subprocess.Popen(list(argv), cwd=cwd, env=dict(env))
        except FileNotFoundError:
            return Ended(status=NOT_FOUND, problem=f"{argv[0]}: not found")
        except (OSError, ValueError) as error:  # ValueError: a NUL character in an argument
            return Ended(status=NOT_EXECUTABLE, problem=f"{argv[0]}: {_sentence(error)}")
        running.started(child)
        code = child.wait()
    return Ended(status=code if code >= 0 else SIGNALLED - code)


def _sentence(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


class _Running:
    """The command that signals are handed on to, and those that came before it was there."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._early: list[int] = []

    def started(self, child: subprocess.Popen[bytes]) -> None:
        self._child = child
        for number in self._early:
            child.send_signal(number)

    def on_signal(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGINT and _is_in_foreground():
            return
        if self._child is None:
            self._early.append(number)
        else:
            self._child.send_signal(number)


@contextmanager
def _outliving_signals() -> Iterator[_Running]:
    """Hands signals on while it lasts. One that is ignored (nohup) stays ignored, for the command too."""
    running = _Running()
    before = {}
    if threading.current_thread() is threading.main_thread():
        handled = [number for number in FORWARDED if signal.getsignal(number) is not signal.SIG_IGN]
        before = {number: signal.signal(number, running.on_signal) for number in handled}
    try:
        yield running
    finally:
        for number, handler in before.items():
            # `None` stands for a handler that Python did not set and cannot set again.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def _is_in_foreground() -> bool:
    """Whether a terminal's keyboard signals go to our process group, and so to the command as well."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


def process_started(pid: int) -> str | None:
    """A mark of when process `pid` began, the same for as long as it lives; `None` if there is no such process.

    Compare it for equality only: it tells a process from a later one with the same number. A zombie is dead.
    Source: proc(5), /proc/PID/stat, fields 3 and 22.
    """
    if sys.platform != "linux":
        return _started_by_ps(pid)
    else:  # noqa: RET505 - mypy knows the other branch of a platform only by its `else`
        try:
            with open(f"/proc/{pid}/stat", "rb") as stat:
                # The name, field 2, may hold spaces and parentheses; after the last one fields are plain.
                fields = stat.read().rpartition(b")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return None
        return None if fields[0] in (b"Z", b"X") else f"{_boot_id()}:{fields[19].decode()}"


def pid_alive(pid: int, started: str) -> bool:
    """Whether the process that had this number and this mark still lives."""
    return process_started(pid) == started


def _boot_id() -> str:
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as boot_id:
        return boot_id.read().strip()


def _started_by_ps(pid: int) -> str | None:
    asked = ["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)]
    answer = subprocess.run(
        asked, capture_output=True, check=False, text=True, encoding="utf-8", env={"LC_ALL": "C"}
    )
    state, _, began = answer.stdout.strip().partition(" ")
    return began.strip() if began and not state.startswith("Z") else None
