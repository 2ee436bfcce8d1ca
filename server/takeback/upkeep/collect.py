"""Keeps the cap and the retention: content goes, rows stay.

What goes is written down first (`losses`), so that every state that named it says "expired"; then it is removed.
Both happen under the workspace's lock and inside a transaction, so nobody can be relying on it at that moment; whoever
found it in the store just before looks again (`Recorder.record`).

    let go of old operations -> write down -> remove -> pack what is loose -> rewrite packs that hold much waste
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from takeback.errors import StorageFull
from takeback.model.ids import OpId
from takeback.model.state import Reason
from takeback.store import packing
from takeback.store.inventory import Pack, loose_objects, packed_objects, packs
from takeback.store.usage import usage
from takeback.undo.apply import locked
from takeback.upkeep import needs
from takeback.upkeep.histories import History
from takeback.upkeep.needs import Roots

PACK_FROM = 1_000
"""So many loose objects of our own are packed."""

_SETTLED_NS = 3600 * 10**9
"""What no row names may be content that somebody is about to record; after an hour nobody is."""

_LOCK_WAIT_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is to be kept."""

    max_bytes: int
    since_ns: int
    """Operations before this moment may go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What went."""

    root: str
    contents: int
    """States' contents that can no longer be put back."""
    before: OpId
    """Operations before this one can be taken back only as far as their content is still needed elsewhere."""
    freed_bytes: int
    packed: int
    left_bytes: int
    notes: tuple[str, ...]
    """Why it is still over its cap, and what could not be done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """How much room letting go of operations would make, before it is done."""

    own_bytes: int
    steps: tuple[tuple[OpId, int], ...]
    """For each last use, oldest first: the bytes that go when operations up to it are let go."""

    def left_after(self, keep_from: OpId) -> int:
        """The bytes that stay when operations before `keep_from` are let go."""
        return self.own_bytes - sum(size for last, size in self.steps if last < keep_from)


def weigh(history: History, roots: Roots) -> Weight:
    """What each operation's content weighs. Cost: one look at each of our own objects."""
    sizes = _own_sizes(history)
    by_use: dict[OpId, int] = {}
    for blob, last in needs.last_uses(history.journal).items():
        if blob not in roots.blobs and blob in sizes:
            by_use[last] = by_use.get(last, 0) + sizes[blob]
    return Weight(own_bytes=usage(history.store).own_bytes, steps=tuple(sorted(by_use.items())))


def first_within(weight: Weight, from_op: OpId, last: OpId, max_bytes: int) -> OpId:
    """The first operation that can stay, so that `max_bytes` are kept if that is possible at all."""
    left = weight.left_after(from_op)
    keep_from = from_op
    for use, size in weight.steps:
        if left <= max_bytes or use >= needs.newest_kept(last):
            break
        if use >= keep_from:
            left -= size
            keep_from = OpId(use + 1)
    return keep_from


def collect(history: History, limits: Limits, clock: Callable[[], int]) -> Collected:
    """Let go of what is too old or too much, in one history. Raises Busy if files are being changed in it."""
    roots = needs.roots(history)
    start = needs.first_kept(history.journal, limits.since_ns)
    last = history.journal.last_operation()
    keep_from = first_within(weigh(history, roots), start, last, limits.max_bytes)
    before = usage(history.store).own_bytes
    gone = let_go(history, keep_from, clock)
    notes: list[str] = []
    packed = 0
    try:
        packed = _tidy(history, clock)
    except StorageFull as full:  # what went is gone; the rest is as it was
        notes.append(f"not packed: {full.message}")
    notes += [f"removed {name}, kept aside by an old rebuild" for name in _drop_kept_aside(history, limits)]
    history.store.reopen()
    left = usage(history.store).own_bytes
    if left > limits.max_bytes:
        notes.append(f"{left} bytes are still needed, which is over the cap of {limits.max_bytes}: {_WHY}")
    return Collected(
        root=history.root,
        contents=gone,
        before=keep_from,
        freed_bytes=max(0, before - left),
        packed=packed,
        left_bytes=left,
        notes=tuple(notes),
    )


_WHY = "the present, the baseline, pinned checkpoints and the last operations always stay"


def _drop_kept_aside(history: History, limits: Limits) -> list[str]:
    """Damaged journals that a rebuild put aside before the moment until which things are kept."""
    paths = [os.path.join(history.state, name) for name in os.listdir(history.state)]
    damaged = [path for path in paths if os.path.basename(path).startswith("journal-damaged-")]
    old = [path for path in damaged if os.stat(path).st_ctime_ns < limits.since_ns]
    for path in old:
        os.unlink(path)
    return sorted(map(os.path.basename, old))


