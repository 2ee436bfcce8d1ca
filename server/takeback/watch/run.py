"""From events to operations: notify, settle, look, record. One instance records one workspace.

    Notifier --events--> put() | step(): Settle -> Pace -> Looker -> journal
      (its own threads)        | (the one thread that owns the journal)

Only the holder of the lease runs one. It watches first and looks then, so nothing falls between. What it cannot see
(events lost, folders that could not be watched) leads to a look at the whole tree and a notice that says so.
"""

from __future__ import annotations

import logging
import os
import queue
import time
from collections.abc import Callable, Iterable, Iterator, Set
from contextlib import contextmanager, suppress
from dataclasses import replace

from takeback.errors import TakebackError
from takeback.model.paths import WorkspacePath
from takeback.model.source import Source
from takeback.record import Recorded
from takeback.repository.window import discover
from takeback.watch.events import Clock, Event, LeaveOut, Lost, LostReason
from takeback.watch.look import Looker
from takeback.watch.notify import Notifier
from takeback.watch.pace import Pace
from takeback.watch.settle import Burst, Move, Settle, joined, only

logger = logging.getLogger(__name__)

SYNC_S = 2.0
"""How long a request to catch up waits for the system's queue."""
AGAIN_NS = 100_000_000
"""Paths that Takeback itself was changing are looked at again after this."""
AGAIN_AT_MOST_NS = 5_000_000_000
BLIND_LOOK_NS = 30_000_000_000
"""While some folder cannot be watched, the tree is looked at this often."""
GIT_AT_WORK_S = 30
"""A younger `index.lock` means that git is still writing: its files are not recorded one half at a time."""
RULE_FILES = frozenset({".gitignore"})
LOST = "found by looking, because events were lost"

NOTHING = Recorded(operation=None, deferred=())

_BLIND = frozenset({LostReason.LIMIT, LostReason.UNWATCHED, LostReason.STOPPED})
_NO_LOOK = frozenset({LostReason.UNREADABLE, LostReason.ROOT_GONE})
_SAID = {
    LostReason.OVERFLOW: "the system dropped events; the whole workspace was looked at instead",
    LostReason.LIMIT: "the system allows no more watches (fs.inotify.max_user_watches); "
    "this folder is looked at from time to time",
    LostReason.UNREADABLE: "this folder may not be read, so nothing in it is recorded",
    LostReason.UNWATCHED: "this folder cannot be watched; it is looked at from time to time",
    LostReason.ROOT_GONE: "the workspace folder was moved or removed",
    LostReason.STOPPED: "reading events failed; the workspace is looked at from time to time",
    LostReason.FAILED: "some events could not be handled; the whole workspace was looked at instead",
}


