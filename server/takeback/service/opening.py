"""Opens a workspace: finds its root and its history, mends what a death interrupted, makes the first baseline."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from takeback import config as configuration
from takeback.checkpoints import Checkpoints
from takeback.claims import Claims
from takeback.errors import WorkspaceRefused
from takeback.files.disk import Folder
from takeback.files.faults import explained
from takeback.files.memory import give_back
from takeback.files.mounts import is_network
from takeback.journal.log import Journal
from takeback.record import Baseline, Recorder
from takeback.repository.ignore import IgnoreRules
from takeback.repository.window import discover
from takeback.service.settings import NOTHING, Given, Settings
from takeback.store.objects import ObjectStore
from takeback.undo.apply import Applier, Settled
from takeback.upkeep.histories import holds_history
from takeback.watch import baseline
from takeback.watch.git_moves import GitMoves
from takeback.watch.look import Looker
from takeback.watch.passed_over import PassedOver

if TYPE_CHECKING:  # only a process that records needs watchdog
    from takeback.watch.run import Watching


class Here:
    """The recorder of this process; nothing while another process, or none, is recording."""

    __slots__ = ("watching",)

    def __init__(self) -> None:
        self.watching: Watching | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """An opened workspace: the parts that the verbs work with."""

    root: str
    """The real path of the folder."""
    state: str
    """Where its history lives."""
    config: Settings
    folder: Folder
    journal: Journal
    store: ObjectStore
    recorder: Recorder
    claims: Claims
    looker: Looker
    applier: Applier
    checkpoints: Checkpoints
    clock: Callable[[], int]
    settled: tuple[Settled, ...]
    """Operations that a death had interrupted, finished or reversed just now."""
    here: Here
    """The recorder, while it runs in this process."""


def find_root(start: str, environ: Mapping[str, str]) -> str:
    """The workspace that `start` belongs to.

    The nearest folder above that already has history, else the top of the git work tree, else `start`.
    """
    here = os.path.realpath(start)
    for folder in _upwards(here):
        if _has_history(folder, environ):
            return folder
    return _work_tree(here, environ) or here


def root_around(folder: str, environ: Mapping[str, str], *, known_only: bool) -> str | None:
    """The workspace around a folder that nobody opened: one that has history, or, unless `known_only`, a work tree.

    `None` where there is none: to record such a folder is for a person to decide.
    """
    here = os.path.realpath(folder)
    states = os.path.realpath(configuration.state_root(environ))
    if os.path.commonpath((here, states)) == states:  # a copy to read, of some workspace
        return None
    for above in _upwards(here):
        if _has_history(above, environ):
            return above
    return None if known_only else _work_tree(here, environ)


def _work_tree(folder: str, environ: Mapping[str, str]) -> str | None:
    """The top of the git work tree around a folder; a repository of everything at home is nobody's project."""
    repository = discover(folder)
    if repository is None:
        return None
    top = os.path.realpath(repository.work_tree)
    return None if _holds_everything(top, environ) else top


def _has_history(folder: str, environ: Mapping[str, str]) -> bool:
    try:
        return holds_history(configuration.state_folder(folder, environ))
    except WorkspaceRefused:  # the state folder lies inside: it can be no workspace
        return False


@contextmanager
def open_workspace(
    root: str,
    environ: Mapping[str, str] | None = None,
    *,
    clock: Callable[[], int] = time.time_ns,
    progress: baseline.Progress = baseline.silent,
    given: Given = NOTHING,
) -> Iterator[Workspace]:
    """The workspace at `root`, with a baseline; it is closed at the end. `given` are settings of an editor.

    Raises WorkspaceRefused for folders that are no project (`$HOME`, `/`, too many files) or cannot be opened.
    """
    environ = os.environ if environ is None else environ
    real = os.path.realpath(root)
    check_root(real, environ)
    state = configuration.state_folder(real, environ)
    with explained("make the state folder", state):
        os.makedirs(state, mode=0o700, exist_ok=True)
    with ExitStack() as stack:
        folder = stack.enter_context(Folder(real))
        workspace = _assemble(folder, state, Settings(real, environ, given), clock, stack)
        if baseline.load(workspace.journal) is None:
            _remember_root(workspace)
            baseline.take(workspace.looker, progress)
            give_back()
        yield workspace


def _assemble(
    folder: Folder, state: str, settings: Settings, clock: Callable[[], int], stack: ExitStack
) -> Workspace:
    journal = Journal(state)
    stack.callback(journal.close)
    store = ObjectStore(os.path.join(state, "store.git"))
    current = _remembered(journal)
    recorder = Recorder(journal, store, current, clock)
    recorder.sync_contents()
    stack.callback(recorder.sync_contents)
    rules = IgnoreRules(
        folder.path, plain_git_dir=store.path, include_ignored=settings.record.include_ignored
    )
    cache_path = os.path.join(state, "stat.cache")
    applier = Applier(
        folder=folder,
        journal=journal,
        store=store,
        recorder=recorder,
        clock=clock,
        lock_path=os.path.join(state, "lock"),
    )
    claims = Claims(journal, recorder, clock)
    return Workspace(
        root=folder.path,
        state=state,
        config=settings,
        folder=folder,
        journal=journal,
        store=store,
        recorder=recorder,
        claims=claims,
        looker=Looker(
            folder=folder,
            journal=journal,
            store=store,
            recorder=recorder,
            rules=rules,
            config=lambda: settings.record,
            cache_path=cache_path,
            clock=clock,
            moves=GitMoves(root=folder.path, journal=journal, recorder=recorder, claims=claims, clock=clock),
            passed_over=PassedOver(cache_path),
        ),
        applier=applier,
        checkpoints=Checkpoints(
            journal=journal,
            store=store,
            recorder=recorder,
            baseline=current,
            ignored_by_git=rules.ignored_by_git,
            clock=clock,
        ),
        clock=clock,
        settled=applier.settle(),
        here=Here(),
    )


def _remembered(journal: Journal) -> Callable[[], Baseline]:
    """The baseline, read once."""
    known: list[Baseline] = []

    def current() -> Baseline:
        if not known:
            found = baseline.load(journal)
            if found is None:  # the first look is under way
                return Baseline(tracked=None, rest=None)
            known.append(found)
        return known[0]

    return current


def _remember_root(workspace: Workspace) -> None:
    with workspace.journal.transaction():
        workspace.journal.append("facts", "root", os.fsencode(workspace.root), workspace.clock())


def check_root(root: str, environ: Mapping[str, str]) -> None:
    """Raises WorkspaceRefused for what cannot be a workspace."""
    if _holds_everything(root, environ):
        raise WorkspaceRefused(
            f"{root} is not a project: recording it would record everything you have",
            hint="Open a folder in it, or name one with `-C DIR`.",
        )
    if not os.path.isdir(root):
        raise WorkspaceRefused(f"there is no folder {root}")
    state = configuration.state_root(environ)
    if is_network(state if os.path.isdir(state) else os.path.dirname(state) or "/"):
        raise WorkspaceRefused(
            f"the state folder {state} is on a network file system, where the journal is not safe",
            hint="Set TAKEBACK_STATE_DIR to a folder on a local disk.",
        )


def _holds_everything(root: str, environ: Mapping[str, str]) -> bool:
    home = environ.get("HOME")
    return root == "/" or bool(home and root == os.path.realpath(home))


def _upwards(folder: str) -> Iterator[str]:
    while True:
        yield folder
        above = os.path.dirname(folder)
        if above == folder:
            return
        folder = above
