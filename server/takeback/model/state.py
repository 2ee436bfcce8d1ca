"""What a path is at one moment, as far as it was captured."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from takeback.model.ids import BlobId


class FileKind(StrEnum):
    """What stands at a path. A directory is a state of its own only while it was seen empty."""

    FILE = "file"
    SYMLINK = "symlink"
    DIRECTORY = "directory"


class Reason(StrEnum):
    """Why the content of a state is not in the store."""

    TOO_LARGE = "too_large"
    UNREADABLE = "unreadable"
    SPECIAL = "special"
    """A socket, pipe or device: it has no content to take back."""
    MISSED = "missed"
    """It was overwritten before it could be read."""
    EXPIRED = "expired"
    """`gc` dropped it, to keep the cap or the retention."""
    FORGOTTEN = "forgotten"
    """Somebody asked for that."""
    DAMAGED = "damaged"
    """`doctor` found it missing from the store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileState:
    """Absent, or a kind with its content; where the content was not captured, the reason."""

    kind: FileKind | None = None
    """`None`: nothing is there."""
    blob: BlobId | None = None
    """The content of a file, or the target of a symlink. `None` for directories and what was never captured.

    Content that was captured and is gone keeps its id, so that the state can still be told from others.
    """
    mode: int = 0
    """Permission bits (`st_mode & 0o7777`) of a file; 0 for everything else."""
    size_bytes: int = 0
    reason: Reason | None = None
    """Set exactly when the content is not in the store and should be."""

    @property
    def exists(self) -> bool:
        """Whether anything is there."""
        return self.kind is not None

    @property
    def captured(self) -> bool:
        """Whether this state can be put back."""
        return self.reason is None

    @property
    def never_captured(self) -> bool:
        """Whether nobody knows, or ever knew, what the content is."""
        return self.reason is not None and self.blob is None


ABSENT = FileState()
EMPTY_DIRECTORY = FileState(kind=FileKind.DIRECTORY)
