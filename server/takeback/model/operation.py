"""Operations and changes, as the journal keeps them and front ends see them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from takeback.errors import UsageError
from takeback.model.ids import BlobId, ChangeSeq, FileId, OpId, TurnId, is_fall
from takeback.model.paths import WorkspacePath
from takeback.model.state import FileState
from takeback.model.text import Span
from takeback.model.words import as_text


class OperationKind(StrEnum):
    """What sort of thing happened."""

    EDIT = "edit"
    COMMAND = "command"
    GIT = "git"
    UNDO = "undo"
    REDO = "redo"
    ROLLBACK = "rollback"
    RESTORE = "restore"


TAKING_BACK = frozenset({OperationKind.UNDO, OperationKind.REDO, OperationKind.ROLLBACK})
"""Kinds that only change which other operations stand."""

NO_FLIPS: Mapping[ChangeSeq, bool] = MappingProxyType({})

HUMAN = "human"
TAKEBACK = "takeback"
UNKNOWN = "unknown"
_CANDIDATES = re.compile(r"perhaps (?:human|(?:agent|command):.+)")
"""What the label of an unknown operation says about whose it may be."""
GIT = "git"


def parse_actor(text: str) -> str:
    """The actor that `text` names: `human`, `git`, `takeback`, `unknown`, `agent:NAME` or `command:NAME`.

    Raises UsageError for anything else.
    """
    prefix, colon, name = text.partition(":")
    if text in (HUMAN, TAKEBACK, UNKNOWN, GIT) or (prefix in ("agent", "command") and colon and name.strip()):
        return as_text(text)
    raise UsageError(
        f"{text!r} is no actor",
        hint="An actor is human, git, takeback, unknown, agent:NAME or command:NAME.",
    )


def known_label(label: str, actor: str) -> str:
    """The label of an operation of `actor`'s: who else it was perhaps is not said once somebody claimed it."""
    if actor == UNKNOWN:
        return label
    return "; ".join(part for part in label.split("; ") if not _CANDIDATES.fullmatch(part))


def with_candidates(label: str, actors: Iterable[str]) -> str:
    """The label of an operation that may be any of these actors', besides those that the label names."""
    parts = [part for part in label.split("; ") if part]
    named = [part for part in parts if _CANDIDATES.fullmatch(part)]
    before = {actor for part in named for actor in part.removeprefix("perhaps ").split(" or ")}
    said = f"perhaps {' or '.join(sorted(before | {*actors}))}"
    return "; ".join((*(part for part in parts if part not in named), said))


class ChangeStatus(StrEnum):
    """How a change looks from outside."""

    CREATED = "created"
    MODIFIED = "modified"
    DELETED = "deleted"
    RENAMED = "renamed"
    MODE = "mode"
    TYPE = "type"


class Standing(StrEnum):
    """How much of an operation stands."""

    ALL = "all"
    PART = "part"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One step of one path by one operation. Never changed once appended."""

    seq: ChangeSeq
    op: OpId
    file: FileId
    path: WorkspacePath
    """Where the file is after the change (for a deletion: where it was)."""
    moved_from: WorkspacePath | None
    """Where the file was before, if the change renamed it."""
    before: FileState
    after: FileState
    flips: Mapping[ChangeSeq, bool]
    """Changes, and falls of hunks, that this one made stand (True) or not stand (False)."""

    @property
    def status(self) -> ChangeStatus:
        """The change in one word."""
        if not self.before.exists:
            return ChangeStatus.CREATED
        if not self.after.exists:
            return ChangeStatus.DELETED
        if self.moved_from is not None:
            return ChangeStatus.RENAMED
        if self.before.kind is not self.after.kind:
            return ChangeStatus.TYPE
        return ChangeStatus.MODIFIED if self.sets_content else ChangeStatus.MODE

    @property
    def sets_content(self) -> bool:
        """Whether it made the content another one, or made it exist or not."""
        one, other = self.before, self.after
        return (one.kind, one.blob, one.reason, one.size_bytes) != (
            other.kind,
            other.blob,
            other.reason,
            other.size_bytes,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One thing that happened, undone as a whole."""

    id: OpId
    """Position in the journal: dense, increasing from 1."""
    kind: OperationKind
    actor: str
    label: str
    turn: TurnId | None
    at_ns: int
    """UTC nanoseconds since the epoch, from the recorder's clock."""
    inferred: bool
    """The actor was concluded from time alone."""
    changes: tuple[Change, ...]
    fallen: frozenset[ChangeSeq]
    """The changes that do not stand now."""
    fallen_hunks: frozenset[ChangeSeq] = frozenset()
    """The falls of hunks that were taken back alone."""
    undoes: tuple[OpId, ...]
    undone_by: OpId | None
    """The operation that last took back any of its changes that do not stand."""

    @property
    def standing(self) -> Standing:
        """How much of it stands."""
        if not self.fallen:
            return Standing.PART if self.fallen_hunks else Standing.ALL
        return Standing.NONE if len(self.fallen) == len(self.changes) else Standing.PART


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A labelled run of operations of one actor, undone as one if asked."""

    id: TurnId
    actor: str
    label: str
    began_ns: int
    ended_ns: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """What an editor knows of a save: which lines it replaced, better than a diff would tell where lines repeat."""

    before: BlobId
    spans: tuple[Span, ...]
    """The way from that content to what was saved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """A path and what it was seen to be, with its content already in the store."""

    path: WorkspacePath
    after: FileState
    moved_from: WorkspacePath | None = None
    """Known from a rename event; otherwise the recorder pairs equal content itself."""
    inode: int = 0
    """Helps to pair a rename; 0 where unknown."""
    seen_at: ChangeSeq | None = None
    """The last change in the journal when the path was looked at: one since then makes the observation stale."""
    edited: Edited | None = None
    adopted: bool = False
    """It was there before and only became recordable now: no operation, a first known state."""


def standing(changes: Sequence[Change], flips: Mapping[ChangeSeq, bool] = NO_FLIPS) -> frozenset[ChangeSeq]:
    """The changes of one file that stand, oldest first given, if `flips` came after all of them.

    The latest standing change that flipped another one decides about it; what nobody flipped stands, and the fall of
    a hunk that nobody flipped does not. So undoing an undo needs no more than that the undo stands no longer.
    """
    decided = dict(flips)
    stands = []
    for change in reversed(changes):
        if decided.get(change.seq, True):
            stands.append(change.seq)
            for target, on in change.flips.items():
                decided.setdefault(target, on)
    stands += [seq for seq, on in decided.items() if on and is_fall(seq)]
    return frozenset(stands)


def takes_back(target: ChangeSeq, stands: bool) -> bool:  # noqa: FBT001 - a flip is these two
    """Whether flipping `target` so takes something back: a change no longer stands, or a hunk's fall does."""
    return stands == is_fall(target)


def returning(changes: Sequence[Change]) -> dict[ChangeSeq, bool]:
    """The fewest flips after which exactly those changes of one file stand that stood before its newest, `changes`."""
    flips: dict[ChangeSeq, bool] = {}
    while still := sorted(seq for seq in standing(changes, flips) if not is_fall(seq)):
        flips.update(dict.fromkeys(still, False))
    return flips
