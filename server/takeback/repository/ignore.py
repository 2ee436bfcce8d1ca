"""Which paths of a workspace git would ignore, asked of the user's own git.

libgit2's answers differ (`*.log` with a nested `!keep.log`), so git itself is asked, for many paths at once and once
for each repository that owns some of them:

    root/            the outer repository (which may begin above the root), or the built-in rules
      app/x.py       asked of the outer repository
      lib/.git       a nested repository, a submodule or a worktree
      lib/y.py       asked of `lib`; ignored as well if the outer repository ignores the folder `lib`

git is asked about the rules alone (`--no-index`) and for the list of tracked paths once: with its index, check-ignore
compares each path with each tracked one, 0.8 ms a path where 100,000 are tracked.
"""

from __future__ import annotations

import hashlib
import os
import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from takeback import regular
from takeback.errors import Refused
from takeback.model.paths import ROOT, WorkspacePath, ancestors
from takeback.repository import command
from takeback.repository.window import Repository, discover, repository_at

PLAIN_RULES = """\
# Written by Takeback: what is not recorded in a folder that is no git repository.
# Dependencies, which their tools bring back
node_modules/
bower_components/
.venv/
venv/
site-packages/
# What builds make
target/
dist/
build/
.gradle/
.next/
.nuxt/
*.class
*.o
*.obj
*.pyc
__pycache__/
*.egg-info/
# What tools remember
.cache/
.mypy_cache/
.pytest_cache/
.ruff_cache/
.hypothesis/
.tox/
.nox/
.terraform/
.ipynb_checkpoints/
# Other version control, which keeps its own history
.hg/
.svn/
.jj/
# Editors and desktops
.idea/
*.swp
*.swo
*~
.DS_Store
Thumbs.db
"""

_JUDGED = (0, 1)
"""Exit statuses of check-ignore: some, or none, are ignored."""

INCLUDE_IGNORED = (".env*", "*.local")
"""Names of ignored files that are recorded all the same: nobody else keeps them."""


_EDITORS_OWN = re.compile(r"(?:\.#.+|#.+#|\..+\.sw[a-p])\Z", re.DOTALL)
"""Lock, rescue and swap files, which Emacs and Vim keep beside a file while it is edited: nobody's work, and changed at
every key. Nobody takes one back, and `undo` without a number would meet them first."""


@dataclass(slots=True)
class _Owner:
    """Who decides about paths: a repository, or the built-in rules where there is none that git accepts."""

    work_tree: str
    repository: Repository | None
    tracked: list[bytes] = field(default_factory=list)
    """As git lists them: sorted by their bytes."""
    stamp: tuple[int, int, int] | None = None


