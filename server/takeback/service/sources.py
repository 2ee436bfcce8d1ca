"""Whose the writes of this moment are."""

from __future__ import annotations

from collections.abc import Mapping

from takeback.journal import views
from takeback.model.ids import TurnId
from takeback.model.operation import UNKNOWN, OperationKind, Turn, with_candidates
from takeback.model.source import Source
from takeback.service import agent_turns, at_work, held_turns
from takeback.service.line import Message
from takeback.service.opening import Workspace

FOUND = "found by looking"


def who_is_at_work(workspace: Workspace) -> list[str]:
    """The actors of the commands that run at this moment."""
    return _actors(at_work.commands(workspace.state))


def _actors(commands: Mapping[str, Message]) -> list[str]:
    return sorted({source_in(body).actor for body in commands.values()})


def source_out(source: Source) -> Message:
    """A told source as a message."""
    return {"kind": source.kind, "actor": source.actor, "label": source.label, "turn": source.turn}


def source_in(message: Message) -> Source:
    """What `source_out` made the message of."""
    turn = message["turn"]
    return Source(
        kind=OperationKind(message["kind"]),
        actor=message["actor"],
        label=message["label"],
        turn=TurnId(turn) if turn else None,
    )


def unannounced(workspace: Workspace, label: str = FOUND, *, besides: str = "") -> Source:
    """Who an unannounced write is put down to: the command at work, the open turn's actor, inferred, or unknown.

    `besides` names a command that has not begun, or has ended.
    """
    commands = at_work.commands(workspace.state)
    commands.pop(besides, None)
    actors = _actors(commands)
    if len(actors) == 1:
        return source_in([*commands.values()][-1])
    if commands:
        return Source(kind=OperationKind.EDIT, actor=UNKNOWN, label=with_candidates("", actors))
    turns = open_turns(workspace)
    if len(turns) == 1 and not agent_turns.is_agents(workspace.journal, turns[0].id):
        turn = turns[0]
        return Source(kind=OperationKind.EDIT, actor=turn.actor, label=label, turn=turn.id, inferred=True)
    if turns:
        label = with_candidates(label, (turn.actor for turn in turns))
    return Source(kind=OperationKind.EDIT, actor=UNKNOWN, label=label)


def at_its_end(workspace: Workspace, name: str, source: Source) -> Source:
    """Whose the writes until the end of a command are: its own, unless others are at work too."""
    commands = at_work.commands(workspace.state)
    commands.pop(name, None)
    is_alone = {*_actors(commands)} <= {source.actor}
    return source if is_alone else unannounced(workspace)


def is_paused(workspace: Workspace) -> bool:
    """Whether recording is paused."""
    rows = workspace.journal.records("pauses", "1 ORDER BY id DESC LIMIT 1")
    return bool(rows and rows[0][1])


def open_turns(workspace: Workspace) -> tuple[Turn, ...]:
    """The turns that have begun and not ended, oldest first; not those whose process has died."""
    found = views.open_turns(workspace.journal)
    return tuple(turn for turn in found if not held_turns.is_left(workspace.state, turn.id))
