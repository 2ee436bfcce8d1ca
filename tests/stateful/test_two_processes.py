"""Several processes record and take back at once: no operation is lost, none doubled, ids are dense."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter

import pytest

from takeback.service import looking, recording
from takeback.service.opening import open_workspace

N_WRITERS = 4
N_WRITES = 250

WRITER = """
import sys
from pathlib import Path
from takeback.model.operation import Observation, OperationKind
from takeback.model.source import Source
from takeback.service.opening import open_workspace
root, me, n = sys.argv[1], sys.argv[2], int(sys.argv[3])
with open_workspace(root) as workspace:
    print("ready", flush=True)
    sys.stdin.readline()
    source = Source(kind=OperationKind.EDIT, actor=f"agent:{me}")
    for number in range(n):
        name = f"{me}.txt" if number % 2 else f"shared-{number % 10}-{me}.txt"
        whole = Path(root + "-" + me)  # so that nobody sees a file half written
        whole.write_text(f"{me} {number}\\n", encoding="utf-8")
        whole.replace(Path(root, name))
        workspace.looker.at([name], source)
"""

UNDOER = """
import sys
from takeback.errors import Busy
from takeback.service import taking_back
from takeback.service.opening import open_workspace
from takeback.service.taking_back import Request
with open_workspace(sys.argv[1]) as workspace:
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(20):
        try:
            result = taking_back.undo(workspace, Request(paths=("mine.txt",), actor="human"))
            result = taking_back.redo(workspace, Request())
        except Busy:
            pass
    print("done", flush=True)
"""


@pytest.mark.trap(21)
@pytest.mark.timeout(300)
def test_a_thousand_writes_by_four_processes_are_recorded_once_each(tmp_path, monkeypatch):
    """Four processes write 250 times each, another undoes and redoes meanwhile: every write is one operation."""
    monkeypatch.setenv("TAKEBACK_STATE_DIR", str(tmp_path / "state"))
    root = tmp_path / "workspace"
    root.mkdir()
    with open_workspace(str(root)) as workspace:
        (root / "mine.txt").write_text("mine\n", encoding="utf-8")
        assert recording.record(workspace, "human", "") is not None
    writers = [start(WRITER, str(root), f"w{n}", str(N_WRITES)) for n in range(N_WRITERS)]
    undoer = start(UNDOER, str(root))
    for process in (*writers, undoer):
        assert process.stdout.readline() == "ready\n"
    for process in (*writers, undoer):
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in (*writers, undoer):
        process.communicate(timeout=240)
    assert all(process.returncode == 0 for process in (*writers, undoer))

    with open_workspace(str(root)) as workspace:
        operations = looking.log(workspace, looking.Wanted(n=None))
    assert [one.id for one in operations] == list(range(len(operations), 0, -1)), "ids are not dense"
    contents = [(change.path, change.after.blob) for one in operations for change in one.changes]
    written = Counter(path.rpartition("-")[2] for path, _ in contents if path != "mine.txt")
    assert written == {f"w{n}.txt": N_WRITES for n in range(N_WRITERS)}
    assert len(set(contents) - {c for c in contents if c[0] == "mine.txt"}) == N_WRITERS * N_WRITES


@pytest.mark.trap(21)
@pytest.mark.promise(10)
def test_several_first_commands_at_once_all_succeed(scene):
    """In a workspace without history eight processes begin at the same time: one baseline, and nobody fails."""
    for number in range(50):
        scene.write(f"f{number}", f"{number}\n")
    command = [sys.executable, "-P", "-m", "takeback", "record", "--json"]
    started = [
        subprocess.Popen(command, cwd=scene.root, env=scene.env, stdout=subprocess.PIPE, encoding="utf-8")
        for _ in range(8)
    ]

    answers = [json.loads(process.communicate(timeout=60)[0]) for process in started]

    assert answers == [{"version": 1, "operation": None}] * 8
    assert scene.tb("doctor").json["well"]


def start(program: str, *arguments: str) -> subprocess.Popen[str]:
    """A process that runs `program`."""
    return subprocess.Popen(
        [sys.executable, "-P", "-c", program, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