class IgnoreRules:
    """The rules of one workspace. Remembers what is tracked until the index changes; one thread at a time."""

    def __init__(
        self, root: str, *, plain_git_dir: str, include_ignored: Sequence[str] = INCLUDE_IGNORED
    ) -> None:
        """`plain_git_dir` is a git folder of Takeback's own, where the built-in rules are written."""
        self._root = os.path.realpath(root)
        self._plain_git_dir = plain_git_dir
        self._include_ignored = tuple(include_ignored)
        self._nested: dict[str, _Owner] = {}
        self._excludes_file: tuple[str, str] = ("", "")
        _write_plain_rules(plain_git_dir)
        self._outer = self._choose_outer()

    def include(self, patterns: Sequence[str]) -> None:
        """Ignored files with such names are recorded from now on, and no others."""
        self._include_ignored = tuple(patterns)

    def ignored(self, paths: Sequence[str]) -> frozenset[str]:
        """Those of `paths` (relative to the root; folders end with `/`) that are not recorded. None needs to exist.

        A path that is tracked, or a folder that holds one, is not ignored; nor is an ignored file whose name is among
        `include_ignored`, unless it lies below an ignored folder. A path beyond a symlink is no path of the workspace
        and counts as ignored. Raises Unsupported without git.
        """
        refused = self._ignored(paths)
        wanted = {path for path in refused if self._is_included(path)}
        parents = {path: path.rpartition("/")[0] + "/" for path in wanted if "/" in path}
        below = self._ignored(sorted(set(parents.values())))
        rescued = {path for path in wanted if parents.get(path, "") not in below}
        return frozenset(refused - rescued)

    def ignored_by_git(self, paths: Sequence[str]) -> frozenset[str]:
        """Those of `paths` that git would not track, whether they are recorded or not."""
        return frozenset(self._ignored(paths))

    def tracked(self, paths: Iterable[str]) -> frozenset[str]:
        """Those of `paths` that are tracked, or are folders that hold a tracked path. Cost: git's list, if it changed."""
        groups, _ = self._by_owner(paths)
        return frozenset(path for folder, group in groups.items() for path in self._tracked_in(folder, group))

    def index_token(self) -> str:
        """A value that changes with the index of the repository around the root: other paths may be tracked."""
        repository = self._outer.repository
        return " ".join(map(str, repository.index_stamp())) if repository else ""

    def rules_token(self) -> str:
        """A value that changes when a rule changed that no `.gitignore` inside the workspace holds.

        Cost: a few `stat` calls; one git process after the configuration changed.
        """
        configuration = _stats(self._configuration_files())
        if self._excludes_file[0] != configuration:
            self._excludes_file = (configuration, self._configured_excludes())
        rules = [self._excludes_file[1], os.path.join(self._plain_git_dir, "info", "exclude")]
        rules += [os.path.join(found.common_dir, "info", "exclude") for found in self._repositories()]
        rules += [os.path.join(folder, ".gitignore") for folder in self._folders_above()]
        included = "\0".join(self._include_ignored)
        return hashlib.sha256(os.fsencode(configuration + _stats(rules) + included)).hexdigest()

    def _choose_outer(self) -> _Owner:
        """The repository around the root, unless it ignores the root: then whoever opened it wants it recorded."""
        repository = discover(self._root)
        if repository is None:
            return _Owner(self._root, None)
        owner = _Owner(repository.work_tree, repository)
        inside = os.path.relpath(self._root, repository.work_tree)
        if inside != "." and self._refused_by(owner, [inside + "/"]):
            return _Owner(self._root, None)
        return owner

    def _is_included(self, path: str) -> bool:
        name = path.rpartition("/")[2]
        return bool(name) and any(fnmatchcase(name, pattern) for pattern in self._include_ignored)

    def _ignored(self, paths: Sequence[str]) -> set[str]:
        groups, refused = self._by_owner(paths)
        for folder, group in groups.items():
            refused |= self._refused_in(folder, group)
        return refused | self._below_refused({folder: group for folder, group in groups.items() if folder})

    def _by_owner(self, paths: Iterable[str]) -> tuple[dict[str, list[str]], set[str]]:
        """`paths` by the folder of the repository that decides about them, and those beyond a symlink."""
        owners: dict[str, str | None] = {"": ""}
        groups: dict[str, list[str]] = {}
        beyond: set[str] = set()
        for path in paths:
            owner = self._owner_folder(path.rstrip("/").rpartition("/")[0], owners)
            if owner is None:
                beyond.add(path)
            else:
                groups.setdefault(owner, []).append(path)
        return groups, beyond

    def _owner_folder(self, folder: str, owners: dict[str, str | None]) -> str | None:
        """The folder of the repository that decides about what lies in `folder`: the empty name is the outer one.

        `None`: a symlink stands in between. `owners` remembers the folders of one batch.
        """
        missing = []
        while folder not in owners:
            missing.append(folder)
            folder = folder.rpartition("/")[0]
        owner = owners[folder]
        for each in reversed(missing):
            owner = owners[each] = self._owner_at(each, owner)
        return owner

    def _owner_at(self, folder: str, above: str | None) -> str | None:
        place = os.path.join(self._root, folder)
        if above is None or os.path.islink(place):
            return None
        if not os.path.lexists(os.path.join(place, ".git")):
            self._nested.pop(folder, None)
            return above
        repository = repository_at(place)
        if repository is None:
            return above
        known = self._nested.get(folder)
        if known is None or known.repository != repository:
            self._nested[folder] = _Owner(place, repository)
        return folder

    def _refused_in(self, folder: str, group: list[str]) -> set[str]:
        """The paths of `group` that the repository at `folder` ignores."""
        owner, asked = self._asked(folder, group)
        return {asked[path] for path in self._refused_by(owner, list(asked))}

    def _tracked_in(self, folder: str, group: list[str]) -> list[str]:
        """The paths of `group` that the repository at `folder` tracks, or holds a tracked path below."""
        owner, asked = self._asked(folder, group)
        if owner.repository is None:
            return []
        _read_tracked(owner, owner.repository)
        return [path for name, path in asked.items() if _is_tracked(owner.tracked, name.rstrip("/"))]

    def _asked(self, folder: str, group: list[str]) -> tuple[_Owner, dict[str, str]]:
        """The repository at `folder`, and the paths of `group` by the names that they have in there."""
        owner = self._nested[folder] if folder else self._outer
        prefix = os.path.relpath(os.path.join(self._root, folder), owner.work_tree)
        start = "" if prefix == "." else prefix + "/"
        cut = len(folder) + 1 if folder else 0
        return owner, {start + path[cut:]: path for path in group}

    def _below_refused(self, nested: dict[str, list[str]]) -> set[str]:
        """The paths in nested repositories whose own folder is ignored. Goes one nesting up at each call."""
        if not nested:
            return set()
        refused = self._ignored([folder + "/" for folder in nested])
        return {path for folder, group in nested.items() if folder + "/" in refused for path in group}

    def _refused_by(self, owner: _Owner, paths: list[str]) -> set[str]:
        asked = {_as_asked(owner.work_tree, path): path for path in paths}
        _refuse_endless_rules(owner.work_tree, asked)
        matched = [*self._matched(owner, list(asked)), *filter(_is_an_editors_own, asked)]
        if matched and owner.repository is not None:
            _read_tracked(owner, owner.repository)
            matched = [path for path in matched if not _is_tracked(owner.tracked, path.rstrip("/"))]
        return {asked[path] for path in matched if path in asked}

    def _matched(self, owner: _Owner, paths: list[str]) -> list[str]:
        """The paths that a rule matches; what git refuses to judge is not ignored."""
        answer = self._check(owner, paths)
        if answer.status in _JUDGED:
            return command.nul_split(answer.out)
        if not os.path.isdir(owner.work_tree):  # renamed meanwhile: nothing is there to be left out
            return []
        if owner.repository and self._check(owner, ["any"]).status not in _JUDGED:
            # git will not have this repository (another owner, another format): it is a plain folder to us.
            owner.repository = None
            return self._matched(owner, paths)
        if len(paths) == 1:
            return []
        half = len(paths) // 2
        return self._matched(owner, paths[:half]) + self._matched(owner, paths[half:])

    def _check(self, owner: _Owner, paths: list[str]) -> command.Answer:
        words = ["check-ignore", "--no-index", "--stdin", "-z"]
        return self._ask(owner, words, stdin=command.nul_joined(paths))

    def _ask(self, owner: _Owner, words: Sequence[str], stdin: bytes = b"") -> command.Answer:
        """What git says there; of a folder that is no repository to us, with a git folder of ours."""
        plain = ["--git-dir=" + self._plain_git_dir, "--work-tree=" + owner.work_tree]
        return command.run(owner.work_tree, [*([] if owner.repository else plain), *words], stdin=stdin)

    def _repositories(self) -> list[Repository]:
        owners = (self._outer, *self._nested.values())
        return [owner.repository for owner in owners if owner.repository]

    def _folders_above(self) -> list[str]:
        """The folders of the repository above the root, whose rules reach into it."""
        folders = []
        folder = self._root
        while folder != self._outer.work_tree:
            folder = os.path.dirname(folder)
            folders.append(folder)
        return folders

    def _configuration_files(self) -> list[str]:
        own = [os.path.join(found.common_dir, "config") for found in self._repositories()]
        own += [os.path.join(found.git_dir, "config.worktree") for found in self._repositories()]
        return [
            *own,
            os.path.expanduser("~/.gitconfig"),
            os.path.join(_xdg_git(), "config"),
            "/etc/gitconfig",
        ]

    def _configured_excludes(self) -> str:
        """The file that `core.excludesFile` names, or git's default for it."""
        answer = self._ask(self._outer, ["config", "--type=path", "--get", "core.excludesFile"])
        named = os.fsdecode(answer.out.rstrip(b"\n"))
        return os.path.join(self._outer.work_tree, named) if named else os.path.join(_xdg_git(), "ignore")


