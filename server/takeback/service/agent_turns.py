"""Turns that agents' hooks begin and end: one for each prompt of a session.

An agent with hooks says exactly what it writes. So what nobody announces while such a turn is open is not put down to
it, as it is with a turn that somebody opened by hand; it is `unknown`, and the agent a candidate.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from takeback.files.alive import is_alive
from takeback.journal import views
from takeback.journal.log import Journal
from takeback.model.ids import TurnId
from takeback.service import calls


def begin(journal: Journal, body: Mapping[str, Any], now_ns: int) -> None:
    """A turn for what the prompt in `body` leads to. Does nothing if it has been begun already."""
    if _told(journal, "agent prompt", body) == body["id"]:
        return
    with journal.transaction():
        _end(journal, of_session(journal, body), now_ns)
        number = journal.append("turns", body["actor"], body["label"], now_ns)
        told = {"session": body["session"], "process": body["process"]}
        journal.append("facts", f"agent turn {number}", json.dumps(told), now_ns)
        journal.append("facts", _name("agent session", body), f"turn-{number}", now_ns)
        journal.append("facts", _name("agent prompt", body), body["id"], now_ns)


def end(journal: Journal, body: Mapping[str, Any], now_ns: int) -> None:
    """The open turn of the session, if it has one, ends."""
    with journal.transaction():
        _end(journal, of_session(journal, body), now_ns)


def of_session(journal: Journal, body: Mapping[str, Any]) -> TurnId | None:
    """The open turn of the session that `body` is of."""
    found = _told(journal, "agent session", body)
    if not found or found not in {turn.id for turn in views.open_turns(journal)}:
        return None
    return TurnId(found)


def is_agents(journal: Journal, turn: TurnId) -> bool:
    """Whether an agent's hook began the turn."""
    return _about(journal, turn) is not None


def end_dead(journal: Journal, now_ns: int) -> None:
    """Turns of agents that run no longer have ended, though nobody said so."""
    for turn in views.open_turns(journal):
        told = _about(journal, turn.id)
        process = calls.process_in(told) if told else None
        if process is not None and not is_alive(process):
            with journal.transaction():
                _end(journal, turn.id, now_ns)


def _about(journal: Journal, turn: TurnId) -> dict[str, Any] | None:
    found = journal.fact(f"agent turn {turn.removeprefix('turn-')}")
    if not found:
        return None
    told: dict[str, Any] = json.loads(found)
    return told


def _told(journal: Journal, what: str, body: Mapping[str, Any]) -> str:
    return journal.fact(_name(what, body)) or ""


def _name(what: str, body: Mapping[str, Any]) -> str:
    return f"{what} {calls.name_of(body['actor'], body['session'], '')}"


def _end(journal: Journal, turn: TurnId | None, now_ns: int) -> None:
    if turn is not None:
        journal.append("turn_ends", int(turn.removeprefix("turn-")), now_ns)
