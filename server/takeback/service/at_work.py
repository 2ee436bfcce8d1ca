"""Which commands are at work: each says so in a file that counts only while its process lives.

commands/<pid>-<random>    who it is; held by the kernel for the process that runs the command

Commands of agents that their hooks told of are calls under way (`calls`), and count here too.

So every process knows whose the writes of this moment are, whether somebody records or not.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from takeback import regular
from takeback.files.faults import explained
from takeback.files.holders import said
from takeback.service import calls

FOLDER = "commands"


@contextmanager
def announced(state: str, body: Mapping[str, Any]) -> Iterator[str]:
    """While this lasts, everybody finds `body` under the name that this gives. Raises StorageFull without room."""
    folder = os.path.join(state, FOLDER)
    name = f"{os.getpid()}-{secrets.token_hex(4)}"
    path = os.path.join(folder, name)
    with ExitStack() as stack:
        with explained("say who is at work in", folder):
            os.makedirs(folder, mode=0o700, exist_ok=True)
            _hold(path, json.dumps(body).encode(), stack)
        yield name


def _hold(path: str, words: bytes, stack: ExitStack) -> None:
    """Keep a file with these words, which nobody finds before it is held, until the stack ends."""
    new = path + ".new"
    descriptor = os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    stack.callback(os.close, descriptor)
    stack.callback(_remove, path)
    stack.callback(_remove, new)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    while words:  # the system may take a part before it says that there is no room
        words = words[os.write(descriptor, words) :]
    os.rename(new, path)


def _remove(path: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(path)


def commands(state: str) -> dict[str, dict[str, Any]]:
    """What the commands that are at work said of themselves, by name; what dead ones left is removed."""
    told = ((of_call(name), body["source"]) for name, body in calls.under_way(state).items())
    return _held(state) | {name: source for name, source in told if source is not None}


def of_call(name: str) -> str:
    """How a command is called here that an agent's hook told of."""
    return f"call-{name}"


def _held(state: str) -> dict[str, dict[str, Any]]:
    folder = os.path.join(state, FOLDER)
    names = [name for name in regular.names(folder) if not name.endswith(".new")]
    found = ((name, _body(os.path.join(folder, name))) for name in names)
    return {name: body for name, body in found if body is not None}


def processes(state: str) -> list[int]:
    """The processes that run a command at this moment, and record at its end."""
    told = (calls.process_in(body) for body in calls.under_way(state).values() if body["source"] is not None)
    held = (int(name.partition("-")[0]) for name in _held(state))
    return sorted({*held, *(process[0] for process in told if process is not None)})


def _body(path: str) -> dict[str, Any] | None:
    """What a command said, if it still runs."""
    words = said(path)
    if words is None:
        _remove(path)
        return None
    body: dict[str, Any] = json.loads(words)
    return body
