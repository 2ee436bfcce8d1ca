"""Operations that match, newest first, found by index or in steps: no question reads a whole journal at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from takeback.journal.log import Journal
from takeback.journal.rows import path_out
from takeback.model.ids import OpId, TurnId
from takeback.model.paths import WorkspacePath

_PAGE = 200
_WINDOW = 20_000
"""So many operations are looked through in one step where no index helps."""

_LATEST = "NOT EXISTS (SELECT 1 FROM attributions later WHERE later.op = mine.op AND later.id > mine.id)"
_BELOW = "({0} = ?3 OR ({0} > ?4 AND {0} < ?5))"
_TEXT = "instr(lower(CAST({0} AS TEXT)), ?3)"


@dataclass(frozen=True, slots=True)
class Step:
    """Operations that may match, newest first, and down to where there is no other."""

    ops: tuple[OpId, ...]
    down_to: OpId


def everything(after: OpId, before: OpId) -> Iterator[Step]:
    """Every operation after `after` and before `before`."""
    for top in range(before - 1, after, -_PAGE):
        low = max(after, top - _PAGE)
        yield Step(tuple(OpId(op) for op in range(top, low, -1)), OpId(low + 1))


def by_actor(journal: Journal, actor: str, after: OpId, before: OpId) -> Iterator[Step]:
    """Those that were put down to this actor last."""
    sql = f"SELECT op FROM attributions mine WHERE actor = ? AND op < ? AND op > ? AND {_LATEST}"
    return _by_index(journal, sql, (actor,), after, before)


def by_turn(journal: Journal, turn: TurnId, after: OpId, before: OpId) -> Iterator[Step]:
    """Those of this turn."""
    sql = f"SELECT op FROM attributions mine WHERE turn = ? AND op < ? AND op > ? AND {_LATEST}"
    return _by_index(journal, sql, (int(turn.removeprefix("turn-")),), after, before)


def by_path(journal: Journal, path: WorkspacePath, after: OpId, before: OpId) -> Iterator[Step]:
    """Those that touched this file, or anything below this folder."""
    raw = path_out(path) or b""
    below = (raw + b"/", raw + b"0")
    is_folder = journal.query("SELECT 1 FROM changes WHERE path > ? AND path < ? LIMIT 1", below)
    if not is_folder:
        at = f"SELECT op FROM changes WHERE {{}} = ?1 AND op < ?2 AND op > ?3 ORDER BY id DESC LIMIT {_PAGE}"
        both = f"SELECT * FROM ({at.format('path')}) UNION SELECT * FROM ({at.format('moved_from')})"
        sql = f"SELECT op FROM ({both})"
        return _by_index(journal, sql, (raw,), after, before)
    touches = f"{_BELOW.format('path')} OR {_BELOW.format('moved_from')}"
    sql = f"SELECT op FROM changes WHERE op < ?1 AND op >= ?2 AND ({touches})"
    return _in_windows(journal, sql, (raw, *below), after, before)


def by_text(journal: Journal, text: str, after: OpId, before: OpId) -> Iterator[Step]:
    """Those whose label or paths hold a text, whatever its case."""
    label = f"SELECT id AS op FROM operations WHERE id < ?1 AND id >= ?2 AND {_TEXT.format('label')}"
    paths = f"{_TEXT.format('path')} OR {_TEXT.format('moved_from')}"
    sql = f"{label} UNION SELECT op FROM changes WHERE op < ?1 AND op >= ?2 AND ({paths})"
    return _in_windows(journal, sql, (text.lower(),), after, before)


def _by_index(journal: Journal, sql: str, values: Sequence[Any], after: OpId, before: OpId) -> Iterator[Step]:
    while True:
        rows = journal.query(f"{sql} ORDER BY op DESC LIMIT {_PAGE}", (*values, before, after))
        ops = tuple(OpId(row[0]) for row in rows)
        before = ops[-1] if ops else OpId(after + 1)
        yield Step(ops, before)
        if not ops:
            return


def _in_windows(
    journal: Journal, sql: str, values: Sequence[Any], after: OpId, before: OpId
) -> Iterator[Step]:
    for top in range(before, after + 1, -_WINDOW):
        low = OpId(max(after + 1, top - _WINDOW))
        rows = journal.query(f"SELECT DISTINCT op FROM ({sql}) ORDER BY op DESC", (top, low, *values))
        yield Step(tuple(OpId(row[0]) for row in rows), low)
