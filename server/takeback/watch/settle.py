"""Folding events into bursts, so that what happened together is looked at together. Pure.

    events   Touched t(new)  Moved t->a         ...quiet for settle_ns...     burst: paths (a, t), no move
             (an editor's atomic save)                                       = "a was touched"

A burst says where to look and what was renamed; it never says what is there now. Two rules hold whatever
comes in: every path that had an event is in exactly the burst that was open then, and no burst stays open
for longer than its maximum age.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import assert_never

from takeback.model.paths import WorkspacePath, ancestors, is_within, rebased
from takeback.watch.events import Event, GitMoved, Lost, Moved, Removed, Touched

MAX_AGE_NS = 2_000_000_000
"""After 2 s a burst is cut, quiet or not: a log that is written without end is recorded all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A rename over the whole burst: chains are one step, and what was removed afterwards is none."""

    source: WorkspacePath
    target: WorkspacePath
    is_folder: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """What is to be looked at together. Every tuple is sorted and without doubles."""

    paths: tuple[WorkspacePath, ...]
    """Every path that had an event, both ends of moves and names that are gone again among them."""
    moves: tuple[Move, ...]
    """Hints for pairing. A source that was never known is no rename; the recorder decides."""
    folders: tuple[WorkspacePath, ...]
    """New, moved and removed folders: everything below them is to be looked at. Outermost ones only."""
    lost: tuple[Lost, ...]
    git_moved: bool
    began_ns: int
    """When the first event was added."""
    ended_ns: int
    """When the last event was added."""

    def tells_of(self, path: WorkspacePath) -> bool:
        """Whether something may have happened at `path`."""
        return path in self.paths or any(is_within(path, folder) for folder in self.folders)


def only(paths: Iterable[WorkspacePath]) -> Burst:
    """A burst that tells of nothing but paths."""
    opened = _Open(began_ns=0)
    opened.paths.update(paths)
    return opened.burst()


def joined(first: Burst, then: Burst) -> Burst:
    """Both as one, `then` being the later: what was renamed twice is one step."""
    both = _Open(began_ns=first.began_ns, ended_ns=then.ended_ns)
    both.paths.update(first.paths, then.paths)
    both.folders.update(first.folders, then.folders)
    both.lost.update(first.lost, then.lost)
    both.git_moved = first.git_moved or then.git_moved
    for move in (*first.moves, *then.moves):
        both.fold(Moved(source=move.source, target=move.target, is_folder=move.is_folder))
    return both.burst()


class Settle:
    """Collects events until they pause. Knows the time only from its arguments (monotonic nanoseconds)."""

    def __init__(self, settle_ns: int, *, max_age_ns: int = MAX_AGE_NS) -> None:
        self._settle_ns = settle_ns
        self._max_age_ns = max_age_ns
        self._open: _Open | None = None

    def add(self, event: Event, now_ns: int) -> None:
        """Takes in one event, in the order in which the notifier gave them. Cost: constant, but for folder moves."""
        if self._open is None:
            self._open = _Open(began_ns=now_ns)
        self._open.ended_ns = now_ns
        self._open.fold(event)

    def due(self, now_ns: int) -> Burst | None:
        """The burst, if it has been quiet for long enough or is too old; it is handed out once."""
        wake_ns = self.next_wake_ns()
        return self.flush() if wake_ns is not None and now_ns >= wake_ns else None

    def next_wake_ns(self) -> int | None:
        """When `due` will next have something if nothing else comes; `None` while nothing is open."""
        if self._open is None:
            return None
        return min(self._open.ended_ns + self._settle_ns, self._open.began_ns + self._max_age_ns)

    def flush(self) -> Burst | None:
        """The burst as it is, without waiting: for the end of a command, or a request to catch up."""
        collected, self._open = self._open, None
        return None if collected is None else collected.burst()


class _Moves:
    """Renames that hold at the moment, each from the name before the burst to the name now."""

    def __init__(self) -> None:
        self._by_target: dict[WorkspacePath, Move] = {}
        self._target_of: dict[WorkspacePath, WorkspacePath] = {}

    def add(self, step: Move) -> None:
        """Lengthens a chain or begins one; a file moved back to its first name is no move."""
        source = self._origin(step.source)
        self.forget_target(step.source)
        self.forget_target(step.target)
        if source != step.target:
            self._set(Move(source=source, target=step.target, is_folder=step.is_folder))

    def keep_name(self, path: WorkspacePath) -> None:
        """New content took a name that was moved away: a save that left a backup, so the name stays the file's."""
        target = self._target_of.get(path)
        if target is not None:
            self.forget_target(target)

    def forget_target(self, path: WorkspacePath) -> None:
        """What was moved to `path` is gone from there."""
        move = self._by_target.pop(path, None)
        if move is not None:
            del self._target_of[move.source]

    def forget_below(self, folder: WorkspacePath) -> None:
        for target in [target for target in self._by_target if is_within(target, folder)]:
            self.forget_target(target)

    def rebase_targets(self, source: WorkspacePath, target: WorkspacePath) -> None:
        """What had been moved below `source` went along to `target`."""
        below = [move for move in self._by_target.values() if move.target.startswith(source + "/")]
        for move in below:
            self.forget_target(move.target)
        for move in below:
            now = _rebased(move.target, source, target)
            if now != move.source:
                self._set(Move(source=move.source, target=now, is_folder=move.is_folder))

    def result(self) -> tuple[Move, ...]:
        return tuple(sorted(self._by_target.values(), key=lambda move: (move.source, move.target)))

    def _origin(self, path: WorkspacePath) -> WorkspacePath:
        """The name that `path` had before the burst, also where only a folder above it was moved."""
        for name in (path, *ancestors(path)):
            move = self._by_target.get(name)
            if move is not None:
                return _rebased(path, name, move.source)
        return path

    def _set(self, move: Move) -> None:
        self.forget_target(move.target)
        self.keep_name(move.source)
        self._by_target[move.target] = move
        self._target_of[move.source] = move.target


