"""What an undo would do, file by file: a value that can be shown before it is applied, and that goes stale.

Pure: the histories come in complete, nothing is read here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from enum import StrEnum

from takeback.model.content import is_mixed, is_same, state_of_token
from takeback.model.ids import ChangeSeq, FileId, OpId, change_of
from takeback.model.operation import OperationKind
from takeback.model.paths import WorkspacePath
from takeback.model.state import ABSENT, EMPTY_DIRECTORY, FileKind, FileState
from takeback.model.text import Rewrite, Span, Text, join, keys, rewrite
from takeback.undo.clash import OnConflict, Outlook, outlook
from takeback.undo.contest import Contest, anew, contests
from takeback.undo.fold import Folded, History, fold
from takeback.undo.unseen import is_blind, lacking, missing, unseen_note
from takeback.undo.weave import Mismatch

Differ = Callable[[Sequence[bytes], Sequence[bytes]], tuple[Span, ...]]
"""Finds the runs of lines that differ."""


class FileOutcome(StrEnum):
    """What became, or would become, of one file."""

    RESTORED = "restored"
    MERGED = "merged"
    REMOVED = "removed"
    RECREATED = "recreated"
    RENAMED = "renamed"
    UNCHANGED = "unchanged"
    CONFLICT = "conflict"
    IRREVERSIBLE = "irreversible"
    NOT_CAPTURED = "not_captured"
    SKIPPED = "skipped"
    IN_EDITOR = "in_editor"


FAILED = frozenset({FileOutcome.CONFLICT, FileOutcome.IRREVERSIBLE, FileOutcome.NOT_CAPTURED})
"""Outcomes that leave something of the chosen operations in place although nobody asked for that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A place where somebody changed what a chosen operation wrote."""

    path: WorkspacePath
    what: str
    """`lines`, `content`, `mode`, `name` or `existence`."""
    chosen: tuple[OpId, ...]
    in_the_way: tuple[OpId, ...]
    """Standing operations; taking these back too resolves it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePlan:
    """What one file is expected to be, and what it becomes."""

    file: FileId
    path: WorkspacePath
    target: WorkspacePath
    """Where it will be; differs from `path` where a rename is taken back."""
    before: FileState
    """What must still be there when the plan is applied."""
    after: FileState
    data: bytes | None
    """The new content; `after.blob` is then not known yet. `None`: `after` is in the store, or has no content."""
    flips: Mapping[ChangeSeq, bool]
    rewrite: Rewrite | None
    """Where the lines are not what follows from the flips alone."""
    outcome: FileOutcome
    note: str = ""
    conflicts: tuple[Conflict, ...] = ()

    @property
    def writes(self) -> bool:
        """Whether anything on disk changes."""
        return self.data is not None or self.after != self.before or self.target != self.path

    @property
    def leaves(self) -> bool:
        """Whether something is at `path` that will not be there."""
        return self.before.exists and (self.target != self.path or not self.after.exists)

    @property
    def arrives(self) -> bool:
        """Whether something will be at `target` that is not there."""
        return self.after.exists and (self.target != self.path or not self.before.exists)

    @property
    def records(self) -> bool:
        """Whether the journal learns anything from it."""
        return self.writes or bool(self.flips)


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoPlan:
    """What taking back the chosen operations would do."""

    kind: OperationKind
    undone: tuple[OpId, ...]
    files: tuple[FilePlan, ...]
    """Sorted by path."""

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        """Every place that cannot be separated."""
        return tuple(conflict for file in self.files for conflict in file.conflicts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What a plan has to know besides the file's own history."""

    on_conflict: OnConflict
    names: Mapping[OpId, str]
    """How operations are called in markers: `operation 14 (command:black)`."""
    differ: Differ


def plan_file(history: History, flips: Mapping[ChangeSeq, bool], given: Circumstances) -> FilePlan:
    """What becomes of one file when `flips` happen."""
    try:
        folded = _bridged(fold(history), history, given.differ)
    except Mismatch:
        return _misfit(history)
    after = folded.after(flips)
    toggled = frozenset(map(change_of, folded.standing ^ after))
    reason = missing(history, toggled, exists=folded.exists.value(after))
    if reason is not None:
        return _untouched(history, FileOutcome.NOT_CAPTURED, f"not captured: {reason}")
    if is_blind(history, toggled):
        return _untouched(history, FileOutcome.NOT_CAPTURED, unseen_note(history))
    ops = {step.change.seq: step.change.op for step in history.steps}
    names = {seq: given.names.get(op, f"operation {op}") for seq, op in ops.items()}
    contested = contests(folded, after)
    lines = outlook(folded.weave, after, given.on_conflict, names, anew(folded, after))
    conflicts = _conflicts(history, contested, lines, ops)
    if conflicts and _leaves_file(given.on_conflict, lines):
        return _left_in_conflict(history, conflicts, given.on_conflict)
    settled = _registers(folded, after, contested, given.on_conflict, history)
    return _planned(history, folded, flips, after, lines, given, conflicts, settled)


def _leaves_file(on_conflict: OnConflict, lines: Outlook) -> bool:
    """Whether a file with conflicts stays as it is. Markers are lines: content that has none cannot show them."""
    undecided = on_conflict in (OnConflict.STOP, OnConflict.SKIP_FILE)
    return undecided or (on_conflict is OnConflict.MARKERS and is_mixed(lines.lines))


def _left_in_conflict(history: History, conflicts: tuple[Conflict, ...], on_conflict: OnConflict) -> FilePlan:
    outcome = FileOutcome.SKIPPED if on_conflict is OnConflict.SKIP_FILE else FileOutcome.CONFLICT
    why = "; it has no lines that could show markers" if on_conflict is OnConflict.MARKERS else ""
    return replace(_untouched(history, outcome, _conflict_note(conflicts) + why), conflicts=conflicts)


def _misfit(history: History) -> FilePlan:
    """The file as it is, where its lines do not fit: where nothing is lacking, that is damage."""
    reason = lacking(history)
    if reason is not None:
        return _untouched(history, FileOutcome.NOT_CAPTURED, f"not captured: {reason}")
    note = "its recorded lines do not fit together; see `takeback doctor`"
    return _untouched(history, FileOutcome.IRREVERSIBLE, note)


def _bridged(folded: Folded, history: History, differ: Differ) -> Folded:
    """The file with one more change that leads to what it is now, where the recorded ones do not.

    So it is where states in between were not captured. What is unexplained then counts as somebody else's.
    """
    shown = folded.weave.text()
    if history.now is None or is_same(shown, history.now):
        return folded
    seq = ChangeSeq(history.steps[-1].change.seq + 1)
    spans = differ(keys(shown, history.now), keys(history.now, shown))
    folded.weave.apply(seq, rewrite(history.now, spans))
    return replace(folded, rewriting=folded.rewriting | {seq})


def _planned(  # noqa: PLR0913, PLR0917 - one value of each stage of the plan; a class would only rename them
    history: History,
    folded: Folded,
    flips: Mapping[ChangeSeq, bool],
    after: frozenset[ChangeSeq],
    lines: Outlook,
    given: Circumstances,
    conflicts: tuple[Conflict, ...],
    settled: Settled,
) -> FilePlan:
    exists = settled.exists
    ending, final_newline = folded.weave.ends(after)
    expected = Text(lines=lines.after_flips, ending=ending, final_newline=final_newline)
    wanted = replace(expected, lines=lines.lines)
    try:
        state, data = _content(history, folded, wanted, settled) if exists else (ABSENT, None)
    except ValueError:
        return _untouched(history, FileOutcome.NOT_CAPTURED, "content in between was not captured")
    if not state.captured and state != history.state:
        return _untouched(history, FileOutcome.NOT_CAPTURED, f"not captured: {state.reason}")
    if not history.state.captured and (
        data is not None or state.blob != history.state.blob or not state.exists
    ):
        return _untouched(
            history, FileOutcome.NOT_CAPTURED, f"what is there now was not captured: {history.state.reason}"
        )
    own = None
    if lines.lines != lines.after_flips:
        own = rewrite(wanted, given.differ(keys(expected, wanted), keys(wanted, expected)))
    plan = FilePlan(
        file=history.file,
        path=history.path,
        target=settled.target,
        before=history.state,
        after=state,
        data=data,
        flips=dict(flips),
        rewrite=own,
        outcome=FileOutcome.UNCHANGED,
        conflicts=conflicts,
    )
    return replace(
        plan, outcome=_outcome(plan, folded, after, given.on_conflict), note=_note(lines, conflicts, given)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """Whether, where and as what a file will be."""

    exists: bool
    target: WorkspacePath
    kind: FileKind | None
    mode: int


def _registers(
    folded: Folded,
    after: frozenset[ChangeSeq],
    contests: Sequence[Contest],
    on_conflict: OnConflict,
    history: History,
) -> Settled:
    """Whether, where and as what the file will be. What somebody else changed stays, unless the one before is asked for."""
    taken = {what: set[ChangeSeq]() for what in ("existence", "name", "mode", "kind")}
    for one in contests if on_conflict is OnConflict.TAKE_THEIRS else ():
        taken[one.what] |= one.blockers
    exists = folded.exists.value(after - taken["existence"])
    if on_conflict is not OnConflict.TAKE_THEIRS and any(one.what == "existence" for one in contests):
        now = history.state
        return Settled(exists=now.exists, target=history.path, kind=now.kind, mode=now.mode)
    return Settled(
        exists=exists,
        target=folded.place.value(after - taken["name"]) if exists else history.path,
        kind=folded.kind.value(after - taken["kind"]),
        mode=folded.mode.value(after - taken["mode"]),
    )


def _content(
    history: History, folded: Folded, wanted: Text, settled: Settled
) -> tuple[FileState, bytes | None]:
    """What an existing file becomes. Raises ValueError for content that is neither lines nor one whole."""
    kind, mode = settled.kind, settled.mode
    if kind is FileKind.DIRECTORY:
        return EMPTY_DIRECTORY, None
    token = state_of_token(wanted, mode)
    if token is not None:
        return token, None
    if kind is not FileKind.FILE:
        raise ValueError("a link needs a target")
    if history.state.kind is FileKind.FILE and wanted == folded.weave.text():
        return replace(history.state, mode=mode), None
    data = join(wanted)
    return FileState(kind=FileKind.FILE, mode=mode, size_bytes=len(data)), data


def _outcome(
    plan: FilePlan, folded: Folded, after: frozenset[ChangeSeq], on_conflict: OnConflict
) -> FileOutcome:
    if plan.conflicts and on_conflict is OnConflict.MARKERS:
        return FileOutcome.CONFLICT
    if not plan.writes:
        return FileOutcome.UNCHANGED
    if not plan.after.exists:
        return FileOutcome.REMOVED
    if not plan.before.exists:
        return FileOutcome.RECREATED
    if plan.after == plan.before and plan.data is None:
        return FileOutcome.RENAMED
    first = min(map(change_of, folded.standing ^ after), default=None)
    others = folded.standing & after & folded.rewriting
    later = first is not None and any(seq > first for seq in others)
    return FileOutcome.MERGED if later else FileOutcome.RESTORED


def _note(lines: Outlook, conflicts: Sequence[Conflict], given: Circumstances) -> str:
    notes = []
    if conflicts:
        notes.append(f"{_conflict_note(conflicts)}; {given.on_conflict}")
    if lines.already_there:
        notes.append("some lines were there already, brought back since")
    if lines.order_chosen:
        notes.append("merged, order chosen")
    return "; ".join(notes)


def _conflict_note(conflicts: Sequence[Conflict]) -> str:
    seen = dict.fromkeys((conflict.what, conflict.in_the_way) for conflict in conflicts)
    parts = []
    for what, ops in seen:
        who = ", ".join(map(str, ops))
        parts.append(f"operation {who} changed the same {what}" if ops else f"the {what} cannot be separated")
    return "; ".join(parts)


def _untouched(history: History, outcome: FileOutcome, note: str) -> FilePlan:
    return left_alone(history.file, (history.path, history.state), outcome, note)


def left_alone(
    file: FileId, now: tuple[WorkspacePath, FileState], outcome: FileOutcome, note: str
) -> FilePlan:
    """The plan that leaves a file as it is, with the reason."""
    path, state = now
    return FilePlan(
        file=file,
        path=path,
        target=path,
        before=state,
        after=state,
        data=None,
        flips={},
        rewrite=None,
        outcome=outcome,
        note=note,
    )


def _conflicts(
    history: History, contested: Iterable[Contest], lines: Outlook, ops: Mapping[ChangeSeq, OpId]
) -> tuple[Conflict, ...]:
    """Every conflict once, in however many places the operations meet."""
    whole = [(one.what, one.setters, one.blockers) for one in contested if one.what != "kind"]
    found = [*whole, *(("lines", clash.toggled, clash.others) for clash in lines.clashes)]
    return tuple(
        dict.fromkeys(
            Conflict(path=history.path, what=what, chosen=_ops(chosen, ops), in_the_way=_ops(others, ops))
            for what, chosen, others in found
        )
    )


def _ops(seqs: Set[ChangeSeq], ops: Mapping[ChangeSeq, OpId]) -> tuple[OpId, ...]:
    return tuple(sorted({ops[seq] for seq in seqs if seq in ops}))
