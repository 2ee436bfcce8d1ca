"""Carries changes of files out on disk, so that a death between any two steps can be told and mended.

Every file goes from one known state to another through names of Takeback's own (`waiting`):

    modify   stage new -> exchange with the file -> what was displaced is checked
    remove   take the file away -> checked
    rename   take the file away -> checked -> give it its new name
    create   stage new -> give it its name, unless something is there

Only when all of that is done, what was displaced or taken away is removed: until then the way back is a rename.
Whatever turns out to be something else than expected is put back, and the whole is given up.
Content always comes from the store, where it is durable before anything here begins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from takeback.files.disk import Folder
from takeback.model.ids import BlobId
from takeback.model.paths import WorkspacePath, ancestors, parent
from takeback.model.state import FileKind, FileState
from takeback.store.objects import ObjectStore
from takeback.undo.moves import Move, fits, is_folder, matches
from takeback.undo.progress import Progress
from takeback.undo.waiting import Waiting

NO_TIMES: Mapping[WorkspacePath, int] = MappingProxyType({})
_SYNC_EACH = 64
"""Up to so many files are synced one by one; more, in one pass over the file system."""


class Carrier:
    """Carries the moves of one intent out."""

    def __init__(
        self,
        folder: Folder,
        store: ObjectStore,
        is_kept_folder: Callable[[WorkspacePath], bool],
        moves: Sequence[Move],
    ) -> None:
        self._folder = folder
        self._store = store
        self._is_kept_folder = is_kept_folder
        self._moves = moves
        self.waiting = Waiting(folder, moves)
        self.progress = Progress(folder, self.waiting, moves)

    def stage(self, moves: Sequence[Move], times: Mapping[WorkspacePath, int] = NO_TIMES) -> None:
        """Write every new content beside its place, and wait until it is on disk. Changes no file of the user's.

        What is staged for a path in `times` has that time.
        """
        staged = [self._stage(move, times.get(move.path)) for move in moves if move.is_written]
        if len(staged) > _SYNC_EACH:
            self._folder.sync_all()
            return
        for path in staged:
            self._folder.sync_file(path)

    def carry_out(self, moves: Sequence[Move]) -> Move | None:
        """Do what was staged; the first move whose file was not as expected, if any: that one is left as it was.

        What was done before it stays done: the caller reverses it. In the end all names are on disk.
        """
        leaving = sorted((m for m in moves if m.leaves), key=lambda m: m.path, reverse=True)
        staying = [m for m in moves if m.stays]
        arriving = sorted((m for m in moves if m.arrives), key=lambda m: m.target)
        for phase, act in ((leaving, self._take_away), (staying, self._change), (arriving, self._put)):
            if phase is arriving:
                self._make_room(leaving, arriving)
            for move in phase:
                if not act(move):
                    return move
        self.sync_folders()
        return None

    def conclude(self) -> None:
        """Remove what was there before all was done, once all names are on disk. Can be done again."""
        for move in self._moves:
            self._remove_former(move)
        self.prune(self._moves)

    def prune(self, moves: Sequence[Move]) -> None:
        """Remove folders that became empty, unless a folder there is a state of its own."""
        coming = {move.target for move in moves if move.after.kind is FileKind.DIRECTORY}
        going = {move.path for move in moves if move.leaves and move.before.kind is FileKind.DIRECTORY}
        above = {folder for move in moves if move.leaves for folder in ancestors(move.path)}
        for folder in sorted((going | above) - coming, key=len, reverse=True):
            if folder in going or not self._is_kept_folder(folder):
                self._remove_empty(folder)

    def sync_folders(self) -> None:
        """Wait until all names are on disk."""
        touched = {parent(path) for move in self._moves for path in (move.path, move.target)}
        if len(touched) > _SYNC_EACH:
            self._folder.sync_all()
            return
        for folder in touched:
            if is_folder(self._folder, folder):
                self._folder.sync_folder(folder)

    # -- staging ---------------------------------------------------------------------------------

    def _stage(self, move: Move, mtime_ns: int | None) -> WorkspacePath:
        path = self._staged(move)
        if mtime_ns is not None:
            self._folder.set_modified(path, mtime_ns)
        return path

    def _staged(self, move: Move) -> WorkspacePath:
        if move.stays:
            return self._write(move.path, move.staged, move.after, like=move.before.kind is FileKind.FILE)
        return self._write(self.waiting.to_stage(move), move.staged, move.after, like=False)

    def _write(self, beside: WorkspacePath, name: str, state: FileState, *, like: bool) -> WorkspacePath:
        data = self._content(state)
        if state.kind is FileKind.SYMLINK:
            return self._folder.stage_link(beside, name, data)
        return self._folder.stage_file(beside, name, data, state.mode, like=like)

    def _content(self, state: FileState) -> bytes:
        return self._store.get(state.blob or BlobId(""))

    # -- the three phases ------------------------------------------------------------------------

    def _take_away(self, move: Move) -> bool:
        if move.before.kind is FileKind.DIRECTORY:
            self._folder.remove_folder(move.path)  # what leaves it may still wait in it: it is tried again
            return True
        place = self.waiting.to_take(move)
        if self._folder.look(move.path) is None or not self._folder.move(move.path, place):
            return False
        if not matches(self._folder, place, move.before):
            self._folder.move(place, move.path)
            return False
        return True

    def _make_room(self, leaving: Sequence[Move], arriving: Sequence[Move]) -> None:
        """Remove the folders that became empty and stand where a file or link is to come."""
        targets = {move.target for move in arriving if move.fills}
        emptied = {folder for move in leaving for folder in (move.path, *ancestors(move.path))}
        for folder in sorted(emptied, key=len, reverse=True):
            if not targets.isdisjoint((folder, *ancestors(folder))):
                self._remove_empty(folder)

    def _remove_empty(self, folder: WorkspacePath) -> None:
        if is_folder(self._folder, folder):
            self._folder.remove_folder(folder)

    def _change(self, move: Move) -> bool:
        if not move.is_written:
            if not matches(self._folder, move.path, move.before):
                return False
            if move.changes_mode:
                self._folder.set_mode(move.path, move.after.mode)
            return True
        staged = self.waiting.staged(move)
        assert staged is not None, "BUG: new content was not staged"
        return self._overwrite(move) if self.progress.is_shared(move) else self._exchange(move, staged)

    def _exchange(self, move: Move, staged: WorkspacePath) -> bool:
        folder = self._folder
        if folder.look(move.path) is None:
            return False
        if not folder.exchange(staged, move.path):
            return self._replace(move, staged)
        if not matches(folder, staged, move.before):
            folder.exchange(staged, move.path)
            return False
        return True

    def _replace(self, move: Move, staged: WorkspacePath) -> bool:
        """Where names cannot be exchanged: keep a copy, look once more, then rename over it."""
        copy = self.waiting.to_take(move).rpartition("/")[2]
        kept = self._write(move.path, copy, move.before, like=move.before.kind is FileKind.FILE)
        self._folder.sync_file(kept)
        if not matches(self._folder, move.path, move.before):
            return False
        self._folder.replace(staged, move.path)
        return True

    def _overwrite(self, move: Move) -> bool:
        """Write into a file that has other names too, so that all of them go on showing the same."""
        if matches(self._folder, move.path, move.after):  # written under another of its names already
            return True
        content = self._content(move.after)
        if not self._folder.overwrite(move.path, content, lambda found: fits(found, move.before)):
            return False
        self._folder.set_mode(move.path, move.after.mode)
        return True

    def _put(self, move: Move) -> bool:
        folder = self._folder
        folder.make_folders(parent(move.target))
        if move.after.kind is FileKind.DIRECTORY:
            folder.make_folders(move.target)
            return True
        place = self.waiting.taken(move) if move.passes else self.waiting.staged(move)
        if place is None:
            return False
        if move.passes and move.changes_mode:
            folder.set_mode(place, move.after.mode)
        return folder.place(place, move.target)

    # -- when all is done ------------------------------------------------------------------------

    def _remove_former(self, move: Move) -> None:
        if move.stays and move.is_written and self._folder.remove(self.waiting.to_stage(move)):
            return
        if (move.stays and move.is_written) or (move.clears and not move.passes):
            self._folder.remove(self.waiting.to_take(move))
