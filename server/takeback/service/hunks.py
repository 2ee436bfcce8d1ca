"""The hunks of an operation in one file: numbered for people, and taken back one by one.

They are numbered from 1 through all changes that the operation made there, in the order in which they stand in the
file before each change.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from takeback.errors import UsageError
from takeback.model.ids import NO_FALL, ChangeSeq, FileId, change_of, fall_of, is_fall
from takeback.model.operation import Change, Operation
from takeback.model.paths import WorkspacePath
from takeback.model.text import Rewrite
from takeback.service.opening import Workspace
from takeback.undo import history
from takeback.undo.select import Flips, Narrow, together


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunk:
    """A run of lines that one change replaced."""

    number: int
    """From 1, within its operation and file."""
    change: ChangeSeq
    fall: ChangeSeq
    start: int
    """Index of the first replaced line, in the lines before the change."""
    n_removed: int
    n_inserted: int
    stands: bool


def of_operation(workspace: Workspace, operation: Operation) -> dict[ChangeSeq, tuple[Hunk, ...]]:
    """The hunks of each change that touched lines and left the file in place."""
    numbered: dict[FileId, int] = {}
    found = {}
    for change in operation.changes:
        rewrite = _rewrite(workspace, change)
        if rewrite is not None:
            before = numbered.get(change.file, 0)
            found[change.seq] = tuple(_hunks(operation, change.seq, rewrite, before))
            numbered[change.file] = before + len(rewrite.hunks)
    return found


def _hunks(operation: Operation, seq: ChangeSeq, rewrite: Rewrite, before: int) -> Sequence[Hunk]:
    falls = [fall_of(seq, n) for n in range(len(rewrite.hunks))]
    return [
        Hunk(
            number=before + n + 1,
            change=seq,
            fall=falls[n],
            start=hunk.start,
            n_removed=hunk.n_removed,
            n_inserted=len(hunk.inserted),
            stands=seq not in operation.fallen and falls[n] not in operation.fallen_hunks,
        )
        for n, hunk in enumerate(rewrite.hunks)
    ]


def _rewrite(workspace: Workspace, change: Change) -> Rewrite | None:
    """What a change did to lines; `None` for one that made, removed or only flipped."""
    if change.flips or not (change.before.exists and change.after.exists):
        return None
    found = history.load(workspace.journal, workspace.store, change.file, {change.seq: False})
    return next((step.rewrite for step in found.steps if step.change.seq == change.seq), None)


def flips(workspace: Workspace, operation: Operation, narrow: Narrow, number: int) -> Flips:
    """What flips so that one hunk is taken back and the rest of its operation stays; nothing if it does not stand.

    Raises UsageError where the operation has no such hunk, or in more than one file.
    """
    change, hunk = _find(workspace, operation, narrow, number)
    if not hunk.stands:
        return {}
    if hunk.fall == NO_FALL:
        raise UsageError(f"hunk {number} of operation {operation.id} is one of too many", hint=_whole(change))
    others = [one for one in of_operation(workspace, operation)[change.seq] if one.stands and one != hunk]
    if not others and _is_lines_alone(change):
        return {change.file: {hunk.fall: True, change.seq: False}}
    return {change.file: {hunk.fall: True}}


def with_their_changes(workspace: Workspace, chosen: Iterable[Operation], flips: Flips) -> Flips:
    """`flips`, by which some of `chosen` stand no longer, and what has to stand again so that their hunks show.

    That is a change that fell because no hunk of it stood any more.
    """
    more: Flips = {}
    for change in (one for operation in chosen for one in operation.changes):
        if flips.get(change.file, {}).get(change.seq) is False:
            found = {change_of(target) for target, stands in change.flips.items() if _falls(target, stands)}
            for seq, (stands, by) in workspace.journal.standing(found).items():
                if not stands and _fell_with_a_hunk(workspace, seq, by):
                    more.setdefault(change.file, {})[seq] = True
    return together(more, flips)


def _falls(target: ChangeSeq, stands: bool) -> bool:  # noqa: FBT001 - a flip is these two
    return is_fall(target) and stands


def _fell_with_a_hunk(workspace: Workspace, seq: ChangeSeq, by: ChangeSeq) -> bool:
    (decider,) = workspace.journal.changes("id = ?", (by,))
    return any(_falls(*flip) and change_of(flip[0]) == seq for flip in decider.flips.items())


def _find(workspace: Workspace, operation: Operation, narrow: Narrow, number: int) -> tuple[Change, Hunk]:
    taken = [change for change in operation.changes if narrow.takes(change)]
    if len({change.file for change in taken}) != 1:
        raise UsageError(
            f"a hunk is of one file, and operation {operation.id} changed {_files(taken)} there",
            hint="Name the file with `--path`.",
        )
    hunks = of_operation(workspace, operation)
    found = [(change, hunk) for change in taken for hunk in hunks.get(change.seq, ())]
    for change, hunk in found:
        if hunk.number == number:
            return change, hunk
    raise UsageError(
        f"operation {operation.id} has {len(found)} hunks in {taken[0].path}, and no hunk {number}",
        hint=_whole(taken[0]) if not found else f"`takeback show {operation.id} --json` lists them.",
    )


def _files(changes: Sequence[Change]) -> str:
    n = len({change.file for change in changes})
    return f"{n} files" if n else "nothing"


def _whole(change: Change) -> str:
    return f"Take back all of it: `takeback undo --op {change.op} --path {_place(change.path)}`."


def _place(path: WorkspacePath) -> str:
    return path or "."


def _is_lines_alone(change: Change) -> bool:
    """Whether a change did nothing but replace lines: then its last hunk is all that is left of it."""
    same = (change.before.kind, change.before.mode) == (change.after.kind, change.after.mode)
    return same and change.moved_from is None
