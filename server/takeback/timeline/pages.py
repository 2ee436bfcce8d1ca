"""Pages of operations, narrowed by who, where and when."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from takeback.journal import views
from takeback.journal.log import Journal
from takeback.model.ids import OpId, TurnId
from takeback.model.operation import Operation
from takeback.model.paths import WorkspacePath, is_within


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which operations a page holds."""

    actor: str | None = None
    paths: tuple[WorkspacePath, ...] = ()
    turn: TurnId | None = None
    after: OpId = views.FIRST
    before: OpId | None = None
    """Only older ones than this: the next page begins at the last one of the page before."""


def page(journal: Journal, wanted: Filter, n: int | None) -> tuple[Operation, ...]:
    """The newest `n` operations that pass the filter (`None`: all), newest first."""
    return tuple(islice(_passing(journal, wanted), None if n is None else min(n, sys.maxsize)))


def _passing(journal: Journal, wanted: Filter) -> Iterator[Operation]:
    candidates = iter(views.of_turn(journal, wanted.turn)) if wanted.turn else _between(journal, wanted)
    for operation in candidates:
        if operation.id > wanted.after and _passes(operation, wanted):
            yield operation


def _between(journal: Journal, wanted: Filter) -> Iterator[Operation]:
    return views.newest_first(journal, after=wanted.after, before=wanted.before)


def _passes(operation: Operation, wanted: Filter) -> bool:
    if wanted.actor is not None and operation.actor != wanted.actor:
        return False
    if not wanted.paths:
        return True
    places = [place for change in operation.changes for place in (change.path, change.moved_from) if place]
    return any(is_within(place, path) for place in places for path in wanted.paths)
