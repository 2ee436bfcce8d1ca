"""The thread that empties the kernel's inotify queue, and the watches it is asked for. Linux only.

It stamps and queues what it reads and never waits for anything else, so that the kernel's queue stays short.
"""

from __future__ import annotations

import ctypes
import logging
import os
import queue
from dataclasses import dataclass

from watchdog.observers.inotify_c import (
    InotifyConstants as In,
)
from watchdog.observers.inotify_c import (
    InotifyEvent,
    InotifyFD,
    Mask,
    WatchDescriptor,
    inotify_add_watch,
    inotify_rm_watch,
)

from takeback.watch.events import Clock

__all__ = [
    "FOLDER_MASK",
    "GIT_MASK",
    "ROOT_MASK",
    "In",
    "InotifyEvent",
    "Reader",
    "ReaderDied",
    "Received",
    "Stop",
    "Widen",
]

logger = logging.getLogger(__name__)

# IN_MODIFY is what a truncate by name or an append through an open descriptor shows; opening and reading
# are not asked for, because they overflow the kernel's queue in any build.
FOLDER_MASK = Mask(
    In.IN_CREATE
    | In.IN_DELETE
    | In.IN_MOVE
    | In.IN_MODIFY
    | In.IN_CLOSE_WRITE
    | In.IN_ATTRIB
    | In.IN_ONLYDIR
    | In.IN_DONT_FOLLOW
    | In.IN_EXCL_UNLINK,
)
ROOT_MASK = Mask(FOLDER_MASK | In.IN_DELETE_SELF | In.IN_MOVE_SELF)
# IN_MASK_ADD: should git's folder turn out to be one that is watched already, its mask is not narrowed.
GIT_MASK = Mask(In.IN_CREATE | In.IN_DELETE | In.IN_MOVE | In.IN_CLOSE_WRITE | In.IN_ONLYDIR | In.IN_MASK_ADD)


@dataclass(frozen=True, slots=True)
class Widen:
    """What is left out below `folder` is to be asked anew."""

    folder: str


@dataclass(frozen=True, slots=True)
class ReaderDied:
    """Nothing more will be read."""


@dataclass(frozen=True, slots=True)
class Stop:
    """The worker is to end."""


Received = tuple[InotifyEvent, int] | Widen | ReaderDied | Stop


class Reader(InotifyFD):
    """The thread that empties the kernel's queue. Watches are kept by their number alone."""

    def __init__(self, received: queue.SimpleQueue[Received], clock: Clock) -> None:
        super().__init__()
        self._received = received
        self._clock = clock

    def run(self) -> None:
        """Reads until stopped; a failure is logged and queued."""
        try:
            super().run()
        except Exception:
            logger.exception("reading inotify events failed")
            self._received.put(ReaderDied())

    def handle_event(self, event: InotifyEvent) -> None:
        """Stamps and queues one event; called by watchdog in this thread."""
        self._received.put((event, self._clock()))

    def watch(self, path: bytes, mask: Mask) -> int:
        """The number of the watch; the same inode always gets the same one. Raises OSError."""
        number = inotify_add_watch(self._inotify_fd, path, mask)
        if number == -1:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), path)
        return int(number)

    def unwatch(self, number: int) -> None:
        """Ends a watch; one that the kernel ended already is fine."""
        inotify_rm_watch(self._inotify_fd, WatchDescriptor(number))