def _as_asked(work_tree: str, path: str) -> str:
    """`path` as check-ignore judges it rightly: a folder that is there goes without its slash.

    With the slash the rule `folder/*` matches the folder itself, although `!folder/keep` may follow. Without it git
    looks whether it is a folder, which fails only where there is none.
    """
    bare = path.rstrip("/")
    return bare if bare == path or os.path.isdir(os.path.join(work_tree, bare)) else path


def _refuse_endless_rules(work_tree: str, paths: Iterable[str]) -> None:
    """Raises Refused where rules are a pipe: git waits for ever for whoever writes to it. Cost: one `stat` a folder."""
    holding = {WorkspacePath(path.rstrip("/").rpartition("/")[0]) for path in paths}
    for folder in holding.union(*map(ancestors, holding), [ROOT]):
        rules = os.path.join(work_tree, folder, ".gitignore")
        if not regular.has_end(rules):
            raise Refused(f"{rules} has no end, so git cannot say what is ignored", hint="Remove it.")


def _read_tracked(owner: _Owner, repository: Repository) -> None:
    stamp = repository.index_stamp()
    if stamp != owner.stamp:
        # Of a fragile index git cannot tell without touching a file: what is committed stands for it.
        committed = ["ls-tree", "-r", "-z", "--name-only", "--full-tree", "HEAD"]
        listing = committed if repository.is_index_fragile() else ["ls-files", "-z"]
        owner.tracked = command.run(owner.work_tree, listing).out.split(b"\0")[:-1]
        owner.stamp = stamp


