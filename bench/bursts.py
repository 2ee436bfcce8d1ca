"""What a burst costs, and taking one back: 10,000 files written by one command."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import count

from bench import peers
from bench.measure import interleaved, timed
from bench.places import Bench, git, opened, path_of, text_of, write
from bench.table import Row
from takeback.checkpoints import Circumstances, Wanted
from takeback.model.ids import CheckpointId
from takeback.model.operation import OperationKind
from takeback.model.paths import WorkspacePath
from takeback.model.source import Source
from takeback.service import taking_back
from takeback.service.opening import Workspace
from takeback.service.requests import Outcome, Request
from takeback.store.objects import sync_file_system

N_FILES = 10_000
_SLOW_RUNS = 3
_COMMAND = Source(kind=OperationKind.COMMAND, actor="command:sed")
_versions = count(1)


def rows(bench: Bench) -> Iterator[Row]:
    """Recording a burst, undoing it, rolling it back; the last two in a workspace of just these files and more."""
    size = next((size for size in bench.sizes if size >= N_FILES), bench.largest)
    root = bench.tree(size)
    burst = Burst(root, min(N_FILES, size))
    with opened(root) as workspace:
        yield _recorded(bench, workspace, burst)
        yield _undone(bench, workspace, burst)
        yield _rolled_back(bench, workspace, burst)
    python = peers.stepback_python(bench)
    if python:
        yield _other(bench, burst, python)
    git(root, "checkout", "-q", "--", ".")


class Burst:
    """Writes to many files of one workspace."""

    def __init__(self, root: str, n_files: int) -> None:
        self.root = root
        self.paths: Sequence[WorkspacePath] = [WorkspacePath(path_of(number)) for number in range(n_files)]

    def write(self) -> None:
        """A next version of every file."""
        version = next(_versions)
        for number, path in enumerate(self.paths):
            write(self.root, path, text_of(number, version))

    def record(self, workspace: Workspace) -> None:
        """Record it as the recorder does once events have settled."""
        workspace.looker.burst(self.paths, (), (), _COMMAND, complete=True)

    @property
    def name(self) -> str:
        """How the table calls it."""
        return f"{len(self.paths):,} files"


def _recorded(bench: Bench, workspace: Workspace, burst: Burst) -> Row:
    def ours() -> float:
        burst.write()
        return timed(lambda: burst.record(workspace))

    def theirs() -> float:
        burst.write()
        return peers.hash_objects(bench, burst.root, burst.paths)

    mine, peer = interleaved(bench.n_runs, ours, theirs)
    return Row(
        what=f"record a burst of {burst.name}",
        ours=mine,
        peer=peer,
        beside="git hash-object -w --stdin-paths",
        max_ratio=2.5,
    )


def _undone(bench: Bench, workspace: Workspace, burst: Burst) -> Row:
    def undo(_: CheckpointId) -> None:
        op = workspace.journal.last_operation()
        _done(taking_back.undo(workspace, Request(ops=(op,))).outcome)

    return _taken_back(bench, workspace, burst, f"undo an operation of {burst.name}", undo)


def _rolled_back(bench: Bench, workspace: Workspace, burst: Burst) -> Row:
    def rollback(checkpoint: CheckpointId) -> None:
        _done(taking_back.rollback(workspace, checkpoint, Request()).outcome)

    return _taken_back(bench, workspace, burst, f"rollback of {burst.name}", rollback)


def _taken_back(
    bench: Bench, workspace: Workspace, burst: Burst, what: str, take_back: Callable[[CheckpointId], None]
) -> Row:
    """Our way back beside git's. The look before each counts too, as it does without a recorder."""

    def ours() -> float:
        before = workspace.checkpoints.create(Wanted(label="before"), Circumstances())
        burst.write()
        burst.record(workspace)
        return timed(lambda: take_back(before.id))

    def theirs() -> float:
        burst.write()
        sync_file_system(burst.root)  # to replace a file that is on disk costs more, and ours are
        return peers.check_out(burst.root)

    mine, peer = interleaved(bench.n_runs, ours, theirs)
    return Row(what=what, ours=mine, peer=peer, beside="git checkout of the same, and one sync", max_ratio=2)


def _other(bench: Bench, burst: Burst, python: str) -> Row:
    with opened(burst.root) as workspace, peers.Stepback(burst.root, python) as other:
        other.seconds("checkpoint")

        def theirs() -> float:
            burst.write()
            sync_file_system(burst.root)
            return other.seconds("rewind")

        def ours() -> float:
            burst.write()
            burst.record(workspace)
            op = workspace.journal.last_operation()
            return timed(lambda: taking_back.undo(workspace, Request(ops=(op,))))

        mine, peer = interleaved(min(bench.n_runs, _SLOW_RUNS), ours, theirs)
    return Row(
        what=f"undo of {burst.name} beside another tool",
        ours=mine,
        peer=peer,
        beside="stepback, back to its checkpoint",
    )


def _done(outcome: Outcome) -> None:
    if outcome is not Outcome.APPLIED:
        raise RuntimeError(f"the undo was {outcome}")
