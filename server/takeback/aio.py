"""The one bridge between the event loop and the core: a thread that owns a workspace, and coroutines that ask it.

Everything below this module is synchronous. Jobs are done in the order in which they were given; the loop never
waits for one, and learns of what happened by callbacks that are called on the loop.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, TypeVar

from takeback.errors import TakebackError, WorkspaceRefused
from takeback.service.inbox import Inbox

if TYPE_CHECKING:  # importing the core takes longer than answering `initialize` may
    from takeback.config import Problem
    from takeback.model.operation import Operation
    from takeback.service.channel import Message
    from takeback.service.desk import Desk
    from takeback.service.opening import Workspace
    from takeback.service.running import Running

logger = logging.getLogger(__name__)

T = TypeVar("T")

LOOK_S = 0.5
"""How often it is looked whether a folder that went is back."""
_BACK = "It is recorded again as soon as it is back."


class _Uncollected:
    """While a workspace is opened nobody looks for garbage, and what is known of it then is not gone through later.

    A collection holds up every thread: a tenth of a second for what is known of 100,000 files.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._n = 0

    def __enter__(self) -> None:
        with self._lock:
            self._n += 1
            gc.disable()

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._n -= 1
            gc.freeze()
            if not self._n:
                gc.enable()


_OPENING = _Uncollected()


class Core:
    """One workspace on a thread of its own."""

    def __init__(  # noqa: PLR0913 - each is named at the one call
        self,
        root: str,
        editor: str,
        given: Mapping[str, Any],
        *,
        on_operations: Callable[[Sequence[Operation]], None],
        on_gone: Callable[[], None],
        on_progress: Callable[[int, int], None],
        on_ready: Callable[[Exception | None], None],
        on_trouble: Callable[[str], None],
        on_loss: Callable[[str], None],
        on_settings: Callable[[tuple[str, ...], tuple[Problem, ...]], None],
        hand_over: Callable[[Message], Message],
        is_behind: Callable[[], bool],
    ) -> None:
        """Opens the workspace at once, with the settings `given` by the editor.

        `on_ready` says that it is open, or why it cannot be: each time, for a folder may go and come back.
        `on_gone` says that content of the history is there no longer.
        `on_trouble` says why nothing can be recorded, and the empty text when it can be again; `on_loss` that events
        were lost. `on_settings` names the files of settings and what is wrong in them. All of these are called on the
        loop, `hand_over` on a thread of its own. `is_behind` tells whether the editor has said more than it was heard.
        """
        self.root = root
        self._editor = editor
        self._given = given
        self._loop = asyncio.get_running_loop()
        self._on_operations = on_operations
        self._on_gone = on_gone
        self._on_progress = on_progress
        self._on_ready = on_ready
        self._on_trouble = on_trouble
        self._on_loss = on_loss
        self._on_settings = on_settings
        self._hand_over = hand_over
        self._is_behind = is_behind
        self._inbox = Inbox()
        self._desk: Desk | None = None
        self._failure: Exception | None = None
        self._running: Running | None = None
        self._is_worth_trying = False
        self._is_closing = threading.Event()
        self._thread = threading.Thread(target=self._own, name="takeback-core", daemon=True)
        self._thread.start()

    async def do(self, act: Callable[[Desk], T]) -> T:
        """What `act` gives back, done by the core's thread. Raises what it raises, or why there is no workspace."""
        if self._is_closing.is_set():
            raise WorkspaceRefused(f"{self.root} is no longer open in this editor")
        return await asyncio.wrap_future(self._inbox.do(lambda: act(self._opened())))

    def post(self, act: Callable[[Desk], object]) -> None:
        """Have something done in order, and log it if it fails."""

        def quietly() -> None:
            try:
                if self._failure is None:
                    act(self._opened())
            except Exception:
                logger.exception("what the editor told could not be taken in")

        self._inbox.do(quietly)

    def configure(self, given: Mapping[str, Any]) -> None:
        """Take other settings of the editor. A workspace that could not be opened is tried again with them."""

        def take() -> None:
            if given != self._given:
                self._given = given
                self._is_worth_trying = True
                if self._failure is None and self._running is not None:
                    self._running.configure(given)

        self._inbox.do(take)

    async def close(self) -> None:
        """Record what is left and close the workspace."""
        self._is_closing.set()
        if self._running is not None:
            self._running.stop()
        self._inbox.wake()
        await asyncio.to_thread(self._thread.join)

    def _opened(self) -> Desk:
        if self._failure is not None:
            raise self._failure
        assert self._desk is not None, "BUG: jobs are done once the workspace is open"
        return self._desk

    def _own(self) -> None:
        while not self._is_closing.is_set():
            is_gone = True
            try:
                self._run()
                failure: Exception = WorkspaceRefused(
                    f"the folder {self.root} was moved or removed", hint=_BACK
                )
            except Exception as problem:
                failure, is_gone = problem, not os.path.isdir(self.root)
                if not isinstance(problem, TakebackError):
                    logger.exception("the workspace cannot be recorded")
            if not self._is_closing.is_set():
                self._refuse(failure, is_gone=is_gone)

    def _refuse(self, failure: Exception, *, is_gone: bool) -> None:
        """Tell why there is no workspace, to whoever asks, until it is worth to try again."""
        self._failure = failure
        self._is_worth_trying = False
        self._tell(self._on_ready, failure)
        while not (self._is_closing.is_set() or self._is_worth_trying):
            job = self._inbox.next(LOOK_S if is_gone else None)
            if job is not None:
                job()
            self._is_worth_trying |= is_gone and os.path.isdir(self.root)
        self._failure = None

    def _run(self) -> None:
        from takeback.service.desk import Desk  # noqa: PLC0415 - the reason stands above
        from takeback.service.opening import open_workspace  # noqa: PLC0415 - the same
        from takeback.service.running import Running  # noqa: PLC0415 - the same

        def progress(done: int, total: int) -> None:
            self._tell(self._on_progress, done, total)

        with ExitStack() as stack:
            with _OPENING:
                opening = open_workspace(self.root, progress=progress, given=self._given)
                workspace = stack.enter_context(opening)
            desk = stack.enter_context(Desk(workspace, self._editor, self._hand_over, self._is_told_more))
            self._desk = desk
            self._running = Running(
                workspace,
                self._inbox,
                on_operations=lambda found: self._tell(self._on_operations, found),
                on_claims=lambda found: self._tell(self._on_operations, found),
                on_gone=lambda: self._tell(self._on_gone),
                on_trouble=lambda why: self._tell(self._on_trouble, why),
                on_loss=lambda what: self._tell(self._on_loss, what),
                on_settings=lambda: self._tell_settings(workspace),
                is_behind=self._is_behind,
            )
            if self._is_closing.is_set():
                return
            self._tell_settings(workspace)
            self._tell(self._on_ready, None)
            self._running.run()

    def _is_told_more(self) -> bool:
        """Whether the editor has said more than the core knows."""
        return self._is_behind() or self._inbox.is_behind

    def _tell_settings(self, workspace: Workspace) -> None:
        self._tell(self._on_settings, workspace.config.files, workspace.config.problems)

    def _tell(self, callback: Callable[..., None], *values: object) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(callback, *values)
