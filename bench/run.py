"""`make bench`: what Takeback costs, beside what others cost for the same work, in one run on one machine.

Prints one row after the other, then the table; a run of everything writes the table into README.md.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Sequence

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(
    0, os.path.dirname(HERE)
)  # `python -P` leaves it out, so that no file of a workspace is imported

from bench import (  # noqa: E402 - the line above must come first
    answering,
    bursts,
    editor,
    following,
    hooks,
    keystrokes,
    large_journal,
    processes,
    project,
    recording,
    table,
    trees,
    undoing,
)
from bench.places import Bench, isolated  # noqa: E402
from bench.table import Row  # noqa: E402

GROUPS = {
    "record": recording.rows,
    "burst": bursts.rows,
    "undo": undoing.rows,
    "tree": trees.rows,
    "journal": large_journal.rows,
    "process": processes.rows,
    "hook": hooks.rows,
    "editor": editor.rows,
    "answers": answering.rows,
    "keystroke": keystrokes.rows,
    "following": following.rows,
    "project": project.rows,
}
"""What `--only` takes."""

SIZES = (1_000, 10_000, 100_000)
RUNS = 5


def main(arguments: Sequence[str]) -> int:
    """Run what was asked for. The exit status is 0 also where a budget is exceeded: machines differ."""
    wanted = _parser().parse_args(arguments)
    groups = wanted.only or tuple(GROUPS)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was generated is removed
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    with (
        tempfile.TemporaryDirectory(prefix="takeback-bench-", dir=wanted.folder) as folder,
        isolated(folder),
    ):
        bench = Bench(
            folder=folder,
            cache=os.path.join(cache, "takeback-bench"),
            sizes=tuple(sorted(wanted.sizes)),
            n_runs=wanted.runs,
        )
        found = [_shown(row) for group in groups for row in GROUPS[group](bench)]
    text = table.rendered(found, bench)
    sys.stdout.write("\n" + text)
    if not wanted.only and bench.sizes == SIZES:
        table.write_into(os.path.join(os.path.dirname(HERE), "README.md"), text)
    return 0


def _shown(row: Row) -> Row:
    sys.stdout.write(table.line(row) + "\n")
    sys.stdout.flush()
    return row


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=SIZES, help="numbers of files in the workspaces"
    )
    parser.add_argument("--runs", type=int, default=RUNS, help="measured runs of each; the median counts")
    parser.add_argument(
        "--only", nargs="+", choices=GROUPS, help="some groups of rows; README.md stays as it is"
    )
    parser.add_argument("--folder", help="where workspaces are generated (default: the temporary folder)")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
