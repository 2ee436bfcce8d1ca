"""Who operations are put down to, and what whoever claimed one calls it.

The newest attribution of an operation counts. Its label, if it has one, is a fact of its own: most have none, because an
operation is recorded with the label of who wrote it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from takeback.journal.log import Journal
from takeback.journal.rows import parts
from takeback.model.ids import OpId, TurnId
from takeback.model.operation import known_label


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """Whose an operation is."""

    actor: str
    turn: TurnId | None
    inferred: bool
    said: str
    """What the actor calls it, if they claimed it and said so; else empty."""

    def label(self, recorded: str) -> str:
        """The label of the operation, which was recorded with this one."""
        return self.said or known_label(recorded, self.actor)


def note_label(journal: Journal, attribution: int, label: str, now_ns: int) -> None:
    """What whoever claimed an operation by this attribution calls it."""
    journal.append("facts", _fact(attribution), label, now_ns)


def attributions(journal: Journal, ops: Sequence[OpId]) -> dict[OpId, Attribution]:
    """Whose each of these operations is. Cost: a query for hundreds of them, and one for those that were claimed."""
    found = {}
    for part in parts(ops):
        marks = ",".join("?" * len(part))
        rows = journal.records("attributions", f"op IN ({marks}) ORDER BY id", part)
        newest = {row[1]: row for row in rows}
        labels = _labels(journal, [row[0] for row in newest.values()]) if len(rows) > len(newest) else {}
        found.update({op: _attribution(row, labels) for op, row in newest.items()})
    return found


def _attribution(row: Sequence[Any], labels: Mapping[str, str]) -> Attribution:
    number, _, actor, turn, inferred, _ = row
    return Attribution(
        actor=actor,
        turn=TurnId(f"turn-{turn}") if turn is not None else None,
        inferred=bool(inferred),
        said=labels.get(_fact(number), ""),
    )


def _labels(journal: Journal, rows: Sequence[int]) -> dict[str, str]:
    marks = ",".join("?" * len(rows))
    facts = journal.records("facts", f"name IN ({marks})", [_fact(row) for row in rows])
    return {name: value for _, name, value, _ in facts}


def _fact(attribution: int) -> str:
    return f"label of attribution {attribution}"
