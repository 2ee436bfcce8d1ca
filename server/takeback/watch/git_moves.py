"""Recording of what nobody announced, with git's own writes told apart from everyone else's.

When HEAD moved since the last time, paths that are now as git left them become one operation of actor `git`; the rest
goes to whoever it would have gone to. The commit that HEAD was at is a fact in the journal, so a recorder that sees
events and a look without one tell the same. Git writes files before it moves HEAD: what somebody asked for in between,
and nobody announced, is claimed for git.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from takeback.claims import Claims
from takeback.journal.log import Journal
from takeback.model.operation import GIT, Observation, OperationKind
from takeback.model.source import Source
from takeback.model.state import FileKind, FileState
from takeback.record import Recorded, Recorder
from takeback.repository.head_moves import HeadMove, Leaf, moved_since
from takeback.repository.window import Head, Repository, discover

_FACT = "head"


@dataclass(frozen=True, slots=True, kw_only=True)
class GitMoves:
    """Records observations of one workspace, git's own among them as git's."""

    root: str
    journal: Journal
    recorder: Recorder
    claims: Claims
    clock: Callable[[], int]

    def record(self, source: Source, observations: Sequence[Observation], *, complete: bool) -> Recorded:
        """What of the observations is new: one operation, and one of git before it if git wrote some of them.

        `complete` says that nothing else that git wrote is still to be seen, so that HEAD is remembered.
        """
        repository = discover(self.root)
        if repository is None:
            return self.recorder.record_unannounced(source, observations)
        head = repository.head()
        remembered = self._remembered()
        move = None
        if remembered is not None and remembered != _fact(head) and not source.told:
            move = moved_since(repository, json.loads(remembered)["commit"], head)
        recorded = self._split(repository, move, source, observations)
        if complete and remembered != _fact(head):
            self._remember(head)
        return recorded

    def _split(
        self,
        repository: Repository,
        move: HeadMove | None,
        source: Source,
        observations: Sequence[Observation],
    ) -> Recorded:
        if move is None:
            return self.recorder.record_unannounced(source, observations)
        leaves = _inside(repository, self.root, move.leaves)
        told = Source(kind=OperationKind.GIT, actor=GIT, label=move.label)
        by_git = [one for one in observations if one.path in leaves and _is(one.after, leaves[one.path])]
        paths = {one.path for one in by_git}
        others = [one for one in observations if one.path not in paths]
        self.claims.claim_all(told, lambda one: one.path in leaves and _is(one.after, leaves[one.path]))
        git = self.recorder.record(told, by_git)
        rest = self.recorder.record_unannounced(source, others)
        return replace(rest, git=git.operation, deferred=git.deferred + rest.deferred)

    def _remembered(self) -> str | None:
        return self.journal.fact(_FACT)

    def _remember(self, head: Head) -> None:
        with self.journal.transaction():
            if self._remembered() != _fact(head):
                self.journal.append("facts", _FACT, _fact(head), self.clock())


def _fact(head: Head) -> str:
    return json.dumps({"branch": head.branch, "commit": head.commit})


def _inside(
    repository: Repository, root: str, leaves: Mapping[str, Leaf | None]
) -> Mapping[str, Leaf | None]:
    """The leaves below the workspace, by workspace path."""
    inside = os.path.relpath(root, repository.work_tree)
    if inside == ".":
        return leaves
    prefix = inside + "/"
    return {path.removeprefix(prefix): leaf for path, leaf in leaves.items() if path.startswith(prefix)}


def _is(state: FileState, leaf: Leaf | None) -> bool:
    """Whether a file is as git left it. Where git converts (line endings, filters) it is not, and so not git's."""
    if leaf is None:
        return not state.exists
    blob, mode = leaf
    if state.blob != blob:
        return False
    if state.kind is FileKind.SYMLINK:
        return mode == 0o120000
    return state.kind is FileKind.FILE and (mode == 0o100755) == bool(state.mode & 0o100)
