"""Which workspace a call is about: the folder the server was started for, or one that the client has open."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from urllib.parse import unquote, urlsplit

from takeback.errors import UsageError, WorkspaceRefused
from takeback.service.opening import find_root


def chosen(folder: str | None, roots: Sequence[str], wanted: str | None) -> str:
    """The workspace, of those that the client may mean.

    Raises UsageError if there are several and none is named, or another one is.
    """
    known = (folder,) if folder is not None else _workspaces(roots or (_here(),))
    if wanted is None:
        return _only(known)
    if "\0" in wanted:
        raise UsageError("a path cannot hold a NUL character", hint="Name a folder.")
    place = os.path.realpath(path_of(wanted) or wanted)
    for one in known:
        if os.path.realpath(one) in (place, find_root(place, os.environ)):
            return one
    raise UsageError(
        f"{wanted!r} is no workspace of this connection",
        hint=f"There is {', '.join(known)}; start the server with `-C DIR` for another one.",
    )


def path_of(uri: str) -> str | None:
    """The path that a file URI names; `None` for any other one."""
    parts = urlsplit(uri)
    return unquote(parts.path, errors="surrogateescape") if parts.scheme == "file" else None


def _workspaces(roots: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(find_root(root, os.environ) for root in roots))


def _only(known: Sequence[str]) -> str:
    if len(known) > 1:
        raise UsageError(
            f"several workspaces are open: {', '.join(known)}",
            hint="Say which with the argument `workspace`.",
        )
    return known[0]


def _here() -> str:
    try:
        return os.getcwd()
    except FileNotFoundError as gone:
        raise WorkspaceRefused("the folder in which the server was started was removed") from gone
