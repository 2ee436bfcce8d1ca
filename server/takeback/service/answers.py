"""What every front end answers with: plain data in the shapes of the JSON interface."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from takeback.checkpoints import Checkpoint
from takeback.errors import TakebackError
from takeback.model.ids import ChangeSeq, change_of
from takeback.model.operation import Change, Operation, Turn
from takeback.service.checkpointing import Exported
from takeback.service.doctoring import Report
from takeback.service.hunks import Hunk
from takeback.service.maintenance import Cleaned
from takeback.service.news import TakenBack
from takeback.service.requests import Result
from takeback.upkeep.forget import Forgotten

VERSION = 1
Answer = dict[str, Any]


def rfc3339(at_ns: int) -> str:
    """A moment in UTC, to the microsecond."""
    moment = datetime.fromtimestamp(at_ns // 10**9, UTC).replace(microsecond=at_ns // 1000 % 10**6)
    return moment.isoformat().replace("+00:00", "Z")


def log(operations: Sequence[Operation]) -> Answer:
    """Operations, in the given order."""
    return {"version": VERSION, "operations": [operation(one) for one in operations]}


def recorded(found: Operation | None) -> Answer:
    """What `record` made."""
    return {"version": VERSION, "operation": operation(found) if found else None}


def shown(one: Operation, hunks: Mapping[ChangeSeq, Sequence[Hunk]]) -> Answer:
    """One operation as `log` has it, with the hunks of each change that replaced lines."""
    answer = operation(one)
    for change, told in zip(visible_changes(one), answer["changes"], strict=True):
        told["hunks"] = [_hunk(hunk) for hunk in hunks.get(change.seq, ())]
    return {"version": VERSION, "operations": [answer]}


def _hunk(one: Hunk) -> Answer:
    return {
        "number": one.number,
        "start": one.start + 1,
        "removed": one.n_removed,
        "inserted": one.n_inserted,
        "stands": one.stands,
    }


def operation(one: Operation) -> Answer:
    """One operation."""
    return {
        "id": one.id,
        "kind": one.kind.value,
        "actor": one.actor,
        "label": one.label,
        "turn": one.turn,
        "at": rfc3339(one.at_ns),
        "changes": [_change(change) for change in visible_changes(one)],
        "inferred": one.inferred,
        "standing": one.standing.value,
        "undoes": list(one.undoes),
        "undone_by": one.undone_by,
    }


def visible_changes(one: Operation) -> tuple[Change, ...]:
    """The changes that a person could see: a bookkeeping entry that left the file as it was is none."""
    return tuple(
        change for change in one.changes if change.before != change.after or change.moved_from is not None
    )


def result(found: Result) -> Answer:
    """What became of an undo, redo, rollback or restore."""
    answer: Answer = {
        "version": VERSION,
        "outcome": found.outcome.value,
        "operation": found.operation,
        "undone": list(found.undone),
        "files": [{"path": f.path, "outcome": f.outcome.value, "note": f.note} for f in found.files],
    }
    if found.conflicts:
        answer["conflicts"] = [
            {"path": c.path, "what": c.what, "chosen": list(c.chosen), "in_the_way": list(c.in_the_way)}
            for c in found.conflicts
        ]
        answer["hint"] = way_out(found)
    if found.passed:
        answer["passed"] = [{"operation": one.op, "why": one.why} for one in found.passed]
    return answer


def way_out(found: Result) -> str:
    """How to get past the conflicts: the command that takes back what is in the way too, where there is one."""
    return found.way_out or "Move what is in the way, or use `--on-conflict skip-file`."


def turn(one: Turn) -> Answer:
    """One turn."""
    ended = rfc3339(one.ended_ns) if one.ended_ns is not None else None
    fields = {
        "id": one.id,
        "actor": one.actor,
        "label": one.label,
        "began": rfc3339(one.began_ns),
        "ended": ended,
    }
    return {"version": VERSION, "turn": fields}


def checkpoint(one: Checkpoint) -> Answer:
    """One checkpoint."""
    return {"version": VERSION, "checkpoint": _checkpoint(one)}


def checkpoints(found: Sequence[Checkpoint]) -> Answer:
    """Checkpoints, in the given order."""
    return {"version": VERSION, "checkpoints": [_checkpoint(one) for one in found]}


def exported(one: Exported) -> Answer:
    """A checkpoint that became a commit of the user's repository."""
    return {
        "version": VERSION,
        "checkpoint": one.checkpoint.id,
        "branch": one.branch,
        "commit": one.commit,
        "parent": one.parent,
        "left_out": list(one.left_out),
    }


def report(one: Report) -> Answer:
    """What the doctor found."""
    findings = [{"what": f.what, "health": f.health.value, "text": f.text} for f in one.findings]
    fields = {"workspace": one.root, "state": one.state, "well": one.is_well}
    return {"version": VERSION, **fields, "findings": findings}


def cleaned(found: Cleaned) -> Answer:
    """What `gc` removed."""
    return {
        "version": VERSION,
        "collected": [
            {
                "workspace": one.root,
                "contents": one.contents,
                "before": one.before,
                "freed_bytes": one.freed_bytes,
                "left_bytes": one.left_bytes,
                "packed": one.packed,
                "notes": list(one.notes),
            }
            for one in found.collected
        ],
        "skipped": [{"state": one.state, "why": one.why} for one in found.skipped],
    }


def forgotten(one: Forgotten) -> Answer:
    """What `forget` dropped."""
    fields = {"contents": one.contents, "shared": list(one.shared), "notes": list(one.notes)}
    return {"version": VERSION, **fields}


def undone_since(found: Iterable[TakenBack]) -> list[Answer]:
    """What somebody took back of an agent's, as every answer to it tells once."""
    return [
        {
            "operation": one.operation.id,
            "label": one.operation.label,
            "standing": one.operation.standing.value,
            "undone_by": one.by.id,
            "kind": one.by.kind.value,
            "by": one.by.actor,
            "at": rfc3339(one.by.at_ns),
            "reason": one.by.label,
            "files": list(dict.fromkeys(change.path for change in _taken_back(one.operation))),
        }
        for one in found
    ]


def _taken_back(one: Operation) -> Iterator[Change]:
    """The changes that do not stand, or not in all their hunks."""
    gone = one.fallen | {change_of(fall) for fall in one.fallen_hunks}
    return (change for change in one.changes if change.seq in gone)


def error(problem: TakebackError) -> Answer:
    """An error as an answer."""
    fields = {"code": problem.code, "message": problem.message, "hint": problem.hint}
    return {"version": VERSION, "error": fields}


def _checkpoint(one: Checkpoint) -> Mapping[str, Any]:
    return {
        "id": one.id,
        "label": one.label,
        "kind": one.kind.value,
        "at": rfc3339(one.at_ns),
        "phase": one.phase,
        "session": one.session,
        "tags": list(one.tags),
        "context": dict(one.context),
        "position": one.position,
        "commit": one.commit,
        "pinned": one.pinned,
        "rollback_count": one.rollback_count,
        "parent": one.parent,
        "base_commit": one.base_commit,
        "branch": one.branch,
        "in_progress": list(one.in_progress),
    }


def _change(change: Change) -> Answer:
    missing = next((state.reason for state in (change.after, change.before) if state.reason), None)
    return {
        "path": change.path,
        "status": change.status.value,
        "from": change.moved_from,
        "captured": missing is None,
        "reason": missing.value if missing else None,
    }
