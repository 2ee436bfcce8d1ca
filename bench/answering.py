"""How soon the server answers about a document of 5,000 lines: idle, while it takes its first look, and in a burst."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from statistics import median

from bench.bursts import N_FILES
from bench.client import Client
from bench.measure import timed
from bench.places import Bench, forget, git, write
from bench.runner import peak_mib, started
from bench.table import Row
from bench.wire import Message

_PATH = "large.py"
N_LINES = 5_000
_EVERY = 50
"""Every so many-th line is one that somebody else wrote."""
_MAX_S = 0.050
_PAUSE_S = 0.005
_IDLE_S = 2.0
_WAIT_S = 60.0
_WRITE = """
import glob, sys
for path in sorted(glob.glob("part*/*/*.py"))[:int(sys.argv[1])]:
    with open(path, "ab") as file:
        file.write(b"# once more\\n")
"""
_ASKED = {"hover": "textDocument/hover", "code actions": "textDocument/codeAction"}

Taken = dict[str, list[float]]


def rows(bench: Bench) -> Iterator[Row]:
    """The slowest answer of each kind, beside the median, in the largest workspace; and the server's memory there."""
    root = bench.tree(bench.largest)
    forget(root)
    write(root, _PATH, large_text(0))
    n_files = min(N_FILES, bench.largest)
    with started(root, "-m", "takeback", "lsp") as child:
        editor = _Editor(child, root)
        yield from _rows(f"during the first look at {bench.largest:,} files", editor.while_looking())
        editor.reload()
        yield from _rows("idle", editor.idle())
        yield _typing(bench, editor)
        yield from _rows(f"while {n_files:,} files are written", editor.while_writing(n_files))
        memory = peak_mib(child.pid)
    if memory is not None:
        what = f"memory, server of {bench.largest:,} files, after all this"
        yield Row(what=what, ours=memory, max_ours=200, unit="MiB")
    os.remove(os.path.join(root, _PATH))
    git(root, "checkout", "-q", "--", ".")
    forget(root)


def _rows(when: str, taken: Taken) -> Iterator[Row]:
    for name, seconds in taken.items():
        yield Row(
            what=f"{name} {when}, the slowest of {len(seconds)}",
            ours=max(seconds),
            peer=median(seconds),
            beside="the median",
            max_ours=_MAX_S,
        )


def _typing(bench: Bench, editor: _Editor) -> Row:
    taken = [timed(editor.type) for _ in range(bench.n_runs * 10)]
    return Row(
        what=f"a keystroke in {N_LINES:,} lines and a hover after it", ours=median(taken), max_ours=_MAX_S
    )


def large_text(version: int) -> bytes:
    """A text of `N_LINES` lines; every so many-th is otherwise in each version but the first."""
    lines = [f"    value_{line:04} = function_{line:04}()  # {'-' * 10}" for line in range(N_LINES)]
    if version:
        lines[::_EVERY] = [f"    changed_{version} = {line}" for line in range(0, N_LINES, _EVERY)]
    return ("\n".join(lines) + "\n").encode()


class _Editor(Client):
    """An editor with one large document."""

    def __init__(self, child: subprocess.Popen[bytes], root: str) -> None:
        super().__init__(child, root)
        self.open(_PATH)

    def while_looking(self) -> Taken:
        """Until the workspace is open, and for a moment after."""
        status = {"command": "takeback.status", "arguments": [{}]}
        number = self.begin("workspace/executeCommand", status)
        return self._asking(lambda: number in self.answers)

    def reload(self) -> None:
        """Somebody else wrote lines of the document; returns when a hover says so."""
        write(self.root, _PATH, large_text(1))
        self.change(_PATH, {"text": self.on_disk(_PATH)})
        deadline = time.monotonic() + _WAIT_S
        while self.ask(_ASKED["hover"], self._at(_EVERY))["result"] is None:
            if time.monotonic() > deadline:
                raise RuntimeError("nothing is known of who wrote the document")
            time.sleep(_PAUSE_S)

    def idle(self) -> Taken:
        """For a while in which nothing else happens."""
        deadline = time.monotonic() + _IDLE_S
        return self._asking(lambda: time.monotonic() > deadline)

    def while_writing(self, n_files: int) -> Taken:
        """While another process writes files, until they are in a checkpoint."""
        with started(self.root, "-c", _WRITE, str(n_files)) as writer:
            taken = self._asking(lambda: writer.poll() is not None)
        wanted = {"command": "takeback.createCheckpoint", "arguments": [{"label": "after the burst"}]}
        number = self.begin("workspace/executeCommand", wanted)
        after = self._asking(lambda: number in self.answers)
        return {name: taken[name] + after[name] for name in taken}

    def type(self) -> None:
        """One character, and who wrote its line."""
        place = {"line": _EVERY, "character": 4}
        self.change(_PATH, {"range": {"start": place, "end": place}, "text": "x"})
        self.ask(_ASKED["hover"], self._at(2 * _EVERY))

    def _waited(self, method: str) -> float:
        return timed(lambda: self.ask(method, self._at(_EVERY)))

    def _at(self, line: int) -> Message:
        """What a hover and a code action are asked for."""
        place = {"line": line, "character": 4}
        return {
            "textDocument": {"uri": self.uri(_PATH)},
            "position": place,
            "range": {"start": place, "end": place},
            "context": {"diagnostics": []},
        }

    def _asking(self, is_over: Callable[[], bool]) -> Taken:
        taken: Taken = {name: [] for name in _ASKED}
        while not is_over():
            for name, method in _ASKED.items():
                taken[name].append(self._waited(method))
                time.sleep(_PAUSE_S)
        return taken
