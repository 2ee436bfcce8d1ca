"""The way out of a conflict: all that has to go too, and the command that takes it back."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from takeback.journal import views
from takeback.journal.log import Journal
from takeback.model.ids import OpId
from takeback.model.operation import Operation, OperationKind
from takeback.service.requests import Request
from takeback.undo.plan import UndoPlan


def in_the_way(
    journal: Journal, plan: UndoPlan, planned: Callable[[Sequence[Operation]], UndoPlan]
) -> tuple[OpId, ...]:
    """Every operation that has to go too, with what rewrote that in turn; empty if the conflict would still be there.

    `planned` makes the plan that takes back more operations too. Cost: one plan for each step of the way.
    """
    found: set[OpId] = set()
    while plan.conflicts:
        more = {op for conflict in plan.conflicts for op in conflict.in_the_way} - found
        if not more:
            return ()
        found |= more
        plan = planned(views.named(journal, sorted(found)))
    return tuple(sorted(found))


def command(kind: OperationKind, chosen: Iterable[OpId], others: Iterable[OpId], request: Request) -> str:
    """What to type so that `others` are taken back too. A redo, or the undo of one hunk, is asked for again after that."""
    if request.hunk is not None:
        everywhere = replace(request, hunk=None, paths=())
        return f"{_words('undo', others, everywhere)} && {_words('undo', chosen, request)}"
    if kind is not OperationKind.REDO:
        return _words("undo", {*chosen, *others}, request)
    return f"{_words('undo', others, request)} && {_words('redo', chosen, request)}"


def instead(done: OpId, way_out: str, place: str) -> str:
    """What to type where the conflict was decided otherwise, and that was done: it is taken back first."""
    return f"{_words('undo', (done,), Request(place=place))} && {way_out}"


def _words(verb: str, ops: Iterable[OpId], request: Request) -> str:
    words = ["takeback", verb, *(("-C", request.place) if request.place else ())]
    for op in sorted(ops):
        words += ["--op", str(op)]
    for path in request.paths:
        words += ["--path", path or "."]
    if request.hunk is not None:
        words += ["--hunk", str(request.hunk)]
    return shlex.join(words)
