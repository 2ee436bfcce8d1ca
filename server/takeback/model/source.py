"""Who wrote something, as far as is known when it is recorded. A value."""

from __future__ import annotations

from dataclasses import dataclass

from takeback.model.ids import TurnId
from takeback.model.operation import UNKNOWN, OperationKind, with_candidates


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Who wrote, and what to call it."""

    kind: OperationKind
    actor: str
    label: str = ""
    turn: TurnId | None = None
    inferred: bool = False
    checkpoint: str | None = None
    """The checkpoint that a rollback went to."""

    @property
    def told(self) -> bool:
        """Whether somebody said whose writes these are; otherwise they were only seen."""
        return self.kind is not OperationKind.EDIT or not (self.inferred or self.actor == UNKNOWN)

    def doubted(self, actor: str) -> Source:
        """The same where it may be `actor`'s as well: it is nobody's then, and names both."""
        candidates = {self.actor, actor} - {UNKNOWN}
        label = with_candidates(self.label, candidates)
        return Source(kind=OperationKind.EDIT, actor=UNKNOWN, label=label)
