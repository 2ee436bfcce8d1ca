"""What a saved file, a checkpoint and a look cost where a recorder knows what changed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from bench import peers
from bench.measure import Trial, interleaved, timed
from bench.places import Bench, git, opened, path_of, text_of, write
from bench.table import Row
from takeback.checkpoints import Circumstances, Wanted
from takeback.model.operation import HUMAN, OperationKind
from takeback.model.paths import WorkspacePath
from takeback.model.source import Source
from takeback.service.opening import Workspace

SAVED = Source(kind=OperationKind.EDIT, actor=HUMAN)
_CHANGED = 10
_SLOW_RUNS = 3
_versions = count(1)


def rows(bench: Bench) -> Iterator[Row]:
    """Recording one file in every workspace, and a checkpoint of ten in the largest."""
    yield from _saved_files(bench)
    yield from _checkpoints(bench)


def _saved_files(bench: Bench) -> Iterator[Row]:
    taken = {}
    for size in bench.sizes:
        with opened(bench.tree(size)) as workspace, peers.bare_commits(bench.folder) as commit:
            ours, peer = interleaved(bench.n_runs * 4, saving(workspace), commit)
        taken[size] = ours
        yield Row(
            what=f"record one saved file, {size:,} files",
            ours=ours,
            peer=peer,
            beside="a bare SQLite commit",
            max_ratio=4,
        )
    if len(taken) > 1:
        yield Row(
            what="record one saved file, largest workspace",
            ours=taken[bench.largest],
            peer=taken[bench.sizes[0]],
            beside=f"the same in {bench.sizes[0]:,} files",
            max_ratio=1.5,
        )


def saving(workspace: Workspace) -> Trial:
    """Saves the next version of one file and records it."""
    path = WorkspacePath(path_of(7))

    def save() -> float:
        write(workspace.root, path, text_of(7, next(_versions)))
        return timed(lambda: workspace.looker.at([path], SAVED))

    return save


def _checkpoints(bench: Bench) -> Iterator[Row]:
    root = bench.tree(bench.largest)
    shadow = peers.Shadow(bench, root)

    def change() -> list[WorkspacePath]:
        paths = []
        for number in (97 * place % bench.largest for place in range(_CHANGED)):
            write(root, path_of(number), text_of(number, next(_versions)))
            paths.append(WorkspacePath(path_of(number)))
        return paths

    def theirs() -> float:
        change()
        return timed(shadow.checkpoint)

    with opened(root) as workspace:

        def ours() -> float:
            paths = change()
            workspace.looker.at(paths, SAVED)
            return timed(lambda: workspace.checkpoints.create(Wanted(), Circumstances()))

        def with_recording() -> float:
            paths = change()

            def both() -> None:
                workspace.looker.at(paths, SAVED)
                workspace.checkpoints.create(Wanted(), Circumstances())

            return timed(both)

        ours()
        mine, with_ten, git_s = interleaved(bench.n_runs, ours, with_recording, theirs)
    what = f"{_CHANGED} changed of {bench.largest:,} files"
    beside = "git add -A, write-tree, commit-tree"
    yield Row(what=f"checkpoint, {what}", ours=mine, peer=git_s, beside=beside, max_ratio=1 / 30)
    yield Row(what=f"the same with recording the {_CHANGED}", ours=with_ten, peer=git_s, beside=beside)
    python = peers.stepback_python(bench)
    if python:
        with peers.Stepback(root, python) as other:

            def other_checkpoint() -> float:
                change()
                return other.seconds("checkpoint")

            (seconds,) = interleaved(min(bench.n_runs, _SLOW_RUNS), other_checkpoint)
        yield Row(
            what="the same beside another tool", ours=with_ten, peer=seconds, beside="stepback checkpoint"
        )
    git(root, "checkout", "-q", "--", ".")
