"""Watching a workspace with inotify: watches on recorded folders only, and losses told.

watchdog reads the kernel's queue (`InotifyFD`). Its own watch group is not used: it asks nobody which folders
to leave out, only logs what it lost, holds everything back behind an unpaired move, and pairs moves by
searching its queue, which is quadratic in a burst of renames. Two threads:

    reader   read(2), stamp, queue         never waits for anything, so that the kernel's queue stays short
    worker   queue -> paths -> Event       owns all state; watches new folders, pairs moves, tells losses

It must never decide what is recorded, and never write anything.
Source: inotify(7), "Limitations and caveats".
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from takeback.model.paths import WorkspacePath
from takeback.model.staged import is_own_name
from takeback.watch.events import (
    GIT_NAMES,
    Clock,
    GitMoved,
    LeaveOut,
    Lost,
    LostReason,
    Put,
    Removed,
    Touched,
    lost_reason,
    rename_seen,
)
from takeback.watch.reader import (
    In,
    InotifyEvent,
    Reader,
    ReaderDied,
    Received,
    Stop,
    Widen,
)
from takeback.watch.watches import Watches, inside

logger = logging.getLogger(__name__)

PAIRING_NS = 50_000_000
"""The two halves of a move come one right after the other; after 50 ms the other half lies outside."""
RETRY_S = 5.0
"""After a failure the watches are built anew with the next event, or after 5 s."""
BATCH = 4096
"""Events handled before new folders are watched: enough to ask about many at once, few milliseconds of work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Leaving:
    """The first half of a move."""

    path: str
    is_folder: bool
    until_ns: int


