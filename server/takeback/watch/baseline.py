"""The first look at a workspace: what every file is before anything is recorded.

Committed files cost nothing: their objects are hard-linked from the user's repository and their states taken from
its index, as far as git vouches for it. Everything else is read once.
"""

from __future__ import annotations

import json
import os
import stat as modes
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from takeback.files.cache import StatCache, save_cache
from takeback.files.memory import give_back
from takeback.files.scan import Scan
from takeback.journal.log import Journal
from takeback.model.ids import BlobId
from takeback.model.paths import WorkspacePath
from takeback.model.state import EMPTY_DIRECTORY, FileKind, FileState
from takeback.record import NO_FILE, Baseline
from takeback.repository.shortcut import IndexShortcut, dirty_paths
from takeback.repository.window import Repository, discover
from takeback.store import trees
from takeback.store.baseline import IndexTree, copy_objects, head_tree, index_tree, link_objects
from takeback.store.objects import ObjectStore
from takeback.store.refs import commit, set_ref
from takeback.watch.look import UNSEEN, Looker, unseen_folders

REF = "refs/takeback/baseline"
Progress = Callable[[int, int], None]
"""Called with files done and files in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortcut:
    """What the user's index says about the workspace, or why it cannot be used."""

    leaves: Mapping[WorkspacePath, trees.Leaf]
    tree: str | None
    untrusted: frozenset[str]
    reason: str


def silent(_done: int, _total: int) -> None:
    """Progress that nobody watches."""


def load(journal: Journal) -> Baseline | None:
    """The baseline, or `None` before the first look."""
    fact = journal.fact("baseline")
    return Baseline(**json.loads(fact)) if fact else None


def take(looker: Looker, progress: Progress) -> Baseline:
    """Make the baseline and remember it. Cost: one look at the tree, and one reading of what is not committed."""
    with ThreadPoolExecutor(1, "takeback-git") as pool:
        asked = pool.submit(_vouched, looker)  # git is another process: meanwhile, this one links and looks
        index = _index_leaves(looker.store, looker.folder.path)
        looker.store.reopen()
        give_back()
        seen = looker.scan(StatCache(), tracked=(index.leaves, _folders(index.leaves)))
        shortcut = _trusted(index, asked.result(), seen)
    plain, executable = _usual_modes(seen)
    baseline, firsts = _states(looker, shortcut, seen, (plain, executable), progress)
    for tree in (baseline.tracked, baseline.rest):
        if tree is not None:
            set_ref(looker.store, f"{REF}-{tree}", commit(looker.store, tree, (), "baseline", looker.clock()))
    looker.store.make_durable()
    with looker.journal.transaction():
        if looker.journal.fact("baseline") is None:
            for path, state in firsts:
                looker.journal.append_first(path, NO_FILE, state, looker.clock())
            facts = {"baseline": _fact(baseline), "shortcut": shortcut.reason, UNSEEN: unseen_folders(seen)}
            for name, value in facts.items():
                looker.journal.append("facts", name, value, looker.clock())
    save_cache(seen.cache, looker.cache_path)
    return load(looker.journal) or baseline


def _fact(baseline: Baseline) -> str:
    return json.dumps(
        {
            "tracked": baseline.tracked,
            "rest": baseline.rest,
            "plain_mode": baseline.plain_mode,
            "executable_mode": baseline.executable_mode,
        }
    )


def _states(
    looker: Looker, shortcut: Shortcut, seen: Scan, usual: tuple[int, int], progress: Progress
) -> tuple[Baseline, list[tuple[WorkspacePath, FileState]]]:
    """The trees, and what no tree can say: unusual modes, empty folders, content that was not captured."""
    firsts: list[tuple[WorkspacePath, FileState]] = [(path, EMPTY_DIRECTORY) for path in seen.empty_folders]
    changed: dict[WorkspacePath, trees.Leaf | None] = {}
    rest: dict[WorkspacePath, trees.Leaf | None] = {}
    ignored = looker.rules.ignored_by_git([path for path in seen.changed if path not in shortcut.leaves])
    for number, path in enumerate(seen.changed):
        leaf = shortcut.leaves.get(path)
        full_mode = seen.mode(path)
        mode = modes.S_IMODE(full_mode)
        if leaf is None or path in shortcut.untrusted or _git_mode(full_mode) != leaf[1]:
            state = looker.read(path)
            if state.captured and state.exists:
                leaf = (_blob(state), _git_mode(full_mode))
                (rest if path in ignored else changed)[path] = leaf
            else:
                changed[path] = leaf = None
                firsts += [(path, state)] if state.exists else []
        if leaf is not None and leaf[1] != 0o120000 and mode != usual[leaf[1] == 0o100755]:
            size = looker.store.size(leaf[0])
            firsts.append((path, FileState(kind=FileKind.FILE, blob=leaf[0], mode=mode, size_bytes=size)))
        if number % 1000 == 0:
            progress(number, len(seen.changed))
    here = set(seen.changed)
    changed.update(dict.fromkeys(path for path in shortcut.leaves if path not in here))
    tracked = trees.update(looker.store, shortcut.tree, changed) if changed else shortcut.tree
    baseline = Baseline(
        tracked=tracked,
        rest=trees.update(looker.store, None, rest) if rest else None,
        plain_mode=usual[0],
        executable_mode=usual[1],
    )
    return baseline, firsts


