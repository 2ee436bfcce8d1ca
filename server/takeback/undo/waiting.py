"""Where files wait under names of Takeback's own, on their way from one state to another.

    staged     NAME        new content; after an exchange, what it displaced
    taken      NAME-old    what was taken away, or a copy of it
    returning  NAME-back   what had arrived and is taken back, until it is clear whose it is

Nothing that waits is removed before the whole intent is carried out, so from each moment there is a way back.
"""

from __future__ import annotations

from collections.abc import Sequence

from takeback.files.disk import Folder
from takeback.model.paths import WorkspacePath, ancestors, parent
from takeback.undo.moves import Move, is_folder, lasting_folder


class Waiting:
    """The places where the files of some moves wait."""

    def __init__(self, folder: Folder, moves: Sequence[Move]) -> None:
        self._folder = folder
        self._cleared = {move.path for move in moves if move.clears}
        self._filled = {move.target for move in moves if move.fills}

    def to_stage(self, move: Move) -> WorkspacePath:
        """Where new content is to be staged: beside its place, or in the nearest folder above that is there."""
        return next(place for place in _upwards(move) if is_folder(self._folder, parent(place)))

    def to_take(self, move: Move) -> WorkspacePath:
        """Where the file waits that is taken away: in a folder that is one before and after."""
        return _in(lasting_folder(move.path, self._filled), move.staged + "-old")

    def to_return(self, move: Move) -> WorkspacePath:
        """Where the file waits that had arrived: in a folder that is one before and after."""
        return _in(lasting_folder(move.target, self._cleared), move.staged + "-back")

    def staged(self, move: Move) -> WorkspacePath | None:
        """Where its new content waits, or what that displaced."""
        return next(filter(self._is_there, _upwards(move)), None)

    def taken(self, move: Move) -> WorkspacePath | None:
        """Where the file waits that was taken away."""
        return self._found(self.to_take(move))

    def returning(self, move: Move) -> WorkspacePath | None:
        """Where the file waits that had arrived."""
        return self._found(self.to_return(move))

    def _found(self, place: WorkspacePath) -> WorkspacePath | None:
        return place if self._is_there(place) else None

    def _is_there(self, place: WorkspacePath) -> bool:
        return self._folder.look(place) is not None


def _upwards(move: Move) -> Sequence[WorkspacePath]:
    """Every place where new content may wait, nearest first."""
    return [_in(folder, move.staged) for folder in (*ancestors(move.target), "")]


def _in(folder: str, name: str) -> WorkspacePath:
    return WorkspacePath(f"{folder}/{name}" if folder else name)
