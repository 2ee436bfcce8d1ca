"""Which process it is, and whether it still runs: a number alone names no process for long."""

from __future__ import annotations

import os
from contextlib import suppress

Process = tuple[int, int, str]
"""Its number, when it started (in ticks since the system did; 0: not known), and the namespace that counts it so."""

_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "fish", "ksh", "ash", "busybox", "env", "timeout", "nice"})
_GENERATIONS = 8
"""How far up a shell may stand behind another one."""


def caller() -> Process | None:
    """The program that this process was started by, shells in between left out; `None` where that cannot be told."""
    number = os.getppid()
    for _ in range(_GENERATIONS):
        found = _stat(number)
        if found is None or number <= 1:
            return None
        name, parent, started = found
        if name not in _SHELLS:
            return number, started, _namespace()
        number = parent
    return None


def is_alive(process: Process) -> bool:
    """Whether it still runs. What another namespace counts, or the system does not tell, is taken to run."""
    number, started, namespace = process
    if namespace != _namespace():
        return True
    found = _stat(number)
    return found is not None and found[2] == started


def _stat(number: int) -> tuple[str, int, int] | None:
    """Name, parent and start of a process that is no zombie. Source: proc_pid_stat(5)."""
    try:
        with open(f"/proc/{number}/stat", "rb") as file:
            head, _, rest = file.read().rpartition(b")")
    except OSError:
        return None
    fields = rest.split()
    if fields[0] in (b"Z", b"X"):
        return None
    return os.fsdecode(head.partition(b"(")[2]), int(fields[1]), int(fields[19])


def _namespace() -> str:
    with suppress(OSError):
        return os.readlink("/proc/self/ns/pid")
    return ""
