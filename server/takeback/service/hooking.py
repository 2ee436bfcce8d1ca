"""What a hook does: understand what an agent says, read the files that it names, and leave both in the spool.

Then it wakes the recorder; everything else is done by whoever takes it in (`taking_in`). It runs at every tool call, between an agent and its work. So it imports neither libgit2 nor SQLite nor click, waits a
moment for a recorder and for nobody else, and whatever fails becomes a line in a log and nothing worse.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from takeback.agents.decoding import Doing, Event, decode
from takeback.errors import TakebackError, WorkspaceRefused
from takeback.files import alive
from takeback.files.reading import Reading, read_at
from takeback.folders import state_folder
from takeback.model.paths import WorkspacePath, workspace_path
from takeback.model.state import FileKind
from takeback.service import line, spool

WAKE_S = 0.25
"""How long a recorder is waited for, so that it knows what is announced before the tool writes."""
_MAX_BYTES = 4 << 20
"""A larger file is read by whoever takes it in: a copy of it would cost the agent more time than a hook may."""
_EDITS = frozenset({Doing.BEFORE_EDIT, Doing.AFTER_EDIT})
_FILE_CLOCK = 5
"""Linux's CLOCK_REALTIME_COARSE, for which Python has no name. Kernels before 6.13 stamp files with it."""
_TICKS_MS = 20
"""A tick of that clock lasts 10 ms at most; if it does not come, somebody has put the clock back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A workspace that has history."""

    root: str
    state: str


def told(agent: str, said: bytes, event: str, folder: str, environ: Mapping[str, str]) -> bool:
    """Keep what an agent said on its hook's input, for each workspace that it concerns.

    `folder` is where the agent works if it does not say; empty if that is gone. The result is whether somebody who records has taken it in,
    or nothing was to be kept. Raises ValueError for what no agent says, OSError if it cannot be kept.
    """
    found = decode(json.loads(said), event)
    if found is None:
        return True
    at_ns = (
        time.time_ns()
    )  # before the files are read: what is recorded later than this is newer than what they held
    body = _body(agent, found, at_ns)
    here = os.path.join(folder, found.folder)
    answers = [_keep(place, body, paths) for place, paths in _concerned(found, here, environ)]
    has_heard = all(answers)
    if not has_heard and found.doing not in _EDITS:
        _let_files_be_newer(at_ns)
    return has_heard


def _let_files_be_newer(at_ns: int) -> None:
    """Wait until a file that is written next is stamped later than this moment.

    Where nobody records, times tell what came before a command, and Linux stamps a file with the time of its last tick.
    """
    for _ in range(_TICKS_MS if sys.platform == "linux" else 0):
        if time.clock_gettime_ns(_FILE_CLOCK) > at_ns:
            return
        time.sleep(0.001)


def _body(agent: str, event: Event, at_ns: int) -> dict[str, Any]:
    process = alive.caller()
    session = event.session or (f"process {process[0]} {process[1]}" if process else "")
    return {
        "version": 1,
        "id": f"{at_ns}-{os.getpid()}",
        "at": at_ns,
        "actor": f"agent:{agent}",
        "doing": event.doing.value,
        "session": session,
        "call": event.call,
        "label": event.label,
        "duration_ms": event.duration_ms,
        "has_before": event.has_before,
        "process": process,
    }


def _concerned(event: Event, here: str, environ: Mapping[str, str]) -> Iterator[tuple[Place, list[str]]]:
    """The workspaces that the event concerns, each with the files in it that were named."""
    if event.doing not in _EDITS:
        place = place_of(here, environ)
        if place is not None:
            yield place, []
        return
    found: dict[Place, list[str]] = {}
    for path in dict.fromkeys(_real(os.path.join(here, path) for path in event.paths)):
        place = place_of(os.path.dirname(path), environ)
        if place is not None:
            found.setdefault(place, []).append(path)
    yield from found.items()


def _real(paths: Iterable[str]) -> Iterator[str]:
    """Where each path really is, and, if that is a link, where it leads: writing goes through it."""
    for path in paths:
        yield os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
        yield os.path.realpath(path)


def place_of(folder: str, environ: Mapping[str, str]) -> Place | None:
    """The nearest workspace at or above `folder` that has history; none is begun here: that takes too long."""
    root = os.path.realpath(folder)
    while True:
        with suppress(WorkspaceRefused):
            state = state_folder(root, environ)
            if os.path.exists(os.path.join(state, "journal.db")):
                return Place(root=root, state=state)
        if root == os.path.dirname(root):
            return None
        root = os.path.dirname(root)


def _keep(place: Place, body: Mapping[str, Any], paths: list[str]) -> bool:
    files, contents = [], []
    for path in paths:
        with suppress(TakebackError):  # inside a `.git`, say: nothing there is recorded
            relative = workspace_path(os.path.relpath(path, place.root))
            described, content = _read(path, relative)
            files.append(described)
            contents.append(content)
    if not files and body["doing"] in _EDITS:
        return True
    spool.put(place.state, {**body, "files": files}, contents)
    return wake(place.state)


def wake(state: str) -> bool:
    """Whether the recorder of this state folder has taken in what waits. Waits a moment, and never longer."""
    return line.ask(line.address(state, "socket"), {"do": "hear"}, WAKE_S) is not None


def _read(path: str, relative: WorkspacePath) -> tuple[dict[str, Any], bytes]:
    """What is at `path` now, in words and as content."""
    found = _reading(path)
    described = {
        "path": relative,
        "kind": found.kind.value if found.kind else None,
        "mode": found.stat.mode if found.stat else 0,
        "look": found.reason is not None or found.kind is FileKind.DIRECTORY,
    }
    return described, found.data or b""


def _reading(path: str) -> Reading:
    try:
        folder = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return Reading()
    try:
        return read_at(folder, os.path.basename(path), _MAX_BYTES)
    finally:
        os.close(folder)
