"""Operations, turns and files, read from the journal as values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from itertools import groupby
from typing import Any

from takeback.errors import Damaged, NotFound
from takeback.journal.claimed import Attribution, attributions
from takeback.journal.log import Journal
from takeback.journal.rows import parts, path_in, path_out, state_in
from takeback.model.ids import BlobId, ChangeSeq, FileId, OpId, TurnId, change_of, falls_of, number_in
from takeback.model.operation import Change, Operation, OperationKind, Turn, takes_back
from takeback.model.paths import ROOT, WorkspacePath
from takeback.model.state import FileState

FIRST = OpId(0)
"""The moment before the first operation."""

START = ChangeSeq(0)
"""The moment before the first change."""

_PAGE = 200


def operation(journal: Journal, op: OpId) -> Operation:
    """One operation. Raises NotFound if there is none with this id."""
    return named(journal, (op,))[0]


def named(journal: Journal, ops: Iterable[OpId]) -> tuple[Operation, ...]:
    """The operations of these ids, each once, in this order. Raises NotFound if one does not exist."""
    ids = tuple(dict.fromkeys(ops))
    found: dict[OpId, Operation] = {}
    for start in range(0, len(ids), _PAGE):
        part = ids[start : start + _PAGE]
        page = operations(journal, f"id IN ({','.join('?' * len(part))})", part)
        found.update((one.id, one) for one in page)
    for op in ids:
        if op not in found:
            raise NotFound(f"there is no operation {op}")
    return tuple(found[op] for op in ids)


def operations(journal: Journal, condition: str, parameters: Sequence[Any] = ()) -> tuple[Operation, ...]:
    """The operations that match, with their changes. `condition` may end in ORDER BY and LIMIT."""
    rows = journal.records("operations", condition, parameters)
    if not rows:
        return ()
    ids = [row[0] for row in rows]
    marks = ",".join("?" * len(ids))
    whose = attributions(journal, ids)
    changes: dict[int, list[Change]] = {}
    for change in journal.changes(f"op IN ({marks}) ORDER BY id", ids):
        changes.setdefault(change.op, []).append(change)
    return tuple(_operation(journal, row, whose[row[0]], tuple(changes.get(row[0], ()))) for row in rows)


def note_taken_out(journal: Journal, op: OpId, now_ns: int) -> None:
    """This undo was nobody's wish: what it took back was somebody else's, whose it is now."""
    journal.append("facts", f"taken out {op}", "", now_ns)


def is_taken_out(journal: Journal, op: OpId) -> bool:
    """Whether an undo only let something fall that is somebody else's now: there is nothing to bring back."""
    return journal.fact(f"taken out {op}") is not None


def newest_first(journal: Journal, *, after: OpId = FIRST, before: OpId | None = None) -> Iterator[Operation]:
    """Every operation after `after` and before `before`, newest first, read page by page."""
    until = before if before is not None else journal.last_operation() + 1
    while page := operations(journal, "id < ? AND id > ? ORDER BY id DESC LIMIT ?", (until, after, _PAGE)):
        yield from page
        until = page[-1].id


def file_changes(
    journal: Journal, file: FileId, since: ChangeSeq = START, before: ChangeSeq | None = None
) -> tuple[Change, ...]:
    """The changes of one file from `since` on, oldest first; only those before `before`, if that is given."""
    until = journal.last_change() + 1 if before is None else before
    return journal.changes("file = ? AND id BETWEEN ? AND ? ORDER BY id", (file, since, until - 1))


def place_of(journal: Journal, file: FileId) -> tuple[WorkspacePath, FileState]:
    """Where a file is (or was last, if it is absent), and what it is."""
    rows = journal.records("changes", "file = ? ORDER BY id DESC LIMIT 1", (file,))
    assert rows, f"BUG: file {file} has no change"
    return path_in(rows[0][3]), state_in(rows[0][10:15], journal.lost([rows[0][11]]))


def paths_changed_since(journal: Journal, seq: ChangeSeq) -> tuple[WorkspacePath, ...]:
    """Every path that a change after `seq` touched, renames on both sides."""
    touched = "FROM changes WHERE id > ?1"
    rows = journal.query(
        f"SELECT path {touched} UNION SELECT moved_from {touched} AND moved_from IS NOT NULL", (seq,)
    )
    return tuple(path_in(row[0]) for row in rows)


