"""Finds what changed by looking: at the whole tree without a recorder running, or at some paths.

A look runs without any lock. What it saw is checked against the last known states when it is recorded.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Container, Iterable, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, replace

from takeback.errors import Refused, StorageFull
from takeback.files.cache import StatCache, load_cache, save_cache
from takeback.files.listing import times_of
from takeback.files.scan import Scan, scan
from takeback.journal import views
from takeback.model.ids import ChangeSeq, OpId
from takeback.model.operation import Observation
from takeback.model.paths import WorkspacePath, ancestors, parent
from takeback.model.source import Source
from takeback.model.state import EMPTY_DIRECTORY, FileKind, FileState, Reason
from takeback.record import Recorded
from takeback.watch.git_moves import GitMoves
from takeback.watch.observe import Observer
from takeback.watch.settle import Burst, Move
from takeback.watch.until import Until, load_until, save_until

logger = logging.getLogger(__name__)

UNSEEN = "unseen"
"""The fact that names the folders which the last look could not look into."""
TOO_DEEP = "path_too_long"

_UNREACHED = FileState(kind=FileKind.FILE, reason=Reason.UNREADABLE)
"""What an `UNSEARCHABLE` reading says of a file that nobody knew."""

_LOOKS_AGAIN = 5
"""How often a path is looked at again because others recorded it meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What a look recorded."""

    operation: OpId | None
    """`None`: everything is as it was known."""
    git: OpId | None = None
    """The operation that holds what git wrote, if it wrote anything."""
    deferred: tuple[WorkspacePath, ...] = ()
    """Where it has to be looked at again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looker(Observer):
    """Looks at one workspace, and records what it finds."""

    cache_path: str
    clock: Callable[[], int]
    moves: GitMoves

    def everything(self, source: Source, moves: Iterable[Move] = ()) -> Looked:
        """Record whatever differs from the last known state, anywhere, with the renames that events saw."""
        cache = load_cache(self.cache_path)
        self.passed_over.recall(cache)
        self.passed_over.closed |= self._last_unseen().keys() - cache.folders.keys()
        before = load_until(self._looked_path)
        until = Until(change=self.journal.last_change(), index=self.rules.index_token())
        token = self.rules.rules_token()
        uncovered = self.newly_tracked() if until.index != before.index else frozenset()
        seen = self.scan(
            cache,
            recheck=token != self.journal.fact("rules"),
            ask_in={parent(path) for path in uncovered},
        )
        if _rules_changed(seen):  # an ignore file inside the tree: ask again about everything
            seen = self.scan(cache, recheck=True)
        unseen = self._unseen(cache, seen, before.change)
        renamed = {**self._renamed(cache, seen), **self._followed(moves)}
        recorded = self._record(source, seen, renamed, unseen)
        recorded = self._again(recorded, source, self.recorder.record_unannounced)
        with suppress(StorageFull):  # it is recorded: without room for the rest, the next look has more to do
            if not recorded.deferred:
                self.passed_over.learn(seen.cache)
                self.passed_over.closed = set(seen.unreadable_folders) - seen.cache.folders.keys()
                if seen.cache is not cache:
                    save_cache(seen.cache, self.cache_path)
                if until != before:
                    save_until(until, self._looked_path)
            self._remember({"rules": token, UNSEEN: unseen_folders(seen)})
        return Looked(operation=recorded.operation, git=recorded.git, deferred=recorded.deferred)

    def _unseen(self, cache: StatCache, seen: Scan, since: ChangeSeq) -> tuple[WorkspacePath, ...]:
        """Paths that are recorded and that the cache does not know: if they are gone, no scan says so.

        What was recorded without a look of the tree (by a watcher, by Takeback itself) since the last one; of a cache
        that was lost, everything.
        """
        found = set(
            views.paths_changed_since(self.journal, since) if cache.folders else self.recorder.recorded()
        )
        return tuple(sorted(found - {*seen.changed, *seen.vanished, *seen.empty_folders}))

    def newly_tracked(self) -> frozenset[WorkspacePath]:
        """What was left out and is tracked now, files and folders. Cost: git's list of what it tracks, if it changed."""
        return frozenset(WorkspacePath(path) for path in self.rules.tracked(self.passed_over.paths()))

    def has_new_rules_for(self, paths: Iterable[WorkspacePath]) -> bool:
        """Whether rules that no event tells of changed since the last look, and some of `paths` were left out then."""
        if not any(path in self.passed_over for path in paths):
            return False
        return self.rules.rules_token() != self.journal.fact("rules")

    @property
    def _looked_path(self) -> str:
        return self.cache_path + ".until"

    def unseen(self) -> Mapping[WorkspacePath, str]:
        """The folders that the last look could not look into, and no look could now, each with the reason."""
        return {
            folder: why
            for folder, why in self._last_unseen().items()
            if (self.is_folder(folder) if why == TOO_DEEP else self.names(folder) is None)
        }

    def _last_unseen(self) -> dict[WorkspacePath, str]:
        found: dict[WorkspacePath, str] = json.loads(self.journal.fact(UNSEEN) or "{}")
        return found

    def at(self, paths: Iterable[WorkspacePath], source: Source) -> Recorded:
        """Record whatever differs from the last known state at `paths`, and below those that are folders."""
        wanted = dict.fromkeys(paths)
        for path in tuple(wanted):
            wanted.update(dict.fromkeys(self.below(path)))
        recorded = self.recorder.record(source, self.observe(tuple(wanted)))
        return self._again(recorded, source, self.recorder.record)

    def _again(
        self, recorded: Recorded, source: Source, record: Callable[[Source, Sequence[Observation]], Recorded]
    ) -> Recorded:
        """Look once more at what others recorded meanwhile, unless it is Takeback's own at this moment."""
        for _ in range(_LOOKS_AGAIN):
            claimed = self.journal.claimed()
            paths = [path for path in recorded.deferred if path not in claimed]
            if not paths:
                break
            more = record(source, self.observe(paths))
            held = tuple(path for path in recorded.deferred if path in claimed)
            recorded = replace(
                more, operation=more.operation or recorded.operation, deferred=held + more.deferred
            )
        return recorded

    def some(self, paths: Sequence[WorkspacePath], source: Source) -> None:
        """Record whatever differs from the last known state at exactly these paths."""
        self.moves.record(source, self.observe(paths), complete=False)

    def times(self) -> Mapping[WorkspacePath, int]:
        """When what the next look would find changed last; where something is gone, when its folder did."""
        seen = self.scan(load_cache(self.cache_path))
        found = {path: seen.stat(path).ctime_ns for path in seen.changed}
        return found | {path: self._folder_time(path) for path in seen.vanished}

    def _folder_time(self, path: WorkspacePath) -> int:
        """When the nearest folder above `path` that is still there got or lost something."""
        for folder in ancestors(path):
            with suppress(Refused):
                stat = self.folder.look(folder)
                if stat is not None:
                    return stat.mtime_ns
        return os.stat(self.folder.path).st_mtime_ns

    def burst(self, burst: Burst, source: Source) -> Recorded:
        """Record what events told of: what is at its paths and below its folders, with the renames they saw.

        Cost: the paths, not the tree. If git moved, all that it wrote has to be among them.
        """
        wanted = dict.fromkeys(burst.paths)
        for folder in burst.folders:
            wanted.update(dict.fromkeys(self.below(folder)))
        sources = self._followed(burst.moves)
        wanted.update(dict.fromkeys(sources))  # a folder that was closed does not tell what it took along
        seen = list(self.observe(tuple(wanted)))
        emptied = {WorkspacePath(parent(one.path)) for one in seen if not one.after.exists} - {"", *wanted}
        seen += self.observe(sorted(folder for folder in emptied if self.is_folder(folder)))
        opened = {folder for folder in self.passed_over.closed if self.names(folder) is not None}
        self.passed_over.closed -= opened & wanted.keys()
        seen = [self._moved(one, sources[one.path]) if one.path in sources else one for one in seen]
        return self.moves.record(source, seen, complete=burst.git_moved)

    def _moved(self, one: Observation, source: WorkspacePath) -> Observation:
        """What was renamed, from where. Where it cannot be reached, it is as it was known."""
        after = self.recorder.state_of(source)[1] if one.after == _UNREACHED else one.after
        return replace(one, moved_from=source, after=after)

    def _followed(self, moves: Iterable[Move]) -> dict[WorkspacePath, WorkspacePath]:
        """Where renamed files came from; a folder took all that was known below it along. So did what is left out."""
        found = {}
        for move in moves:
            self.passed_over.moved(move.source, move.target)
            if move.is_folder:
                for path in self.recorder.recorded_below(move.source):
                    found[WorkspacePath(move.target + path[len(move.source) :])] = path
            elif self.recorder.state_of(move.source)[1].exists:
                found[move.target] = move.source
        return found

    def scan(
        self,
        cache: StatCache,
        *,
        recheck: bool = False,
        ask_in: Set[str] = frozenset(),
        tracked: tuple[Container[str], Container[str]] = (frozenset(), frozenset()),
    ) -> Scan:
        """What is not proved to be as `cache` says. Rules are asked anew about what is in the folders `ask_in`.

        `tracked` are the files, and the folders with their `/`, that git tracks: they need not be asked about.
        """
        files, folders = tracked

        def leave_out(paths: Sequence[str]) -> Set[str]:
            asked = [path for path in paths if path not in files and path not in folders]
            return self.left_out(asked) if asked else frozenset()

        return scan(
            self.folder.path,
            cache,
            leave_out,
            started_ns=self.clock(),
            max_files=self.config().max_files,
            recheck=recheck,
            ask_in=ask_in,
        )

    def _renamed(self, cache: StatCache, seen: Scan) -> Mapping[WorkspacePath, WorkspacePath]:
        """Where files came from whose content was never captured: it cannot tell, so inode and mtime do."""
        sources = {}
        for path in seen.vanished:
            times = times_of(cache, path) if self.recorder.state_of(path)[1].never_captured else None
            if times is not None:
                _, mtime_ns, _, inode, _ = times
                sources[inode, mtime_ns] = path
        stats = ((path, seen.stat(path)) for path in seen.changed) if sources else ()
        found = ((path, sources.get((stat.inode, stat.mtime_ns))) for path, stat in stats)
        return {path: source for path, source in found if source is not None}

    def _record(
        self,
        source: Source,
        seen: Scan,
        renamed: Mapping[WorkspacePath, WorkspacePath],
        unseen: Sequence[WorkspacePath],
    ) -> Recorded:
        empty = set(seen.empty_folders)
        observations = [self.observation(path, adopted=self.was_there(path)) for path in seen.changed]
        gone = (*seen.vanished, *unseen)
        observations += [self.observation(path) for path in gone if path not in empty]
        observations += [Observation(path=path, after=EMPTY_DIRECTORY) for path in seen.empty_folders]
        seen_at = {one.path for one in observations}
        observations += [
            self.observation(path)
            for path, known in self.journal.all_known()
            if _may_differ_unseen(known.state) and path not in seen_at
        ]
        observations = [
            replace(one, moved_from=renamed[one.path]) if one.path in renamed else one for one in observations
        ]
        return self.moves.record(source, observations, complete=True)

    def _remember(self, facts: Mapping[str, str]) -> None:
        new = {name: value for name, value in facts.items() if self.journal.fact(name) != value}
        if new:
            with self.journal.transaction():
                for name, value in new.items():
                    self.journal.append("facts", name, value, self.clock())


def unseen_folders(seen: Scan) -> str:
    """The folders that a look could not look into, each with the reason, as the journal keeps them."""
    found = dict.fromkeys(seen.unreadable_folders, Reason.UNREADABLE.value)
    found |= dict.fromkeys(seen.too_deep_folders, TOO_DEEP)
    return json.dumps(found)


def _may_differ_unseen(state: FileState) -> bool:
    """Whether no scan tells what became of it: an empty folder that is gone, or a file that can be read now."""
    return state.kind is FileKind.DIRECTORY or state.reason is Reason.UNREADABLE


def _rules_changed(seen: Scan) -> bool:
    names: Set[str] = {".gitignore"}
    return any(os.path.basename(path) in names for path in (*seen.changed, *seen.vanished))
