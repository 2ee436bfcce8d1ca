"""How soon a second server of a workspace knows what the first one recorded."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from itertools import count

from bench.measure import interleaved
from bench.places import Bench, opened, path_of, write
from bench.runner import recorder, started
from bench.table import Row
from bench.wire import receive, send
from takeback.service import recording

_CAPABILITIES = {"experimental": {"takeback": {"timelineChanged": True}}}
_numbers = count(1)


def rows(bench: Bench) -> Iterator[Row]:
    """From the moment that an operation is in the journal until the follower's editor is told of it."""
    root = bench.tree(bench.sizes[0])
    with recorder(root), started(root, "-m", "takeback", "lsp") as child:
        follower = _Follower(child, root)
        (ours,) = interleaved(bench.n_runs * 2, follower.delay)
    yield Row(what="follower delay: an operation of one server is known to another", ours=ours, max_ours=0.2)


class _Follower:
    """A server that does not record."""

    def __init__(self, child: subprocess.Popen[bytes], root: str) -> None:
        assert child.stdin is not None, "BUG: its input is a pipe"
        assert child.stdout is not None, "BUG: its output is a pipe"
        self._from, self._root = child.stdout, root
        given = {"processId": None, "rootUri": f"file://{root}", "capabilities": _CAPABILITIES}
        send(child.stdin, {"id": 1, "method": "initialize", "params": given})
        send(child.stdin, {"method": "initialized", "params": {}})
        status = {"command": "takeback.status", "arguments": [{}]}
        send(child.stdin, {"id": 2, "method": "workspace/executeCommand", "params": status})
        while receive(self._from).get("id") != 2:
            pass

    def delay(self) -> float:
        """Seconds from the end of recording until the follower tells of it."""
        write(self._root, path_of(7), f"number {next(_numbers)}\n".encode())
        with opened(self._root) as workspace:
            recording.sync(workspace)
            begun = time.perf_counter()
            while receive(self._from).get("method") != "takeback/timelineChanged":
                pass
            return time.perf_counter() - begun
