"""What a hook saw at a path, taken in after something newer was recorded there: a recorder may be slower than an agent.

    recorded meanwhile    one ------> two ------> three
    told                  one ------> two                   one -> two is the agent's, what came after is not

What was never recorded alone stays whose it was: a name that is missing can be asked for, a wrong one is believed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import takewhile

from takeback.journal import views
from takeback.journal.log import Journal
from takeback.model.ids import OpId
from takeback.model.operation import Change, Observation
from takeback.model.paths import WorkspacePath
from takeback.model.source import Source
from takeback.service.opening import Workspace


def recorded_after(journal: Journal, path: WorkspacePath, at_ns: int, until: OpId) -> tuple[Change, ...]:
    """The changes at `path` that were recorded after a moment, in operations up to `until`; newest first."""
    found = _newest_first(journal, path, until)
    return tuple(takewhile(lambda one: views.operation(journal, one.op).at_ns > at_ns, found))


def _newest_first(journal: Journal, path: WorkspacePath, until: OpId) -> Iterator[Change]:
    while (change := views.touching(journal, path, until)) is not None and change.op <= until:
        yield change
        until = OpId(change.op - 1)


def place(
    workspace: Workspace, source: Source, told: Observation, later: Sequence[Change], since: OpId
) -> OpId | None:
    """The operation that brought `told.path` to what was told, or else one after it; `source`'s if it is after `since`.

    `later` are the changes that were recorded after the moment. `None`: what was told is newer than all of them.
    """
    step = _step_to(workspace.journal, told, later)
    if step is not None:
        if source.told and step.op > since:
            workspace.claims.claim(source, told.path, told.after, until=step.op)
        return step.op
    if later[-1].before == told.after:
        return views.FIRST
    known = workspace.recorder.state_of(told.path)[1]
    return later[0].op if workspace.looker.read(told.path) == known else None


def _step_to(journal: Journal, told: Observation, later: Sequence[Change]) -> Change | None:
    """The first change that left the path as it was told, of the one before `later` and those."""
    before = next(_newest_first(journal, told.path, OpId(later[-1].op - 1)), None)
    steps = (*((before,) if before else ()), *reversed(later))
    return next((one for one in steps if one.path == told.path and one.after == told.after), None)
