"""What hooks tell, until somebody takes it in: one file each in the state folder, in the order in which they came.

spool/000000000007    a line of JSON, then the content of the files that it names

A hook waits for no lock: it makes its file under the next free name in one step, or not at all. Imports little, because
a hook runs at every tool call of an agent.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from takeback import regular
from takeback.files.faults import explained

FOLDER = "spool"
_DIGITS = 12
_LEFT_S = 600
"""A hook takes milliseconds: what is older and has no name never gets one."""
_ATTEMPTS = 1000
"""So many hooks at once may want the same name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that a hook told."""

    name: str
    body: Mapping[str, Any]
    contents: tuple[bytes, ...]


def put(state: str, body: Mapping[str, Any], contents: Sequence[bytes]) -> None:
    """Leave this for whoever takes it in. Raises OSError if it cannot be kept."""
    folder = os.path.join(state, FOLDER)
    with suppress(FileExistsError):
        os.mkdir(folder, 0o700)
    sizes = [len(content) for content in contents]
    head = json.dumps({**body, "sizes": sizes}).encode() + b"\n"
    new = os.path.join(folder, f".{os.getpid()}-{secrets.token_hex(4)}")
    try:
        with open(new, "xb", opener=_private) as file:
            file.writelines((head, *contents))
        _name(new, folder)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(new)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)


def _name(new: str, folder: str) -> None:
    """Give it the next name. No clock decides the order: a link is made under one name only once."""
    names = _names(folder)
    number = int(names[-1]) + 1 if names else 1
    for attempt in range(_ATTEMPTS):
        with suppress(FileExistsError):
            os.link(new, os.path.join(folder, f"{number + attempt:0{_DIGITS}}"))
            return
    raise FileExistsError(f"no name is free in {folder}")


def pending(state: str) -> list[str]:
    """The names of what waits, oldest first."""
    return _names(os.path.join(state, FOLDER))


def _names(folder: str) -> list[str]:
    return sorted((name for name in regular.names(folder) if name.isascii() and name.isdigit()), key=int)


def read(state: str, name: str) -> Entry | None:
    """What waits under this name; `None` if it is gone. Raises ValueError if it is not what a hook wrote.

    Raises TakebackError if it cannot be read.
    """
    path = os.path.join(state, FOLDER, name)
    with explained("take in what a hook told in", path):
        try:
            with open(path, "rb") as file:
                head, _, rest = file.read().partition(b"\n")
        except FileNotFoundError:
            return None
    body = json.loads(head)
    contents = []
    for size in body["sizes"]:
        contents.append(rest[:size])
        rest = rest[size:]
    if rest or any(len(content) != size for content, size in zip(contents, body["sizes"], strict=True)):
        raise ValueError(f"{name} is not whole")
    return Entry(name=name, body=body, contents=tuple(contents))


def heads(state: str, names: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """What waits under these names without the content of files; what cannot be understood is left out."""
    for name in names:
        with suppress(OSError, ValueError), open(os.path.join(state, FOLDER, name), "rb") as file:
            head = json.loads(file.readline())
            if isinstance(head, dict):
                yield head


def drop(state: str, name: str) -> None:
    """This has been taken in."""
    with suppress(FileNotFoundError):
        os.unlink(os.path.join(state, FOLDER, name))


@contextmanager
def taking(state: str) -> Iterator[None]:
    """While this lasts, nobody else takes anything in. Hooks never ask for it."""
    path = os.path.join(state, FOLDER, ".taking")
    with explained("take in what hooks told with", path):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        _clear(os.path.join(state, FOLDER))
        yield
    finally:
        os.close(descriptor)


def _clear(folder: str) -> None:
    """Remove what hooks left that were killed before they gave it a name."""
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        number = name[1:].partition("-")[0]
        with suppress(OSError):
            if number.isdigit() and name.startswith(".") and time.time() - os.stat(path).st_mtime > _LEFT_S:
                os.unlink(path)
