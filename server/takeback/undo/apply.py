"""Applies a plan: everything durable first, then the intent, then the files, then the operation.

    lock -> every file is what the plan expects -> new content in the store, durable -> intent in the journal
         -> staged beside the files -> carried out -> operation in the journal
         -> what was there before is removed -> intent ended -> unlock

Until the operation is in the journal there is a way back, also from a journal that has no room for it.
A death at any point is settled by `settle` at the next start: what had not begun is given up; what had is finished if
every file is as expected, else reversed.
"""

from __future__ import annotations

import fcntl
import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from takeback.errors import Busy, Damaged, Refused, TakebackError
from takeback.files.disk import Folder
from takeback.journal.log import Journal
from takeback.model.ids import OpId
from takeback.model.paths import WorkspacePath
from takeback.model.source import Source
from takeback.model.state import FileKind
from takeback.record import Entry, Recorder
from takeback.store.objects import ObjectStore
from takeback.undo.carry import NO_TIMES, Carrier
from takeback.undo.intents import RECORDED, Intent, OpenIntent, from_bytes, still_open, to_bytes
from takeback.undo.moves import Move, blob_id, lasting_folder, matches
from takeback.undo.plan import FilePlan, UndoPlan
from takeback.undo.reversal import Reversal

logger = logging.getLogger(__name__)

LOCK_WAIT_S = 5.0
"""How long an undo waits for another process that is changing files."""

