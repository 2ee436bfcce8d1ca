"""How far the moves of an intent have come, told from what is on disk: every state in between is recognised as ours."""

from __future__ import annotations

from collections.abc import Sequence

from takeback.files.disk import Folder
from takeback.model.paths import WorkspacePath
from takeback.model.state import FileKind
from takeback.undo.moves import Move, matches
from takeback.undo.waiting import Waiting


class Progress:
    """How far some moves have come. Looks at the disk anew with every question."""

    def __init__(self, folder: Folder, waiting: Waiting, moves: Sequence[Move]) -> None:
        self._folder = folder
        self._waiting = waiting
        self._moves = moves
        self._targets = {move.target for move in moves if move.arrives}
        self._leaving = {move.path: move for move in moves if move.clears}

    def is_over(self) -> bool:
        """Whether all is done, and nothing is left but to remove what still waits."""
        return all(self.is_done(move) and not self._is_under_way(move) for move in self._moves)

    def has_begun(self) -> bool:
        """Whether anything waits, or is no longer as it was at the start."""
        return any(self._waits(move) or not self.at_start(move) for move in self._moves)

    def _waits(self, move: Move) -> bool:
        waiting = self._waiting
        return any(find(move) for find in (waiting.staged, waiting.taken, waiting.returning))

    def is_done(self, move: Move) -> bool:
        """Whether the file is where it belongs, and no longer where it was. An empty folder goes last of all."""
        if move.after.exists and not matches(self._folder, move.target, move.after):
            return False
        if not move.clears or move.path in self._targets:
            return True
        return not matches(self._folder, move.path, move.before)

    def at_start(self, move: Move) -> bool:
        """Whether the move has not begun, and can begin."""
        free = not move.arrives or move.target in self._leaving or not self._is_held(move.target)
        return free and (not move.before.exists or matches(self._folder, move.path, move.before))

    def has_arrived(self, move: Move) -> bool:
        """Whether the file at `target` was put there by this move, and is not the one that was there before.

        Where files of the same content follow each other, content does not tell: the file at `target` was there
        before exactly if it has not left. A whole circle has begun if one file of it is not in its place.
        """
        one = move
        while self._is_placed(one):
            other = self._leaving.get(one.target)
            if other is None or self._waiting.taken(other):
                return True
            if other is move:
                return not matches(self._folder, move.path, move.before)
            if not other.passes:
                return False
            one = other
        return False

    def _is_placed(self, move: Move) -> bool:
        waiting = self._waiting
        if move.passes:
            on_its_way = waiting.taken(move) is not None
        else:
            on_its_way = waiting.staged(move) is not None or (move.clears and waiting.taken(move) is None)
        return not on_its_way and matches(self._folder, move.target, move.after)

    def _is_under_way(self, move: Move) -> bool:
        """Whether something waits that has not come to where it belongs."""
        waiting = self._waiting
        taken, staged = waiting.taken(move), waiting.staged(move) if move.is_written else None
        if waiting.returning(move) or (taken and not self._was_here(move, taken)):
            return True
        if not move.stays:
            return bool(staged or (move.passes and taken))
        return staged is not None and not self._was_here(move, staged) and not self.is_overwritten(move)

    def _was_here(self, move: Move, place: WorkspacePath) -> bool:
        return matches(self._folder, place, move.before)

    def is_overwritten(self, move: Move) -> bool:
        """Whether a file with several links has its new content."""
        return self.is_shared(move) and matches(self._folder, move.path, move.after)

    def is_shared(self, move: Move) -> bool:
        """Whether a file has other names too, so that it is written in place."""
        stat = self._folder.look(move.path)
        same_kind = move.before.kind is FileKind.FILE and move.after.kind is FileKind.FILE
        return stat is not None and stat.n_links > 1 and same_kind

    def _is_held(self, target: WorkspacePath) -> bool:
        """Whether something is at `target` that cannot make room, as an empty folder can."""
        stat = self._folder.look(target)
        return stat is not None and stat.kind is not FileKind.DIRECTORY
