"""Tool calls of agents that are under way: each is a file that counts while the agent's process lives.

calls/<digest>    who it is, which paths it names or that it is a command, and what it has to share them with

An edit that is over is kept for a moment, with the moment it `ended`: agents tell of an end twice, or in other words.

What comes before a call and what comes after it are two processes, so nothing can be held in between.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from takeback import regular
from takeback.files.alive import Process, is_alive
from takeback.files.faults import explained

FOLDER = "calls"
_KNOWN = frozenset(
    {"actor", "session", "process", "at", "began", "paths", "contested", "since", "source", "ends"}
)
"""What is known of every call; `ends` is how often its end is still to be told, as often as its beginning was."""
_UNTIED_S = 3600
"""How long a call counts whose process is not known."""


_IN_THE_WAY = (FileExistsError, IsADirectoryError, NotADirectoryError)


def name_of(actor: str, session: str, call: str) -> str:
    """What the call is named here."""
    return hashlib.sha256(f"{actor}\0{session}\0{call}".encode("utf-8", "surrogatepass")).hexdigest()[:24]


def put(state: str, name: str, body: Mapping[str, Any]) -> None:
    """This call is under way. `body` has what is known of every call: `_KNOWN`. Raises StorageFull without room.

    Where something else is in its place, nobody gets to know.
    With `turnless` it has paths that another session of the same agent has a call under way on.
    """
    folder = os.path.join(state, FOLDER)
    new = os.path.join(folder, f".{name}")
    with explained("say which call is under way in", folder), suppress(*_IN_THE_WAY):
        os.makedirs(folder, mode=0o700, exist_ok=True)
        with open(new, "w", encoding="utf-8") as file:
            json.dump(body, file)
        os.replace(new, os.path.join(folder, name))


def end(state: str, name: str, at_ns: int) -> dict[str, Any] | None:
    """The end of an edit is told; what it was, if that was still to come."""
    body = _body(state, name)
    if body is None or not body["ends"]:
        return None
    left = body["ends"] - 1
    put(state, name, {**body, "ends": left, **({} if left else {"ended": at_ns})})
    return body


def give_up(state: str, name: str, body: Mapping[str, Any], at_ns: int) -> None:
    """The call is under way no longer, whether its end is still told or not."""
    put(state, name, {**body, "ended": at_ns})


def drop(state: str, name: str) -> None:
    """Nobody needs to know of this call any more."""
    with suppress(FileNotFoundError, *_IN_THE_WAY):
        os.unlink(os.path.join(state, FOLDER, name))


def forget(state: str, before_ns: int) -> None:
    """Nobody needs to know any more of calls that ended before that."""
    for name, body in known(state).items():
        if body.get("ended", before_ns) < before_ns:
            drop(state, name)


def under_way(state: str) -> dict[str, dict[str, Any]]:
    """What each call is that is under way, by name; what dead ones left is removed."""
    found = all_of(state)
    for name, body in tuple(found.items()):
        if not _counts(body):
            drop(state, name)
            del found[name]
    return found


def all_of(state: str) -> dict[str, dict[str, Any]]:
    """The same, and what dead ones left."""
    return {name: body for name, body in known(state).items() if "ended" not in body}


def known(state: str) -> dict[str, dict[str, Any]]:
    """The same, and what is over since a moment."""
    names = regular.names(os.path.join(state, FOLDER))
    return {name: body for name in names if (body := _body(state, name)) is not None}


def process_in(body: Mapping[str, Any]) -> Process | None:
    """The process of the agent, as a message has it."""
    process = body["process"]
    return (process[0], process[1], process[2]) if process else None


def _counts(body: Mapping[str, Any]) -> bool:
    process = process_in(body)
    if process is not None and not is_alive(process):
        return False
    return process is not None or time.time_ns() - body["at"] < _UNTIED_S * 1_000_000_000


def _body(state: str, name: str) -> dict[str, Any] | None:
    try:
        with open(os.path.join(state, FOLDER, name), encoding="utf-8") as file:
            body = json.load(file)
    except (FileNotFoundError, ValueError, *_IN_THE_WAY):
        return None
    return body if isinstance(body, dict) and body.keys() >= _KNOWN else None  # else another version wrote it
