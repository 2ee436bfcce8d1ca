"""Medians of interleaved runs: whatever else the machine does meanwhile, it does to both sides."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from statistics import median

Trial = Callable[[], float]
"""Prepares, does what is measured, and gives back how many seconds that took."""


def timed(act: Callable[[], object]) -> float:
    """How many seconds `act` takes."""
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def interleaved(n_runs: int, *trials: Trial) -> tuple[float, ...]:
    """The median of each trial over `n_runs` rounds, after one that does not count.

    Every other round goes backwards, so that no trial always follows the same one.
    """
    gc.collect()
    gc.freeze()  # what earlier rows left in this process is no work of this one's
    taken: list[list[float]] = [[] for _ in trials]
    numbered = list(enumerate(trials))
    for round_number in range(n_runs + 1):
        for place, trial in numbered if round_number % 2 else reversed(numbered):
            seconds = trial()
            if round_number:
                taken[place].append(seconds)
    return tuple(map(median, taken))
