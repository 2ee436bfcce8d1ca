"""What costs a look at the whole tree: the first baseline, and a look while no recorder runs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from bench import peers
from bench.measure import interleaved, timed
from bench.places import Bench, forget, opened
from bench.recording import SAVED
from bench.runner import peak_mib, python, recorder
from bench.table import Row

_LARGE = 100_000
"""The budgets are for trees of this size: in small ones the start of a few processes is all there is."""
_OPEN = """
import os, sys
from takeback.service.opening import open_workspace
with open_workspace(sys.argv[1]) as workspace:
    print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM:")).split()[1])
"""


def rows(bench: Bench) -> Iterator[Row]:
    """Baseline and look in every workspace; memory in the largest."""
    for size in bench.sizes:
        yield _baseline(bench, size)
        yield _look(bench, size)
    yield from _memory(bench)


def _baseline(bench: Bench, size: int) -> Row:
    root = bench.tree(size)
    forget(root)

    def first() -> float:
        def look() -> str:
            with opened(root) as workspace:
                return workspace.state

        seconds = timed(look)
        forget(root)
        return seconds

    ours, peer = interleaved(bench.n_runs, first, peers.status(root))
    what = f"first baseline of {size:,} committed files"
    budget = 2 if size >= _LARGE else None
    return Row(what=what, ours=ours, peer=peer, beside="git status", max_ratio=budget)


def _look(bench: Bench, size: int) -> Row:
    root = bench.tree(size)
    with opened(root) as workspace:
        workspace.looker.everything(SAVED)
        ours, peer = interleaved(
            bench.n_runs, lambda: timed(lambda: workspace.looker.everything(SAVED)), peers.status(root)
        )
    what = f"look, nothing changed, {size:,} files"
    budget = 1.5 if size >= _LARGE else None
    return Row(what=what, ours=ours, peer=peer, beside="git status", max_ratio=budget)


def _memory(bench: Bench) -> Iterator[Row]:
    root = bench.tree(bench.largest)
    forget(root)
    if peak_mib() is None:
        return
    first = int(python("-c", _OPEN, root)) / 1024
    yield Row(what=f"memory, first baseline of {bench.largest:,} files", ours=first, max_ours=200, unit="MiB")
    with recorder(root) as pid:
        watching = peak_mib(pid) or 0.0
    yield Row(what=f"memory, recorder of {bench.largest:,} files", ours=watching, max_ours=200, unit="MiB")
    with opened(root) as workspace:
        state = workspace.state
    shutil.rmtree(state)