def changed_since(journal: Journal, path: WorkspacePath, seq: ChangeSeq) -> bool:
    """Whether a change after `seq` touched `path`."""
    raw = path_out(path)
    sql = "SELECT 1 FROM changes WHERE path = ?1 AND id > ?2 UNION ALL SELECT 1 FROM changes WHERE moved_from = ?1 AND id > ?2"
    return bool(journal.query(f"{sql} LIMIT 1", (raw, seq)))


def newest_changes(journal: Journal, files: Sequence[FileId]) -> dict[FileId, Change]:
    """The newest change of each of `files`. Cost: a few queries, however many files."""
    found: dict[FileId, Change] = {}
    for part in parts(files):
        newest = f"SELECT max(id) FROM changes WHERE file IN ({','.join('?' * len(part))}) GROUP BY file"
        found.update((change.file, change) for change in journal.changes(f"id IN ({newest})", part))
    return found


def had_content(journal: Journal, file: FileId, blob: BlobId) -> bool:
    """Whether the file ever had exactly this content."""
    sql = "SELECT 1 FROM changes WHERE file = ? AND (after_blob = ? OR before_blob = ?) LIMIT 1"
    return bool(journal.query(sql, (file, blob, blob)))


def last_captured(journal: Journal, change: Change) -> FileState | None:
    """The newest state of the file before `change` whose content was captured, or that it did not exist yet."""
    kept = "(after_blob IS NULL OR after_blob NOT IN (SELECT blob FROM lost))"
    captured = f"after_kind IS NOT NULL AND after_reason IS NULL AND {kept}"
    earlier = journal.changes(
        f"file = ? AND id < ? AND {captured} ORDER BY id DESC LIMIT 1", (change.file, change.seq)
    )
    if earlier:
        return earlier[0].after
    first = journal.changes("file = ? AND id < ? ORDER BY id LIMIT 1", (change.file, change.seq))
    return first[0].before if first and first[0].before.captured else None


def operations_of(journal: Journal, seqs: Sequence[ChangeSeq]) -> dict[ChangeSeq, OpId]:
    """The operation that each change belongs to."""
    found: dict[ChangeSeq, OpId] = {}
    for part in parts(seqs):
        marks = ",".join("?" * len(part))
        rows = journal.query(f"SELECT id, op FROM changes WHERE id IN ({marks})", part)
        found.update((ChangeSeq(seq), OpId(op)) for seq, op in rows)
    return found


def standing_without(journal: Journal, changes: Set[ChangeSeq], gone: Set[ChangeSeq]) -> set[ChangeSeq]:
    """Which of `changes` would stand if `gone` did not. Cost: what ever flipped them, and what flipped that."""
    flips: dict[ChangeSeq, list[tuple[ChangeSeq, bool]]] = {}
    waiting = set(changes)
    while waiting:
        flips |= {target: [] for target in waiting}
        for by, target, stands in journal.flips_of(waiting):
            flips[target].append((by, stands))
        waiting = {by for target in waiting for by, _ in flips[target]} - flips.keys()
    standing: dict[ChangeSeq, bool] = {}
    for seq in sorted(flips, reverse=True):  # what flips another is newer
        decided = next((stands for by, stands in reversed(flips[seq]) if standing[by]), True)
        standing[seq] = decided and seq not in gone
    return {seq for seq in changes if standing[seq]}


def actors(journal: Journal, ops: Sequence[OpId]) -> dict[OpId, str]:
    """Who did each operation, by the latest attribution."""
    return {op: one.actor for op, one in attributions(journal, ops).items()}


def touching(journal: Journal, path: WorkspacePath, position: OpId) -> Change | None:
    """The change that decides what `path` was at `position`: the last one until then, else the first one after.

    Where one operation moved a file away and another one there, it is the one that came before, or the one that left.
    """
    raw = path_out(path)
    touches = "(path = ?1 OR moved_from = ?1)"
    comes = "path = ?1 AND after_kind IS NOT NULL"
    leaves = "before_kind IS NOT NULL AND ifnull(moved_from, path) = ?1"
    until = f"{touches} AND op <= ?2 ORDER BY op DESC, {comes} DESC, id DESC LIMIT 1"
    since = f"{touches} AND op > ?2 ORDER BY op, {leaves} DESC, id LIMIT 1"
    found = journal.changes(until, (raw, position)) or journal.changes(since, (raw, position))
    return found[0] if found else None


