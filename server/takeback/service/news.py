"""What somebody took back of an agent's since it last asked. It is told once, so that it does not write it again.

agents/<digest of its name>.json    up to which operation it was told, and what it asked for itself

A death between an answer and the next request tells it twice, and never not at all.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Iterable, Set
from dataclasses import dataclass

from takeback.journal import views
from takeback.journal.log import Journal
from takeback.model.ids import OpId
from takeback.model.operation import Operation
from takeback.service.opening import Workspace

logger = logging.getLogger(__name__)

_FOLDER = "agents"
_MOST_OWN = 1000
"""How many operations that it asked for are remembered: an older one is told as if it were somebody else's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenBack:
    """An operation that is not what its agent takes it for."""

    operation: Operation
    by: Operation
    """What took it back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What an agent knows."""

    told: OpId = views.FIRST
    """The last operation when it was told."""
    own: frozenset[OpId] = frozenset()
    """The operations that it asked for itself."""


def since(workspace: Workspace, actor: str, memory: Memory) -> tuple[TakenBack, ...]:
    """The operations of `actor` that somebody else took back since, and that are still taken back, newest first."""
    journal = workspace.journal
    told = memory.told if memory.told <= journal.last_operation() else views.FIRST  # it may be a new history
    gone = views.named(journal, views.taken_back_since(journal, actor, told))
    return tuple(_with_takers(workspace, (one for one in gone if _is_news(journal, one, told, memory.own))))


def _is_news(journal: Journal, one: Operation, told: OpId, own: Set[OpId]) -> bool:
    """Whether somebody else took it back since. What was only put down to others is not gone."""
    by = one.undone_by
    return by is not None and by > told and by not in own and not views.is_taken_out(journal, by)


def _with_takers(workspace: Workspace, gone: Iterable[Operation]) -> Iterable[TakenBack]:
    for one in gone:
        assert one.undone_by is not None, "BUG: it was taken back"
        yield TakenBack(operation=one, by=views.operation(workspace.journal, one.undone_by))


def remembered(workspace: Workspace, actor: str) -> Memory:
    """What was kept of what an agent knows; nothing if that cannot be read."""
    try:
        with open(_place(workspace, actor), encoding="utf-8") as file:
            body = json.load(file)
        return Memory(told=OpId(int(body["told"])), own=frozenset(OpId(int(op)) for op in body["own"]))
    except FileNotFoundError:
        return Memory()
    except (OSError, ValueError, KeyError, TypeError):
        logger.warning("what %s was told is not known any more: it is told again", actor, exc_info=True)
        return Memory()


def keep(workspace: Workspace, actor: str, memory: Memory) -> None:
    """Keep what an agent knows, beside what other processes of the same agent kept."""
    before = remembered(workspace, actor)
    own = sorted(memory.own | before.own)[-_MOST_OWN:]
    body = {"actor": actor, "told": max(memory.told, before.told), "own": own}
    place = _place(workspace, actor)
    new = f"{place}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(place), mode=0o700, exist_ok=True)
        with open(new, "w", encoding="utf-8") as file:
            json.dump(body, file)
        os.replace(new, place)
    except OSError:  # it is told again, which does no harm
        logger.warning("what %s was told cannot be kept", actor, exc_info=True)


def _place(workspace: Workspace, actor: str) -> str:
    digest = hashlib.sha256(actor.encode()).hexdigest()[:16]
    return os.path.join(workspace.state, _FOLDER, f"{digest}.json")
