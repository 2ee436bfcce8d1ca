"""What taking back a single operation costs, while a recorder runs."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import count

from bench.measure import interleaved, timed
from bench.places import Bench, opened, path_of, write
from bench.recording import SAVED
from bench.runner import recorder, takeback
from bench.table import Row
from takeback.model.ids import OpId
from takeback.model.operation import HUMAN
from takeback.model.paths import WorkspacePath
from takeback.service import recording, taking_back
from takeback.service.opening import Workspace
from takeback.service.requests import Outcome, Request

_LINES = 2_000
_EDITS = 1_000
_versions = count(1)


def rows(bench: Bench) -> Iterator[Row]:
    """One operation of one file, and the first of many edits of a long one."""
    taken = {}
    for size in dict.fromkeys((bench.sizes[0], bench.largest)):
        taken[size], command = _one_file(bench, size)
        what = f"undo one operation of one file, {size:,} files, recorder running"
        yield Row(what=what, ours=taken[size], max_ours=0.020)
        yield Row(what="the whole `takeback undo` process", ours=command)
    if len(taken) > 1:
        yield Row(
            what="undo one operation, largest workspace",
            ours=taken[bench.largest],
            peer=taken[bench.sizes[0]],
            beside=f"the same in {bench.sizes[0]:,} files",
            max_ratio=1.5,
        )
    yield _first_of_many(bench)


def _one_file(bench: Bench, size: int) -> tuple[float, float]:
    """Seconds for one undo in this process, and for one by a process of its own."""
    root = bench.tree(size)
    path = path_of(11)
    with opened(root), recorder(root), opened(root) as workspace:

        def edit() -> OpId:
            write(root, path, b"text = %d\n" % next(_versions))
            recording.sync(workspace)
            return workspace.journal.last_operation()

        def undo() -> float:
            op = edit()
            return timed(lambda: _undo(workspace, op))

        def undo_by_command() -> float:
            op = edit()
            return timed(lambda: takeback(root, "undo", "--op", str(op)))

        inside, outside = interleaved(bench.n_runs * 2, undo, undo_by_command)
    return inside, outside


def _first_of_many(bench: Bench) -> Row:
    """Each edit changes another line, so every one can be taken back alone."""
    root = bench.tree(bench.sizes[0])
    path = WorkspacePath("long.txt")
    lines = [f"line {number}\n" for number in range(_LINES)]
    with opened(root) as workspace:
        ops = _edited(workspace, path, lines)
        waiting = iter(ops)

        def undo() -> float:
            op = next(waiting)
            return timed(lambda: _undo(workspace, op))

        (ours,) = interleaved(bench.n_runs, undo)
    what = f"undo the first of {_EDITS:,} edits of one file of {_LINES:,} lines"
    return Row(what=what, ours=ours, max_ours=0.050)


def _edited(workspace: Workspace, path: WorkspacePath, lines: list[str]) -> Sequence[OpId]:
    ops = []
    for number in range(_EDITS + 1):
        if number:
            lines[number * 2 - 1] = f"edited {number} at {time.time_ns()}\n"
        write(workspace.root, path, "".join(lines).encode())
        recorded = workspace.looker.at([path], SAVED)
        if recorded.operation is None:
            raise RuntimeError(f"an edit by {HUMAN} was not recorded")
        ops.append(recorded.operation)
    return ops[1:]


def _undo(workspace: Workspace, op: OpId) -> None:
    result = taking_back.undo(workspace, Request(ops=(op,)))
    if result.outcome is not Outcome.APPLIED:
        raise RuntimeError(f"the undo was {result.outcome}")