def paths_below(journal: Journal, folder: WorkspacePath) -> tuple[WorkspacePath, ...]:
    """Every path at or below `folder` that any change touched."""
    if folder == ROOT:
        return paths_changed_since(journal, START)
    raw = path_out(folder) or b""
    within = "{0} = ?1 OR ({0} > ?2 AND {0} < ?3)"
    rows = journal.query(
        f"SELECT path FROM changes WHERE {within.format('path')} "
        f"UNION SELECT moved_from FROM changes WHERE {within.format('moved_from')}",
        (raw, raw + b"/", raw + b"0"),
    )
    return tuple(path_in(row[0]) for row in rows)


def changes_after(journal: Journal, position: OpId) -> Iterator[tuple[Change, ...]]:
    """The changes after `position` of each file that has some, oldest first. Cost: a few queries for all files."""
    rows = journal.query("SELECT DISTINCT file FROM changes WHERE op > ? ORDER BY file", (position,))
    for part in parts([row[0] for row in rows]):
        ours = f"op > ? AND file IN ({','.join('?' * len(part))}) ORDER BY file, id"
        for _, changes in groupby(journal.changes(ours, (position, *part)), lambda change: change.file):
            yield tuple(changes)


def paths_changed_between(journal: Journal, after: OpId, up_to: OpId) -> tuple[WorkspacePath, ...]:
    """Every path that a change in between touched, renames on both sides."""
    touched = "FROM changes WHERE op > ?1 AND op <= ?2"
    rows = journal.query(
        f"SELECT path {touched} UNION SELECT moved_from {touched} AND moved_from IS NOT NULL", (after, up_to)
    )
    return tuple(path_in(row[0]) for row in rows)


def turn(journal: Journal, name: TurnId) -> Turn:
    """One turn. Raises NotFound if there is none of this name."""
    digits = name.removeprefix("turn-")
    rows = journal.records("turns", "id = ?", (number_in(digits),)) if digits.isdecimal() else []
    if not rows:
        raise NotFound(f"there is no turn {name}")
    return _turn(journal, rows[0])


def open_turns(journal: Journal) -> tuple[Turn, ...]:
    """The turns that have begun and not ended, oldest first."""
    rows = journal.records("turns", "id NOT IN (SELECT turn FROM turn_ends) ORDER BY id")
    return tuple(_turn(journal, row) for row in rows)


def last_turns(journal: Journal, n: int) -> tuple[Turn, ...]:
    """The last `n` turns, newest first."""
    return tuple(_turn(journal, row) for row in journal.records("turns", "1 ORDER BY id DESC LIMIT ?", (n,)))


def before_turn(journal: Journal, name: TurnId) -> OpId:
    """The last operation before a turn's first."""
    found = turn(journal, name)
    rows = journal.query(
        "SELECT min(op) FROM attributions WHERE turn = ?", (int(name.removeprefix("turn-")),)
    )
    return OpId(rows[0][0] - 1) if rows[0][0] else last_until(journal, found.began_ns)


def of_turn(journal: Journal, name: TurnId) -> tuple[Operation, ...]:
    """The operations of a turn, newest first."""
    number = int(name.removeprefix("turn-"))
    found = operations(
        journal, "id IN (SELECT op FROM attributions WHERE turn = ?) ORDER BY id DESC", (number,)
    )
    return tuple(one for one in found if one.turn == name)


def newest_until(journal: Journal, at_ns: int) -> OpId:
    """The newest operation that was recorded at `at_ns` or before, `FIRST` without one. Cost: what was recorded since."""
    rows = journal.query("SELECT id FROM operations WHERE at_ns <= ? ORDER BY id DESC LIMIT 1", (at_ns,))
    return OpId(rows[0][0]) if rows else FIRST


def last_until(journal: Journal, at_ns: int) -> OpId:
    """The last operation that happened at `at_ns` or before; 0 if all are later. Clocks jump: ids decide the order."""
    rows = journal.query("SELECT id FROM operations WHERE at_ns > ? ORDER BY id LIMIT 1", (at_ns,))
    return OpId(rows[0][0] - 1) if rows else journal.last_operation()


