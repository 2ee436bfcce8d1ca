"""`make bench-attribution`: whether every write carries the name of who wrote it, while all kinds of writers write at once.

Three agents (one calls hooks, one MCP, one lets Takeback run its commands), a human in an editor, a formatter on save,
and git switching branches write into one workspace with one recorder. The exit status is 1 if more than one write of
a hundred does not carry the right name, any carries a wrong one, or doubt names no candidates.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(
    0, os.path.dirname(HERE)
)  # `python -P` leaves it out, so that no file of a workspace is imported

from bench import writers  # noqa: E402 - the line above must come first
from bench.places import git, isolated, opened  # noqa: E402
from bench.writers import GIT_FILES, N_FILES, N_SHARED, Project  # noqa: E402
from takeback.model.operation import UNKNOWN, Change, Operation  # noqa: E402
from takeback.model.state import FileState  # noqa: E402
from takeback.service import looking  # noqa: E402
from takeback.service.opening import Workspace  # noqa: E402

ACTORS = {
    "claude": "agent:claude",
    "mcp": "agent:mcp",
    "runner": "agent:runner",
    "human": "human",
    "format": "command:format",
    "git": "git",
}
"""By writer: what its operations have to say."""
SHARES = {"claude": 0.2, "mcp": 0.2, "runner": 0.15, "human": 0.35, "git": 0.1}
"""How much of the writes is whose; those of the human with a formatter's."""
RIGHT, INFERRED, BESIDE, DOUBTED, UNDOUBTED, WRONG, WRONG_AGENT = VERDICTS = (
    "right",
    "inferred",
    "named beside another",
    "unknown with candidates",
    "unknown without",
    "wrong",
    "wrong agent",
)
LEAST_RIGHT = 0.99

_LINE = re.compile(r"^(\w+)#(\d+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Judged:
    """One write, and what became of its name."""

    writer: str
    verdict: str
    operation: Operation
    path: str


def main(arguments: Sequence[str]) -> int:
    """Let everybody write, and print the table."""
    parser = argparse.ArgumentParser(prog="attribution", description=__doc__)
    parser.add_argument("--writes", type=int, default=2000, help="how many writes there are in all")
    parser.add_argument("--folder", help="where the workspace is generated (default: the temporary folder)")
    parser.add_argument(
        "--least-right", type=float, default=LEAST_RIGHT, help="the share that has to be right"
    )
    parser.add_argument("--verbose", action="store_true", help="list every write that is not right")
    wanted = parser.parse_args(arguments)
    with (
        tempfile.TemporaryDirectory(prefix="takeback-attribution-", dir=wanted.folder) as folder,
        isolated(folder),
    ):
        root = os.path.join(folder, "workspace")
        expected = everybody_writes(make(root), wanted.writes)
        with opened(root) as workspace:
            found = list(judged(workspace))
    if wanted.verbose:
        for one in found:
            if one.verdict != RIGHT:
                sys.stdout.write(f"{described(one)}\n")
    sys.stdout.write(table(found, expected))
    return 0 if holds(found, expected, wanted.least_right) else 1


def make(root: str) -> Project:
    """A repository with files for every writer, and two branches that differ in some."""
    project = Project(root=root)
    git(None, "init", "-q", "-b", "main", root)
    paths = [
        f"{writer}/{number}.txt"
        for writer in ("claude", "mcp", "runner", "human")
        for number in range(N_FILES)
    ]
    paths += [f"shared/{number}.txt" for number in range(N_SHARED)]
    paths += [f"git/{number}.txt" for number in range(GIT_FILES)]
    for path in paths:
        os.makedirs(os.path.dirname(project.full(path)), exist_ok=True)
        project.write(path, "first\n")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "first")
    git(root, "switch", "-q", "-c", "other")
    for number in range(GIT_FILES):
        project.write(f"git/{number}.txt", "other\n")
    git(root, "commit", "-q", "-a", "-m", "second")
    git(root, "switch", "-q", "main")
    return project


