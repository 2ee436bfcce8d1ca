"""The same work done by others: git, SQLite, and an undo tool that keeps its checkpoints with git."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from types import TracebackType
from typing import Self

from bench.measure import Trial, timed
from bench.places import Bench, git, run_git
from takeback.store.objects import sync_file_system

STEPBACK = "stepback==0.2.0"
_SERVER = """
import json, sys, time
from pathlib import Path
from stepback.engine import Engine
engine = Engine(Path(sys.argv[1]))
kept = []
for line in sys.stdin:
    verb = json.loads(line)
    started = time.perf_counter()
    if verb == "checkpoint":
        made = engine.checkpoint()
        kept.append(made or kept[-1])
    else:
        engine.rewind(kept[-1])
    print(time.perf_counter() - started, flush=True)
"""


@contextmanager
def bare_commits(folder: str) -> Iterator[Trial]:
    """One row and one durable commit of SQLite at each call, and nothing else."""
    with closing(sqlite3.connect(os.path.join(folder, "bare.db"), isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("CREATE TABLE IF NOT EXISTS rows (id INTEGER PRIMARY KEY, body BLOB)")

        def commit() -> None:
            db.execute("BEGIN IMMEDIATE")
            db.execute("INSERT INTO rows (body) VALUES (?)", (b"x" * 300,))
            db.execute("COMMIT")

        yield lambda: timed(commit)


def status(root: str) -> Trial:
    """`git status`, told to write nothing."""
    quiet = {"GIT_OPTIONAL_LOCKS": "0"}
    return lambda: timed(lambda: git(root, "status", "--porcelain", env=quiet))


def hash_objects(bench: Bench, root: str, paths: Sequence[str]) -> float:
    """Seconds for `git hash-object -w --stdin-paths` of `paths` into an empty repository."""
    store = bench.place("hashed.git")
    git(None, "init", "-q", "--bare", store)
    stdin = "\n".join(paths).encode() + b"\n"
    return timed(lambda: run_git(root, ["--git-dir", store, "hash-object", "-w", "--stdin-paths"], stdin))


def check_out(root: str) -> float:
    """Seconds for git to put back every tracked file that changed, and for the disk to have them."""

    def put_back() -> None:
        git(root, "checkout", "-q", "--", ".")
        sync_file_system(root)

    return timed(put_back)


class Shadow:
    """A second repository over a workspace, as many tools keep one for their checkpoints."""

    def __init__(self, bench: Bench, root: str) -> None:
        self._git_dir = bench.place("shadow.git")
        self._root = root
        git(None, "init", "-q", "--bare", self._git_dir)
        self.checkpoint()

    def checkpoint(self) -> None:
        """`git add -A`, `write-tree`, `commit-tree`."""
        self._git("add", "-A")
        tree = self._git("write-tree").decode().strip()
        commit = self._git("commit-tree", "-m", "checkpoint", tree).decode().strip()
        self._git("update-ref", "refs/heads/main", commit)

    def _git(self, *arguments: str) -> bytes:
        return git(self._root, "--git-dir", self._git_dir, "--work-tree", self._root, *arguments)


class Stepback:
    """The other tool's engine over one workspace, in a process of its own, so its start does not count."""

    def __init__(self, root: str, python: str) -> None:
        self._child = subprocess.Popen(
            [python, "-c", _SERVER, root], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._child.communicate()

    def seconds(self, verb: str) -> float:
        """How long `checkpoint` or `rewind` (to the last one) took."""
        assert self._child.stdin is not None, "BUG: its input is a pipe"
        assert self._child.stdout is not None, "BUG: its output is a pipe"
        self._child.stdin.write(json.dumps(verb) + "\n")
        self._child.stdin.flush()
        return float(self._child.stdout.readline())


def stepback_python(bench: Bench) -> str | None:
    """The interpreter that has the other tool, installed once into the cache; `None` where that fails."""
    folder = os.path.join(bench.cache, "stepback")
    python = os.path.join(folder, "bin", "python")
    if _has_stepback(python):
        return python
    made = subprocess.run([sys.executable, "-m", "venv", folder], check=False)
    if made.returncode == 0:
        subprocess.run([python, "-m", "pip", "install", "--quiet", STEPBACK], check=False)
    return python if _has_stepback(python) else None


def _has_stepback(python: str) -> bool:
    if not os.path.exists(python):
        return False
    return subprocess.run([python, "-c", "import stepback.engine"], check=False).returncode == 0
