"""Where the user's repository is and what it is doing, read from its files without starting git where that is exact."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from takeback import regular
from takeback.repository import command

_HEX = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_MARKERS = (
    ("MERGE_HEAD", "merge"),
    ("rebase-merge", "rebase"),
    ("CHERRY_PICK_HEAD", "cherry-pick"),
    ("REVERT_HEAD", "revert"),
    ("BISECT_LOG", "bisect"),
)
_SPARSE = b"sdir\0\0\0\0"
"""The extension of an index that names whole folders. Source: gitformat-index(5), "Sparse Directory Entries"."""

_READ_BY_GIT = ("HEAD", "config", "index", "info/exclude", "logs/HEAD", "packed-refs", "commondir")
_MAX_BYTES = 1 << 30
"""No file that is read whole here is larger: the index of a million files has 100 MB."""

_MAX_SYMBOLIC = 5
"""How many symbolic refs git follows. Source: git's SYMREF_MAXDEPTH."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What is checked out, and what git was in the middle of."""

    branch: str | None
    """Short name; `None`: detached."""
    commit: str | None
    """`None`: the branch has no commit yet."""
    in_progress: tuple[str, ...]
    """Of merge, rebase, am, cherry-pick, revert, bisect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A repository with a work tree. Reading it changes nothing in it."""

    work_tree: str
    git_dir: str
    """HEAD and index lie here."""
    common_dir: str
    """Objects and branches lie here; another folder than `git_dir` in a linked worktree."""

    def head(self) -> Head:
        """What is checked out now. Cost: a few small files; one git process for refs that are no files."""
        name, commit = _follow(self, "HEAD")
        if name == "refs/heads/.invalid":  # git's stand-in where refs are kept in tables
            name, commit = _ask(self)
        branch = name.removeprefix("refs/heads/") if name and name != "HEAD" else None
        return Head(branch=branch, commit=commit, in_progress=_in_progress(self.git_dir))

    def object_folders(self) -> tuple[str, ...]:
        """The folders that hold its objects, its alternates' too, each once."""
        found: dict[str, None] = {}
        pending = [os.path.join(self.common_dir, "objects")]
        while pending:
            folder = os.path.realpath(pending.pop())
            if folder not in found and os.path.isdir(folder):
                found[folder] = None
                pending.extend(_alternates(folder))
        return tuple(found)

    def index_stamp(self) -> tuple[int, int, int]:
        """mtime, size and inode of the index: another stamp means another index. Zeros if there is none."""
        try:
            stat = os.stat(os.path.join(self.git_dir, "index"))
        except OSError:
            return (0, 0, 0)
        return (stat.st_mtime_ns, stat.st_size, stat.st_ino)

    def is_index_fragile(self) -> bool:
        """Whether git, only by reading the index, would touch a file: the index is split, or sparse.

        It refreshes the mtime of a shared index, and of the trees that it reads to expand a sparse one.
        """
        try:
            split = any(name.startswith("sharedindex.") for name in os.listdir(self.git_dir))
            if split or not os.path.exists(os.path.join(self.git_dir, "info", "sparse-checkout")):
                return split
            return _SPARSE in regular.read(os.path.join(self.git_dir, "index"), _MAX_BYTES)
        except OSError:
            return False


def discover(folder: str) -> Repository | None:
    """The repository whose work tree contains `folder`; `None` if there is none or it has no work tree.

    Starts no process and does not look whose it is; git does, when it is asked something.
    """
    current = os.path.realpath(folder)
    while True:
        found = repository_at(current)
        if found or os.path.dirname(current) == current:
            return found
        current = os.path.dirname(current)


def repository_at(folder: str) -> Repository | None:
    """The repository whose work tree begins at `folder`; `None` if there is none, or git would not get through it."""
    git_dir = _git_dir(os.path.join(folder, ".git"))
    if git_dir is None or not _can_be_read(git_dir):
        return None
    common = _common_dir(git_dir)
    if not os.path.isdir(os.path.join(common, "objects")) or not os.path.isdir(os.path.join(common, "refs")):
        return None
    return Repository(work_tree=folder, git_dir=git_dir, common_dir=common)


def _git_dir(marker: str) -> str | None:
    """The folder that `.git` is, or that it names in a worktree or submodule."""
    if not os.path.isdir(marker):
        text = _text(marker)
        if text is None or not text.startswith("gitdir:"):
            return None
        named = text.removeprefix("gitdir:").strip("\n\r ")
        marker = os.path.join(os.path.dirname(marker), named)
    return os.path.realpath(marker) if os.path.lexists(os.path.join(marker, "HEAD")) else None


def _can_be_read(git_dir: str) -> bool:
    """Whether nothing that git reads at every command is a pipe or a device, for which it would wait for ever."""
    return all(regular.has_end(os.path.join(git_dir, name)) for name in _READ_BY_GIT)


def _common_dir(git_dir: str) -> str:
    named = _text(os.path.join(git_dir, "commondir"))
    return os.path.realpath(os.path.join(git_dir, named.rstrip("\n\r"))) if named else git_dir


def _follow(repository: Repository, name: str) -> tuple[str | None, str | None]:
    """The last name that `name` stands for, and its commit."""
    for _ in range(_MAX_SYMBOLIC):
        text = _loose_ref(repository, name)
        if text is None:
            return name, _packed_ref(repository, name)
        if not text.startswith("ref:"):
            return name, text.strip() if _HEX.fullmatch(text.strip()) else None
        name = text.removeprefix("ref:").strip()
    return None, None


def _loose_ref(repository: Repository, name: str) -> str | None:
    """A ref's file: of this worktree alone if there is one, else shared."""
    own = _text(os.path.join(repository.git_dir, name))
    return own if own is not None else _text(os.path.join(repository.common_dir, name))


def _packed_ref(repository: Repository, name: str) -> str | None:
    text = _text(os.path.join(repository.common_dir, "packed-refs")) or ""
    found = re.search(rf"^([0-9a-f]+) {re.escape(name)}$", text, re.MULTILINE)
    return found[1] if found else None


def _ask(repository: Repository) -> tuple[str | None, str | None]:
    name = command.run(repository.work_tree, ["symbolic-ref", "--quiet", "HEAD"])
    commit = command.run(repository.work_tree, ["rev-parse", "--quiet", "--verify", "HEAD^{commit}"])
    return os.fsdecode(name.out.strip()) or None, os.fsdecode(commit.out.strip()) or None


def _in_progress(git_dir: str) -> tuple[str, ...]:
    found = [word for marker, word in _MARKERS if os.path.lexists(os.path.join(git_dir, marker))]
    apply = os.path.join(git_dir, "rebase-apply")
    if os.path.isdir(apply):  # `git am` and the older kind of rebase share it
        found.append("am" if os.path.exists(os.path.join(apply, "applying")) else "rebase")
    return tuple(dict.fromkeys(found))


def _alternates(folder: str) -> list[str]:
    text = _text(os.path.join(folder, "info", "alternates")) or ""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [os.path.join(folder, line) for line in lines]


def _text(path: str) -> str | None:
    """A small file's text, or a symlink's target as git reads an old HEAD; `None` if it cannot be read."""
    try:
        return os.fsdecode(regular.read(path, _MAX_BYTES))
    except OSError:
        return None
