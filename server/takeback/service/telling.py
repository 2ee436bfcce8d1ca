"""What somebody says they wrote, recorded as theirs, also where it was seen before they said so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from takeback.errors import Refused
from takeback.journal import views
from takeback.model.ids import OpId
from takeback.model.operation import HUMAN, Operation, OperationKind
from takeback.model.paths import WorkspacePath
from takeback.record import Source
from takeback.service.opening import Workspace
from takeback.service.sources import is_paused, open_turns


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What became of what somebody said they wrote."""

    operation: Operation | None
    """What was not recorded yet; `None` if all of it was."""
    claimed: tuple[OpId, ...]
    """Operations that had been recorded as nobody's a moment ago, or as a save, and are theirs now."""


def record(workspace: Workspace, paths: Sequence[WorkspacePath], actor: str, label: str) -> Told:
    """Record what is in these files now as `actor`'s, in the turn of theirs that is open.

    A save of a moment ago in an editor is theirs too: whoever says so knows better than that the editor saved.
    Raises Refused while recording is paused.
    """
    if is_paused(workspace):
        raise Refused("recording is paused", hint="`takeback.resumeRecording` first.")
    turns = [turn for turn in open_turns(workspace) if turn.actor == actor]
    turn = turns[0].id if len(turns) == 1 else None
    source = Source(kind=OperationKind.EDIT, actor=actor, label=label, turn=turn)
    seen = workspace.looker.observe(paths)
    recorded = workspace.recorder.record(source, seen)
    claim = workspace.claims.claim
    claimed = [claim(source, one.path, one.after, over=frozenset({HUMAN})) for one in seen]
    op = recorded.operation
    return Told(
        operation=views.operation(workspace.journal, op) if op else None,
        claimed=tuple(dict.fromkeys(filter(None, claimed))),
    )
