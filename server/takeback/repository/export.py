"""A checkpoint as a commit on a new branch: the one thing that Takeback ever writes in the user's repository.

What is written: the objects of one commit (blobs through the user's clean filters, trees, the commit), loose, and one
file `refs/heads/BRANCH`. No reflog is written, for none of the user's branches moved; no hook runs; index, HEAD, work
tree, stash and configuration are not touched. A clean filter of the user's (Git LFS, say) may keep what it makes in
the repository, as it does for `git add`.

    index of its own  <- tree of the parent commit       gitlinks, and what lies outside the workspace
                      <- files of the checkpoint          through the clean filters
                      -> tree -> commit -> refs/heads/BRANCH
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from takeback.errors import Refused, UsageError
from takeback.model.ids import BlobId
from takeback.model.paths import WorkspacePath, ancestors
from takeback.repository import command
from takeback.repository.window import Repository

_IDENTITY = ("takeback", "takeback@localhost")
_NAMES = ("user.name", "user.email")
_SYMLINK = 0o120000
_GITLINK = "160000"
_SETTINGS: Mapping[str, str] = {
    "core.logAllRefUpdates": "false",
    "core.splitIndex": "false",  # a split index would put a second file into the user's .git
    "core.sparseCheckout": "false",
    "index.sparse": "false",
    "core.safecrlf": "false",
    "core.protectNTFS": "false",
    "i18n.commitEncoding": "UTF-8",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """What is to be committed."""

    branch: str
    message: str
    at_s: int
    """When the state was: the author's date."""
    base: str | None
    """The commit that the state was made on; HEAD's if it is gone."""
    files: Mapping[WorkspacePath, tuple[BlobId, int]]
    """Blob and git file mode, by path in the workspace."""
    read: Callable[[BlobId], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was written."""

    commit: str
    parent: str | None
    left_out: tuple[WorkspacePath, ...]
    """Files in repositories inside the workspace: git commits those in themselves."""


def export(repository: Repository, root: str, wanted: Commit, scratch: str) -> Exported:
    """The new commit on the new branch. `scratch` is a private folder for what git needs meanwhile.

    Raises UsageError for a branch name that git does not take, Refused for one that exists and where git fails.
    """
    _check_branch(repository, wanted.branch)
    with tempfile.TemporaryDirectory(dir=scratch, prefix="export-") as folder:
        work_tree = os.path.join(folder, "tree")
        os.mkdir(work_tree)
        git = _Git(repository, work_tree, os.path.join(folder, "index"))
        parent = _parent(git, wanted.base)
        git.ask("read-tree", parent or "--empty")
        left_out = _fill(git, root, wanted, _entries(git, parent))
        tree = git.ask("write-tree").decode().strip()
        commit = _commit(git, tree, parent, wanted)
        line = f"create refs/heads/{wanted.branch} {commit}\n"
        git.ask("update-ref", "--stdin", stdin=os.fsencode(line))
    return Exported(commit=commit, parent=parent, left_out=left_out)


class _Git:
    """git on the user's objects, with an index and a work tree of our own."""

    def __init__(self, repository: Repository, work_tree: str, index: str) -> None:
        self.repository = repository
        self.work_tree = work_tree
        self._variables = {"GIT_DIR": repository.git_dir, "GIT_WORK_TREE": work_tree, "GIT_INDEX_FILE": index}

    def run(self, *words: str, stdin: bytes = b"", also: Mapping[str, str] | None = None) -> command.Answer:
        """What git says."""
        variables = {**self._variables, **(also or {})}
        return command.run(self.work_tree, words, stdin=stdin, settings=_SETTINGS, variables=variables)

    def ask(self, *words: str, stdin: bytes = b"", also: Mapping[str, str] | None = None) -> bytes:
        """What git says. Raises Refused if it fails."""
        answer = self.run(*words, stdin=stdin, also=also)
        if answer.status != 0:
            raise Refused(
                f"git {words[0]} failed: {answer.err.strip()}",
                hint="Nothing but unused objects was written in your repository.",
            )
        return answer.out


def _check_branch(repository: Repository, branch: str) -> None:
    ref = f"refs/heads/{branch}"
    folder = repository.work_tree
    accepted = command.run(folder, ["rev-parse", "--git-dir"])
    if (
        accepted.status != 0
    ):  # it belongs to somebody else, perhaps; naming its folder would pass git's check by
        raise Refused(f"git does not open {folder}: {accepted.err.strip()}", hint="Make git accept it first.")
    odd = branch.startswith("-") or branch == "HEAD" or "\n" in branch
    if odd or command.run(folder, ["check-ref-format", ref]).status != 0:
        raise UsageError(f"{branch!r} is no name for a branch", hint="See `git help check-ref-format`.")
    if command.run(folder, ["show-ref", "--verify", "--quiet", ref]).status == 0:
        raise Refused(f"the branch {branch} exists already", hint="Export makes a new branch: name another.")


def _parent(git: _Git, base: str | None) -> str | None:
    """The commit that the new one follows: the one the state was made on, else HEAD's; `None` before the first."""
    for name in filter(None, (base, "HEAD")):
        answer = git.run("rev-parse", "--quiet", "--verify", f"{name}^{{commit}}")
        if answer.status == 0:
            return answer.out.decode().strip()
    return None


def _entries(git: _Git, parent: str | None) -> dict[str, tuple[str, str]]:
    """Mode and id of every file and gitlink of the parent's tree, by path in the repository."""
    if parent is None:
        return {}
    found = {}
    for line in command.nul_split(git.ask("ls-tree", "-r", "-z", "--full-tree", parent)):
        facts, _, path = line.partition("\t")
        mode, _, object_id = facts.split(" ")
        found[path] = (mode, object_id)
    return found


def _fill(
    git: _Git, root: str, wanted: Commit, entries: Mapping[str, tuple[str, str]]
) -> tuple[WorkspacePath, ...]:
    """Bring the workspace's part of the index to the checkpoint's files; what cannot be committed is returned."""
    inside = os.path.relpath(os.path.realpath(root), git.repository.work_tree)
    prefix = "" if inside == "." else inside + "/"
    links = {path for path, (mode, _) in entries.items() if mode == _GITLINK}
    left_out = _in_other_repositories(root, prefix, wanted.files, links)
    files = {prefix + path: leaf for path, leaf in wanted.files.items() if path not in left_out}
    changed = [path for path, (blob, mode) in files.items() if entries.get(path) != (f"{mode:06o}", blob)]
    for path in changed:
        _write(git.work_tree, path, files[path], wanted.read)
    gone = [path for path in entries if path.startswith(prefix) and path not in files and path not in links]
    # Attributes first: which filters apply to the rest depends on them.
    for part in _attributes_first((*gone, *changed)):
        git.ask(
            "update-index", "--add", "--remove", "--replace", "-z", "--stdin", stdin=command.nul_joined(part)
        )
    return tuple(sorted(left_out))


def _in_other_repositories(
    root: str, prefix: str, files: Iterable[WorkspacePath], links: set[str]
) -> set[WorkspacePath]:
    own: dict[WorkspacePath, bool] = {}

    def other(folder: WorkspacePath) -> bool:
        if folder not in own:
            own[folder] = prefix + folder in links or os.path.lexists(os.path.join(root, folder, ".git"))
        return own[folder]

    return {path for path in files if any(map(other, (path, *ancestors(path))))}


def _write(work_tree: str, path: str, leaf: tuple[BlobId, int], read: Callable[[BlobId], bytes]) -> None:
    blob, mode = leaf
    target = os.path.join(work_tree, path)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if mode == _SYMLINK:
        os.symlink(read(blob), os.fsencode(target))
        return
    with open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode & 0o777), "wb") as file:
        file.write(read(blob))


def _attributes_first(paths: Sequence[str]) -> list[list[str]]:
    attributes = [path for path in paths if os.path.basename(path) == ".gitattributes"]
    others = [path for path in paths if os.path.basename(path) != ".gitattributes"]
    return [part for part in (attributes, others) if part]


def _commit(git: _Git, tree: str, parent: str | None, wanted: Commit) -> str:
    name, email = _identity(git)
    who = {
        "GIT_AUTHOR_NAME": name,
        "GIT_AUTHOR_EMAIL": email,
        "GIT_AUTHOR_DATE": f"{wanted.at_s} +0000",
        "GIT_COMMITTER_NAME": name,
        "GIT_COMMITTER_EMAIL": email,
    }
    parents = ("-p", parent) if parent else ()
    message = wanted.message.encode("utf-8", "replace")
    return git.ask("commit-tree", tree, *parents, "-F", "-", stdin=message, also=who).decode().strip()


def _identity(git: _Git) -> tuple[str, str]:
    """The user's name and address if both are set, else Takeback's."""
    found = [git.run("config", "--get", key).out.decode("utf-8", "replace").strip() for key in _NAMES]
    return (found[0], found[1]) if all(found) else _IDENTITY
