"""What it costs to start: commands, hooks and the server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

from bench.measure import Trial, interleaved, timed
from bench.places import Bench, opened
from bench.runner import python, started, takeback
from bench.table import Row
from bench.wire import receive, send

_PLAIN_SERVER = "from pygls.lsp.server import LanguageServer; LanguageServer('plain', '1').start_io()"


def rows(bench: Bench) -> Iterator[Row]:
    """Commands that do little; the server up to its first answer, where there is one."""
    root = bench.tree(bench.sizes[0])
    with opened(root):
        pass
    version, log, bare = interleaved(
        bench.n_runs,
        lambda: timed(lambda: takeback(root, "--version")),
        lambda: timed(lambda: takeback(root, "log")),
        lambda: timed(lambda: python("-c", "pass")),
    )
    yield Row(what="`takeback --version`", ours=version, peer=bare, beside="an interpreter that does nothing")
    yield Row(
        what=f"`takeback log`, {bench.sizes[0]:,} files",
        ours=log,
        peer=bare,
        beside="an interpreter that does nothing",
    )
    if find_spec("takeback.lsp") is not None:
        yield _server(bench, root)


def _server(bench: Bench, root: str) -> Row:
    ours, plain = interleaved(
        bench.n_runs * 4,  # imports by a thousand files: a single start varies by a half
        _initialized(root, "-m", "takeback", "lsp"),
        _initialized(root, "-c", _PLAIN_SERVER),
    )
    return Row(
        what="server: start to `initialize` answered",
        ours=ours,
        peer=plain,
        beside="pygls without features",
        max_ratio=1.25,
    )


def _initialized(root: str, *arguments: str) -> Trial:
    """How long a server takes from its start to its answer to `initialize`."""
    parameters: dict[str, Any] = {"processId": None, "rootUri": f"file://{root}", "capabilities": {}}

    def start() -> float:
        begun = time.perf_counter()
        with started(root, *arguments) as child:
            assert child.stdin is not None, "BUG: its input is a pipe"
            assert child.stdout is not None, "BUG: its output is a pipe"
            send(child.stdin, {"id": 1, "method": "initialize", "params": parameters})
            while receive(child.stdout).get("id") != 1:
                pass
            return time.perf_counter() - begun

    return start
