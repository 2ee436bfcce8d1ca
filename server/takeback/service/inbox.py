"""What the thread that owns a workspace is to do, in order. Any thread may add to it.

What the front end of this process tells says whose the writes on disk are, and what other processes ask has them recorded:
so they are let wait a little.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from itertools import count
from typing import TypeVar

PATIENCE = 50
"""So many later jobs of the front end may go before one of another process."""

T = TypeVar("T")


class Inbox:
    """A queue of jobs, and what became of each."""

    def __init__(self) -> None:
        self._jobs: queue.PriorityQueue[tuple[int, int, Callable[[], None]]] = queue.PriorityQueue()
        self._numbers = count()
        self._is_awake = False
        self._n_told = 0
        self._counting = threading.Lock()

    def do(self, act: Callable[[], T]) -> Future[T]:
        """What `act` gives back once the owning thread has done it, for the front end of this process."""
        self._count(1)
        return self._ask(act, 0)

    def answer(self, act: Callable[[], T]) -> Future[T]:
        """The same for another process."""
        return self._ask(act, PATIENCE)

    def _ask(self, act: Callable[[], T], later: int) -> Future[T]:
        future: Future[T] = Future()

        def job() -> None:
            if not later:
                self._count(-1)
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(act())
            except BaseException as error:  # noqa: BLE001 - whoever asked gets it
                future.set_exception(error)

        self._put(job, later)
        return future

    def _put(self, job: Callable[[], None], later: int = 0) -> None:
        number = next(self._numbers)
        self._jobs.put((number + later, number, job))

    def _count(self, more: int) -> None:
        with self._counting:
            self._n_told += more

    @property
    def is_behind(self) -> bool:
        """Whether something waits that the front end told."""
        return self._n_told > 0

    def wake(self) -> None:
        """Let the owning thread look what there is to do. Costs nothing while it is awake."""
        if not self._is_awake:
            self._is_awake = True
            self._put(lambda: None)

    def next(self, timeout_s: float | None) -> Callable[[], None] | None:
        """The next job, or `None` after `timeout_s`."""
        job = None
        with suppress(queue.Empty):
            *_, job = self._jobs.get(timeout=timeout_s)
        self._is_awake = False
        return job
