"""What can be asked of taking back, and what comes of it: values, and their form between processes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from takeback.model.ids import OpId, TurnId
from takeback.model.operation import OperationKind
from takeback.model.paths import WorkspacePath
from takeback.undo.clash import OnConflict
from takeback.undo.plan import Conflict, FileOutcome
from takeback.undo.select import Passed

Message = dict[str, Any]


class Outcome(StrEnum):
    """What became of a request to take something back."""

    APPLIED = "applied"
    PLANNED = "planned"
    NOTHING = "nothing"
    CONFLICT = "conflict"
    PARTIAL = "partial"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileResult:
    """What became of one file."""

    path: WorkspacePath
    outcome: FileOutcome
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of a request, file by file."""

    outcome: Outcome
    operation: OpId | None
    undone: tuple[OpId, ...]
    files: tuple[FileResult, ...]
    conflicts: tuple[Conflict, ...] = ()
    passed: tuple[Passed, ...] = ()
    way_out: str = ""
    """The command that takes back what is in the way too; empty if there is none, or nothing is in the way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to undo. At most one of `n`, `ops`, `turn` and `since`; none means the last 1."""

    n: int | None = None
    ops: tuple[OpId, ...] = ()
    turn: TurnId | None = None
    since: str | None = None
    actor: str | None = None
    paths: tuple[WorkspacePath, ...] = ()
    hunk: int | None = None
    """Only this hunk, counted from 1, of the one operation in `ops`, in the one file that it changed there."""
    inferred: bool = False
    dry_run: bool = False
    on_conflict: OnConflict = OnConflict.STOP
    in_editor: bool = False
    """Asked in an editor: there the last N do not count what its own undo takes back."""
    place: str = ""
    """The workspace, where a command that is hinted at has to name it; else it is typed at its top."""
    reason: str = ""
    """Why, in the words of whoever asks; it becomes part of the operation's label."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """Which way back."""

    kind: OperationKind
    checkpoint: str = ""
    """For rollback and restore."""


def about(request: Request, ops: tuple[OpId, ...]) -> Request:
    """The same request for exactly the operations that it chose: what is recorded since cannot be taken for one."""
    return replace(request, n=None, turn=None, since=None, ops=ops) if ops else request


def request_out(verb: Verb, request: Request) -> Message:
    """A request as a message."""
    return {
        "kind": verb.kind,
        "checkpoint": verb.checkpoint,
        "n": request.n,
        "ops": request.ops,
        "turn": request.turn,
        "since": request.since,
        "actor": request.actor,
        "paths": request.paths,
        "hunk": request.hunk,
        "inferred": request.inferred,
        "on_conflict": request.on_conflict,
        "place": request.place,
        "reason": request.reason,
    }


def request_in(message: Message) -> tuple[Verb, Request]:
    """What `request_out` made the message of."""
    turn = message["turn"]
    return Verb(kind=OperationKind(message["kind"]), checkpoint=message["checkpoint"]), Request(
        n=message["n"],
        ops=tuple(OpId(op) for op in message["ops"]),
        turn=TurnId(turn) if turn is not None else None,
        since=message["since"],
        actor=message["actor"],
        paths=tuple(WorkspacePath(path) for path in message["paths"]),
        hunk=message["hunk"],
        inferred=message["inferred"],
        on_conflict=OnConflict(message["on_conflict"]),
        place=message["place"],
        reason=message["reason"],
    )


def result_in(answer: Message) -> Result:
    """The result that an answer in JSON tells of."""
    return Result(
        outcome=Outcome(answer["outcome"]),
        operation=answer["operation"],
        undone=tuple(OpId(op) for op in answer["undone"]),
        files=tuple(
            FileResult(path=WorkspacePath(f["path"]), outcome=FileOutcome(f["outcome"]), note=f["note"])
            for f in answer["files"]
        ),
        conflicts=tuple(
            Conflict(
                path=WorkspacePath(c["path"]),
                what=c["what"],
                chosen=tuple(c["chosen"]),
                in_the_way=tuple(c["in_the_way"]),
            )
            for c in answer.get("conflicts", ())
        ),
        passed=tuple(Passed(op=OpId(p["operation"]), why=p["why"]) for p in answer.get("passed", ())),
        way_out=answer.get("hint", ""),
    )
