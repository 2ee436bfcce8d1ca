"""Puts back what was carried out, from wherever a death or a refusal of the system left it.

What arrived is taken back, what changed is changed back, then what was taken away is given its place again: in this
order, because files may have followed each other. Each step can be done again, so it may be interrupted itself.
What others wrote meanwhile is never removed: it stays where it is, or comes back to there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from takeback.files.disk import Folder
from takeback.files.reading import Reading
from takeback.model.ids import BlobId
from takeback.model.paths import WorkspacePath, ancestors, parent
from takeback.model.state import FileKind
from takeback.store.objects import ObjectStore
from takeback.undo.carry import Carrier
from takeback.undo.moves import ANY_SIZE, Move, is_folder, matches


class Reversal:
    """Reverses the moves of one intent."""

    def __init__(self, folder: Folder, store: ObjectStore, carrier: Carrier) -> None:
        self._folder = folder
        self._store = store
        self._carrier = carrier
        self._waiting = carrier.waiting
        self._progress = carrier.progress

    def put_back(self, moves: Sequence[Move]) -> None:
        """Bring every move to its start, but where others wrote."""
        for move in moves:
            self._drop_second_names(move)
            if move.fills:
                self._sort_out(move)
        arrived = [move for move in moves if move.fills and self._progress.has_arrived(move)]
        for move in arrived:
            self._take_back(move)
        for move in moves:
            if move.stays:
                self._change_back(move)
            elif move.is_written:
                self._unstage(move)
        self._carrier.prune([move.reversed() for move in moves])
        for move in sorted((m for m in moves if m.leaves), key=lambda m: m.path):
            self._give_back(move)
        self._carrier.sync_folders()

    def _drop_second_names(self, move: Move) -> None:
        """Where a name is claimed by a link, a death in between leaves both: the file has its name already."""
        waiting = self._waiting
        there = [self._folder.look(path) for path in (move.path, move.target)]
        files = {(stat.device, stat.inode) for stat in there if stat is not None}
        for place in (waiting.staged(move), waiting.taken(move), waiting.returning(move)):
            stat = self._folder.look(place) if place else None
            if place and stat and (stat.device, stat.inode) in files:
                self._folder.remove(place)

    # -- what arrived ----------------------------------------------------------------------------

    def _take_back(self, move: Move) -> None:
        self._folder.move(move.target, self._waiting.to_return(move))
        self._sort_out(move)

    def _sort_out(self, move: Move) -> None:
        """What is on its way back, and not what had arrived, is somebody's: it returns to where it was."""
        place = self._waiting.returning(move)
        if place is None:
            return
        if not matches(self._folder, place, move.after):
            self._folder.move(place, move.target)
        elif move.passes:
            self._folder.move(place, self._waiting.to_take(move))
        else:
            self._folder.remove(place)

    def _unstage(self, move: Move) -> None:
        staged = self._waiting.staged(move)
        if staged is not None:
            self._folder.remove(staged)

    # -- what changed in its place ---------------------------------------------------------------

    def _change_back(self, move: Move) -> None:
        if not move.is_written:
            if move.changes_mode and matches(self._folder, move.path, move.after):
                self._folder.set_mode(move.path, move.before.mode)
            return
        staged, copy = self._waiting.staged(move), self._waiting.taken(move)
        if staged is not None:
            self._exchange_back(move, staged)
        if copy is not None:
            self._replace_back(move, copy)

    def _exchange_back(self, move: Move, staged: WorkspacePath) -> None:
        done = matches(self._folder, move.path, move.after)
        if done and not matches(self._folder, staged, move.after):
            self._folder.exchange(staged, move.path)
        elif self._progress.is_shared(move):
            self._write_back(move)
        if matches(self._folder, move.path, move.before) or self._is_kept(move, staged):
            self._folder.remove(staged)

    def _is_kept(self, move: Move, staged: WorkspacePath) -> bool:
        """Whether the store has what is staged, or the rest of it."""
        if matches(self._folder, staged, move.before):
            return True
        data = self._folder.read(staged, ANY_SIZE).data
        return data is not None and self._content(move.after.blob).startswith(data)

    def _replace_back(self, move: Move, copy: WorkspacePath) -> None:
        if matches(self._folder, move.path, move.after):
            self._folder.replace(copy, move.path)
        else:
            self._folder.remove(copy)

    def _write_back(self, move: Move) -> None:
        """Put an overwritten file back; half overwritten, it begins as the new content and goes on as the old."""
        old, new = self._content(move.before.blob), self._content(move.after.blob)

        def is_ours(found: Reading) -> bool:
            return found.data == new or (found.data not in {None, old} and _is_between(found.data, old, new))

        self._folder.overwrite(move.path, old, is_ours)
        if matches(self._folder, move.path, replace(move.before, mode=move.after.mode)):
            self._folder.set_mode(move.path, move.before.mode)

    def _content(self, blob: BlobId | None) -> bytes:
        return self._store.get(blob or BlobId(""))

    # -- what was taken away ---------------------------------------------------------------------

    def _give_back(self, move: Move) -> None:
        if move.before.kind is FileKind.DIRECTORY:
            if self._folder.look(move.path) is None and self._has_way(move.path):
                self._folder.make_folders(move.path)
            return
        taken = self._waiting.taken(move)
        if taken is None:
            return
        is_changed = move.passes and move.changes_mode
        if is_changed and matches(self._folder, taken, replace(move.before, mode=move.after.mode)):
            self._folder.set_mode(taken, move.before.mode)
        if not self._place(taken, move.path) and move.before.captured:
            self._remove_known(taken, move)

    def _place(self, taken: WorkspacePath, path: WorkspacePath) -> bool:
        if not self._has_way(path):
            return False
        self._folder.make_folders(parent(path))
        return self._folder.move(taken, path)

    def _has_way(self, path: WorkspacePath) -> bool:
        """Whether nobody put a file where a folder above `path` was."""
        there = (folder for folder in ancestors(path) if self._folder.look(folder) is not None)
        return all(is_folder(self._folder, folder) for folder in there)

    def _remove_known(self, taken: WorkspacePath, move: Move) -> None:
        """Its place is somebody's now: it goes where the store has its content, and stays where nobody else has."""
        if matches(self._folder, taken, move.before):
            self._folder.remove(taken)


def _is_between(data: bytes, old: bytes, new: bytes) -> bool:
    """Whether `data` begins as the new content and goes on as the old."""
    pairs = enumerate(zip(data, new, strict=False))
    n_new = next((n for n, (byte, wanted) in pairs if byte != wanted), min(len(data), len(new)))
    return data[n_new:] == old[n_new:]
