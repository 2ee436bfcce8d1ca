"""Paths inside a workspace: relative, `/`-separated, never leaving the root, never inside a `.git`.

Bytes outside UTF-8 are lone surrogates (`os.fsdecode`), so every name that the file system has can be kept.
"""

from __future__ import annotations

from typing import NewType

from takeback.errors import UsageError

WorkspacePath = NewType("WorkspacePath", str)
"""Relative to the root, without `.` or `..`, without a leading or trailing `/`."""

ROOT = WorkspacePath("")
"""The workspace itself, where a file or a folder can be named; nothing is recorded at it."""


def workspace_path(text: str) -> WorkspacePath:
    """The path that `text` names, normalised.

    Raises UsageError if it leaves the workspace, names the root itself, or lies inside a `.git`.
    """
    if text.startswith("/"):
        raise UsageError(f"{text!r} is absolute", hint="Name a path relative to the workspace.")
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise UsageError(f"{text!r} leaves the workspace")
    if not parts:
        raise UsageError(f"{text!r} names no file")
    if ".git" in parts:
        raise UsageError(f"{text!r} lies inside a git repository's own folder, which Takeback never touches")
    if any("\0" in part for part in parts):
        raise UsageError("a path cannot hold a NUL character")
    return WorkspacePath("/".join(parts))


def parent(path: WorkspacePath) -> str:
    """The folder that holds `path`; the empty string is the root."""
    return path.rpartition("/")[0]


def ancestors(path: WorkspacePath) -> tuple[WorkspacePath, ...]:
    """Every folder above `path` but the root, nearest first."""
    found = []
    while path := WorkspacePath(parent(path)):
        found.append(path)
    return tuple(found)


def rebased(path: WorkspacePath, source: WorkspacePath, target: WorkspacePath) -> WorkspacePath:
    """Where `path`, at or below `source`, is once that is `target`."""
    return WorkspacePath(target + path[len(source) :])


def is_within(path: WorkspacePath, folder: WorkspacePath) -> bool:
    """Whether `path` is `folder` or lies below it."""
    return folder in (ROOT, path) or path.startswith(folder + "/")