def _is_an_editors_own(path: str) -> bool:
    return _EDITORS_OWN.match(path.rpartition("/")[2]) is not None


def _is_tracked(tracked: list[bytes], path: str) -> bool:
    """Whether `path` is tracked, or is a folder that holds a tracked path."""
    name = os.fsencode(path)
    return any(
        position < len(tracked) and (tracked[position] == name or tracked[position].startswith(name + b"/"))
        for position in (bisect_left(tracked, name), bisect_left(tracked, name + b"/"))
    )


def _write_plain_rules(git_dir: str) -> None:
    path = os.path.join(git_dir, "info", "exclude")
    if _same_text(path, PLAIN_RULES):  # written once, so that the token of the rules stays
        return
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    staged = f"{path}.{os.getpid()}"
    with open(staged, "w", encoding="utf-8") as file:
        file.write(PLAIN_RULES)
    os.replace(staged, path)


def _same_text(path: str, text: str) -> bool:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read() == text
    except (OSError, UnicodeDecodeError):
        return False


def _xdg_git() -> str:
    return os.path.join(os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config"), "git")


def _stats(paths: Iterable[str]) -> str:
    """mtime, size and inode of each file, as text; what is missing counts too."""
    found = []
    for path in paths:
        try:
            stat = os.stat(path)
        except OSError:
            found.append(f"{path}: none")
        else:
            found.append(f"{path}: {stat.st_mtime_ns} {stat.st_size} {stat.st_ino}")
    return "\n".join(found)
