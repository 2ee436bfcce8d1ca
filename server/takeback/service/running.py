"""A workspace that stays open: the one thread that owns its journal, its recorder, and what other processes ask.

    notifier ─┐
    sockets  ─┼─> Inbox ──> run(): one job after the other, then what has settled is recorded
    front end ┘

With the lease this process records. Without it, it follows the journal, and records as soon as the lease is free.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial

from takeback.errors import TakebackError
from takeback.journal import views
from takeback.journal.log import Journal
from takeback.model.operation import Operation
from takeback.model.paths import WorkspacePath
from takeback.model.source import Source
from takeback.record import Baseline, Recorded, Recorder
from takeback.repository.ignore import IgnoreRules
from takeback.service import at_work, channel, maintenance, recording, sources, taking_in
from takeback.service.inbox import PATIENCE, Inbox
from takeback.service.lease import Lease
from takeback.service.opening import Workspace
from takeback.service.settings import Given
from takeback.store.objects import ObjectStore
from takeback.watch import baseline
from takeback.watch.bell import Bell
from takeback.watch.events import LeaveOut
from takeback.watch.run import Watching

logger = logging.getLogger(__name__)

POLL_S = 0.25 if sys.platform == "linux" else 0.15
"""How often a follower looks whether the lease is free, and where no bell rings, anybody whether the journal has grown."""
_ANSWER_S = 60.0
_HEAR_S = 0.005
"""How often it is looked whether the front end has heard all that was sent to it."""
_TAKE_AGAIN_S = 1.0

TIDY_AFTER_S = 600.0
"""How long a recorder waits before it keeps cap and retention for the first time: a short session never pays."""
_TIDY_EVERY_S = 86_400.0


def _unheard(_: Sequence[Operation]) -> None:
    """Nobody wants to know."""


class Running:
    """One workspace, open until stopped. `run` belongs to the thread that opened the workspace."""

    def __init__(  # noqa: PLR0913 - each is named at the few calls
        self,
        workspace: Workspace,
        inbox: Inbox,
        *,
        on_operations: Callable[[Sequence[Operation]], None],
        on_claims: Callable[[Sequence[Operation]], None] = _unheard,
        on_gone: Callable[[], None] = lambda: None,
        on_trouble: Callable[[str], None] = lambda _: None,
        on_loss: Callable[[str], None] = lambda _: None,
        on_settings: Callable[[], None] = lambda: None,
        is_behind: Callable[[], bool] = lambda: False,
        others: Mapping[str, Callable[[channel.Message], channel.Message]] | None = None,
    ) -> None:
        """`on_gone` hears that content of the history is there no longer: it was forgotten, or `gc` removed it.

        `on_trouble` hears why nothing can be recorded, and the empty text when it can be again.

        `on_loss` hears that events were lost, `on_settings` that other settings hold, or have other problems.
        `is_behind` tells whether the front end has been sent something that it has not given to the inbox yet.
        `others` answers requests that are no recorder's, on a thread of the connection.
        """
        self._workspace = workspace
        self._inbox = inbox
        self._on_operations = on_operations
        self._on_gone = on_gone
        self._on_trouble = on_trouble
        self._on_loss = on_loss
        self._on_settings = on_settings
        self._is_behind = is_behind
        self._others = others or {}
        self._lease = Lease(workspace.state)
        self._listener: channel.Listener | None = None
        self._commands: dict[int, tuple[str, Source]] = {}
        """By connection: commands that began while this process recorded."""
        self._stack = ExitStack()
        self._watched_with = (workspace.config.record, workspace.config.watch)
        """The settings that the watcher was started with."""
        self._on_claims = on_claims
        self._seen = workspace.journal.last_operation()
        self._seen_claims = workspace.journal.next_id("attributions")
        self._seen_losses = workspace.journal.next_id("losses")
        self._is_stopping = False
        self._n_told = 0
        """How often there was more to hear since everything was known."""
        self._next_try = 0.0
        self._next_look = 0.0
        self._next_take = 0.0
        self._next_tidy = time.monotonic() + TIDY_AFTER_S
        self.is_recorder = False

    def run(self) -> None:
        """Returns after `stop`, or when the workspace folder itself was moved or removed.

        Raises WorkspaceRefused if the state folder was.
        """
        bell = Bell(self._workspace.journal.mirror.path, self._inbox.wake)
        try:
            while not self._is_stopping:
                self._try_to_record()
                self._tell()
                job = self._inbox.next(self._wait_s())
                if job is not None:
                    job()
                self._take_in_events()
                if self._is_up_to_date():
                    self._take_in()  # first: what hooks told says whose the rest is
                    self._step()
                if self._is_root_gone():
                    self._is_stopping = True
                elif self._is_time_to_tidy():
                    self._tidy()
        finally:
            bell.close()
            self._close()

    def _take_in_events(self) -> None:
        """Events count from when they came, whatever is waited for."""
        watching = self._workspace.here.watching
        if watching is not None:
            watching.take_in()

    def _step(self) -> None:
        watching = self._workspace.here.watching
        if watching is not None:
            watching.holding = self._is_command_at_work()
            watching.step()
            if watching.is_over:
                self._is_stopping = True

    def _is_up_to_date(self) -> bool:
        """Whether all is known that was told until now: what is on disk may be a save that waits to be heard of.

        After so many things told at one go it counts as known.
        """
        self._n_told = self._n_told + 1 if self._inbox.is_behind or self._is_behind() else 0
        return self._n_told % PATIENCE == 0

    def stop(self) -> None:
        """Ends `run` after what has been asked so far. Any thread may call it."""

        def end() -> None:
            self._is_stopping = True

        self._inbox.do(end)

    def stop_soon(self) -> None:
        """Ends `run` a moment later. For signal handlers: they take no lock, because whom they interrupt may hold it."""
        self._is_stopping = True

    def _is_root_gone(self) -> bool:
        """Whether the folder is no longer the one that was opened. inotify does not tell while it is held open."""
        if time.monotonic() < self._next_look:
            return False
        self._next_look = time.monotonic() + POLL_S
        self._lease.check()
        if not self._workspace.folder.is_in_place():
            return True
        if self._workspace.config.renew():
            self._settings_changed()
        return False

    def _is_time_to_tidy(self) -> bool:
        """Whether cap and retention are due, and nobody is at work."""
        is_due = self.is_recorder and not self._is_stopping and time.monotonic() >= self._next_tidy
        return is_due and not self._is_command_at_work()

    def _is_command_at_work(self) -> bool:
        return bool(at_work.commands(self._workspace.state))

    def _tidy(self) -> None:
        self._next_tidy = time.monotonic() + _TIDY_EVERY_S
        try:
            cleaned = maintenance.gc(self._workspace)
        except TakebackError:
            logger.exception("cap and retention could not be kept; tomorrow again")
            return
        for one in cleaned.collected:
            logger.info("cap and retention were kept", extra={"freed_bytes": one.freed_bytes})

    # -- recording -------------------------------------------------------------------------------

    def _try_to_record(self) -> None:
        if self.is_recorder or time.monotonic() < self._next_try:
            return
        self._next_try = time.monotonic() + POLL_S
        if not self._lease.take():
            return
        self._watch()
        self.is_recorder = True
        self._listen()  # until then others look themselves, rather than wait for our look

    def _watch(self) -> None:
        config = self._workspace.config
        self._watched_with = (config.record, config.watch)
        watching = Watching(
            self._workspace.looker,
            settle_ms=config.watch.settle_ms,
            leave_out=leave_out(self._workspace, self._stack),
            source=lambda label: sources.unannounced(self._workspace, label),
            is_paused=lambda: sources.is_paused(self._workspace),
            apart=partial(taking_in.apart, self._workspace),
            wake=self._inbox.wake,
            on_trouble=self._in_trouble,
            on_loss=self._on_loss,
        )
        self._workspace.here.watching = watching
        watching.holding = self._is_command_at_work()
        watching.start()

    def _unwatch(self) -> None:
        watching, self._workspace.here.watching = self._workspace.here.watching, None
        if watching is not None:
            watching.stop()
            self._tell()
        self._stack.close()

    def _take_in(self) -> None:
        if self._workspace.here.watching is None or time.monotonic() < self._next_take:
            return
        try:
            if taking_in.waits(self._workspace):
                taking_in.take_in(self._workspace)
        except TakebackError as problem:  # it stays where it is, and is tried again
            self._next_take = time.monotonic() + _TAKE_AGAIN_S
            logger.info("what hooks told cannot be taken in yet: %s", problem.message)

    def _in_trouble(self, why: str) -> None:
        self._lease.check()  # a history that was removed is no trouble that passes
        self._lease.say(why)
        self._on_trouble(why)

    def _listen(self) -> None:
        address = recording.recorder_address(self._workspace)
        try:
            self._listener = channel.Listener(address, self._answer, self._hung_up)
        except OSError:
            logger.warning("nobody can ask this recorder to catch up: no socket at %s", address)

    def _close(self) -> None:
        if self._listener is not None:
            self._listener.close()
        self._unwatch()
        self._lease.give_up()

    # -- settings --------------------------------------------------------------------------------

    def configure(self, given: Given) -> None:
        """Take what an editor passes on. Called on the thread that runs this."""
        if self._workspace.config.take(given):
            self._settings_changed()

    def _settings_changed(self) -> None:
        """Let what holds now take effect: what was written until now is recorded as it was before."""
        config = self._workspace.config
        was_watching = self._workspace.here.watching is not None
        if (config.record, config.watch) != self._watched_with:
            self._unwatch()
            self._workspace.looker.rules.include(config.record.include_ignored)
            if was_watching:
                self._watch()
        self._on_settings()

    # -- following -------------------------------------------------------------------------------

    def _wait_s(self) -> float:
        watching = self._workspace.here.watching
        wait_s = watching.wait_s() if watching is not None else None
        least_s = _HEAR_S if self._n_told else 0.0
        return POLL_S if wait_s is None else max(least_s, min(wait_s, POLL_S))

    def _tell(self) -> None:
        """Tell what anybody did since the last time."""
        self._tell_operations()
        losses = self._workspace.journal.next_id("losses")
        if losses > self._seen_losses:
            self._seen_losses = losses
            self._on_gone()

    def _tell_operations(self) -> None:
        """Tell of operations that anybody recorded since the last time, and of older ones that somebody claimed."""
        journal = self._workspace.journal
        claims, last = journal.next_id("attributions"), journal.last_operation()
        if claims > self._seen_claims:
            claimed = views.claimed_since(journal, self._seen_claims, self._seen)
            self._seen_claims = claims
            if claimed:
                self._on_claims(claimed)
        if last > self._seen:
            found = tuple(views.newest_first(journal, after=self._seen))
            self._seen = last
            self._on_operations(tuple(reversed(found)))

    # -- what other processes ask ----------------------------------------------------------------

    def _answer(self, connection: int, message: channel.Message) -> channel.Message:
        other = self._others.get(message["do"])
        if other is not None:
            return other(message)
        self._let_be_heard()
        try:
            return self._inbox.answer(lambda: self._answer_here(connection, message)).result(_ANSWER_S)
        except TakebackError:  # it was said already; who asked looks for itself, and says it too
            return {"failed": True}

    def _let_be_heard(self) -> None:
        """Wait a moment for what was sent to the front end before: it says whose the writes are that others ask for."""
        until_s = time.monotonic() + PATIENCE * _HEAR_S
        while self._is_behind() and time.monotonic() < until_s:
            time.sleep(_HEAR_S)

    def _answer_here(self, connection: int, message: channel.Message) -> channel.Message:
        watching = self._workspace.here.watching
        if watching is None:
            return {"failed": True}
        taking_in.take_in(self._workspace)
        if message["do"] == "hear":
            return {"heard": True}
        if message["do"] == "begin":
            watching.catch_up(sources.unannounced(self._workspace, "", besides=message["name"]))
            self._commands[connection] = (message["name"], sources.source_in(message["source"]))
            return {"begun": True}
        if message["do"] == "end":
            return _recorded(self._end(connection))
        source = message.get("source")
        return _recorded(watching.catch_up(sources.source_in(source) if source else None))

    def _end(self, connection: int) -> Recorded:
        """The effects of a command that has ended are recorded as its own, whoever else is running."""
        watching = self._workspace.here.watching
        assert watching is not None, "BUG: commands begin while this process records"
        name, source = self._commands.pop(connection)
        return watching.catch_up(sources.at_its_end(self._workspace, name, source))

    def _hung_up(self, connection: int) -> None:
        if connection in self._commands:
            self._inbox.answer(lambda: connection in self._commands and self._end(connection))


def leave_out(workspace: Workspace, stack: ExitStack) -> LeaveOut:
    """Which folders need no watch, asked on the notifier's thread: with a reading journal and rules of its own."""
    journal = Journal(workspace.state, read_only=True)
    stack.callback(journal.close)
    store = ObjectStore(os.path.join(workspace.state, "store.git"))
    known = baseline.load(journal) or Baseline(tracked=None, rest=None)
    reader = Recorder(journal, store, lambda: known, workspace.clock)
    included = workspace.config.record.include_ignored
    rules = IgnoreRules(workspace.root, plain_git_dir=store.path, include_ignored=included)

    def ask(folders: Sequence[str]) -> frozenset[str]:
        ignored = rules.ignored(folders)
        return frozenset(folder for folder in ignored if not reader.has_recorded_below(_bare(folder)))

    return ask


def _bare(folder: str) -> WorkspacePath:
    return WorkspacePath(folder.rstrip("/"))


def _recorded(recorded: Recorded) -> channel.Message:
    return {"operation": recorded.operation, "git": recorded.git}
