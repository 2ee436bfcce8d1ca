"""Which documents are open in which editor: every server says so in a file that counts only while it lives.

editors/<pid>-<random>.lock    held by the kernel for the server: a server that was killed is known by it
editors/<pid>-<random>.json    the documents, replaced in one step
editors/<pid>-<random>.shown/  copies to read, for an editor that can show nothing but files

A process id alone names no process: containers that share a state folder have the same ones.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from takeback.files.holders import is_held
from takeback.model.paths import WorkspacePath
from takeback.service import channel

SHOWN = "shown"
"""The kind of the folder with copies to read; it goes with the server."""

_FOLDER = "editors"
_OURS = f"{os.getpid()}-{secrets.token_hex(4)}"
"""This process, in any container."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Editor:
    """An editor with documents of this workspace open."""

    name: str
    address: str
    """Where its server can be asked to take something back."""
    pid: int
    dirty: frozenset[WorkspacePath]
    """Files over which it holds unsaved text."""


class Publication:
    """What the server of this process tells of its documents. Close it at the end."""

    def __init__(self, state: str, editor: str) -> None:
        self._folder = os.path.join(state, _FOLDER)
        os.makedirs(self._folder, mode=0o700, exist_ok=True)
        _remove_dead(self._folder)
        self.address = channel.address(state, f"server-{_OURS}")
        self._editor = editor
        self._told: Mapping[WorkspacePath, bool] | None = None
        self._lock = os.open(self._place("new"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.rename(self._place("new"), self._place("lock"))  # nobody finds it before it is held

    def tell(self, documents: Mapping[WorkspacePath, bool]) -> None:
        """Say which files are open, and whether with unsaved text. Costs nothing if that is known."""
        if documents == self._told:
            return
        self._told = dict(documents)
        body = {
            "editor": self._editor,
            "address": self.address,
            "documents": [{"path": path, "dirty": dirty} for path, dirty in documents.items()],
        }
        new = self._place("new")
        with open(new, "w", encoding="utf-8") as file:
            json.dump(body, file)
        os.replace(new, self._place("json"))

    def close(self) -> None:
        """Say that nothing is open any more."""
        shutil.rmtree(self._place(SHOWN), ignore_errors=True)
        for kind in ("json", "lock"):
            with suppress(FileNotFoundError):
                os.unlink(self._place(kind))
        os.close(self._lock)

    def _place(self, kind: str) -> str:
        return os.path.join(self._folder, f"{_OURS}.{kind}")


def editors(state: str) -> tuple[Editor, ...]:
    """The editors of other processes that have documents of this workspace open."""
    folder = os.path.join(state, _FOLDER)
    others = (name for name in _names(folder) if name != _OURS and is_held(_lock(folder, name)))
    return tuple(editor for editor in (_editor(folder, name) for name in others) if editor is not None)


def own_file(state: str, kind: str) -> str:
    """Where this process keeps a file about its documents."""
    return os.path.join(state, _FOLDER, f"{_OURS}.{kind}")


def left_files(state: str, kind: str) -> list[str]:
    """The files of this kind that nobody keeps any more: their servers were killed, or this one has just begun."""
    folder = os.path.join(state, _FOLDER)
    found = [
        name.removesuffix(f".{kind}") for name in sorted(os.listdir(folder)) if name.endswith(f".{kind}")
    ]
    left = [name for name in found if name == _OURS or not is_held(_lock(folder, name))]
    return [os.path.join(folder, f"{name}.{kind}") for name in left]


def drop_shown(state: str) -> int:
    """Remove the copies that editors were shown, alive or dead; how many there were."""
    folder = os.path.join(state, _FOLDER)
    shown = [os.path.join(folder, f"{name}.{SHOWN}") for name in _names(folder)]
    n = sum(len(os.listdir(place)) for place in shown if os.path.isdir(place))
    for place in shown:
        shutil.rmtree(place, ignore_errors=True)
    return n


def _remove_dead(folder: str) -> None:
    """Clear away what servers left that were killed."""
    for name in _names(folder):
        if not is_held(_lock(folder, name)):
            dead = _editor(folder, name)
            shutil.rmtree(os.path.join(folder, f"{name}.{SHOWN}"), ignore_errors=True)
            places = [os.path.join(folder, f"{name}.{kind}") for kind in ("json", "new", "lock")]
            for place in ([dead.address] if dead else []) + places:
                with suppress(FileNotFoundError):
                    os.unlink(place)


def _names(folder: str) -> list[str]:
    """Who published, dead or alive."""
    with suppress(FileNotFoundError):
        return sorted(name.removesuffix(".lock") for name in os.listdir(folder) if name.endswith(".lock"))
    return []


def _lock(folder: str, name: str) -> str:
    return os.path.join(folder, f"{name}.lock")


def _editor(folder: str, name: str) -> Editor | None:
    """What an editor told; `None` if it told nothing yet."""
    try:
        with open(os.path.join(folder, f"{name}.json"), encoding="utf-8") as file:
            body = json.load(file)
        dirty = frozenset(WorkspacePath(one["path"]) for one in body["documents"] if one["dirty"])
        pid = int(name.partition("-")[0])
        return Editor(name=body["editor"], address=body["address"], pid=pid, dirty=dirty)
    except (FileNotFoundError, ValueError, KeyError):
        return None