def let_go(history: History, keep_from: OpId, clock: Callable[[], int]) -> int:
    """Drop the content that only operations before `keep_from` need; how many contents went."""
    journal = history.journal
    with locked(history.lock_path, _LOCK_WAIT_S):
        with journal.transaction():
            older = needs.older_than(journal, keep_from)
            losses = _losses(history, older.kept_blobs | needs.roots(history).blobs, keep_from)
            journal.append("facts", "cleaned", f"operations before {keep_from}", clock())
            journal.lose(((blob, Reason.EXPIRED) for blob in losses), clock())
            journal.drop_hunks(older.expired)
        with journal.transaction():  # what came back meanwhile is recorded, and so no loss any more
            still = journal.lost(losses)
            packing.drop_loose(history.store, [blob for blob in losses if blob in still])
    return len(losses)


def _losses(history: History, kept: frozenset[str], keep_from: OpId) -> list[str]:
    uses = needs.last_uses(history.journal)
    lost = history.journal.lost(uses)
    return sorted(
        blob for blob, last in uses.items() if last < keep_from and blob not in kept and blob not in lost
    )


def _tidy(history: History, clock: Callable[[], int]) -> int:
    """Remove what nothing names, pack what is loose, and rewrite packs that hold much waste."""
    with locked(history.lock_path, _LOCK_WAIT_S):
        with history.journal.transaction():
            wanted = named(history)
            own = [one for one in loose_objects(history.store) if not one.linked]
            settled = clock() - _SETTLED_NS
            waste = [one.id for one in own if one.id not in wanted and one.at_ns < settled]
            packing.drop_loose(history.store, waste)
        loose = [one.id for one in own if one.id in wanted]
        packed = packing.pack_loose(history.store, loose) if len(loose) >= PACK_FROM else 0
        history.store.reopen()
        for pack in packs(history.store):
            if not pack.linked and _is_waste(pack, wanted):
                with history.journal.transaction():
                    packing.drop_from_pack(history.store, pack, named(history).__contains__)
    return packed


def named(history: History) -> frozenset[str]:
    """Every object that anything still names: what stays when packs are rewritten."""
    roots = needs.roots(history)
    everything = {*roots.objects, *roots.blobs, *needs.last_uses(history.journal)}
    return frozenset(everything - history.journal.lost(everything).keys())


def _is_waste(pack: Pack, wanted: frozenset[str]) -> bool:
    sizes = packed_objects(pack)
    return 4 * sum(size for one, size in sizes.items() if one not in wanted) > sum(sizes.values())


def _own_sizes(history: History) -> Mapping[str, int]:
    sizes: dict[str, int] = {}
    for pack in packs(history.store):
        if not pack.linked:
            sizes.update(packed_objects(pack))
    sizes.update((one.id, one.size_bytes) for one in loose_objects(history.store) if not one.linked)
    return sizes


def share(weights: Sequence[tuple[History, Weight]], limits: Limits) -> Limits:
    """The limits that keep one cap over several histories: operations go by age, wherever they are."""
    moments = sorted({at for history, weight in weights for at in _moments(history, weight)})
    low, high = 0, len(moments)
    while low < high:  # the earliest moment from which everything fits
        middle = (low + high) // 2
        if _total(weights, max(moments[middle], limits.since_ns)) <= limits.max_bytes:
            high = middle
        else:
            low = middle + 1
    if _total(weights, limits.since_ns) <= limits.max_bytes or not moments:
        return replace(limits, max_bytes=_NO_CAP)
    moment = moments[low] if low < len(moments) else moments[-1] + 1
    return Limits(max_bytes=_NO_CAP, since_ns=max(moment, limits.since_ns))


_NO_CAP = 1 << 62


def _total(weights: Iterable[tuple[History, Weight]], since_ns: int) -> int:
    return sum(weight.left_after(needs.first_kept(history.journal, since_ns)) for history, weight in weights)


def _moments(history: History, weight: Weight) -> list[int]:
    last_uses = [use for use, _ in weight.steps]
    if not last_uses:
        return []
    rows = history.journal.query("SELECT at_ns FROM operations WHERE id > ?", (last_uses[0],))
    return [row[0] for row in rows]