def claimed_since(journal: Journal, row: int, until: OpId) -> tuple[Operation, ...]:
    """The operations up to `until` that somebody claimed by an attribution from number `row` on."""
    rows = journal.query(
        "SELECT DISTINCT op FROM attributions WHERE id >= ? AND op <= ? ORDER BY op", (row, until)
    )
    return named(journal, [OpId(op) for (op,) in rows])


def taken_back_since(journal: Journal, actor: str, after: OpId) -> tuple[OpId, ...]:
    """Operations of `actor` of which one after `after` took anything back, newest first."""
    flipped = journal.query(
        "SELECT target, stands FROM changes CROSS JOIN flips ON flips.change = changes.id WHERE op > ?",
        (after,),
    )
    targets = [change_of(target) for target, stands in flipped if takes_back(target, bool(stands))]
    found = sorted(set(operations_of(journal, targets).values()), reverse=True)
    who = actors(journal, found)
    return tuple(op for op in found if who[op] == actor)


def touching_file(journal: Journal, file: FileId, path: WorkspacePath) -> tuple[OpId, ...]:
    """The operations that changed a file, under whatever name, or anything that was at `path`."""
    rows = journal.query(
        "SELECT op FROM changes WHERE file = ?1 UNION SELECT op FROM changes WHERE path = ?2 OR moved_from = ?2 "
        "ORDER BY op",
        (file, path_out(path)),
    )
    return tuple(OpId(row[0]) for row in rows)


def newest_of(journal: Journal, file: FileId, n: int) -> tuple[ChangeSeq, ...]:
    """The newest `n` changes of a file, oldest first."""
    rows = journal.query("SELECT id FROM changes WHERE file = ? ORDER BY id DESC LIMIT ?", (file, n))
    return tuple(ChangeSeq(row[0]) for row in reversed(rows))


def not_kept(journal: Journal) -> list[OpId]:
    """Foreign operations that nobody has kept yet; one that was kept in some files only is among them."""
    rows = journal.query(
        "SELECT DISTINCT op FROM attributions WHERE actor NOT IN ('human', 'takeback') "
        "AND op NOT IN (SELECT op FROM keeps WHERE path IS NULL) ORDER BY op"
    )
    return [OpId(row[0]) for row in rows]


def _turn(journal: Journal, row: Sequence[Any]) -> Turn:
    ends = journal.records("turn_ends", "turn = ? ORDER BY id LIMIT 1", (row[0],))
    return Turn(
        id=TurnId(f"turn-{row[0]}"),
        actor=row[1],
        label=row[2],
        began_ns=row[3],
        ended_ns=ends[0][2] if ends else None,
    )


def _operation(
    journal: Journal, row: Sequence[Any], whose: Attribution, changes: tuple[Change, ...]
) -> Operation:
    deciders = {
        seq: by for seq, (stands, by) in journal.standing(c.seq for c in changes).items() if not stands
    }
    hunks = _fallen_hunks(journal, changes)
    try:
        kind = OperationKind(row[1])
    except ValueError as error:
        raise Damaged(f"operation {row[0]} is of a kind that this version does not know: {row[1]}") from error
    return Operation(
        id=OpId(row[0]),
        kind=kind,
        label=whose.label(row[2]),
        at_ns=row[3],
        actor=whose.actor,
        turn=whose.turn,
        inferred=whose.inferred,
        changes=changes,
        fallen=frozenset(deciders),
        fallen_hunks=frozenset(hunks),
        undoes=_undoes(journal, changes),
        undone_by=max(operations_of(journal, [*deciders.values(), *hunks.values()]).values(), default=None),
    )


def _fallen_hunks(journal: Journal, changes: Sequence[Change]) -> dict[ChangeSeq, ChangeSeq]:
    """The falls of hunks of these changes, all of one operation, that stand, with what took each back."""
    if not changes:
        return {}
    rows = journal.query(
        "SELECT change, by FROM standing WHERE stands AND change BETWEEN ? AND ?",
        falls_of(changes[0].seq, changes[-1].seq),
    )
    return {ChangeSeq(seq): ChangeSeq(by) for seq, by in rows}


def _undoes(journal: Journal, changes: Sequence[Change]) -> tuple[OpId, ...]:
    flipped = [one for change in changes for one in change.flips.items()]
    targets = [change_of(target) for target, stands in flipped if takes_back(target, stands)]
    return tuple(sorted(set(operations_of(journal, targets).values()))) if targets else ()
