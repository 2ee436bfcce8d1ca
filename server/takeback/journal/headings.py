"""Operations without their changes: who, when, and whether a person keeps them. For those who name many at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from takeback.journal.claimed import attributions
from takeback.journal.log import Journal
from takeback.journal.rows import parts, path_out
from takeback.model.ids import OpId, TurnId
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
    """The headings of these operations. Cost: three queries for hundreds of them, however much each changed."""
    found = []
    for part in parts(ops):
        marks = ",".join("?" * len(part))
        whose = attributions(journal, part)
        for op, _, label, at_ns, _ in journal.records("operations", f"id IN ({marks})", part):
            found.append(
                Heading(
                    op=OpId(op),
                    label=whose[op].label(label),
                    at_ns=at_ns,
                    actor=whose[op].actor,
                    turn=whose[op].turn,
                    inferred=whose[op].inferred,
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
