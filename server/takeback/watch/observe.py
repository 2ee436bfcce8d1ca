"""What is at a path at this moment, as the recorder takes it: its state, with its content in the store."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from takeback.config import RecordConfig
from takeback.errors import Refused
from takeback.files.disk import Folder
from takeback.files.reading import UNSEARCHABLE, Reading
from takeback.journal.log import Journal
from takeback.model.operation import Observation
from takeback.model.paths import WorkspacePath
from takeback.model.staged import is_own_name
from takeback.model.state import ABSENT, EMPTY_DIRECTORY, FileKind, FileState, Reason
from takeback.record import Recorder
from takeback.repository.ignore import IgnoreRules
from takeback.store.objects import ObjectStore
from takeback.watch.passed_over import PassedOver

_WRITING_S = 0.002
"""How long is waited at a time for whoever has emptied a file and is about to write it."""
_ATTEMPTS = 25
_JUST_NS = 50_000_000
"""What was emptied longer ago stays empty. So however many files were emptied, this is all that is waited for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observer:
    """Observes one workspace; records nothing."""

    folder: Folder
    journal: Journal
    store: ObjectStore
    recorder: Recorder
    rules: IgnoreRules
    config: Callable[[], RecordConfig]
    """What holds at this moment."""
    passed_over: PassedOver

    def observe(self, paths: Sequence[WorkspacePath]) -> tuple[Observation, ...]:
        """What is at `paths` now, content in the store; paths that are not recorded are left out."""
        unknown = dict.fromkeys(path for path in paths if not self._is_recorded(path))
        left_out = self.rules.ignored(tuple(unknown)) if unknown else frozenset()
        for path in unknown:
            self._note_passed_over(path, is_left_out=path in left_out)
        return tuple(
            self.observation(path, adopted=path in unknown and self.was_there(path))
            for path in paths
            if path not in left_out
        )

    def told(self, path: WorkspacePath, reading: Reading) -> Observation | None:
        """What somebody else read at `path`, content in the store; `None` if that path is not recorded."""
        if self.left_out([path]):
            return None
        if reading.data is not None and len(reading.data) > self.config().max_file_bytes:
            reading = replace(reading, data=None, reason=Reason.TOO_LARGE)
        return Observation(path=path, after=self._state(path, reading))

    def read(self, path: WorkspacePath) -> FileState:
        """What is at `path` now, content in the store. What cannot be reached is as it was known."""
        reading = self._reading(path)
        known = self.recorder.state_of(path)[1] if reading == UNSEARCHABLE else ABSENT
        return known if known.exists else self._state(path, reading)

    def _reading(self, path: WorkspacePath) -> Reading:
        """What is at `path`. Who empties a file writes it anew in the same moment, which is waited for."""
        since_ns = time.time_ns() - _JUST_NS  # before it is read: standing still after that makes no file old
        reading = self.folder.read(path, self.config().max_file_bytes)
        if not (_was_emptied(reading, since_ns) and self.recorder.state_of(path)[1].size_bytes):
            return reading
        for _ in range(_ATTEMPTS):
            time.sleep(_WRITING_S)
            reading = self.folder.read(path, self.config().max_file_bytes)
            if not _was_emptied(reading, since_ns):
                break
        return reading

    def there(self, path: WorkspacePath) -> Iterator[WorkspacePath]:
        """What is on disk at `path`, or if that is a folder below it, recorded or not; an empty folder is itself there."""
        stat = self.folder.look(path)
        if stat is None:
            return
        names = self.folder.names(path) if stat.kind is FileKind.DIRECTORY else ()
        if not names or self.recorder.state_of(path)[1].exists:
            yield path
        for name in names:
            yield from self.there(WorkspacePath(f"{path}/{name}"))

    def left_out(self, paths: Sequence[str]) -> frozenset[str]:
        """Those of `paths` that are not recorded: ignored, and never recorded before. Folders end with `/`."""
        ignored = self.rules.ignored(paths)
        return frozenset(path for path in ignored if not self._is_recorded(path))

    def _note_passed_over(self, path: WorkspacePath, *, is_left_out: bool) -> None:
        """Remember what is left out; a rule for folders says nothing any more of a name that is free again."""
        with suppress(Refused):  # in a folder that may not be looked into it is as it was
            stat = self.folder.look(path)
            if is_left_out or stat is None:
                self.passed_over.note(path, stat.kind if stat is not None else None)

    def observation(self, path: WorkspacePath, *, adopted: bool = False) -> Observation:
        """What is at a path now, content in the store; `adopted` if it was there before it became recordable."""
        seen_at = self.journal.last_change()  # before the file is read
        return Observation(path=path, after=self.read(path), adopted=adopted, seen_at=seen_at)

    def was_there(self, path: WorkspacePath) -> bool:
        """Whether it was there before it became recordable, and is recorded for the first time."""
        return path in self.passed_over and self.journal.known(path) is None and not self._is_recorded(path)

    def below(self, path: WorkspacePath) -> Iterable[WorkspacePath]:
        """What is, or was, below a folder: of folders that are left out only what was recorded."""
        if self.is_folder(path):
            yield from self._walk(path)
        elif self.recorder.state_of(path)[1].kind in (FileKind.FILE, FileKind.SYMLINK):
            return  # what was below it went when it came
        yield from self.recorder.recorded_below(path)

    def names(self, folder: WorkspacePath) -> tuple[str, ...] | None:
        """The names in a folder; `None` where it may not be looked into."""
        with suppress(Refused):
            return self.folder.names(folder)
        return None

    def is_folder(self, path: WorkspacePath) -> bool:
        """Whether a folder is there, as far as the folders above may be looked into."""
        with suppress(Refused):
            stat = self.folder.look(path)
            return stat is not None and stat.kind is FileKind.DIRECTORY
        return False

    def _state(self, path: WorkspacePath, reading: Reading) -> FileState:
        if reading.kind is None:
            return ABSENT
        if reading.kind is FileKind.DIRECTORY:
            return self._folder_state(path)
        size = reading.stat.size_bytes if reading.stat else 0
        mode = reading.stat.permissions if reading.stat and reading.kind is FileKind.FILE else 0
        if reading.data is None:
            return FileState(kind=reading.kind, mode=mode, size_bytes=size, reason=reading.reason)
        size = len(reading.data)
        if self.journal.has_losses():
            blob = self.store.id_of(reading.data)
            if self.journal.lost([blob]).get(blob) is Reason.FORGOTTEN:  # a secret that stands there still
                return FileState(
                    kind=reading.kind, blob=blob, mode=mode, size_bytes=size, reason=Reason.FORGOTTEN
                )
        return FileState(kind=reading.kind, blob=self.store.put(reading.data), mode=mode, size_bytes=size)

    def _folder_state(self, path: WorkspacePath) -> FileState:
        """A folder is a state of its own once it was seen empty, until it is gone."""
        known = self.recorder.state_of(path)[1].kind is FileKind.DIRECTORY
        return EMPTY_DIRECTORY if known or self.names(path) == () else ABSENT

    def _walk(self, folder: WorkspacePath) -> Iterable[WorkspacePath]:
        for name in sorted(name for name in self.names(folder) or () if not is_own_name(name)):
            path = WorkspacePath(f"{folder}/{name}")
            if self.is_folder(path) and not self.left_out([path + "/"]):
                yield from self._walk(path)
            yield path

    def _is_recorded(self, path: str) -> bool:
        if path.endswith("/"):
            return self.recorder.has_recorded_below(WorkspacePath(path[:-1]))
        return self.recorder.state_of(WorkspacePath(path))[1].exists


def _was_emptied(reading: Reading, since_ns: int) -> bool:
    if reading.stat is None or reading.kind is not FileKind.FILE or reading.data != b"":
        return False
    return since_ns < reading.stat.ctime_ns <= time.time_ns()
