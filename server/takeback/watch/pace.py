"""How often one path is recorded: a file that is written without end is taken every few seconds only. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from takeback.model.paths import WorkspacePath

MANY = 20
"""A path recorded so often within the window is written without end."""
WINDOW_NS = 20_000_000_000
EVERY_NS = 5_000_000_000
"""From then on it is recorded once in this time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """Which paths are looked at now."""

    now: tuple[WorkspacePath, ...]
    newly_slowed: tuple[WorkspacePath, ...]
    """Paths that wait for the first time since the pace was made: say so once."""


class Pace:
    """Remembers when paths were recorded, and which have to wait. Knows the time only from its arguments."""

    def __init__(self) -> None:
        self._recent: dict[WorkspacePath, deque[int]] = {}
        self._waiting: dict[WorkspacePath, int] = {}
        self._said: set[WorkspacePath] = set()

    def admit(self, paths: Iterable[WorkspacePath], now_ns: int) -> Admitted:
        """The paths that may be recorded now; the others wait inside."""
        now, slowed = [], []
        for path in paths:
            times = self._recent.setdefault(path, deque(maxlen=MANY))
            if len(times) == MANY and now_ns - times[0] < WINDOW_NS and now_ns - times[-1] < EVERY_NS:
                self._waiting.setdefault(path, times[-1] + EVERY_NS)
                if path not in self._said:
                    self._said.add(path)
                    slowed.append(path)
            else:
                self._waiting.pop(path, None)
                times.append(now_ns)
                now.append(path)
        self._forget(now_ns)
        return Admitted(now=tuple(now), newly_slowed=tuple(slowed))

    def due(self, now_ns: int) -> tuple[WorkspacePath, ...]:
        """Paths that have waited long enough; they are handed out once."""
        ready = tuple(path for path, at_ns in self._waiting.items() if at_ns <= now_ns)
        for path in ready:
            del self._waiting[path]
        return ready

    def flush(self) -> tuple[WorkspacePath, ...]:
        """All that wait, without waiting."""
        waiting, self._waiting = tuple(self._waiting), {}
        return waiting

    def next_wake_ns(self) -> int | None:
        """When `due` will next have something."""
        return min(self._waiting.values(), default=None)

    def _forget(self, now_ns: int) -> None:
        """Drop what is older than the window, once there is much of it."""
        if len(self._recent) > 10_000:
            self._recent = {p: times for p, times in self._recent.items() if now_ns - times[-1] < WINDOW_NS}
