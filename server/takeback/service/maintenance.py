"""Keeping a workspace's history in order: gc, forget, doctor, and finding the history of a moved workspace."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace

from takeback import config as configuration
from takeback.errors import TakebackError
from takeback.files.holders import is_held
from takeback.model.ids import OpId
from takeback.model.paths import WorkspacePath
from takeback.service.opening import Workspace
from takeback.service.published import drop_shown
from takeback.service.recording import sync
from takeback.upkeep import adopting, collect, forget, needs
from takeback.upkeep.collect import Collected, Limits
from takeback.upkeep.forget import Chosen, Forgotten
from takeback.upkeep.histories import History, opened, state_folders
from takeback.watch import baseline

_NS_PER_DAY = 86_400 * 10**9
_LOCKS = ("lock", "lease")


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A history that was left alone."""

    state: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """What a `gc` did, history by history."""

    collected: tuple[Collected, ...]
    skipped: tuple[Skipped, ...] = ()


def gc(workspace: Workspace) -> Cleaned:
    """Keep the cap and the retention of one workspace; what happened so far is recorded first."""
    sync(workspace)
    return Cleaned(collected=(collect.collect(history_of(workspace), _limits(workspace), workspace.clock),))


def gc_all(workspace: Workspace, environ: Mapping[str, str]) -> Cleaned:
    """Keep one cap over all histories under the state root, by the configuration of this workspace.

    Histories that another process is using are left alone, and named.
    """
    sync(workspace)
    histories = [history_of(workspace)]
    skipped: list[Skipped] = []
    with ExitStack() as stack:
        for state in state_folders(configuration.state_root(environ)):
            if os.path.realpath(state) == os.path.realpath(workspace.state):
                continue
            if any(is_held(os.path.join(state, name)) for name in _LOCKS):
                skipped.append(Skipped(state=state, why="it is in use"))
                continue
            try:
                histories.append(stack.enter_context(opened(state, workspace.clock)))
            except TakebackError as problem:
                skipped.append(Skipped(state=state, why=problem.message))
        return _collected(workspace, histories, skipped)


def _collected(workspace: Workspace, histories: list[History], skipped: list[Skipped]) -> Cleaned:
    weights = []
    for history in list(histories):
        try:
            weights.append((history, collect.weigh(history, needs.roots(history))))
        except TakebackError as problem:
            skipped.append(Skipped(state=history.state, why=problem.message))
    limits = collect.share(weights, _limits(workspace))
    found = []
    for history, _ in weights:
        try:
            found.append(collect.collect(history, limits, workspace.clock))
        except TakebackError as problem:
            skipped.append(Skipped(state=history.state, why=problem.message))
    return Cleaned(collected=tuple(found), skipped=tuple(skipped))


def _limits(workspace: Workspace) -> Limits:
    store = workspace.config.store
    since = workspace.clock() - store.retention_days * _NS_PER_DAY
    return Limits(max_bytes=store.max_bytes, since_ns=since)


def forget_path(workspace: Workspace, path: WorkspacePath, *, shared_too: bool) -> Forgotten:
    """Drop the content of every state of a path, or of everything below a folder, for good.

    Raises NotFound if there is none, Refused if other paths share it and `shared_too` is not given.
    """
    sync(workspace)
    chosen = forget.of_path(history_of(workspace), path)
    return _forget(workspace, chosen, shared_too=shared_too)


def forget_operation(workspace: Workspace, op: OpId, *, shared_too: bool) -> Forgotten:
    """Drop the content that one operation wrote, for good. Raises as `forget_path` does."""
    sync(workspace)
    chosen = forget.of_operation(history_of(workspace), op)
    return _forget(workspace, chosen, shared_too=shared_too)


def _forget(workspace: Workspace, chosen: Chosen, *, shared_too: bool) -> Forgotten:
    """Drop content, and the copies that editors were shown: what is forgotten may be in any of them."""
    found = forget.forget(history_of(workspace), chosen, workspace.clock, shared_too=shared_too)
    n = drop_shown(workspace.state)
    note = f"removed {n} {'copy' if n == 1 else 'copies'} that an editor showed"
    return replace(found, notes=(*found.notes, note)) if n else found


def adopt(root: str, old_root: str, environ: Mapping[str, str], clock: Callable[[], int]) -> str:
    """The state folder of `root`, which from now on holds the history of `old_root`."""
    real, old = os.path.realpath(root), os.path.abspath(old_root)
    states = (configuration.state_folder(old, environ), configuration.state_folder(real, environ))
    return adopting.adopt(real, old, states, clock)


def history_of(workspace: Workspace) -> History:
    """The history of an opened workspace."""
    return History(
        state=workspace.state,
        root=workspace.root,
        journal=workspace.journal,
        store=workspace.store,
        recorder=workspace.recorder,
        checkpoints=workspace.checkpoints,
        baseline=baseline.load(workspace.journal),
    )
