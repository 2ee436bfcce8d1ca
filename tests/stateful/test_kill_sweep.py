"""SIGKILL at any moment: the next start finishes or reverses, and no byte of anybody's is lost."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from takeback.service import looking, recording, taking_back
from takeback.service.opening import open_workspace
from takeback.service.taking_back import Request

N_FILES = 40
N_KILLS = 200 if os.environ.get("TAKEBACK_HYPOTHESIS") == "long" else 60

VICTIM = """
import sys
from takeback.service import checkpointing, recording, taking_back
from takeback.service.opening import open_workspace
from takeback.service.taking_back import Request
from takeback.checkpoints import Wanted
print("ready", flush=True)
for line in sys.stdin:
    with open_workspace(sys.argv[1]) as workspace:
        print("go", flush=True)
        if line == "record\\n":
            recording.record(workspace, "agent:claude", "")
        elif line == "checkpoint\\n":
            checkpointing.create(workspace, Wanted())
        elif line == "undo\\n":
            taking_back.undo(workspace, Request())
        elif line == "redo\\n":
            taking_back.redo(workspace, Request())
    print("done", flush=True)
"""


@pytest.fixture
def environ(tmp_path, monkeypatch):
    """A state folder of its own."""
    monkeypatch.setenv("TAKEBACK_STATE_DIR", str(tmp_path / "state"))


@pytest.fixture
def root(tmp_path, environ):
    """A workspace with files, half of which will be edited."""
    folder = tmp_path / "workspace"
    (folder / "deep").mkdir(parents=True)
    for n in range(N_FILES):
        where = folder if n % 2 else folder / "deep"
        (where / f"{n}.txt").write_text(f"first line of {n}\n" * 3, encoding="utf-8")
    with open_workspace(str(folder)):
        pass
    return folder


@pytest.mark.trap(8)
@pytest.mark.promise(4)
@pytest.mark.timeout(460)
def test_a_process_killed_at_any_moment_leaves_every_file_whole(root):
    """200 kills (60 in `make test`) in the middle of recording, checkpoints, undo and redo: each state is one that was, all of it."""
    rng = random.Random(7)
    killed = 0
    victim = Victim(root)
    contents = rewrite(root, 0)
    seen = [snapshot(root)]
    for round_number in range(1, 10 * N_KILLS):
        verb = rng.choice(["record", "undo", "redo", "undo", "checkpoint"])
        if verb == "record":
            contents = rewrite(root, round_number)
        before = snapshot(root)
        killed += victim.run_and_kill(verb, rng.uniform(0, 0.06))
        after_death(root, before, seen)
        seen.append(snapshot(root))
        if killed >= N_KILLS:
            break
    victim.end()
    assert killed >= N_KILLS
    assert contents
    everything_can_be_taken_back(root)


class Victim:
    """A process that is killed while it works, and started again."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.start()

    def start(self) -> None:
        """Start it, and wait until it has imported everything."""
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", VICTIM, str(self.root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        assert self.process.stdout.readline() == "ready\n"

    def run_and_kill(self, verb: str, after_s: float) -> bool:
        """Let it do something and kill it a moment later; False if it was done before."""
        self.process.stdin.write(verb + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "go\n"
        deadline = time.monotonic() + after_s
        while time.monotonic() < deadline:
            os.sched_yield()
        self.process.send_signal(signal.SIGKILL)
        rest = self.process.stdout.read()
        self.end()
        self.start()
        return rest != "done\n"

    def end(self) -> None:
        """Let it end."""
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def after_death(root: Path, before: dict, seen: list[dict]) -> None:
    """Open the workspace as the next process would: nothing is torn, nothing is left over."""
    with open_workspace(str(root)) as workspace:
        operations = looking.log(workspace, looking.Wanted(n=None))
        assert [one.id for one in operations] == list(range(len(operations), 0, -1))
        assert recording.sync(workspace).operation is None or before == snapshot(root)
        assert not workspace.journal.claimed()
    now = snapshot(root)
    assert not [name for name in now if ".takeback-" in name]
    for name, content in now.items():
        assert any(content == past.get(name) for past in (before, *seen)), f"{name} is torn"
        assert content.count("\n") == 3


def everything_can_be_taken_back(root: Path) -> None:
    """In the end the whole history still leads back to the first state."""
    with open_workspace(str(root)) as workspace:
        recording.sync(workspace)
        operations = looking.log(workspace, looking.Wanted(n=None))
        writes = tuple(
            one.id for one in operations if one.kind.value == "edit" and one.standing.value != "none"
        )
        if writes:
            taking_back.undo(workspace, Request(ops=writes))
    for name, content in snapshot(root).items():
        number = Path(name).stem
        assert content == f"first line of {number}\n" * 3


def rewrite(root: Path, round_number: int) -> dict:
    """Somebody rewrites every other file."""
    for path in sorted(root.rglob("*.txt"))[::2]:
        path.write_text(f"round {round_number} of {path.stem}\n" * 3, encoding="utf-8")
    return snapshot(root)


def snapshot(root: Path) -> dict[str, str]:
    """Every file and its content."""
    files = [path for path in root.rglob("*") if path.is_file()]
    return {str(path.relative_to(root)): path.read_text(encoding="utf-8") for path in files}
