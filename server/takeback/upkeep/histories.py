"""The histories under the state root: opened without their workspace, which may be gone, moved or in use."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from takeback.checkpoints import Checkpoints
from takeback.errors import TakebackError
from takeback.journal.log import Journal
from takeback.model.ids import BlobId
from takeback.model.paths import WorkspacePath
from takeback.record import Baseline, Recorder
from takeback.store.objects import ObjectStore
from takeback.undo.intents import Intent, from_bytes, still_open
from takeback.watch import baseline as baselines


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """One workspace's history, without the workspace."""

    state: str
    """Where it lives."""
    root: str
    """The workspace it belongs to, which need not exist."""
    journal: Journal
    store: ObjectStore
    recorder: Recorder
    checkpoints: Checkpoints
    baseline: Baseline | None

    @property
    def lock_path(self) -> str:
        """The lock under which files and content change."""
        return os.path.join(self.state, "lock")


def state_folders(state_root: str) -> tuple[str, ...]:
    """Every folder under the state root that holds a history, whole or damaged."""
    try:
        names = sorted(os.listdir(state_root))
    except FileNotFoundError:
        return ()
    folders = (os.path.join(state_root, name) for name in names if not name.startswith("."))
    return tuple(folder for folder in folders if holds_history(folder))


def holds_history(state: str) -> bool:
    """Whether a journal, or its second copy, is in this folder."""
    return any(os.path.exists(os.path.join(state, name)) for name in ("journal.db", "journal.log"))


@contextmanager
def opened(state: str, clock: Callable[[], int]) -> Iterator[History]:
    """The history in a state folder. Raises Damaged if its journal cannot be read."""
    journal = Journal(state)
    try:
        store = ObjectStore(os.path.join(state, "store.git"))
        baseline = baselines.load(journal)
        current = baseline or Baseline(tracked=None, rest=None)
        recorder = Recorder(journal, store, lambda: current, clock)
        recorder.sync_contents()
        checkpoints = Checkpoints(
            journal=journal,
            store=store,
            recorder=recorder,
            baseline=lambda: current,
            ignored_by_git=lambda _: frozenset(),
            clock=clock,
        )
        yield History(
            state=state,
            root=journal.fact("root") or "",
            journal=journal,
            store=store,
            recorder=recorder,
            checkpoints=checkpoints,
            baseline=baseline,
        )
    finally:
        journal.close()


def open_intents(journal: Journal, store: ObjectStore) -> tuple[tuple[BlobId, Intent], ...]:
    """The operations that are under way, or were when their process died, each with the id of its body."""
    return tuple((one.body, from_bytes(store.get(one.body))) for one in still_open(journal))


def claims_of(store_path: str) -> Callable[[str], Iterable[WorkspacePath]]:
    """How to find the paths of an intent from its body; none where the body cannot be read."""

    def claims(body: str) -> Iterable[WorkspacePath]:
        try:
            return from_bytes(ObjectStore(store_path).get(BlobId(body))).paths()
        except (TakebackError, ValueError, KeyError):
            return ()

    return claims
