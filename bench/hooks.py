"""What an agent waits for at each tool call: the hook before an edit and the one after it, each a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import count

from bench.measure import interleaved, timed
from bench.places import Bench, opened, path_of, text_of, write
from bench.runner import environment, python, recorder, takeback
from bench.table import Row

_BUDGET_S = 0.120
_versions = count(1)


def rows(bench: Bench) -> Iterator[Row]:
    """One hook, the mean of the two around an edit, with nobody recording and with a recorder."""
    root = bench.tree(bench.sizes[0])
    with opened(root):
        pass
    alone, bare = interleaved(
        bench.n_runs * 2, lambda: _edit(root), lambda: timed(lambda: python("-c", "pass"))
    )
    takeback(root, "log")  # takes in what waits
    with recorder(root):
        recorded = interleaved(bench.n_runs * 2, lambda: _edit(root))[0]
    for what, ours in (("nobody records", alone), ("a recorder takes it in", recorded)):
        yield Row(
            what=f"`takeback hook`, {what}",
            ours=ours,
            peer=bare,
            beside="an interpreter that does nothing",
            max_ours=_BUDGET_S,
        )


def _edit(root: str) -> float:
    """Seconds of one hook, where an agent's tool edits a file."""
    number = next(_versions)
    path = path_of(17)
    call = {
        "tool_name": "Write",
        "tool_input": {"file_path": os.path.join(root, path)},
        "tool_use_id": str(number),
    }
    before = timed(lambda: _tell(root, {"hook_event_name": "PreToolUse", **call}))
    write(root, path, text_of(17, number))
    return (before + timed(lambda: _tell(root, {"hook_event_name": "PostToolUse", **call}))) / 2


def _tell(root: str, event: dict[str, object]) -> None:
    said = json.dumps({"session_id": "bench", "cwd": root, **event}).encode()
    command = [sys.executable, "-P", "-m", "takeback", "hook", "claude"]
    subprocess.run(command, input=said, cwd=root, env=environment(), check=True)
