"""Changes an agent's settings so that it calls Takeback's hook, or no longer does."""

from __future__ import annotations

import os
import secrets
import stat as modes
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from takeback import regular
from takeback.agents import settings
from takeback.errors import Refused
from takeback.files.faults import explained
from takeback.folders import state_root

_MAX_BYTES = 8 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What would become of one file. `None`: there is none."""

    path: str
    before: str | None
    after: str | None

    @property
    def changes_something(self) -> bool:
        """Whether there is anything to write."""
        return self.before != self.after


def installing(agent: str, environ: Mapping[str, str]) -> Edit:
    """What calls of Takeback's hook do to the agent's settings. Raises Refused for a file that cannot be changed safely."""
    path, before = _read(agent, environ)
    try:
        after = settings.with_ours(agent, before, command(agent, environ))
    except (ValueError, RecursionError) as problem:
        words = settings.snippet(agent, command(agent, environ))
        hint = f"Put this there by hand:\n{words}"
        raise Refused(f"{path} cannot be changed safely: {problem}", hint=hint) from problem
    return Edit(path=path, before=before, after=after)


def uninstalling(agent: str, environ: Mapping[str, str]) -> Edit:
    """What the agent's settings are without calls of Takeback's hook. Raises Refused as `installing` does."""
    path, before = _read(agent, environ)
    try:
        after = settings.without_ours(agent, before) if before is not None else None
    except (ValueError, RecursionError) as problem:
        hint = f"Take out by hand what calls `takeback hook {agent}`, if anything does."
        raise Refused(f"{path} cannot be changed safely: {problem}", hint=hint) from problem
    return Edit(path=path, before=before, after=after)


def command(agent: str, environ: Mapping[str, str]) -> tuple[str, ...]:
    """How the agent calls the hook: by full paths, and with the same histories, wherever it was started from."""
    home = {"HOME": environ["HOME"]} if "HOME" in environ else {}
    here = state_root(environ)
    elsewhere = ("env", f"TAKEBACK_STATE_DIR={here}") if here != state_root(home) else ()
    return (*elsewhere, sys.executable, "-P", "-m", "takeback", "hook", agent)


def write(edit: Edit) -> None:
    """Put the file in its place in one step, with the mode that it had. A link stays, and what it leads to is changed.

    Raises Refused if somebody changed the file since it was read, or it cannot be written.
    """
    path = os.path.realpath(edit.path)
    if _text(path) != edit.before:
        raise Refused(f"{edit.path} was changed in this moment", hint="Try again.")
    with explained("change", edit.path):
        if edit.after is None:
            os.unlink(path)
        else:
            _replace(path, edit.after.encode())


def _replace(path: str, data: bytes) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    mode = modes.S_IMODE(os.stat(path).st_mode) if os.path.exists(path) else 0o600
    new = f"{path}.{secrets.token_hex(4)}.takeback"
    try:
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        os.replace(new, path)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(new)


def _read(agent: str, environ: Mapping[str, str]) -> tuple[str, str | None]:
    path = settings.place(agent, environ)
    return path, _text(os.path.realpath(path))


def _text(path: str) -> str | None:
    try:
        return regular.read(path, _MAX_BYTES).decode()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as problem:
        raise Refused(f"{path} cannot be read: {problem}", hint="Look at what is there.") from problem
