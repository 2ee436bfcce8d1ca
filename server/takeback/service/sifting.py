"""Of what nobody announced: what an editor of this process has saved, and what it may be about to tell of."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from takeback.model.operation import Observation
from takeback.model.paths import WorkspacePath
from takeback.model.state import FileKind, FileState
from takeback.record import Sifted
from takeback.service import saves
from takeback.service.decoding import shows
from takeback.service.documents import Buffer
from takeback.service.opening import Workspace

_DOUBT_S = 1.0
"""How long a write waits for what its editor may say of it."""
_STEP_S = 0.4
"""As so much counts the time between two looks, at most: a machine that stands still longer has heard nothing either."""
_now_s = time.monotonic


@dataclass(frozen=True, slots=True, kw_only=True)
class _Doubt:
    """How long a write has waited when it was looked at last."""

    waited_s: float
    at_s: float

    def at(self, now_s: float) -> _Doubt:
        """The same a moment later."""
        return _Doubt(waited_s=self.waited_s + min(now_s - self.at_s, _STEP_S), at_s=now_s)


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
        self._doubted: dict[WorkspacePath, _Doubt] = {}
        """Where it is not known whether a save is about to be told."""

    def __call__(self, seen: Sequence[Observation], *, can_wait: bool) -> Sifted:
        """Record what was saved here, whoever sees it first; what is left, and where a save may be about to be told."""
        left = [one for one in seen if not self._is_recognised(one)]
        doubtful = {one.path for one in left if self._is_in_doubt(one)}
        soon = {path for path in doubtful if can_wait and self._may_wait(path)}
        for one in seen:
            if one.path not in soon:  # its next write is another one
                self._doubted.pop(one.path, None)
        rest = [one for one in left if one.path not in soon]
        alone = {one.path for one in rest if one.path in doubtful and self._is_rewritten(one)}
        return Sifted(rest=rest, alone=alone, soon=tuple(soon))

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
        return bool(self._documents(one.path)) and self._is_behind() and self._before(one) != one.after

    def _is_rewritten(self, one: Observation) -> bool:
        """Whether a file only got other content, as by a save: what came or went may be one end of a rename."""
        return one.moved_from is None and self._before(one).exists and one.after.exists

    def _before(self, one: Observation) -> FileState:
        return self._workspace.recorder.state_of(one.path)[1]

    def _may_wait(self, path: WorkspacePath) -> bool:
        """Whether the editor may have a moment longer to tell of a write."""
        doubt = self._doubted.get(path, _Doubt(waited_s=0, at_s=_now_s())).at(_now_s())
        self._doubted[path] = doubt
        return doubt.waited_s < _DOUBT_S

    def _content(self, one: Observation) -> bytes | None:
        state = one.after
        is_there = state.kind is FileKind.FILE and state.captured
        return self._workspace.store.get(state.blob) if is_there and state.blob else None
