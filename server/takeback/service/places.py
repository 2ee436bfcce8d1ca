"""The paths that somebody names, as paths below the workspace."""

from __future__ import annotations

import os
from collections.abc import Iterable

from takeback.errors import UsageError
from takeback.model.paths import ROOT, WorkspacePath, workspace_path


def named(root: str, start: str, text: str) -> WorkspacePath:
    """The path below `root` that `text` names, relative to `start`. Raises UsageError for one outside."""
    return workspace_path(_relative(root, start, text))


def all_named(root: str, start: str, texts: Iterable[str]) -> tuple[WorkspacePath, ...]:
    """The same for several; the workspace itself is one too."""
    found = (_relative(root, start, text) for text in texts)
    return tuple(ROOT if one == os.curdir else workspace_path(one) for one in found)


def _relative(root: str, start: str, text: str) -> str:
    """The path from the workspace to what is named. A link is itself, unless it leads to the workspace from outside."""
    begin = "/" if text.startswith("/") else start
    full = os.path.normpath(os.path.join(os.path.realpath(begin), text))
    place = os.path.join(os.path.realpath(os.path.dirname(full)), os.path.basename(full))
    relative = os.path.relpath(place, root)
    if relative.split("/")[0] != os.pardir:
        return relative
    if os.path.realpath(full) == root:
        return os.curdir
    raise UsageError(f"{text!r} lies outside the workspace {root}", hint="Name a path inside it.")
