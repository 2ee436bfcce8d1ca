"""The temporary place of the demo: a copy of a repository, a state folder, and the eyes that check both.

Everything here is done without Takeback's own code for reading, hashing or running git, so that a defect there cannot
hide itself.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from takeback.demo.model import File, Tree, file_of
from takeback.errors import Refused
from takeback.processes import run_command
from takeback.repository.window import discover

_NAME = ("-c", "user.name=Demo", "-c", "user.email=demo@example.invalid", "-c", "commit.gpgSign=false")
_N_FILES = 48
_N_COMMITS = 4
_SECOND_NS = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """A workspace that nobody else knows, and how to run things in it."""

    root: str
    environ: Mapping[str, str]
    source: str
    """What it is a copy of, in words."""
    digests: dict[str, tuple[tuple[int, ...], bytes]] = field(default_factory=dict)
    """Of object files: their status when they were read, and what was in them."""

    def run(self, *argv: str) -> int:
        """The exit status of a command in the workspace."""
        return run_command(argv, self.root, self.environ).status

    def git(self, *argv: str) -> None:
        """Run git in the workspace, quietly. Raises Refused if it fails."""
        run_git(self.environ, self.root, *argv)

    def tree(self) -> dict[str, File]:
        """Every file of the workspace as it is on disk now."""
        return {os.path.relpath(path, self.root): _file(path) for path in _files(self.root)}

    def write(self, tree: Tree, paths: Sequence[str]) -> None:
        """Make `paths` on disk what they are in `tree`, as an editor or an agent's tool does."""
        for path in paths:
            full = os.path.join(self.root, path)
            if path not in tree:
                os.unlink(full)
                continue
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "wb") as stream:
                stream.write(tree[path].data)

    def git_digest(self, *, afresh: bool = False) -> str:
        """One number for all of `.git`: names, modes, times of writing, and every byte.

        An object file is read again only if its status changed since, unless `afresh`: packs are large, and this is
        asked before and after every verb.
        """
        digest = hashlib.sha256()
        for path in sorted(_files(os.path.join(self.root, ".git"), inside_git=True)):
            stat = os.lstat(path)
            digest.update(f"{path!r} {stat.st_mode} {stat.st_mtime_ns} {stat.st_size}\n".encode())
            digest.update(self._content_digest(path, stat, afresh=afresh))
        return digest.hexdigest()

    def _content_digest(self, path: str, stat: os.stat_result, *, afresh: bool) -> bytes:
        seen = (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
        known, digest = self.digests.get(path, (None, b""))
        if known != seen or afresh:
            digest = hashlib.sha256(_file(path).data).digest()
            settled = (
                time.time_ns() - stat.st_ctime_ns > _SECOND_NS
            )  # or a write could follow within the same tick
            if settled and os.path.join(".git", "objects", "") in path:
                self.digests[path] = (seen, digest)
        return digest


@contextmanager
def workshop(repository: str | None) -> Iterator[Workshop]:
    """A temporary copy of `repository`, or of a repository made for the purpose; gone at the end."""
    home = os.path.realpath(tempfile.mkdtemp(prefix="takeback-demo-"))
    environ = _environ(home)
    root = os.path.join(home, "workspace")
    try:
        yield Workshop(root=root, environ=environ, source=_fill(root, repository, environ))
    finally:
        shutil.rmtree(home, ignore_errors=True)


def default_repository() -> str | None:
    """The repository that holds this package's source, else the one around the current folder, if any."""
    package = os.path.realpath(os.path.dirname(os.path.dirname(__file__)))
    source = discover(package)
    if (
        source is not None
        and os.path.join(os.path.realpath(source.work_tree), "server", "takeback") == package
    ):
        return source.work_tree
    here = discover(os.getcwd())
    return here.work_tree if here is not None and here.head().commit is not None else None


def run_git(environ: Mapping[str, str], folder: str, *argv: str) -> None:
    """Run git in `folder`. Raises Refused if it fails."""
    if run_command(("git", *_NAME, *argv), folder, environ).status:
        raise Refused(f"git {argv[0]} failed in {folder}", hint="See what git says above.")


def _environ(home: str) -> dict[str, str]:
    """The environment without what a person set for git or Takeback, and with a state folder of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "TAKEBACK_"))}
    return kept | {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "LC_ALL": "C",
        "PYTHONDONTWRITEBYTECODE": "1",
        "TAKEBACK_STATE_DIR": os.path.join(home, "state"),
        "XDG_CONFIG_HOME": os.path.join(home, "config"),
    }


def _fill(root: str, repository: str | None, environ: Mapping[str, str]) -> str:
    if repository is not None:
        parent = os.path.dirname(root)
        run_git(environ, parent, "clone", "--quiet", "--no-hardlinks", os.path.abspath(repository), root)
        if any(True for _ in _files(root)):
            return f"a copy of {os.path.basename(os.path.abspath(repository))}"
        shutil.rmtree(root)
    _make_repository(root, environ)
    return "a repository made for this"


def _make_repository(root: str, environ: Mapping[str, str]) -> None:
    os.mkdir(root)
    run_git(environ, root, "init", "--quiet", "--initial-branch=main")
    for commit in range(_N_COMMITS):
        for number in range(commit, _N_FILES, _N_COMMITS):
            path = os.path.join(root, f"part{number % 6}", f"module{number:02}.py")
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as stream:
                stream.writelines(f"value_{number}_{n} = compute({n}, step={number})\n" for n in range(60))
                stream.writelines(f"# note {n} on module {number}\n" for n in range(20))
        run_git(environ, root, "add", "--all")
        run_git(environ, root, "commit", "--quiet", "--message", f"Part {commit + 1}")


def in_place(script: str, paths: Sequence[str]) -> tuple[str, ...]:
    """The `sed` command that rewrites `paths` in place; macOS takes the option in another way."""
    option = ("-i", "") if sys.platform == "darwin" else ("-i",)
    return ("sed", *option, script, *paths)


def _files(folder: str, *, inside_git: bool = False) -> Iterator[str]:
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if os.path.isdir(path) and not os.path.islink(path):
            if inside_git or name != ".git":
                yield from _files(path, inside_git=inside_git)
        elif inside_git or name != ".git":  # in a submodule, `.git` is a file
            yield path


def _file(path: str) -> File:
    if os.path.islink(path):
        return File(lines=(("", os.fsencode(os.readlink(path))),), is_link=True)
    with open(path, "rb") as stream:
        data = stream.read()
    return File(lines=file_of(data).lines, executable=bool(os.lstat(path).st_mode & 0o100))