class Watching:
    """Records one workspace while it runs. All methods but `put` belong to the thread that owns the journal."""

    def __init__(  # noqa: PLR0913 - each is named at the one call
        self,
        looker: Looker,
        *,
        settle_ms: int,
        leave_out: LeaveOut,
        source: Callable[[str], Source],
        is_paused: Callable[[], bool],
        wake: Callable[[], None],
        apart: Callable[[Burst | None], Set[WorkspacePath]] = lambda _: frozenset(),
        on_trouble: Callable[[str], None] = lambda _: None,
        on_loss: Callable[[str], None] = lambda _: None,
        clock: Clock = time.monotonic_ns,
    ) -> None:
        """`leave_out` is called on the notifier's thread; `source` says whose an unannounced write is.

        `apart` records what has to be an operation of its own, before the rest of a burst, or of a look, is, and gives
        back at which paths.
        `on_trouble` hears why nothing can be recorded, and the empty text when everything has been after all;
        `on_loss` hears that events were lost, once for each kind of loss while it lasts.
        """
        self._looker = looker
        self._source = source
        self._is_paused = is_paused
        self._wake = wake
        self._apart = apart
        self._on_trouble = on_trouble
        self._on_loss = on_loss
        self._told: set[LostReason] = set()
        self._clock = clock
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._settle = Settle(settle_ms * 1_000_000)
        self._quiet_ns = settle_ms * 1_000_000
        self._git_until_ns = 0
        self._pace = Pace()
        self._again: dict[WorkspacePath, int] = {}
        self._delays: dict[WorkspacePath, int] = {}
        self._noticed: set[Lost] = set()
        self._blind_since: int | None = None
        self._notifier = Notifier(looker.folder.path, leave_out, self.put)
        self._owes_look = False
        self._unrecorded: Burst | None = None
        """What bursts told of that could not be recorded."""
        self._trouble = ""
        self._failures_ns = 0
        self._not_before_ns = 0
        self.holding = False
        """While set, bursts wait for `catch_up`: a command is running, and its effects are one operation."""
        self.is_over = False
        """The workspace folder itself was moved or removed: there is nothing left to watch."""

    def start(self) -> None:
        """Watch, then look at everything, after a running command. Cost: a walk over the folders and the files."""
        self._notifier.start()
        self._owes_look = True
        self._look_if_owed()

    def stop(self) -> None:
        """Record what is known to have happened, and stop watching."""
        with suppress(Exception):  # logged, and told as trouble
            self.catch_up()
        self._notifier.stop()

    def put(self, event: Event) -> None:
        """Take in one event; called on the notifier's thread."""
        self._events.put(event)
        self._wake()

    def wait_s(self) -> float | None:
        """How long `step` has nothing to do if nothing comes; `None`: for ever."""
        wakes = [] if self._blind_since is None else [self._blind_since + BLIND_LOOK_NS]
        if not self.holding:
            settled_ns = self._settle.next_wake_ns()
            wakes += [] if settled_ns is None else [max(settled_ns, self._git_until_ns)]
            paced_ns = self._pace.next_wake_ns()
            wakes += [] if paced_ns is None else [paced_ns]
            wakes += self._again.values()
            wakes += [self._not_before_ns] if self._owes_look or self._waits_alone() else []
        return max(0.0, (max(min(wakes), self._not_before_ns) - self._clock()) / 1e9) if wakes else None

    def step(self) -> None:
        """Take in the events that came, and record what has settled. What fails is kept, and tried again."""
        with suppress(Exception), self._surviving(), self._looker.recorder.patient():
            self._step()

    def _step(self) -> None:
        self.take_in()
        now_ns = self._clock()
        if self.holding or now_ns < self._not_before_ns:
            return
        self._look_if_owed()
        with suppress(TakebackError):
            self._record_due(now_ns)
        if self._blind_since is not None and now_ns >= self._blind_since + BLIND_LOOK_NS:
            self._blind_since = now_ns
            with suppress(TakebackError):
                self._look(self._source(LOST))

    def catch_up(self, source: Source | None = None) -> Recorded:
        """Record everything that happened before this call, as `source` or as whoever is at it.

        While something cannot be watched, this is a look at the whole tree. Raises TakebackError if it cannot be
        recorded; then it is tried again.
        """
        if self.is_over:
            return NOTHING
        with self._surviving():
            return self._catch_up(source)

    def _catch_up(self, source: Source | None) -> Recorded:
        seen = self._notifier.sync(SYNC_S)
        self.take_in()
        waiting = (*self._pace.flush(), *self._again)
        burst = self._settle.flush()
        chosen = source or self._source("")
        recorded = NOTHING
        if burst is not None or waiting or self._unrecorded is not None:
            found = only(waiting)
            recorded = self._record(found if burst is None else joined(found, burst), chosen)
        if not seen or self._owes_look or self._blind_since is not None:
            recorded = _both(self._look(chosen), recorded)
        return recorded

    # --------------------------------------------------------------------------------------------

    @contextmanager
    def _surviving(self) -> Iterator[None]:
        """A defect in the block costs a look at the whole tree, and neither an event nor the recorder."""
        try:
            yield
        except TakebackError:  # whoever raised it has kept what it could not record
            raise
        except Exception as defect:
            logger.exception("a defect of Takeback kept something from being recorded")
            self._owes_look = True
            self._failed(f"a defect of Takeback: {type(defect).__name__}: {defect}")
            raise

    def take_in(self) -> None:
        """Know of the events that came. `step` and `catch_up` do it too."""
        with suppress(queue.Empty):
            while True:
                self._settle.add(self._events.get_nowait(), self._clock())

    def _record_due(self, now_ns: int) -> None:
        burst = None if self._git_at_work(now_ns) else self._settle.due(now_ns)
        if burst is not None:
            self._record_burst(burst, now_ns)
        waited = [*self._pace.due(now_ns), *(path for path, at in self._again.items() if at <= now_ns)]
        if waited or self._waits_alone():
            self._record(only(waited), self._source(""))

    def _waits_alone(self) -> bool:
        """Whether something could not be recorded, and nothing is under way that may go on with it: another rename."""
        return self._unrecorded is not None and self._settle.next_wake_ns() is None

    def _record_burst(self, burst: Burst, now_ns: int) -> None:
        admitted = self._pace.admit(burst.paths, now_ns)
        for path in admitted.newly_slowed:
            text = "is written without end, so it is recorded every few seconds only"
            self._notice("coalesced", path, text)
        self._record(replace(burst, paths=admitted.now), self._source(""))

    def _record(self, burst: Burst, source: Source) -> Recorded:
        """Record what a burst tells of, and what earlier ones did that could not be recorded."""
        if self._unrecorded is not None:
            burst = joined(self._unrecorded, burst)
        recorded = self._record_paths(burst, source)
        if self._must_look(burst):
            label = source.label if source.told else LOST
            recorded = _both(recorded, self._look(replace(source, label=label)))
        return recorded

    def _record_paths(self, burst: Burst, source: Source) -> Recorded:
        for path in burst.paths:
            self._again.pop(path, None)
        self._unrecorded = None
        if self._is_paused():  # the look at the end of the pause finds what happens meanwhile
            return NOTHING
        try:
            done = self._apart(burst) - {name for move in burst.moves for name in (move.source, move.target)}
            uncovered = self._look_for_uncovered(burst, source)
            if not burst.paths:
                return uncovered
            recorded = self._looker.burst(_without(burst, done), source)
        except TakebackError as problem:
            self._unrecorded = burst
            self._failed(problem.message)
            raise
        for path in burst.paths:
            if path not in recorded.deferred:
                self._delays.pop(path, None)
        self.look_again(recorded.deferred)
        self._succeeded()
        return _both(uncovered, recorded)

    def _look_for_uncovered(self, burst: Burst, source: Source) -> Recorded:
        """Look first where more may be recordable than before: what was there is not new, as its events would say."""
        is_uncovered = (
            any(path.rpartition("/")[2] in RULE_FILES for path in burst.paths)
            or (burst.git_moved and bool(self._looker.newly_tracked()))
            or self._looker.has_new_rules_for(burst.paths)
        )
        if not is_uncovered:
            return NOTHING
        self._notifier.widen()
        return self._look(source, burst.moves)

    def look_again(self, paths: Iterable[WorkspacePath]) -> None:
        """Look at `paths` a moment later, and each time that this is in vain a longer moment later."""
        for path in paths:
            delay_ns = self._delays.get(path, AGAIN_NS)
            self._delays[path] = min(2 * delay_ns, AGAIN_AT_MOST_NS)
            self._again[path] = self._clock() + delay_ns

    def _must_look(self, burst: Burst) -> bool:
        """Whether paths alone do not tell what happened, because events are missing."""
        for lost in burst.lost:
            if lost not in self._noticed:
                self._noticed.add(lost)
                self._notice(lost.reason.value, lost.path, _SAID[lost.reason])
                self._tell_loss(lost)
            if lost.reason is LostReason.ROOT_GONE:
                self.is_over = True
            elif lost.reason in _BLIND:
                self._blind_since = self._clock()
            if lost.reason is LostReason.OVERFLOW:
                self._noticed.discard(lost)
                self._told.discard(lost.reason)
        return any(lost.reason not in _NO_LOOK for lost in burst.lost)

    def _tell_loss(self, lost: Lost) -> None:
        """Thousands of folders may be lost for one reason: a person hears of the first."""
        if lost.reason not in self._told:
            self._told.add(lost.reason)
            self._on_loss(": ".join(filter(None, (lost.path, _SAID[lost.reason]))))

    def _look_if_owed(self) -> None:
        if self._owes_look and not self.holding:
            with suppress(TakebackError):
                self._look(self._source("found by looking"))

    def _look(self, source: Source, moves: Iterable[Move] = ()) -> Recorded:
        self._owes_look = False
        if self._is_paused():
            return NOTHING
        try:
            self._apart(None)
            looked = self._looker.everything(source, moves)
        except TakebackError as problem:
            self._owes_look = True
            self._failed(problem.message)
            raise
        self.look_again(looked.deferred)
        self._succeeded()
        return Recorded(operation=looked.operation, git=looked.git, deferred=())

    def _failed(self, why: str) -> None:
        """Say it once, and wait a moment with the next attempt, longer each time."""
        self._failures_ns = min(max(2 * self._failures_ns, AGAIN_NS), AGAIN_AT_MOST_NS)
        self._not_before_ns = self._clock() + self._failures_ns
        if why != self._trouble:
            self._trouble = why
            logger.info("recording fails and is tried again: %s", why)
            self._on_trouble(why)

    def _succeeded(self) -> None:
        if self._trouble and self._unrecorded is None and not self._owes_look:
            self._failures_ns = self._not_before_ns = 0
            self._trouble = ""
            self._on_trouble("")

    def _notice(self, reason: str, path: str, text: str) -> None:
        journal = self._looker.journal
        with suppress(TakebackError), journal.transaction():
            journal.append("notices", self._looker.clock(), reason, os.fsencode(path), text)

    def _git_at_work(self, now_ns: int) -> bool:
        """Whether git is in the middle of writing files; then its burst is not cut in two."""
        wake_ns = self._settle.next_wake_ns()
        if wake_ns is None or now_ns < wake_ns:
            return False
        repository = discover(self._looker.folder.path)
        if repository is None:
            return False
        try:
            began_s = os.stat(os.path.join(repository.git_dir, "index.lock")).st_mtime
        except OSError:
            return False
        if time.time() - began_s >= GIT_AT_WORK_S:
            return False
        self._git_until_ns = now_ns + self._quiet_ns
        return True


def _without(burst: Burst, done: Set[WorkspacePath]) -> Burst:
    """A burst without paths that have been looked at: another look might see what its events do not tell of yet."""
    return replace(burst, paths=tuple(path for path in burst.paths if path not in done))


def _both(one: Recorded, other: Recorded) -> Recorded:
    """What two steps recorded, as one: an operation of the first goes before one of the second."""
    return Recorded(
        operation=one.operation or other.operation,
        git=one.git or other.git,
        deferred=(*one.deferred, *other.deferred),
    )
