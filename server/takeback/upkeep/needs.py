"""Which content must stay, so that everything that is promised can still be put back.

Undo needs the states around the operations it may be asked for; each file's older states may go. Whatever is known
to be in the workspace now, what the baseline and pinned checkpoints hold and what an unfinished operation needs
always stays. Trees and commits of checkpoints are small and stay as long as the checkpoint is not deleted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from takeback.journal.log import Journal
from takeback.model.ids import ChangeSeq, FileId, OpId
from takeback.store import trees
from takeback.store.objects import EMPTY_BLOB
from takeback.store.refs import PREFIX, read_commit, refs
from takeback.upkeep.histories import History, open_intents

KEPT_OPERATIONS = 100
"""The newest operations can always be taken back, however old or large they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Roots:
    """What stays, whatever operations are let go."""

    blobs: frozenset[str]
    objects: frozenset[str]
    """Trees and commits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Older:
    """The changes before an operation that undo can do without, and the blobs that newer ones still name."""

    expired: tuple[ChangeSeq, ...]
    kept_blobs: frozenset[str]


def roots(history: History) -> Roots:
    """What the present, the baseline, checkpoints and unfinished operations need. Cost: each tree once."""
    blobs: set[str] = {EMPTY_BLOB}
    objects: set[str] = set()
    blobs |= {row[0] for row in history.journal.query("SELECT blob FROM known WHERE blob IS NOT NULL")}
    if history.baseline is not None:
        for tree in filter(None, (history.baseline.tracked, history.baseline.rest)):
            trees.reach(history.store, tree, objects, blobs)
    _reach_checkpoints(history, objects, blobs)
    for body, intent in open_intents(history.journal, history.store):
        states = (state for entry in intent.entries for state in (entry.before, entry.after))
        blobs |= {body, *(state.blob for state in states if state.blob is not None)}
    return Roots(blobs=frozenset(blobs), objects=frozenset({*objects, *_baseline_commits(history)}))


def last_uses(journal: Journal) -> dict[str, OpId]:
    """Every blob that changes name, with the newest operation that names it."""
    rows = journal.query(
        "SELECT blob, max(op) FROM (SELECT before_blob AS blob, op FROM changes "
        "UNION ALL SELECT after_blob, op FROM changes) WHERE blob IS NOT NULL GROUP BY blob"
    )
    return {blob: OpId(op) for blob, op in rows}


def older_than(journal: Journal, keep_from: OpId) -> Older:
    """What is let go when operations before `keep_from` are.

    A kept undo or redo reaches back to the changes that it made stand or fall, and to whatever lies in between.
    """
    reach = _reach(journal, keep_from)
    expired, kept = [], set()
    sql = "SELECT id, op, file, before_blob, after_blob FROM changes WHERE op < ?"
    for seq, _, file, before, after in journal.query(sql, (keep_from,)):
        if seq < reach.get(file, seq + 1):
            expired.append(ChangeSeq(seq))
        else:
            kept |= {before, after}
    rows = journal.query("SELECT before_blob, after_blob FROM changes WHERE op >= ?", (keep_from,))
    kept |= {blob for row in rows for blob in row}
    return Older(expired=tuple(expired), kept_blobs=frozenset(kept - {None}))


def first_kept(journal: Journal, since_ns: int) -> OpId:
    """The first operation that stays when those before a moment are let go; never one of the newest hundred."""
    rows = journal.query("SELECT id FROM operations WHERE at_ns >= ? ORDER BY id LIMIT 1", (since_ns,))
    last = journal.last_operation()
    return OpId(min(rows[0][0] if rows else last + 1, newest_kept(last)))


def newest_kept(last: OpId) -> OpId:
    """The first of the operations that always stay."""
    return OpId(max(1, last - KEPT_OPERATIONS + 1))


def _reach(journal: Journal, keep_from: OpId) -> dict[FileId, ChangeSeq]:
    found: dict[FileId, ChangeSeq] = {}
    sql = (
        "SELECT changes.file, min(flips.target) FROM flips JOIN changes ON changes.id = flips.change "
        "WHERE changes.op >= ? GROUP BY changes.file"
    )
    for file, target in journal.query(sql, (keep_from,)):
        found[FileId(file)] = _furthest(journal, FileId(file), ChangeSeq(target))
    return found


def _furthest(journal: Journal, file: FileId, earliest: ChangeSeq) -> ChangeSeq:
    sql = (
        "SELECT min(flips.target) FROM flips JOIN changes ON changes.id = flips.change "
        "WHERE changes.file = ? AND changes.id >= ?"
    )
    while True:
        target = journal.query(sql, (file, earliest))[0][0]
        if target is None or target >= earliest:
            return earliest
        earliest = ChangeSeq(target)


def _reach_checkpoints(history: History, objects: set[str], blobs: set[str]) -> None:
    unneeded: set[str] = set()
    walked: set[str] = set()
    for one in history.checkpoints.all():
        tree = read_commit(history.store, one.commit).tree
        if one.pinned:
            trees.reach(history.store, tree, objects, blobs)
        else:
            trees.reach(history.store, tree, walked, unneeded)
        objects.add(one.commit)
    objects |= walked


def _baseline_commits(history: History) -> Iterable[str]:
    return refs(history.store, f"{PREFIX}baseline").values()
