"""Where the user's configuration and the histories of workspaces lie.

Apart from the configuration itself, because a hook runs at every tool call of an agent and needs no more than this.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Mapping

from takeback.errors import UsageError, WorkspaceRefused


def config_folder(environ: Mapping[str, str]) -> str:
    """Where the user's own `config.toml` lies."""
    return _base(environ, "XDG_CONFIG_HOME", ".config", "user_config_path")


def state_root(environ: Mapping[str, str]) -> str:
    """The folder of all histories: `TAKEBACK_STATE_DIR`, else `$XDG_STATE_HOME/takeback`, on macOS too.

    Without either, the user's state folder of this system. Not created here. Raises UsageError for a relative
    `TAKEBACK_STATE_DIR`, because histories would then depend on where a command was started.
    """
    chosen = environ.get("TAKEBACK_STATE_DIR", "")
    if not chosen:
        return _base(environ, "XDG_STATE_HOME", ".local/state", "user_state_path")
    if not os.path.isabs(chosen):
        raise UsageError(f"TAKEBACK_STATE_DIR is {chosen!r}", hint="Give it an absolute path.")
    return os.path.normpath(chosen)


def workspace_id(workspace_real_path: str) -> str:
    """The name of one workspace where its path must not be seen."""
    return hashlib.sha256(os.fsencode(workspace_real_path)).hexdigest()[:16]


def state_folder(workspace_real_path: str, environ: Mapping[str, str]) -> str:
    """The folder of one workspace's history: a readable name, and a hash of its real path. Not created here.

    Raises WorkspaceRefused if it would lie inside the workspace, where `git clean -fdx` and `rm -rf` reach it.
    """
    name = (
        re.sub(r"[^A-Za-z0-9_.-]+", "-", os.path.basename(workspace_real_path)).strip("-.")[:40]
        or "workspace"
    )
    folder = os.path.join(state_root(environ), f"{name}-{workspace_id(workspace_real_path)}")
    workspace = os.path.join(workspace_real_path, "")
    if any(place.startswith(workspace) for place in (folder, os.path.realpath(folder))):
        raise WorkspaceRefused(
            f"the history of {workspace_real_path} would lie inside it, at {folder}",
            hint="Set TAKEBACK_STATE_DIR to a folder outside the workspace.",
        )
    return folder


def _base(environ: Mapping[str, str], variable: str, below_home: str, elsewhere: str) -> str:
    """`variable`, if it is absolute as the standard demands, else this system's place for it.

    Source: XDG Base Directory Specification, "Basics".
    """
    chosen = environ.get(variable, "").strip()
    if os.path.isabs(chosen):
        return os.path.join(chosen, "takeback")
    if sys.platform == "linux":
        home = environ.get("HOME") or os.path.expanduser("~")
        return os.path.join(home, below_home, "takeback")
    else:  # noqa: RET505 - mypy knows the other branch of a platform only by its `else`
        import platformdirs  # noqa: PLC0415 - 15 ms, and not needed on Linux

        return str(getattr(platformdirs, elsewhere)("takeback", appauthor=False))
