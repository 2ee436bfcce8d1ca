"""An undo that is killed while it changes files: `python -m takeback.demo.dying WORKSPACE OPERATION CHANGES`.

The undo is the real one. Only the folder it writes through counts, and ends the process with SIGKILL right after that
many files have changed: no handler, no cleanup, no flush.
"""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace

from takeback.files.disk import Folder
from takeback.model.ids import OpId
from takeback.model.paths import WorkspacePath
from takeback.service import taking_back
from takeback.service.opening import open_workspace


class DyingFolder(Folder):
    """A folder in which only so many files can change."""

    def __init__(self, path: str, n_changes: int) -> None:
        super().__init__(path)
        self._left = n_changes

    def exchange(self, staged: WorkspacePath, path: WorkspacePath) -> bool:
        """Swap the two names, and die if that was the last."""
        return self._count(done=super().exchange(staged, path))

    def replace(self, source: WorkspacePath, target: WorkspacePath) -> None:
        """Rename, and die if that was the last. Used where names cannot be swapped."""
        super().replace(source, target)
        self._count(done=True)

    def _count(self, *, done: bool) -> bool:
        self._left -= done
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return done


def main(root: str, op: str, n_changes: str) -> None:
    """Undo an operation, up to the death. Coming back from here means that it had less to change."""
    with open_workspace(root) as workspace:
        folder = DyingFolder(workspace.root, int(n_changes))
        dying = replace(workspace, applier=replace(workspace.applier, folder=folder))
        taking_back.undo(dying, taking_back.Request(ops=(OpId(int(op)),)))


if __name__ == "__main__":
    main(*sys.argv[1:])
