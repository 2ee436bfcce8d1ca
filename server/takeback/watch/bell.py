"""Rings when anybody has appended to the journal, in whatever process: who follows it need not ask all the time.

The journal's second copy is appended to right after each commit, so what is rung for can be read. Where the system
cannot watch a file nothing rings, and who follows looks from time to time, as he does besides.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable

logger = logging.getLogger(__name__)

if sys.platform == "linux":
    from watchdog.observers.inotify_c import InotifyConstants as In
    from watchdog.observers.inotify_c import InotifyEvent, InotifyFD, Mask, inotify_add_watch

    class _Ringing(InotifyFD):
        """The thread that waits for the kernel."""

        def __init__(self, ring: Callable[[], None]) -> None:
            super().__init__()
            self._ring = ring

        def run(self) -> None:
            """Rings until stopped; a failure is logged."""
            try:
                super().run()
            except Exception:
                logger.exception("reading inotify events failed")

        def handle_event(self, _event: InotifyEvent) -> None:
            """Something was appended."""
            self._ring()

        def watch(self, path: str) -> bool:
            """Whether the file is watched now."""
            mask = Mask(In.IN_MODIFY)
            return bool(inotify_add_watch(self._inotify_fd, os.fsencode(path), mask) != -1)


class Bell:
    """Calls `ring` on a thread of its own after each append to a file, until it is closed."""

    def __init__(self, path: str, ring: Callable[[], None]) -> None:
        self._ringing = _listening(path, ring) if sys.platform == "linux" else None

    def close(self) -> None:
        """Ring no longer."""
        if self._ringing is not None:
            self._ringing.stop()


def _listening(path: str, ring: Callable[[], None]) -> _Ringing | None:
    try:
        ringing = _Ringing(ring)
    except OSError as error:  # the system allows no more instances
        logger.info("the journal is looked at from time to time: %s", error.strerror)
        return None
    ringing.start()
    if ringing.watch(path):
        return ringing
    ringing.stop()
    return None
