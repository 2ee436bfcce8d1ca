"""What somebody says they wrote, recorded as theirs, also where it was seen before they said so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from takeback.journal import views
from takeback.model.ids import OpId, TurnId
from takeback.model.operation import Change, Operation
from takeback.model.paths import WorkspacePath, is_within
from takeback.service.opening import Workspace
from takeback.service.recording import hear, refuse_paused, told


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What became of what somebody said they wrote."""

    operation: Operation | None
    """What was not recorded yet; `None` if all of it was."""
    claimed: tuple[OpId, ...]
    """Operations that had been recorded as nobody's a moment ago, or as a save, and are theirs now."""


def record(workspace: Workspace, paths: Sequence[WorkspacePath], actor: str, label: str) -> Told:
    """Record what is in these files now as `actor`'s, in the turn of theirs that is open.

    A save of a moment ago in the editor of this process is theirs too: whoever says so knows better than that the editor
    saved. What was saved in another editor is not: whoever says so is not in it.
    Raises Refused while recording is paused.
    """
    refuse_paused(workspace)
    source = told(workspace, actor, label)
    seen = workspace.looker.observe(paths)
    recorded = workspace.recorder.record(source, seen)
    claim = workspace.claims.claim
    by_hand = workspace.claims.by_hand
    claimed = [claim(source, one.path, one.after, by_hand) for one in seen]
    op = recorded.operation
    return Told(
        operation=views.operation(workspace.journal, op) if op else None,
        claimed=tuple(dict.fromkeys(filter(None, claimed))),
    )


def record_below(
    workspace: Workspace, paths: Sequence[WorkspacePath], actor: str, label: str, turn: TurnId | None
) -> tuple[Operation, ...]:
    """The operations by which `actor` brought these files and folders to what they are, newest first.

    They are what nobody recorded yet, and what was recorded as nobody's, or as theirs by time alone. Raises Refused
    while recording is paused.
    """
    refuse_paused(workspace)
    hear(workspace)
    source = told(workspace, actor, label, turn)
    recorded = workspace.looker.at(paths, source).operation

    def belongs(change: Change) -> bool:
        return any(is_within(change.path, path) for path in paths)

    claimed = workspace.claims.claim_all(source, belongs)
    said = {*claimed, *filter(None, (recorded,))}
    taken = workspace.claims.take_out(source, belongs, said)
    found = sorted({*said, *filter(None, (taken,))}, reverse=True)
    return views.named(workspace.journal, found)
