"""A project that none of us wrote: a command over every file, an edit after it, and only the first taken back."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator

from bench.measure import timed
from bench.places import Bench, git, opened, program, write
from bench.runner import takeback
from bench.table import Row
from takeback.model.operation import HUMAN, OperationKind
from takeback.model.paths import WorkspacePath
from takeback.model.source import Source
from takeback.service import recording, taking_back
from takeback.service.requests import Outcome, Request

_PROJECT = "sympy==1.14.0"
_EDITED = WorkspacePath("sympy/core/basic.py")
_OURS = b"# a line that a person wrote\n"
_SED = Source(kind=OperationKind.COMMAND, actor="command:sed", label="sed -i 's/self/this/g'")


def rows(bench: Bench) -> Iterator[Row]:
    """Record a command over every file and an edit of one; undo the first, keep the second, compare every byte."""
    root = _unpacked(bench)
    if root is None:
        return
    before = _contents(root)
    with opened(root) as workspace:
        _sed(root)
        sed_s = timed(lambda: workspace.looker.everything(_SED))
        sed = workspace.journal.last_operation()
        changed = _contents(root)
        write(root, _EDITED, changed[_EDITED] + _OURS)
        edit_s = timed(lambda: recording.record(workspace, HUMAN, "an edit"))
        results = []
        undo_s = timed(lambda: results.append(taking_back.undo(workspace, Request(ops=(sed,)))))
    _check(root, before, results[0].outcome)
    log_s = timed(lambda: takeback(root, "log"))
    n_changed = sum(before[path] != changed[path] for path in before)
    name = _PROJECT.partition("==")[0]
    yield Row(what=f"{name}: record `sed -i`, {n_changed:,} of {len(before):,} files changed", ours=sed_s)
    yield Row(what=f"{name}: record an edit of one of them, with a look at the tree", ours=edit_s)
    yield Row(what=f"{name}: undo the `sed`, keep the edit, every byte compared", ours=undo_s)
    yield Row(what=f"{name}: `takeback log`", ours=log_s)


def _check(root: str, before: dict[str, bytes], outcome: Outcome) -> None:
    """Raises RuntimeError unless every file is as it was, and the edit stands."""
    expected = {**before, _EDITED: before[_EDITED] + _OURS}
    if outcome is not Outcome.APPLIED or _contents(root) != expected:
        raise RuntimeError(f"the undo was {outcome}, and files are not as they should be")


def _sed(root: str) -> None:
    paths = [path for path in _tracked(root) if path.endswith(".py")]
    subprocess.run([program("sed"), "-i", "s/self/this/g", *paths], cwd=root, check=True)


def _contents(root: str) -> dict[str, bytes]:
    found = {}
    for path in _tracked(root):
        with open(os.path.join(root, path), "rb") as file:
            found[path] = file.read()
    return found


def _tracked(root: str) -> list[str]:
    return [os.fsdecode(path) for path in git(root, "ls-files", "-z").split(b"\0") if path]


def _unpacked(bench: Bench) -> str | None:
    """The project, committed; `None` where it cannot be fetched."""
    archive = _fetched(os.path.join(bench.cache, "sources"))
    if archive is None:
        return None
    place = bench.place("project")
    with tarfile.open(archive) as tar:
        tar.extractall(place, filter="data")
    root = os.path.join(place, os.listdir(place)[0])
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "as published")
    return root


def _fetched(folder: str) -> str | None:
    """The source distribution, fetched once into the cache."""
    name = _PROJECT.replace("==", "-") + ".tar.gz"
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        package = _PROJECT.partition("==")[0]
        options = ["--quiet", "--no-deps", "--no-binary", package, "--dest", folder]
        subprocess.run([sys.executable, "-m", "pip", "download", *options, _PROJECT], check=False)
    return path if os.path.exists(path) else None
