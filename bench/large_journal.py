"""A journal of a million operations: listing, undoing and counting must not notice."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from bench.measure import interleaved, timed
from bench.places import Bench, git, opened, path_of, write
from bench.table import Row
from takeback.model.ids import FileId
from takeback.model.operation import Operation
from takeback.model.paths import WorkspacePath
from takeback.model.state import FileKind, FileState
from takeback.service import looking, taking_back
from takeback.service.opening import Workspace
from takeback.service.requests import Outcome, Request

N_OPERATIONS = 1_000_000
_FILES = 1_000
_TEXTS = 50
_AT_ONCE = 50_000
_MAX_S = 0.100
_ACTOR = "agent:bench"
_OF_FILE = looking.Wanted(paths=(WorkspacePath(path_of(7)),))
_OF_NOBODY = looking.Wanted(actor="agent:nobody")
_OF_NO_TEXT = looking.Wanted(text="no such text")


def rows(bench: Bench) -> Iterator[Row]:
    """The last 50, undo of the last, and the overview, as the verbs do them."""
    root = bench.place("journal")
    git(None, "init", "-q", root)
    with opened(root) as workspace:
        _grow(workspace)

        def log() -> Sequence[Operation]:
            return looking.log(workspace, looking.Wanted(n=50))

        def undo() -> None:
            outcome = taking_back.undo(workspace, Request()).outcome
            if outcome is not Outcome.APPLIED:
                raise RuntimeError(f"the undo was {outcome}")

        def pages() -> None:
            for narrowed in (_OF_FILE, _OF_NOBODY, _OF_NO_TEXT):
                looking.page(workspace, narrowed, 50)

        last, undone, status, counters, timeline = interleaved(
            bench.n_runs,
            lambda: timed(log),
            lambda: timed(undo),
            lambda: timed(lambda: looking.status(workspace)),
            lambda: timed(workspace.journal.counters),
            lambda: timed(pages),
        )
    of = f"of {N_OPERATIONS:,} operations"
    yield Row(what=f"the last 50 {of}", ours=last, max_ours=_MAX_S)
    yield Row(what=f"undo of the last {of}", ours=undone, max_ours=_MAX_S)
    yield Row(what=f"`takeback status` {of}", ours=status)
    yield Row(what=f"statistics {of}", ours=counters, max_ours=_MAX_S)
    yield Row(what=f"three narrowed pages of the timeline {of}", ours=timeline)


def _grow(workspace: Workspace) -> None:
    """A history of edits of 1,000 files in turn, each between texts that the store has, ending at what is on disk."""
    states = [_kept(workspace, _text(number)) for number in range(_TEXTS)]
    for first in range(1, N_OPERATIONS + 1, _AT_ONCE):
        _append(workspace, range(first, min(first + _AT_ONCE, N_OPERATIONS + 1)), states)
    last = (N_OPERATIONS - 1) // _FILES % _TEXTS
    for number in range(_FILES):
        path = path_of(number)
        workspace.folder.make_folders(path.rpartition("/")[0])
        write(workspace.root, path, _text(last))
        workspace.folder.set_mode(WorkspacePath(path), 0o644)
    with workspace.journal.transaction():
        for number in range(_FILES):
            workspace.journal.know(WorkspacePath(path_of(number)), FileId(number + 1), states[last])


def _append(workspace: Workspace, ops: range, states: Sequence[FileState]) -> None:
    journal, now = workspace.journal, time.time_ns()
    with journal.transaction():
        journal.append_many("operations", [(op, "edit", f"edit {op}", now, None) for op in ops])
        journal.append_many("attributions", [(op, op, _ACTOR, None, 0, now) for op in ops])
        journal.append_many("changes", [_change(op, states) for op in ops])
        for name in ("operations", "changes", f"operations by {_ACTOR}"):
            journal.count(name, len(ops))


def _change(op: int, states: Sequence[FileState]) -> tuple[object, ...]:
    number, version = (op - 1) % _FILES, (op - 1) // _FILES
    before = _columns(states[(version - 1) % _TEXTS]) if version else (None, None, 0, 0, None)
    return (op, op, number + 1, path_of(number).encode(), None, *before, *_columns(states[version % _TEXTS]))


def _columns(state: FileState) -> tuple[object, ...]:
    return ("file", state.blob, state.mode, state.size_bytes, None)


def _kept(workspace: Workspace, data: bytes) -> FileState:
    blob = workspace.store.put(data)
    return FileState(kind=FileKind.FILE, blob=blob, mode=0o644, size_bytes=len(data))


def _text(number: int) -> bytes:
    return b"".join(b"line %d of text %d\n" % (row, number if row == 20 else 0) for row in range(40))
