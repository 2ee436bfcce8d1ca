"""Pages of operations, narrowed by who, where and when."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from takeback.journal import finding, views
from takeback.journal.log import Journal
from takeback.model.ids import OpId, TurnId
from takeback.model.operation import Operation
from takeback.model.paths import WorkspacePath, is_within

_STEPS = 5
"""So many steps are gone for one page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which operations a page holds."""

    actor: str | None = None
    paths: tuple[WorkspacePath, ...] = ()
    turn: TurnId | None = None
    text: str = ""
    """In the label or a path, whatever its case."""
    after: OpId = views.FIRST
    before: OpId | None = None
    """Only older ones than this: the next page begins at the last one of the page before."""


def page(journal: Journal, wanted: Filter, n: int | None) -> tuple[Operation, ...]:
    """The newest `n` operations that pass the filter (`None`: all), newest first."""
    return tuple(islice(_passing(journal, wanted), None if n is None else min(n, sys.maxsize)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some operations, newest first, and where the next page begins."""

    operations: tuple[Operation, ...]
    before: OpId | None
    """What the next page has to be before; `None` if there is nothing older."""


def bounded(journal: Journal, wanted: Filter, n: int) -> Page:
    """A page of at most `n`. Few of many operations may need several pages: none takes long, but it may be empty."""
    last = OpId(journal.last_operation() + 1)
    before = last if wanted.before is None else min(wanted.before, last)
    found: list[Operation] = []
    for step in islice(_steps(journal, wanted, before), _STEPS):
        for one in views.named(journal, step.ops):
            found += [one] if _passes(one, wanted) else []
            if len(found) == n:
                return Page(operations=tuple(found), before=_rest(one.id, wanted))
        before = step.down_to
    return Page(operations=tuple(found), before=_rest(before, wanted))


def _rest(before: OpId, wanted: Filter) -> OpId | None:
    return before if before > wanted.after + 1 else None


def _steps(journal: Journal, wanted: Filter, before: OpId) -> Iterator[finding.Step]:
    """What has to be looked through: by what leaves the fewest."""
    if wanted.turn is not None:
        return finding.by_turn(journal, wanted.turn, wanted.after, before)
    if len(wanted.paths) == 1:
        return finding.by_path(journal, wanted.paths[0], wanted.after, before)
    if wanted.actor is not None:
        return finding.by_actor(journal, wanted.actor, wanted.after, before)
    if wanted.text:
        return finding.by_text(journal, wanted.text, wanted.after, before)
    return finding.everything(wanted.after, before)


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
    if wanted.turn is not None and operation.turn != wanted.turn:
        return False
    if wanted.text and not _holds(operation, wanted.text.lower()):
        return False
    if not wanted.paths:
        return True
    places = [place for change in operation.changes for place in (change.path, change.moved_from) if place]
    return any(is_within(place, path) for place in places for path in wanted.paths)


def _holds(operation: Operation, text: str) -> bool:
    places = (place for change in operation.changes for place in (change.path, change.moved_from) if place)
    return any(text in one.lower() for one in (operation.label, *places))
