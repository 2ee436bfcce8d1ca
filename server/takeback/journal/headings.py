"""Operations without their changes: who, when, and whether a person keeps them. For those who name many at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from takeback.journal.log import Journal
from takeback.journal.rows import parts, path_out
from takeback.model.ids import OpId, TurnId
from takeback.model.operation import known_label
from takeback.model.paths import WorkspacePath


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """An operation without its changes."""

    op: OpId
    label: str
    at_ns: int
    actor: str
    turn: TurnId | None
    inferred: bool


def headings(journal: Journal, ops: Sequence[OpId]) -> tuple[Heading, ...]:
    """The headings of these operations. Cost: two queries for hundreds of them, however much each changed."""
    found = []
    for part in parts(ops):
        marks = ",".join("?" * len(part))
        claims = {
            row[1]: row for row in journal.records("attributions", f"op IN ({marks}) ORDER BY id", part)
        }
        for op, _, label, at_ns, _ in journal.records("operations", f"id IN ({marks})", part):
            _, _, actor, turn, inferred, _ = claims[op]
            found.append(
                Heading(
                    op=OpId(op),
                    label=known_label(label, actor),
                    at_ns=at_ns,
                    actor=actor,
                    turn=TurnId(f"turn-{turn}") if turn is not None else None,
                    inferred=bool(inferred),
                )
            )
    return tuple(found)


def kept(journal: Journal, ops: Sequence[OpId], path: WorkspacePath) -> frozenset[OpId]:
    """Which of these operations a person has kept, wholly or at `path`."""
    found: set[OpId] = set()
    for part in parts(ops):
        marks = ",".join("?" * len(part))
        rows = journal.records(
            "keeps", f"op IN ({marks}) AND (path IS NULL OR path = ?)", (*part, path_out(path))
        )
        found |= {OpId(row[1]) for row in rows}
    return frozenset(found)
