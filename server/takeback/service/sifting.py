"""Of what nobody announced: what an editor of this process has saved, and what it may be about to tell of."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from takeback.model.operation import Observation
from takeback.model.paths import WorkspacePath
from takeback.model.state import FileKind
from takeback.service import saves
from takeback.service.decoding import shows
from takeback.service.documents import Buffer
from takeback.service.opening import Workspace

_DOUBT_S = 1.0
"""How long a write waits for what its editor may say of it."""


class Sifting:
    """Judges what was seen at the paths of open documents."""

    def __init__(
        self,
        workspace: Workspace,
        documents: Callable[[WorkspacePath], Sequence[Buffer]],
        is_behind: Callable[[], bool],
    ) -> None:
        """`documents` are those of a file; `is_behind` tells whether their editor has said more than is known of them."""
        self._workspace = workspace
        self._documents = documents
        self._is_behind = is_behind
        self._doubted: dict[WorkspacePath, float] = {}
        """Since when it is not known whether a save is about to be told."""

    def __call__(
        self, seen: Sequence[Observation], *, can_wait: bool
    ) -> tuple[Sequence[Observation], Sequence[WorkspacePath]]:
        """Record what was saved here, whoever sees it first; what is left, and where a save may be about to be told."""
        left = [one for one in seen if not self._is_recognised(one)]
        soon = [one.path for one in left if can_wait and self._is_in_doubt(one)]
        rest = [one for one in left if one.path not in soon]
        for one in seen:
            if one.path not in soon:  # its next write is another one
                self._doubted.pop(one.path, None)
        return rest, soon

    def _is_recognised(self, one: Observation) -> bool:
        """Whether a file holds what was typed into its document: nobody else would write just that. Then it is recorded.

        Its editor is about to tell of the save. By then nothing is new in it.
        """
        for known in self._documents(one.path):
            if known.is_saving and shows(known.text, self._content(one)):
                wrote = saves.written(known.text, known.parent)
                saves.record(self._workspace, known, one.after, wrote, is_typed=True)
                return True
        return False

    def _is_in_doubt(self, one: Observation) -> bool:
        """Whether the editor has said something that is not known here yet: perhaps that it has just saved this."""
        is_new = self._workspace.recorder.state_of(one.path)[1] != one.after
        if not (is_new and self._documents(one.path) and self._is_behind()):
            return False
        since_s = self._doubted.setdefault(one.path, time.monotonic())
        return time.monotonic() - since_s < _DOUBT_S

    def _content(self, one: Observation) -> bytes | None:
        state = one.after
        is_there = state.kind is FileKind.FILE and state.captured
        return self._workspace.store.get(state.blob) if is_there and state.blob else None
