"""The user's own git, run so that it reads and does nothing else.

A plain `git status` rewrites the index and runs the program that a folder names in `core.fsmonitor`; a variable such
as GIT_DIR, left by a hook, makes git look at another repository. So each child gets none of the GIT_* variables, takes
no optional lock, runs no hook, monitor, pager or prompt, and fetches nothing.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from takeback.errors import Unsupported

_NEEDED = (2, 31)
"""Reads settings from GIT_CONFIG_COUNT. Source: git 2.31 release notes."""

_HINT = "Install git 2.31 or newer and put it on PATH; without it a workspace is recorded as a plain folder."

_SETTINGS: Mapping[str, str] = {
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.untrackedCache": "false",
    "core.preloadIndex": "true",
    # Stat data proves "unchanged" only if all of it is compared.
    "core.checkStat": "default",
    "core.trustctime": "true",
    "core.fileMode": "true",
    "core.symlinks": "true",
    "core.ignoreStat": "false",
}

_VARIABLES: Mapping[str, str] = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_PAGER": "cat",
    "LC_ALL": "C",
}

_checked: set[str] = set()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What git said."""

    status: int
    out: bytes
    err: str


def run(
    folder: str,
    arguments: Sequence[str],
    *,
    stdin: bytes = b"",
    settings: Mapping[str, str] | None = None,
    variables: Mapping[str, str] | None = None,
) -> Answer:
    """What `git arguments` says, run in `folder`, with `settings` over the user's and `variables` in its environment.

    Raises Unsupported if there is no git or one too old. A failure of git itself is in `Answer.status`.
    """
    program = _program()
    if program not in _checked:
        _require_version(program)
        _checked.add(program)
    ours = {**_VARIABLES, **_as_variables({**_SETTINGS, **(settings or {})}), **(variables or {})}
    return _run(program, folder, arguments, stdin, ours)


def nul_joined(paths: Sequence[str]) -> bytes:
    """`paths` as git reads them with `--stdin -z`."""
    return b"".join(os.fsencode(path) + b"\0" for path in paths)


def nul_split(out: bytes) -> list[str]:
    """The paths that git wrote with `-z`."""
    return [os.fsdecode(part) for part in out.split(b"\0") if part]


def _program() -> str:
    program = shutil.which("git")
    if program is None:
        raise Unsupported("there is no git on PATH", hint=_HINT)
    return program


def _run(
    program: str, folder: str, arguments: Sequence[str], stdin: bytes, ours: Mapping[str, str]
) -> Answer:
    # Imported here: it takes 130 ms, which callers of `discover` and `head` need not pay.
    try:
        from git.cmd import Git  # noqa: PLC0415  the reason stands above
    except ImportError as exc:  # GitPython refuses to load when the first git it finds does not run
        raise Unsupported(f"git cannot be run: {exc}", hint=_HINT) from exc

    with tempfile.TemporaryFile() as given:
        given.write(stdin)
        given.seek(0)
        # git itself goes to the folder: one that is gone is a failure of git's then, and none of starting it.
        status, out, err = Git(os.sep).execute(
            [*_without_git_variables(ours), program, "-C", folder, "--no-pager", *arguments],
            istream=given,
            env=ours,
            with_extended_output=True,
            with_exceptions=False,
            stdout_as_string=False,
            strip_newline_in_stdout=False,
        )
    return Answer(status=status, out=out, err=err)


def _without_git_variables(ours: Mapping[str, str]) -> list[str]:
    """The words that take the caller's GIT_* variables away: GitPython can add to the environment, not remove."""
    names = [name for name in os.environ if name.startswith("GIT_") and name not in ours]
    return ["env", *(word for name in names for word in ("-u", name))]


def _as_variables(settings: Mapping[str, str]) -> dict[str, str]:
    """`settings` as git reads them from its environment: unlike after `-c`, a name may hold a `=` there."""
    variables = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (name, value) in enumerate(settings.items()):
        variables[f"GIT_CONFIG_KEY_{number}"] = name
        variables[f"GIT_CONFIG_VALUE_{number}"] = value
    return variables


def _require_version(program: str) -> None:
    words = _run(program, os.sep, ["version"], b"", _VARIABLES).out.decode("ascii", "replace").split()
    numbers = words[2].split(".")[:2] if len(words) > 2 else []
    if not all(number.isdigit() for number in numbers) or tuple(map(int, numbers)) < _NEEDED:
        raise Unsupported(f"{program} is too old or no git: {' '.join(words)}", hint=_HINT)