def _blob(state: FileState) -> BlobId:
    assert state.blob is not None, "BUG: captured content has a blob"
    return state.blob


def _git_mode(mode: int) -> int:
    if modes.S_ISLNK(mode):
        return 0o120000
    return 0o100755 if mode & 0o100 else 0o100644


def _usual_modes(seen: Scan) -> tuple[int, int]:
    """The most frequent permission bits of plain and of executable files: only others need a row."""
    counts: Counter[int] = Counter(map(seen.mode, seen.changed))
    usual = {False: 0o644, True: 0o755}
    for mode, _ in reversed(counts.most_common()):
        if modes.S_ISREG(mode):
            usual[bool(mode & 0o100)] = modes.S_IMODE(mode)
    return usual[False], usual[True]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Vouched:
    """What git says about the index, and when it was asked."""

    dirty: IndexShortcut
    began_ns: int


def _vouched(looker: Looker) -> _Vouched | None:
    """Runs beside the look. `None` if there is no repository."""
    began_ns = looker.clock()
    repository = discover(looker.folder.path)
    return _Vouched(dirty=dirty_paths(repository), began_ns=began_ns) if repository else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Index:
    """The index as the store has it now, if it can be used at all."""

    leaves: Mapping[WorkspacePath, trees.Leaf]
    tree: str | None
    stamp: tuple[int, int, int] | None
    prefix: str
    reason: str


def _index_leaves(store: ObjectStore, root: str) -> _Index:
    repository = discover(root)
    if repository is None:
        return _unusable("no git repository")
    index = _index(store, repository)
    if isinstance(index, str):
        return _unusable(index or "no index")
    inside = os.path.relpath(os.path.realpath(root), repository.work_tree)
    prefix = "" if inside == "." else inside + "/"
    below = trees.folder(store, index.tree, inside) if prefix else index.tree
    leaves = {path: (blob, mode) for path, blob, mode in trees.walk(store, below)} if below else {}
    return _Index(leaves=leaves, tree=below, stamp=index.stamp, prefix=prefix, reason="")


def _unusable(reason: str) -> _Index:
    return _Index(leaves={}, tree=None, stamp=None, prefix="", reason=reason)


def _trusted(index: _Index, vouched: _Vouched | None, seen: Scan) -> Shortcut:
    """The index as far as git vouches for it.

    A file that was written after git was asked may have been written after git looked at it: it is read.
    """
    reason = index.reason or (vouched.dirty.reason if vouched else "no git repository")
    if not reason and vouched and index.stamp != vouched.dirty.stamp:
        reason = "the index was being written"
    if reason or vouched is None:
        return Shortcut(leaves={}, tree=None, untrusted=frozenset(), reason=reason or "no index")
    fresh = {path for path in seen.changed if not seen.is_older(path, vouched.began_ns)}
    untrusted = _relative(vouched.dirty.untrusted, index.prefix) | fresh
    return Shortcut(leaves=index.leaves, tree=index.tree, untrusted=untrusted, reason="")


def _folders(leaves: Iterable[WorkspacePath]) -> Set[str]:
    """Every folder above one of these paths, as a look names them."""
    known: set[str] = set()
    for path in leaves:
        folder = path.rpartition("/")[0]
        while folder and folder + "/" not in known:
            known.add(folder + "/")
            folder = folder.rpartition("/")[0]
    return known


def _index(store: ObjectStore, repository: Repository) -> IndexTree | str:
    linked = link_objects(store, repository.object_folders())
    if not linked.linked:
        tree = head_tree(repository.git_dir)
        problem = copy_objects(store, repository.git_dir, tree) if tree else "no commit yet"
        if problem:
            return problem
    return index_tree(store, repository.git_dir)


def _relative(paths: Iterable[str], prefix: str) -> frozenset[str]:
    return frozenset(path.removeprefix(prefix) for path in paths if path.startswith(prefix))
