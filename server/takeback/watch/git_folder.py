"""Where the user's repository keeps HEAD and the index, found without running git."""

from __future__ import annotations

import os

from takeback import regular

_MAX_BYTES = 8192
"""No path is longer."""


def git_folder(root: bytes) -> bytes | None:
    """The folder with HEAD and the index of the repository around `root`; for a linked worktree, its own.

    `None` outside a repository. The answer may come from an untrusted file: watch the folder, do no more.
    """
    folder = root
    while not os.path.lexists(folder + b"/.git"):
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above
    return folder + b"/.git" if os.path.isdir(folder + b"/.git") else _worktree_folder(folder)


def _worktree_folder(folder: bytes) -> bytes | None:
    """What the file `.git` points to: one line, `gitdir: PATH`. Source: gitrepository-layout(5)."""
    try:
        text = regular.read(folder + b"/.git", _MAX_BYTES)
    except OSError:
        return None
    found = os.path.join(folder, text.removeprefix(b"gitdir:").strip())
    return found if text.startswith(b"gitdir:") and os.path.isdir(found) else None