_POLL_S = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """The plan was carried out."""

    operation: OpId | None
    """`None`: there was nothing to record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stale:
    """Something is not as the plan expects; nothing was changed. Look at these paths, and plan anew."""

    paths: tuple[WorkspacePath, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """How an interrupted operation ended."""

    finished: OpId | None
    """The operation, if it was carried to its end; `None` if it was reversed."""
    left: tuple[WorkspacePath, ...] = ()
    """Files that others changed meanwhile: they stay as they are."""
    problem: str = ""
    """Why it is still as the death left it; the next start tries again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Applier:
    """Applies plans in one workspace."""

    folder: Folder
    journal: Journal
    store: ObjectStore
    recorder: Recorder
    clock: Callable[[], int]
    lock_path: str

    def apply(
        self, plan: UndoPlan, source: Source, times: Mapping[WorkspacePath, int] = NO_TIMES
    ) -> Applied | Stale:
        """Carry the plan out, or say what is not as it expects.

        Files in `times` have that time, in nanoseconds, as soon as they have their new content.

        Raises Refused before the first write if a folder cannot be written, Busy if another process is at it.
        """
        files = [file for file in plan.files if file.records]
        if not files:
            return Applied(operation=None)
        with locked(self.lock_path, LOCK_WAIT_S):
            if self._settle_left():
                return Stale(paths=tuple(file.path for file in files))
            self._check_settled(files)
            writing = [file for file in files if file.writes]
            done = {file.path for file in writing if self._is_done(file)}
            moved = self._moved([file for file in writing if file.path not in done])
            if moved:
                return Stale(paths=moved)
            self._check_writable(files)
            entries = tuple(self._entry(file) for file in files)
            token = os.urandom(6).hex()
            return self._carry_out(Intent(source=source, entries=entries, token=token), done, times)

    def settle(self) -> tuple[Settled, ...]:
        """Finish or reverse every operation that a death interrupted. Returns at once if another process is at work."""
        if not still_open(self.journal):
            return ()
        try:
            with locked(self.lock_path, 0):
                return self._settle_all()
        except Busy:  # whoever began it is alive
            return ()

    # -- applying --------------------------------------------------------------------------------

    def _carry_out(
        self, intent: Intent, done: Set[WorkspacePath], times: Mapping[WorkspacePath, int]
    ) -> Applied | Stale:
        moves = tuple(move for move in intent.moves() if move.path not in done)
        carrier = self._carrier(moves)
        row_id = self._begin(intent)
        try:
            carrier.stage(moves, times)
            odd = carrier.carry_out(moves)
            op = self._record(row_id, intent) if odd is None else None
        except TakebackError:
            self._reverse(row_id, moves)
            raise
        if odd is not None:
            self._reverse(row_id, moves)
            return Stale(paths=(odd.path, odd.target))
        self._conclude_at_last(row_id, carrier)
        return Applied(operation=op)

    def _begin(self, intent: Intent) -> int:
        blob = self.store.put(to_bytes(intent))
        self.store.make_durable()
        with self.journal.transaction():
            self._check_known(intent.entries)
            return self.journal.begin_intent(blob, intent.paths(), self.clock())

    def _check_known(self, entries: Sequence[Entry]) -> None:
        """Nobody recorded anything about these paths since they were looked at: we hold the journal now."""
        leaving = {entry.file for entry in entries if entry.moved_from or not entry.after.exists}
        for entry in entries:
            file, state = self.recorder.state_of(entry.moved_from or entry.path)
            if not entry.before.exists and (file in leaving or not entry.after.exists):
                continue  # what is there makes room, or need not
            if state != entry.before and (file == entry.file or state.exists):
                raise Refused(f"{entry.path} was changed by another process", hint="Try again.")

    def _record(self, row_id: int, intent: Intent) -> OpId | None:
        with self.journal.transaction():
            op = self.recorder.append(intent.source, intent.entries)
            self.journal.end_intent(row_id, RECORDED, self.clock())
        return op

    def _conclude_at_last(self, row_id: int, carrier: Carrier) -> None:
        """All is done and recorded: what the system refuses once is tried again, then by the next start."""
        for _ in range(2):
            with suppress(TakebackError):
                self._conclude(row_id, carrier)
                return

    def _conclude(self, row_id: int, carrier: Carrier) -> None:
        carrier.conclude()
        with self.journal.transaction():
            self.journal.end_intent(row_id, "finished", self.clock())

    def _reverse(self, row_id: int, moves: Sequence[Move]) -> tuple[WorkspacePath, ...]:
        """Put back what was done; files that others changed meanwhile are left, and named."""
        carrier = self._carrier(moves)
        Reversal(self.folder, self.store, carrier).put_back(moves)
        left = tuple(move.path for move in moves if not carrier.progress.at_start(move))
        with self.journal.transaction():
            self.journal.end_intent(row_id, "reversed", self.clock())
            for path in left:
                text = "was changed by others while an operation of Takeback was interrupted; it was left as it is"
                self.journal.append("notices", self.clock(), "left", os.fsencode(path), text)
        return left

    def _is_done(self, file: FilePlan) -> bool:
        """Whether the editor of its document was told the same, and has saved it already."""
        if file.path not in self.recorder.held:
            return False
        after = file.after if file.data is None else replace(file.after, blob=blob_id(file.data))
        return file.path == file.target and file.writes and matches(self.folder, file.path, after)

    def _moved(self, files: Sequence[FilePlan]) -> tuple[WorkspacePath, ...]:
        """The paths that are not what the plan expects."""
        there = [file for file in files if file.before.exists]
        changed = [file.path for file in there if not matches(self.folder, file.path, file.before)]
        return (*changed, *(file.target for file in files if self._is_taken(file)))

    def _is_taken(self, file: FilePlan) -> bool:
        """Whether something unknown is where a file is to come; a folder is no more than what is found in it."""
        if not file.arrives or file.after.kind is FileKind.DIRECTORY:
            return False
        stat = self.folder.look(file.target)
        if stat is None or stat.kind is FileKind.DIRECTORY:
            return False
        return not self.recorder.state_of(file.target)[1].exists

    def _check_writable(self, files: Iterable[FilePlan]) -> None:
        writing = [file for file in files if file.writes]
        gone = {file.path for file in writing if file.leaves or file.after.kind is FileKind.DIRECTORY}
        places = {file.path for file in writing if file.before.exists} | {file.target for file in writing}
        folders = {lasting_folder(path, gone) for path in places}
        for folder in sorted(folders):
            if not self.folder.can_write(folder):
                raise Refused(
                    f"the folder {folder or '.'} cannot be written, so nothing was changed",
                    hint="Give yourself write permission there, or leave it out with `--path`.",
                )

    def _entry(self, file: FilePlan) -> Entry:
        after = file.after
        if file.data is not None:
            after = replace(after, blob=self.store.put(file.data))
        for state in (file.before, after):
            if state.captured and state.blob and file.writes and not self.store.has(state.blob):
                raise Damaged(f"the content of {file.path} is missing from the store")
        return Entry(
            file=file.file,
            path=file.target,
            moved_from=file.path if file.path != file.target and file.before.exists else None,
            before=file.before,
            after=after,
            flips=file.flips,
            rewrite=file.rewrite,
            flipping=bool(file.flips),
        )

    def _carrier(self, moves: Sequence[Move]) -> Carrier:
        return Carrier(self.folder, self.store, self._is_kept_folder, moves)

    def _is_kept_folder(self, path: WorkspacePath) -> bool:
        return self.recorder.state_of(path)[1].kind is FileKind.DIRECTORY

    # -- after a death ---------------------------------------------------------------------------

    def _settle_all(self) -> tuple[Settled, ...]:
        found = map(self._settled, still_open(self.journal))
        return tuple(one for one in found if one is not None)

    def _settled(self, left: OpenIntent) -> Settled | None:
        """How it ended; what the system refuses now is no reason to refuse everything else."""
        try:
            return self._settle(left)
        except TakebackError as problem:
            logger.info("an interrupted operation cannot be settled", exc_info=True)
            return None if left.is_recorded else Settled(finished=None, problem=problem.message)

    def _settle_left(self) -> bool:
        """Whether something was settled just now: nobody else is at work, so what is claimed was left by a death."""
        if not self.journal.claimed():
            return False
        return any(not settled.problem for settled in self._settle_all())

    def _check_settled(self, files: Sequence[FilePlan]) -> None:
        claimed = self.journal.claimed()
        held = [path for file in files for path in (file.path, file.target) if path in claimed]
        if held:
            raise Refused(
                f"{held[0]} belongs to an operation that was interrupted and is not settled yet",
                hint="The next command tries to settle it, and says why it cannot.",
            )

    def _settle(self, left: OpenIntent) -> Settled | None:
        """How it ended; `None` if it was over, but for the removal of what was there before."""
        intent = from_bytes(self.store.get(left.body))
        moves = intent.moves()
        carrier = self._carrier(moves)
        if left.is_recorded:
            self._conclude(left.id, carrier)
            return None
        if not self._could_finish(carrier, moves):
            return Settled(finished=None, left=self._reverse(left.id, moves))
        op = self._record(left.id, intent)
        self._conclude_at_last(left.id, carrier)
        return Settled(finished=op)

    def _could_finish(self, carrier: Carrier, moves: Sequence[Move]) -> bool:
        """Whether all could be done. What was half done begins anew, from where it was before.

        What had not begun, or was put back before, was perhaps said to be refused: it is not done after all.
        """
        if not carrier.progress.has_begun():
            return False
        if carrier.progress.is_over():
            carrier.sync_folders()
            return True
        return self._could_begin_anew(carrier, moves)

    def _could_begin_anew(self, carrier: Carrier, moves: Sequence[Move]) -> bool:
        Reversal(self.folder, self.store, carrier).put_back(moves)
        todo = [move for move in moves if not carrier.progress.is_done(move)]
        return all(map(carrier.progress.at_start, todo)) and self._could_carry_out(carrier, todo)

    def _could_carry_out(self, carrier: Carrier, moves: Sequence[Move]) -> bool:
        try:
            carrier.stage(moves)
            return carrier.carry_out(moves) is None
        except TakebackError:
            logger.info("an interrupted operation cannot be finished", exc_info=True)
            return False


@contextmanager
def locked(path: str, wait_s: float) -> Iterator[None]:
    """Hold the one lock under which files of the workspace are changed; the kernel frees it if we die.

    Raises Busy after `wait_s`.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + wait_s
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Busy("another Takeback process is changing files in this workspace") from None
                time.sleep(_POLL_S)
        yield
    finally:
        os.close(descriptor)