class InotifyWatcher:
    """Turns inotify's numbers and names into events."""

    def __init__(self, root: str, leave_out: LeaveOut, put: Put, clock: Clock) -> None:
        self._root = os.fsencode(root)
        self._leave_out = leave_out
        self._put = put
        self._clock = clock
        self._received: queue.SimpleQueue[Received] = queue.SimpleQueue()
        self._reader: Reader | None = None
        self._worker = threading.Thread(target=self._work, name="takeback-notify", daemon=True)
        self._watches: Watches
        """Made by `start`."""
        self._leaving: dict[int, _Leaving] = {}
        self._arrived: list[str] = []
        """Folders that appeared in this batch, still unwatched."""
        self._index_moved = False
        """git may track something in a folder that is left out: then it is recorded."""
        self._just_touched: str | None = None
        self._is_stale = False
        """Events about folders may be among what was lost."""
        self._barriers: dict[int, threading.Event] = {}
        self._passed: list[threading.Event] = []
        """Barriers met in this batch; they open at its end, when new folders were read too."""
        self._sync_lock = threading.Lock()

    def start(self) -> None:
        """Watches everything, then begins to tell. Raises only what `leave_out` raises."""
        try:
            self._reader = Reader(self._received, self._clock)
        except OSError as error:
            logger.warning("inotify is not available: %s", error.strerror)
            self._put(Lost(reason=lost_reason(error.errno), path=""))
            return
        self._reader.start()
        self._watches = Watches(self._root, self._reader, self._leave_out, self._put, self._tell_found)
        try:
            self._watches.add_git()
            self._watches.add([""], tell=False)
        except BaseException:
            self._reader.stop()
            raise
        self._worker.start()

    def stop(self) -> None:
        """Ends both threads; what is still queued is dropped."""
        reader = self._reader
        if reader is None:
            return
        # The worker first: on a closed descriptor it could reach a stranger's with the same number.
        if self._worker.is_alive():
            self._received.put(Stop())
            self._worker.join()
        self._reader = None
        reader.stop()
        reader.join()

    def sync(self, timeout_s: float) -> bool:
        """Ends a watch made for this alone: the kernel says so at the end of its queue, behind all that was."""
        done = threading.Event()
        with self._sync_lock:
            if self._reader is None or not self._worker.is_alive():
                return False
            try:
                number = self._reader.watch(os.fsencode(os.devnull), In.IN_DELETE_SELF)
            except OSError:
                return False
            self._barriers[number] = done
            self._reader.unwatch(number)
        return done.wait(timeout_s)

    def widen(self, folder: str) -> None:
        """Queues the request, so that it is handled in order with the events."""
        self._received.put(Widen(folder))

    # The worker

    def _work(self) -> None:
        while True:
            for item in self._next_batch():
                if isinstance(item, Stop):
                    return
                self._survive(partial(self._on_received, item))
            self._survive(self._after_batch)
            while self._passed:
                self._passed.pop().set()

    def _survive(self, act: Callable[[], None]) -> None:
        """A defect costs one event, never the thread; what the event would have changed is built anew."""
        try:
            act()
        except Exception:
            logger.exception("event not handled")
            self._is_stale = True
            self._tell_failure()

    def _tell_failure(self) -> None:
        with contextlib.suppress(Exception):  # `put` itself may be what failed, and the log has it already
            self._put(Lost(reason=LostReason.FAILED, path=""))

    def _next_batch(self) -> Sequence[Received]:
        """Waits for something to do: an event, or the end of the wait for the second half of a move."""
        timeout_s = RETRY_S if self._is_stale else None
        if self._leaving:
            until_ns = min(leaving.until_ns for leaving in self._leaving.values())
            timeout_s = max(0, until_ns - self._clock()) / 1e9
        batch: list[Received] = []
        with contextlib.suppress(queue.Empty):
            batch.append(self._received.get(timeout=timeout_s))
            while len(batch) < BATCH:
                batch.append(self._received.get_nowait())
        return batch

    def _on_received(self, item: tuple[InotifyEvent, int] | Widen | ReaderDied) -> None:
        match item:
            case Widen(folder):
                self._watches.add([folder], tell=True)
            case ReaderDied():
                self._put(Lost(reason=LostReason.STOPPED, path=""))
            case (event, at_ns):
                self._on_event(event, at_ns)

    def _after_batch(self) -> None:
        self._just_touched = None
        if self._is_stale:
            self._is_stale = False
            self._arrived.clear()
            self._watches.rebuild()
        arrived, self._arrived = self._arrived, []
        if self._index_moved:
            self._index_moved = False
            arrived += self._watches.left_until_now()
        self._watches.add(arrived, tell=True)
        now_ns = self._clock()
        self._give_up([cookie for cookie, left in self._leaving.items() if left.until_ns <= now_ns])

    def _on_event(self, event: InotifyEvent, at_ns: int) -> None:
        if event.is_queue_overflow:
            self._on_overflow()
        elif event.is_ignored:
            self._on_watch_ended(event.wd)
        elif self._watches.is_git(event.wd):
            self._on_git(os.fsdecode(event.name))
        elif not event.name:
            self._on_self(event)
        else:
            folder = self._watches.folders.path_of(event.wd)
            if folder is not None:
                self._on_entry(folder, os.fsdecode(event.name), event, at_ns)

    def _on_overflow(self) -> None:
        logger.warning("inotify events were lost; the workspace has to be looked at")
        self._is_stale = True
        self._give_up(list(self._leaving))
        self._put(Lost(reason=LostReason.OVERFLOW, path=""))
        for number in list(self._barriers):
            self._passed.append(self._barriers.pop(number))

    def _on_watch_ended(self, number: int) -> None:
        barrier = self._barriers.pop(number, None)
        if barrier is not None:
            self._give_up(list(self._leaving))
            self._passed.append(barrier)
        else:
            self._watches.ended(number)

    def _on_git(self, name: str) -> None:
        if name in GIT_NAMES:
            self._put(GitMoved())
        self._index_moved = self._index_moved or name == "index"

    def _on_self(self, event: InotifyEvent) -> None:
        """Only the root asks to hear of its own end; every other folder's is told by its parent."""
        folder = self._watches.folders.path_of(event.wd)
        if folder is None:
            return
        if event.mask & In.IN_UNMOUNT:
            self._put(Lost(reason=LostReason.UNWATCHED, path=folder))
        elif folder == "" and (event.is_delete_self or event.is_move_self):
            self._put(Lost(reason=LostReason.ROOT_GONE, path=""))

    def _on_entry(self, folder: str, name: str, event: InotifyEvent, at_ns: int) -> None:
        path, is_folder = inside(folder, name), event.is_directory
        if path == ".git" and event.mask & (In.IN_CREATE | In.IN_MOVED_TO):
            self._watches.add_git()
            self._put(GitMoved())
        elif event.is_moved_from:
            until_ns = at_ns + PAIRING_NS
            self._leaving[event.cookie] = _Leaving(path=path, is_folder=is_folder, until_ns=until_ns)
        elif event.is_moved_to:
            self._on_arrival(path, event.cookie, at_ns, is_folder=is_folder)
        elif not is_own_name(name):
            self._on_change(path, event, at_ns)

    def _on_change(self, path: str, event: InotifyEvent, at_ns: int) -> None:
        """A file that is created, written and closed is one event, as long as nothing comes between."""
        if event.is_delete:
            self._just_touched = None
            self._put(Removed(path=WorkspacePath(path), is_folder=event.is_directory))
        elif event.is_directory:
            # A known folder's attributes are no state of it; an unknown one may have become readable.
            if event.is_create or self._watches.folders.number_of(path) is None:
                self._make_room(path)
                self._arrived.append(path)
                self._tell(path, at_ns, is_new=event.is_create, is_folder=True)
        elif path != self._just_touched:
            self._tell(path, at_ns, is_new=event.is_create, is_folder=False)

    def _on_arrival(self, path: str, cookie: int, at_ns: int, *, is_folder: bool) -> None:
        left = self._leaving.pop(cookie, None)
        source = None if left is None else left.path
        self._just_touched = None
        if is_folder:
            self._make_room(path)
            if source is not None:
                self._watches.folders.move(source, path)
            self._arrived.append(path)
        for event in rename_seen(source, path, at_ns, is_folder=is_folder):
            self._put(event)

    def _make_room(self, path: str) -> None:
        """A folder appeared under a name that is being moved away: the watches below belong to the old one."""
        self._give_up([cookie for cookie, left in self._leaving.items() if left.path == path])

    def _give_up(self, cookies: Iterable[int]) -> None:
        """The other half did not come: it lies outside, or in a folder that is left out."""
        for cookie in cookies:
            left = self._leaving.pop(cookie)
            if left.is_folder:
                self._watches.remove(left.path)
            for event in rename_seen(left.path, None, left.until_ns, is_folder=left.is_folder):
                self._put(event)

    def _tell_found(self, path: str, is_folder: bool) -> None:  # noqa: FBT001 - a callback
        self._tell(path, self._clock(), is_new=True, is_folder=is_folder)

    def _tell(self, path: str, at_ns: int, *, is_new: bool, is_folder: bool) -> None:
        self._just_touched = path
        self._put(Touched(path=WorkspacePath(path), at_ns=at_ns, is_folder=is_folder, is_new=is_new))
