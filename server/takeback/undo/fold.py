"""One file's history folded into what it is: its lines (a weave) and where, whether and how it exists (registers).

Content without lines takes part as one line that holds a token for the whole (`model.content`): a change of it
replaces that line, so the one rule for conflicts covers it too.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Generic, TypeVar

from takeback.model.ids import ChangeSeq, FileId, is_fall
from takeback.model.operation import Change, standing
from takeback.model.paths import WorkspacePath
from takeback.model.state import FileKind, FileState
from takeback.model.text import Rewrite, Text
from takeback.undo.weave import BASE, Weave

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A change, and what it did to the lines."""

    change: Change
    rewrite: Rewrite | None
    """`None`: no line changed."""
    guessed: bool = False
    """A state beside the change was not captured: its lines are those that differ from an older or a later one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What happened to one file from the first change that matters, through its renames."""

    file: FileId
    base: Text
    """The lines before the first step."""
    steps: tuple[Step, ...]
    """Oldest first, without gaps; at least one."""
    path: WorkspacePath
    """Where the file is known to be now (or was last)."""
    state: FileState
    """What it is known to be now."""
    now: Text | None
    """The lines it has now; `None` if it is absent or was not captured."""


class Register(Generic[T]):
    """One property of a file: the latest standing change that set it decides."""

    def __init__(self, base: T) -> None:
        self._log: list[tuple[ChangeSeq, T]] = [(BASE, base)]

    def value(self, standing: Set[ChangeSeq]) -> T:
        """What it is if exactly `standing` stood."""
        return next(value for seq, value in reversed(self._log) if seq in standing)

    def settle(self, seq: ChangeSeq, value: T, standing: Set[ChangeSeq]) -> None:
        """Let `seq` be what made it `value`, unless it is so already."""
        if self.value(standing) != value:
            self._log.append((seq, value))

    def made(self, seq: ChangeSeq, value: T) -> bool:
        """Whether `seq` was what made it `value`."""
        return (seq, value) in self._log

    def set_by(self, seq: ChangeSeq) -> bool:
        """Whether `seq` changed it."""
        return any(writer == seq for writer, _ in self._log)

    def later(self, seq: ChangeSeq, standing: Set[ChangeSeq]) -> tuple[ChangeSeq, ...]:
        """The standing changes after `seq` that changed it too."""
        return tuple(writer for writer, _ in self._log if writer > seq and writer in standing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """A file as the sum of the changes that stand."""

    changes: tuple[Change, ...]

    weave: Weave
    exists: Register[bool]
    place: Register[WorkspacePath]
    kind: Register[FileKind | None]
    mode: Register[int]
    rewriting: frozenset[ChangeSeq]
    """The changes that touched lines."""

    @property
    def standing(self) -> Set[ChangeSeq]:
        """The changes that stand."""
        return self.weave.standing

    def after(self, flips: Mapping[ChangeSeq, bool]) -> frozenset[ChangeSeq]:
        """The changes that would stand after `flips`."""
        explained = {change.seq for change in self.changes}
        unexplained = {seq for seq in self.standing - explained if not is_fall(seq)}
        return standing(self.changes, flips) | unexplained


def fold(history: History) -> Folded:
    """The file after all of its steps.

    Raises Mismatch if the recorded hunks do not fit each other.
    """
    first = history.steps[0].change
    folded = Folded(
        changes=tuple(step.change for step in history.steps),
        weave=Weave(history.base),
        exists=Register(first.before.exists),
        place=Register(first.moved_from or first.path),
        kind=Register(first.before.kind),
        mode=Register(first.before.mode),
        rewriting=frozenset(step.change.seq for step in history.steps if step.rewrite is not None),
    )
    flipping: set[ChangeSeq] = set()
    for number, step in enumerate(history.steps):
        if step.change.flips:
            _flip(folded, number, flipping)
            flipping.add(step.change.seq)
        _take(folded, step)
    return folded


def _flip(folded: Folded, number: int, flipping: Set[ChangeSeq]) -> None:
    """Let the newest change decide about others. Only if it flips what flipped others is everything judged anew."""
    flips = folded.changes[number].flips
    if flipping.isdisjoint(flips):
        on = {seq for seq, stands in flips.items() if stands}
        folded.weave.stand((folded.standing | on) - (flips.keys() - on))
    else:
        folded.weave.stand(standing(folded.changes[: number + 1]))


def _take(folded: Folded, step: Step) -> None:
    change = step.change
    if not (
        change.before.exists or change.flips
    ):  # whatever lines still stood, they were of a file that was gone
        folded.weave.clear(change.seq)
    folded.weave.apply(change.seq, step.rewrite)
    stands = folded.standing
    folded.exists.settle(change.seq, change.after.exists, stands)
    if change.after.exists:
        folded.place.settle(change.seq, change.path, stands)
        folded.kind.settle(change.seq, change.after.kind, stands)
        folded.mode.settle(change.seq, change.after.mode, stands)
