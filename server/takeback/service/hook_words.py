"""What stands in an entry of the spool, as whoever takes it in reads it: which call, which session, which files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from takeback.files.reading import Reading, Stat
from takeback.model.paths import WorkspacePath, workspace_path
from takeback.model.state import FileKind
from takeback.service import calls, spool

_TEXTS = ("actor", "doing", "session", "call")
"""What every hook says in text."""
_PROCESS_PARTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """What a hook read at one path."""

    path: WorkspacePath
    reading: Reading
    must_look: bool
    """It was not read, so what is there now has to do."""


def is_understood(body: Mapping[str, Any]) -> bool:
    """Whether a hook of this version may have written it: another one may have other words for who and what."""
    process = body.get("process")
    is_process = process is None or (isinstance(process, list) and len(process) == _PROCESS_PARTS)
    return is_process and all(isinstance(body.get(key), str) for key in _TEXTS)


def files_of(entry: spool.Entry) -> list[File]:
    """The files that a hook named. Raises ValueError, KeyError, TypeError or UsageError for what no hook writes."""
    described = entry.body["files"]
    return [_file(one, content) for one, content in zip(described, entry.contents, strict=True)]


def _file(described: Mapping[str, Any], content: bytes) -> File:
    kind = FileKind(described["kind"]) if described["kind"] else None
    stat = Stat(size_bytes=len(content), mtime_ns=0, ctime_ns=0, inode=0, mode=described["mode"])
    reading = Reading() if kind is None else Reading(stat=stat, kind=kind, data=content)
    return File(path=workspace_path(described["path"]), reading=reading, must_look=bool(described["look"]))


def name_of(body: Mapping[str, Any]) -> str:
    """The name of the call that `body` is of."""
    return calls.name_of(str(body.get("actor")), str(body.get("session")), str(body.get("call")))


def session_of(body: Mapping[str, Any]) -> tuple[Any, Any]:
    """The session of an agent that `body` is of."""
    return body.get("actor"), body.get("session")


def call_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """What is to be known of a call that begins."""
    kept = {key: body[key] for key in ("actor", "session", "process", "at")}
    return {**kept, "began": body["at"], "paths": [], "contested": [], "since": 0, "source": None, "ends": 1}
