"""What each tool does: one call on the service."""

from __future__ import annotations

from dataclasses import dataclass

from takeback.checkpoints import CheckpointKind, Wanted
from takeback.errors import UsageError
from takeback.mcp.presence import Presence
from takeback.model.ids import OpId, TurnId
from takeback.model.operation import OperationKind, parse_actor
from takeback.model.paths import WorkspacePath
from takeback.service import answers, checkpointing, hunks, looking, permission, places
from takeback.service.answers import Answer
from takeback.service.arguments import Arguments
from takeback.service.opening import Workspace
from takeback.service.permission import Consent, Question
from takeback.service.requests import Request, Verb
from takeback.undo.clash import OnConflict

ANYONE = "anyone"
"""The actor that narrows nothing."""
ASK = "ask"
"""What becomes of a conflict, unless said otherwise."""

_MOST_DIFF_CHARS = 200_000
"""More is no help to a model, and fills what it can think with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of a tool, in an opened workspace."""

    workspace: Workspace
    presence: Presence
    arguments: Arguments
    has_person: bool
    given: Consent | None
    """What a person has decided about this call."""

    def text(self, name: str) -> str:
        """An argument; empty if it was left out."""
        return str(self.arguments.get(name, ""))

    def paths(self) -> tuple[WorkspacePath, ...]:
        """The paths, from the top of the workspace."""
        root = self.workspace.root
        return places.all_named(root, root, self.arguments.get("paths", ()))


Act = Answer | Question


def status(call: Call) -> Act:
    """The workspace at a glance."""
    return looking.status(call.workspace)


def log(call: Call) -> Act:
    """Operations, newest first."""
    given = call.arguments
    wanted = looking.Wanted(
        n=given.get("n", 20),
        actor=_actor(call, None),
        paths=call.paths(),
        turn=given.get("turn"),
        since=given.get("since"),
    )
    return answers.log(looking.log(call.workspace, wanted))


def show(call: Call) -> Act:
    """One operation."""
    found = looking.operation(call.workspace, OpId(call.arguments["operation"]))
    return answers.shown(found, hunks.of_operation(call.workspace, found))


def diff(call: Call) -> Act:
    """What differs between two moments."""
    operation, moments = call.arguments.get("operation"), call.arguments.get("moments")
    if operation is not None and moments is not None:
        raise UsageError("operation and moments exclude each other", hint="Choose one of them.")
    named = f"{operation}..{operation}" if operation is not None else moments
    text = "".join(looking.diff(call.workspace, named, call.paths()))
    answer: Answer = {"version": answers.VERSION, "diff": text[:_MOST_DIFF_CHARS]}
    return answer if len(text) <= _MOST_DIFF_CHARS else {**answer, "truncated": True}


def record(call: Call) -> Act:
    """Put writes down to the agent."""
    found = call.presence.record(call.workspace, call.paths(), call.text("label"))
    answer = answers.recorded(found[0] if found else None)
    return answer if len(found) < 2 else {**answer, "operations": answers.log(found)["operations"]}


def begin_turn(call: Call) -> Act:
    """Begin a turn of the agent."""
    return answers.turn(call.presence.begin_turn(call.workspace, call.text("label")))


def end_turn(call: Call) -> Act:
    """End it."""
    return answers.turn(call.presence.end_turn(call.workspace, call.arguments.get("turn")))


def checkpoint(call: Call) -> Act:
    """Make a checkpoint."""
    given = call.arguments
    wanted = Wanted(
        label=call.text("label"),
        kind=CheckpointKind(given.get("kind", CheckpointKind.MANUAL)),
        phase=given.get("phase"),
        session=given.get("session"),
        tags=tuple(given.get("tags", ())),
        context=given.get("context", {}),
    )
    return answers.checkpoint(checkpointing.create(call.workspace, wanted))


def undo(call: Call) -> Act:
    """Take operations back."""
    chosen = call.arguments.keys() & {"operations", "turn"}
    return _take_back(call, Verb(kind=OperationKind.UNDO), _actor(call, None if chosen else _own(call)))


def redo(call: Call) -> Act:
    """Bring operations back."""
    return _take_back(call, Verb(kind=OperationKind.REDO), None)


def rollback(call: Call) -> Act:
    """Take back everything after a checkpoint."""
    verb = Verb(kind=OperationKind.ROLLBACK, checkpoint=call.arguments["checkpoint"])
    return _take_back(call, verb, _actor(call, _own(call)))


def _own(call: Call) -> str:
    return call.presence.actor


def _actor(call: Call, default: str | None) -> str | None:
    given = call.arguments.get("actor")
    if given is None:
        return default
    return None if given == ANYONE else parse_actor(given)


def _take_back(call: Call, verb: Verb, actor: str | None) -> Act:
    how = call.arguments.get("on_conflict", ASK)
    request = _request(call, actor, OnConflict.STOP if how == ASK else OnConflict(how))
    asker = permission.Asker(
        actor=call.presence.actor,
        own=call.presence.memory.own,
        has_person=call.has_person,
        asks=how == ASK,
    )
    if call.given is not None:
        request = call.given.applied(verb, request)
    found = permission.take_back(call.workspace, verb, request, asker, call.given)
    if isinstance(found, Question):
        return found
    call.presence.asked_for(found)
    return answers.result(found)


def _request(call: Call, actor: str | None, on_conflict: OnConflict) -> Request:
    given = call.arguments
    turn = given.get("turn")
    return Request(
        n=given.get("n"),
        ops=tuple(map(OpId, given.get("operations", ()))),
        turn=TurnId(turn) if turn is not None else None,
        since=given.get("since"),
        actor=actor,
        paths=call.paths(),
        hunk=given.get("hunk"),
        inferred=given.get("inferred", False),
        dry_run=given.get("dry_run", False),
        on_conflict=on_conflict,
        place=call.workspace.root,
        reason=": ".join(filter(None, (f"asked by {call.presence.actor}", call.text("reason")))),
    )