@dataclass(slots=True, kw_only=True)
class _Open:
    """A burst while it is being collected."""

    began_ns: int
    ended_ns: int = 0
    paths: set[WorkspacePath] = field(default_factory=set)
    folders: set[WorkspacePath] = field(default_factory=set)
    born: set[WorkspacePath] = field(default_factory=set)
    """Names that appeared in this burst and are still there: moving one is no rename of a known file."""
    moves: _Moves = field(default_factory=_Moves)
    lost: set[Lost] = field(default_factory=set)
    git_moved: bool = False

    def fold(self, event: Event) -> None:
        match event:
            case Touched():
                self._touched(event)
            case Removed():
                self._removed(event)
            case Moved():
                self._moved(event)
            case GitMoved():
                self.git_moved = True
            case Lost():
                self.lost.add(event)
            case _:
                assert_never(event)

    def _touched(self, event: Touched) -> None:
        self.paths.add(event.path)
        if event.is_folder:
            self.folders.add(event.path)
        if event.is_new:
            self.born.add(event.path)
            self.moves.keep_name(event.path)

    def _removed(self, event: Removed) -> None:
        self.paths.add(event.path)
        self.born.discard(event.path)
        self.moves.forget_target(event.path)
        if event.is_folder:
            self.folders.add(event.path)
            self.born = {path for path in self.born if not is_within(path, event.path)}
            self.moves.forget_below(event.path)

    def _moved(self, event: Moved) -> None:
        self.paths.update((event.source, event.target))
        if event.is_folder:
            self.folders.update((event.source, event.target))
        if event.source not in self.born:
            self.moves.add(Move(source=event.source, target=event.target, is_folder=event.is_folder))
        else:
            self.moves.forget_target(event.target)
            self.moves.keep_name(event.target)
        self._move_born(event)

    def _move_born(self, event: Moved) -> None:
        """A new file moved over a name is an atomic save: the name may be older than the burst, so not born."""
        was_born = event.source in self.born
        self.born -= {event.source, event.target}
        if event.is_folder:
            if was_born:
                self.born.add(event.target)
            self.born = {_rebased(path, event.source, event.target) for path in self.born}
            self.moves.rebase_targets(event.source, event.target)

    def burst(self) -> Burst:
        return Burst(
            paths=tuple(sorted(self.paths)),
            moves=self.moves.result(),
            folders=_outermost(self.folders),
            lost=tuple(sorted(self.lost, key=lambda lost: (lost.reason, lost.path))),
            git_moved=self.git_moved,
            began_ns=self.began_ns,
            ended_ns=self.ended_ns,
        )


def _rebased(path: WorkspacePath, source: WorkspacePath, target: WorkspacePath) -> WorkspacePath:
    return rebased(path, source, target) if is_within(path, source) else path


def _outermost(folders: Iterable[WorkspacePath]) -> tuple[WorkspacePath, ...]:
    known = frozenset(folders)
    return tuple(sorted(path for path in known if known.isdisjoint(ancestors(path))))
