"""Takeback's program as users start it, and the memory that a process took."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import takeback as package
from bench.places import opened
from takeback.service import channel, recording

_WAIT_S = 120.0


def environment() -> dict[str, str]:
    """That of this process, with this Takeback first, wherever another one is installed."""
    here = os.path.dirname(os.path.dirname(os.path.abspath(package.__file__)))
    return {**os.environ, "PYTHONPATH": here}


def python(*arguments: str, folder: str = "/") -> bytes:
    """What this interpreter prints when it is started with `arguments`."""
    command = [sys.executable, "-P", *arguments]
    return subprocess.run(command, cwd=folder, env=environment(), stdout=subprocess.PIPE, check=True).stdout


def takeback(root: str, *arguments: str) -> bytes:
    """What `takeback` prints in `root`."""
    return python("-m", "takeback", *arguments, folder=root)


@contextmanager
def started(root: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of this interpreter in `root` with pipes to it; it is ended at the end."""
    command = [sys.executable, "-P", *arguments]
    pipe = subprocess.PIPE
    child = subprocess.Popen(
        command, cwd=root, env=environment(), stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL
    )
    try:
        yield child
    finally:
        child.send_signal(signal.SIGTERM)
        child.communicate()


@contextmanager
def recorder(root: str) -> Iterator[int]:
    """A recorder of the workspace at `root`, ready; its process id."""
    with opened(root) as workspace:
        address = recording.recorder_address(workspace)
    with started(root, "-m", "takeback", "watch") as child:
        deadline = time.monotonic() + _WAIT_S
        while channel.ask(address, {"do": "sync", "source": None}, _WAIT_S) is None:
            if time.monotonic() > deadline or child.poll() is not None:
                raise RuntimeError("the recorder did not start")
            time.sleep(0.05)
        yield child.pid


def peak_mib(pid: int | str = "self") -> float | None:
    """The most memory that a process ever held; `None` where the system does not say.

    `ru_maxrss` will not do: it counts what the parent held when it forked.
    """
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            found = next(line for line in status if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        return None
    return int(found.split()[1]) / 1024