def everybody_writes(project: Project, n_writes: int) -> Counter[str]:
    """How many writes each writer has made, when all of them are done."""
    n_of = {writer: max(GIT_FILES, round(share * n_writes)) for writer, share in SHARES.items()}
    with writers.editor_on(project) as editor, ThreadPoolExecutor(len(n_of)) as pool:
        done = [
            pool.submit(writers.by_hook, project, n_of["claude"]),
            pool.submit(writers.by_mcp, project, n_of["mcp"]),
            pool.submit(writers.by_run, project, n_of["runner"]),
            pool.submit(writers.by_git, project, n_of["git"]),
            pool.submit(writers.by_editor, project, n_of["human"], editor),
        ]
        for one in done:
            one.result()
    found = Counter(made for made in lines_in(project))
    return found + Counter(git=n_of["git"] // GIT_FILES * GIT_FILES)


def lines_in(project: Project) -> Iterator[str]:
    """The writer of every line that was written, as the files are in the end."""
    for place, folders, names in os.walk(project.root):
        folders[:] = [name for name in folders if name != ".git"]
        for name in names:
            with open(os.path.join(place, name), encoding="utf-8") as file:
                yield from (writer for writer, _ in _LINE.findall(file.read()))


# -- judging -------------------------------------------------------------------------------------


def judged(workspace: Workspace) -> Iterator[Judged]:
    """Every write that stands in the history, and whether it carries the right name."""
    for operation in looking.log(workspace, looking.Wanted(n=None)):
        for change in operation.changes:
            for writer in written_by(workspace, change):
                if (
                    writer == "git" or change.seq not in operation.fallen
                ):  # a branch that came back took one back
                    yield Judged(writer, verdict(writer, operation), operation, change.path)


def written_by(workspace: Workspace, change: Change) -> Iterator[str]:
    """Whose lines a change added; what comes and goes with a branch is git's."""
    if change.path.startswith("git/"):
        yield "git"
        return
    before, after = (lines_of(workspace, state) for state in (change.before, change.after))
    yield from (writer for writer, _ in after - before)


def lines_of(workspace: Workspace, state: FileState) -> set[tuple[str, str]]:
    """The writers' lines in one state of a file."""
    text = workspace.store.get(state.blob).decode() if state.blob else ""
    return set(_LINE.findall(text))


def verdict(writer: str, operation: Operation) -> str:
    """What a write of this writer's is worth in this operation."""
    if operation.actor == ACTORS[writer]:
        return INFERRED if operation.inferred else RIGHT
    if operation.actor == UNKNOWN:
        return DOUBTED if ACTORS[writer] in operation.label else UNDOUBTED
    if operation.label.startswith(f"and {ACTORS[writer]}"):
        return BESIDE
    return WRONG_AGENT if operation.actor.startswith("agent:") else WRONG


def described(one: Judged) -> str:
    """A write that is not right, for whoever looks for the reason."""
    operation = one.operation
    return f"{one.verdict}: {one.writer} in {one.path}, operation {operation.id} ({operation.kind} by {operation.actor}, {operation.label!r}, {len(operation.changes)} changes)"


def holds(found: Sequence[Judged], expected: Mapping[str, int], least_right: float) -> bool:
    """Whether the bounds hold."""
    counts = Counter(one.verdict for one in found)
    made = Counter(one.writer for one in found)
    is_whole = all(
        made[writer] == n for writer, n in expected.items() if writer != "git"
    )  # a branch may come back at once
    is_certain = counts[RIGHT] >= least_right * len(found)
    return is_whole and is_certain and not counts[WRONG_AGENT] + counts[WRONG] + counts[UNDOUBTED]


def table(found: Sequence[Judged], expected: Mapping[str, int]) -> str:
    """A line for each writer, and what it comes to."""
    counts = Counter((one.writer, one.verdict) for one in found)
    lines = [f"| writer | writes | {' | '.join(VERDICTS)} |", f"|---|{'---|' * (len(VERDICTS) + 1)}"]
    for writer, actor in ACTORS.items():
        cells = [str(counts[writer, one]) for one in VERDICTS]
        lines.append(f"| {actor} | {expected[writer]} | {' | '.join(cells)} |")
    totals = [sum(counts[writer, one] for writer in ACTORS) for one in VERDICTS]
    n_expected = sum(expected.values())
    lines.append(f"| all | {n_expected} | {' | '.join(map(str, totals))} |")
    share = totals[0] / n_expected
    lines += [
        "",
        f"{share:.2%} carry the right name, {totals[-1]} that of a wrong agent; load {os.getloadavg()[0]:.1f}.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
