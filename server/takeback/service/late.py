"""What a hook saw at a path, taken in after something newer was recorded there: a recorder may be slower than an agent.

recorded meanwhile    one ------------------> three
told                  one ------> two                   one -> two is the agent's, the rest whose it was before
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice, takewhile

from takeback.journal import views
from takeback.journal.log import Journal
from takeback.model.ids import OpId
from takeback.model.operation import Change, Observation
from takeback.model.paths import WorkspacePath
from takeback.record import Source
from takeback.service.opening import Workspace


def recorded_after(journal: Journal, path: WorkspacePath, at_ns: int) -> tuple[Change, ...]:
    """The changes at `path` that were recorded after a moment, newest first."""
    found = _newest_first(journal, path)
    return tuple(takewhile(lambda one: views.operation(journal, one.op).at_ns > at_ns, found))


def _newest_first(journal: Journal, path: WorkspacePath) -> Iterator[Change]:
    position = journal.last_operation()
    while (change := views.touching(journal, path, position)) is not None and change.op <= position:
        yield change
        position = OpId(change.op - 1)


def place(
    workspace: Workspace, source: Source, told: Observation, later: Sequence[Change], since: OpId
) -> OpId | None:
    """The operation that brought `told.path` to what was told, `source`'s now if that is recorded after `since`.

    `later` are the changes that were recorded after the moment. `None`: what was told is newer than all of them.
    """
    step = _step_to(workspace.journal, told, later)
    if step is not None:
        if source.told and step.op > since:
            workspace.claims.claim(source, told.path, told.after, until=step.op)
        return step.op
    if later[-1].before == told.after:
        return views.FIRST
    if workspace.looker.read(told.path) != later[0].after:
        return None
    first = workspace.claims.split(source, later[0], told.after) if len(later) == 1 else None
    return first or later[0].op


def _step_to(journal: Journal, told: Observation, later: Sequence[Change]) -> Change | None:
    """The last change that left the path as it was told, among the `later` ones and the one before them."""
    steps = islice(_newest_first(journal, told.path), len(later) + 1)
    return next((one for one in steps if one.path == told.path and one.after == told.after), None)
