"""What an undo does on disk to one file, as a value, and how a file is compared with a state."""

from __future__ import annotations

import hashlib
from collections.abc import Set
from dataclasses import dataclass, replace

from takeback.files.disk import Folder
from takeback.files.reading import Reading
from takeback.model.ids import BlobId
from takeback.model.paths import WorkspacePath, ancestors, parent
from takeback.model.state import FileKind, FileState

ANY_SIZE = 1 << 62
_WITH_BYTES = frozenset({FileKind.FILE, FileKind.SYMLINK})


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One file's way from one state to another."""

    path: WorkspacePath
    target: WorkspacePath
    """Differs from `path` for a rename."""
    before: FileState
    after: FileState
    staged: str
    """How the names begin that its files have in between, without their folder."""

    @property
    def stays(self) -> bool:
        """Whether a file or link changes where it is. Whatever becomes a folder, or was one, leaves and arrives."""
        in_place = self.path == self.target
        return in_place and self.before.kind in _WITH_BYTES and self.after.kind in _WITH_BYTES

    @property
    def leaves(self) -> bool:
        """Whether what is at `path` goes from there."""
        return self.before.exists and not self.stays

    @property
    def arrives(self) -> bool:
        """Whether something comes to `target`."""
        return self.after.exists and not self.stays

    @property
    def is_written(self) -> bool:
        """Whether it gets content from the store."""
        old, new = self.before, self.after
        return new.blob is not None and (old.kind, old.blob) != (new.kind, new.blob)

    @property
    def passes(self) -> bool:
        """Whether the file that is taken away is the one that arrives."""
        return self.clears and self.fills and not self.is_written

    @property
    def changes_mode(self) -> bool:
        """Whether a file gets other permissions. A link has none, and the system refuses to give it any."""
        is_file = self.before.kind is FileKind.FILE and self.after.kind is FileKind.FILE
        return is_file and self.before.mode != self.after.mode

    @property
    def clears(self) -> bool:
        """Whether a file or link leaves `path`."""
        return self.leaves and self.before.kind in _WITH_BYTES

    @property
    def fills(self) -> bool:
        """Whether a file or link arrives at `target`."""
        return self.arrives and self.after.kind in _WITH_BYTES

    def reversed(self) -> Move:
        """The way back."""
        return replace(self, path=self.target, target=self.path, before=self.after, after=self.before)


def matches(folder: Folder, path: WorkspacePath, state: FileState) -> bool:
    """Whether exactly `state` is at `path`. A state that was never captured is compared by kind and size."""
    return fits(folder.read(path, ANY_SIZE if state.captured or state.blob else 0), state)


def fits(reading: Reading, state: FileState) -> bool:
    """Whether what was read is exactly `state`."""
    if reading.kind is not state.kind:
        return False
    if state.kind is None or state.kind is FileKind.DIRECTORY:
        return True
    if not state.captured and state.blob is None:
        return reading.stat is None or reading.stat.size_bytes == state.size_bytes
    if reading.data is None or blob_id(reading.data) != state.blob:
        return False
    return state.kind is not FileKind.FILE or reading.stat is None or reading.stat.permissions == state.mode


def blob_id(data: bytes) -> BlobId:
    """The git object id of `data`."""
    return BlobId(hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest())


def is_folder(folder: Folder, path: str) -> bool:
    """Whether a folder is at `path`; the root is one."""
    stat = folder.look(WorkspacePath(path)) if path else None
    return not path or (stat is not None and stat.kind is FileKind.DIRECTORY)


def lasting_folder(path: WorkspacePath, files: Set[WorkspacePath]) -> str:
    """The folder of `path`; where one above is among `files`, and so no folder at the other end, the folder of that."""
    above = [folder for folder in ancestors(path) if folder in files]
    return parent(above[-1] if above else path)
