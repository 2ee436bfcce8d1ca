"""What the thread that owns a workspace is to do, in order. Any thread may add to it."""

from __future__ import annotations

import queue
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


class Inbox:
    """A queue of jobs, and what became of each."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._is_awake = False

    def do(self, act: Callable[[], T]) -> Future[T]:
        """What `act` gives back once the owning thread has done it."""
        future: Future[T] = Future()

        def job() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(act())
            except BaseException as error:  # noqa: BLE001 - whoever asked gets it
                future.set_exception(error)

        self._jobs.put(job)
        return future

    def wake(self) -> None:
        """Let the owning thread look what there is to do. Costs nothing while it is awake."""
        if not self._is_awake:
            self._is_awake = True
            self._jobs.put(lambda: None)

    def next(self, timeout_s: float | None) -> Callable[[], None] | None:
        """The next job, or `None` after `timeout_s`."""
        try:
            job = self._jobs.get(timeout=timeout_s)
        except queue.Empty:
            job = None
        self._is_awake = False
        return job
