"""An agent in one workspace, as long as its connection lasts: its turn, and what it knows."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

from takeback.errors import UsageError
from takeback.model.ids import OpId, TurnId
from takeback.model.operation import Operation, Turn
from takeback.model.paths import WorkspacePath
from takeback.service import news, recording, telling
from takeback.service.opening import Workspace, open_workspace
from takeback.service.requests import Result


class Presence:
    """One agent in one workspace. Belongs to one call at a time."""

    def __init__(self, workspace: Workspace, actor: str) -> None:
        self.actor = actor
        self.root = workspace.root
        self.memory = self._kept = news.remembered(workspace, actor)
        self._turn: TurnId | None = None
        self._stack = ExitStack()

    # -- what it knows -----------------------------------------------------------------------------

    def keep(self, workspace: Workspace) -> None:
        """Whoever asks again has heard the last answer: what it told is kept as told."""
        if self.memory != self._kept:
            news.keep(workspace, self.actor, self.memory)
            self._kept = self.memory

    def asked_for(self, result: Result) -> None:
        """What this agent asked for itself is no news to it."""
        if result.operation is not None:
            self.memory = replace(self.memory, own=self.memory.own | {result.operation})

    def news(self, workspace: Workspace) -> tuple[tuple[news.TakenBack, ...], OpId]:
        """What was taken back since it was told the last time, and up to where that is."""
        return news.since(workspace, self.actor, self.memory), workspace.journal.last_operation()

    def heard(self, until: OpId) -> None:
        """It was told everything up to an operation."""
        self.memory = replace(self.memory, told=until)

    # -- its turn ----------------------------------------------------------------------------------

    def begin_turn(self, workspace: Workspace, label: str) -> Turn:
        """A turn that lasts until its end, the next one, or the end of the connection."""
        if self._turn is not None:
            self.end_turn(workspace, self._turn)
        turn = recording.begin_turn(workspace, self.actor, label, self._stack)
        self._turn = turn.id
        return turn

    def end_turn(self, workspace: Workspace, name: str | None) -> Turn:
        """The turn, ended. Raises UsageError if there is none, or it is somebody else's."""
        wanted = name or self._turn
        if wanted is None:
            raise UsageError("no turn of yours is open", hint="begin_turn opens one.")
        if wanted != self._turn:
            raise UsageError(
                f"{wanted} was not begun over this connection", hint="Leave it out to end your own."
            )
        turn = recording.end_turn(workspace, wanted)
        self._turn = None
        self._stack.close()
        return turn

    def record(
        self, workspace: Workspace, paths: Sequence[WorkspacePath], label: str
    ) -> tuple[Operation, ...]:
        """What this agent wrote: at these paths, or wherever anything changed that nobody recorded yet."""
        if paths:
            return telling.record_below(workspace, paths, self.actor, label, self._turn)
        found = recording.record(workspace, self.actor, label, self._turn)
        return (found,) if found else ()

    def close(self) -> None:
        """End what the connection began. Raises what opening the workspace raises."""
        with self._stack, open_workspace(self.root) as workspace:
            self.keep(workspace)
            if self._turn is not None:
                self.end_turn(workspace, self._turn)
