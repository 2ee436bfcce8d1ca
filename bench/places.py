"""Generated workspaces, committed in git, and an environment in which no setting of the user's counts."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from takeback.service.opening import Workspace, open_workspace

PER_FOLDER = 20
_LINES = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """One run: where it happens, how large, how often."""

    folder: str
    cache: str
    """What is fetched once and kept between runs."""
    sizes: tuple[int, ...]
    n_runs: int
    _trees: dict[int, str] = field(default_factory=dict)

    @property
    def largest(self) -> int:
        """The number of files in the largest workspace."""
        return self.sizes[-1]

    def tree(self, n_files: int) -> str:
        """The workspace of `n_files` committed files, generated when it is first asked for."""
        if n_files not in self._trees:
            self._trees[n_files] = generate(os.path.join(self.folder, f"tree-{n_files}"), n_files)
        return self._trees[n_files]

    def place(self, name: str) -> str:
        """A path for something temporary of this name; what was there is gone."""
        path = os.path.join(self.folder, name)
        shutil.rmtree(path, ignore_errors=True)
        return path


@contextmanager
def isolated(folder: str) -> Iterator[None]:
    """The environment of a run: its own home, its own history, nothing of the user's git."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        del os.environ[name]
    home = os.path.join(folder, "home")
    os.makedirs(home)
    os.environ.update(
        HOME=home,
        XDG_CONFIG_HOME=os.path.join(home, ".config"),
        TAKEBACK_STATE_DIR=os.path.join(folder, "state"),
        GIT_CONFIG_NOSYSTEM="1",
        GIT_AUTHOR_NAME="bench",
        GIT_AUTHOR_EMAIL="bench@example.invalid",
        GIT_COMMITTER_NAME="bench",
        GIT_COMMITTER_EMAIL="bench@example.invalid",
    )
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def path_of(number: int) -> str:
    """Where file `number` lies: folders of 20 files, two levels deep."""
    folder = number // PER_FOLDER
    return f"part{folder // 50:03}/section{folder % 50:02}/module{number % PER_FOLDER:02}.py"


def text_of(number: int, version: int = 0) -> bytes:
    """The text of file `number`, about 1 kB; versions differ in one line."""
    lines = [f"value_{number}_{row} = {number * row}" for row in range(_LINES)]
    lines[_LINES // 2] = f"version = {version}"
    return ("\n".join(lines) + "\n").encode()


def write(root: str, path: str, data: bytes) -> None:
    """Write a file as an editor without care would."""
    with open(os.path.join(root, path), "wb") as file:
        file.write(data)


def generate(root: str, n_files: int) -> str:
    """A workspace of `n_files` files, committed, packed and checked out."""
    git(None, "init", "-q", root)
    run_git(root, ["fast-import", "--quiet"], b"".join(_stream(n_files)))
    git(root, "reset", "-q", "--hard", "main")
    git(root, "symbolic-ref", "HEAD", "refs/heads/main")
    return root


def _stream(n_files: int) -> Iterator[bytes]:
    yield b"commit refs/heads/main\ncommitter bench <bench@example.invalid> 1700000000 +0000\ndata 5\nfirst\n"
    for number in range(n_files):
        text = text_of(number)
        yield b"M 100644 inline %s\ndata %d\n%s\n" % (path_of(number).encode(), len(text), text)


@contextmanager
def opened(root: str) -> Iterator[Workspace]:
    """The workspace at `root` in this process, with its history beside the others of this run."""
    with open_workspace(root) as workspace:
        yield workspace


def forget(root: str) -> None:
    """Drop the history of the workspace at `root`, if it has any."""
    with opened(root) as workspace:
        state = workspace.state
    shutil.rmtree(state)


def git(root: str | None, *arguments: str, env: Mapping[str, str] | None = None) -> bytes:
    """What git says."""
    return run_git(root, arguments, b"", env)


def run_git(
    root: str | None, arguments: Sequence[str], stdin: bytes, env: Mapping[str, str] | None = None
) -> bytes:
    """What git says to `stdin`. Raises CalledProcessError."""
    return subprocess.run(
        [program("git"), *arguments],
        cwd=root,
        input=stdin,
        env={**os.environ, **(env or {})},
        stdout=subprocess.PIPE,
        check=True,
    ).stdout


def program(name: str) -> str:
    """The full path of a program. Raises FileNotFoundError."""
    found = shutil.which(name)
    if found is None:
        raise FileNotFoundError(name)
    return found


def git_version() -> str:
    """Such as `git 2.39.5`."""
    return git(None, "version").decode().strip().replace("git version", "git")
