"""Which documents are open in which editor: every server says so in a file that counts only while it lives.

editors/<pid>.lock    held by the kernel for the server: a server that was killed is known by it
editors/<pid>.json    the documents, replaced in one step
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from takeback.model.paths import WorkspacePath
from takeback.service import channel

_FOLDER = "editors"


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
        self.address = channel.address(state, f"server-{os.getpid()}")
        self._editor = editor
        self._told: Mapping[WorkspacePath, bool] | None = None
        self._lock = os.open(self._place("lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

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
        for kind in ("json", "lock"):
            with suppress(FileNotFoundError):
                os.unlink(self._place(kind))
        os.close(self._lock)

    def _place(self, kind: str) -> str:
        return os.path.join(self._folder, f"{os.getpid()}.{kind}")


def editors(state: str) -> tuple[Editor, ...]:
    """The editors of other processes that have documents of this workspace open."""
    return tuple(editor for editor in _all(os.path.join(state, _FOLDER)) if editor.pid != os.getpid())


def _all(folder: str) -> Iterator[Editor]:
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError:
        return
    for name in names:
        pid, dot, kind = name.partition(".")
        if dot and kind == "json" and _lives(os.path.join(folder, f"{pid}.lock")):
            with suppress(FileNotFoundError, ValueError, KeyError):
                yield _editor(os.path.join(folder, name), int(pid))


def _editor(path: str, pid: int) -> Editor:
    with open(path, encoding="utf-8") as file:
        body = json.load(file)
    dirty = frozenset(WorkspacePath(one["path"]) for one in body["documents"] if one["dirty"])
    return Editor(name=body["editor"], address=body["address"], pid=pid, dirty=dirty)


def _lives(lock: str) -> bool:
    try:
        descriptor = os.open(lock, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)
