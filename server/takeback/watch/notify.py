"""The system's own account of writes in a workspace, as `Event` values.

On Linux `inotify` does the work; elsewhere watchdog's plain observer is translated here: nothing is left out,
and losses are not known. It must never decide what is recorded, and never write anything.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Iterable
from typing import Protocol

from watchdog import events as seen
from watchdog.observers import Observer

from takeback.model.paths import WorkspacePath
from takeback.watch.events import (
    GIT_NAMES,
    Clock,
    Event,
    GitMoved,
    LeaveOut,
    Lost,
    LostReason,
    Put,
    Removed,
    Touched,
    is_shown,
    lost_reason,
    rename_seen,
)

if sys.platform == "linux":
    from takeback.watch.inotify import InotifyWatcher

logger = logging.getLogger(__name__)

FILTER: list[type[seen.FileSystemEvent]] = [
    seen.FileCreatedEvent,
    seen.FileModifiedEvent,
    seen.FileClosedEvent,
    seen.FileAttribEvent,
    seen.FileDeletedEvent,
    seen.FileMovedEvent,
    seen.DirCreatedEvent,
    seen.DirDeletedEvent,
    seen.DirMovedEvent,
]
"""Without opening and reading, which change nothing."""
APPEARED = frozenset(
    {seen.EVENT_TYPE_CREATED, seen.EVENT_TYPE_MODIFIED, seen.EVENT_TYPE_CLOSED, seen.EVENT_TYPE_ATTRIB}
)


class Notifier:
    """Watches the recorded folders of one workspace and hands every event to `put`, on a thread of its own.

    `leave_out` and `put` are called on that thread (`leave_out` also in `start`); `put` must not block for long.
    Ignored files in watched folders are passed on too. What no event shows (mmap) is found by a look only.
    """

    def __init__(self, root: str, leave_out: LeaveOut, put: Put, *, clock: Clock = time.monotonic_ns) -> None:
        self._watcher = _watcher(os.path.realpath(root), leave_out, put, clock)

    def start(self) -> None:
        """Returns once everything is watched, so that a look begun afterwards misses nothing.

        What the system refuses to watch is a `Lost` event, never an exception. Cost: one walk over folders.
        """
        self._watcher.start()

    def stop(self) -> None:
        """Ends the threads. Events that were not read yet are dropped: call `sync` before, if they matter."""
        self._watcher.stop()

    def sync(self, timeout_s: float) -> bool:
        """True once every event from before this call was given to `put`; False if that cannot be known in time."""
        return self._watcher.sync(timeout_s)

    def widen(self, folder: str = "") -> None:
        """Asks `leave_out` anew below `folder` (after ignore rules changed) and watches what is recorded now.

        Returns at once; files in newly watched folders arrive as `Touched`. Nothing is ever unwatched by this.
        """
        self._watcher.widen(folder)


class _Watcher(Protocol):
    """What differs between Linux and the rest."""

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def sync(self, timeout_s: float) -> bool: ...
    def widen(self, folder: str) -> None: ...


class PlainWatcher(seen.FileSystemEventHandler):
    """watchdog's observer for this system. Moves, writes and attributes are seen; ignored folders cost as others."""

    def __init__(self, root: str, put: Put, clock: Clock) -> None:
        self._root = root
        self._put = put
        self._clock = clock
        self._observer = Observer()

    def start(self) -> None:
        """Begins to tell; a refusal of the system is a `Lost` event."""
        try:
            self._observer.schedule(self, self._root, recursive=True, event_filter=FILTER)
            self._observer.start()
        except OSError as error:
            self._put(Lost(reason=lost_reason(error.errno), path=""))

    def stop(self) -> None:
        """Ends the observer and its threads."""
        if self._observer.is_alive():
            self._observer.stop()
            self._observer.join()

    def sync(self, timeout_s: float) -> bool:
        """Always False: these systems do not say when their queue is empty."""
        del timeout_s
        return False

    def widen(self, folder: str) -> None:
        """Nothing is left out here, so there is nothing to add."""

    def on_any_event(self, event: seen.FileSystemEvent) -> None:
        """Called by watchdog on its own thread."""
        try:
            self._translate(event)
        except Exception:
            logger.exception("event not handled")
            self._put(Lost(reason=LostReason.FAILED, path=""))

    def _translate(self, event: seen.FileSystemEvent) -> None:
        source, target = self._relative(event.src_path), self._relative(event.dest_path)
        if any(_is_git_move(name) for name in (source, target)):
            self._put(GitMoved())
        elif event.event_type == seen.EVENT_TYPE_MOVED:
            self._put_all(rename_seen(source, target, self._clock(), is_folder=event.is_directory))
        elif source is not None and is_shown(source):
            self._put_plain(WorkspacePath(source), event)

    def _put_plain(self, path: WorkspacePath, event: seen.FileSystemEvent) -> None:
        if event.event_type == seen.EVENT_TYPE_DELETED:
            self._put(Removed(path=path, is_folder=event.is_directory))
        elif event.event_type in APPEARED:
            is_new = event.event_type == seen.EVENT_TYPE_CREATED
            self._put(Touched(path=path, at_ns=self._clock(), is_folder=event.is_directory, is_new=is_new))

    def _relative(self, path: bytes | str) -> str | None:
        text = os.fsdecode(path)
        return text[len(self._root) + 1 :] if text.startswith(self._root + "/") else None

    def _put_all(self, events: Iterable[Event]) -> None:
        for event in events:
            self._put(event)


def _is_git_move(path: str | None) -> bool:
    return path is not None and path.startswith(".git/") and path.removeprefix(".git/") in GIT_NAMES


def _watcher(root: str, leave_out: LeaveOut, put: Put, clock: Clock) -> _Watcher:
    if sys.platform == "linux":
        return InotifyWatcher(root, leave_out, put, clock)
    else:  # noqa: RET505 - mypy knows the other branch of a platform only by its `else`
        return PlainWatcher(root, put, clock)
