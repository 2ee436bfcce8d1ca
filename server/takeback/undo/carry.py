"""Carries changes of files out on disk, so that a death between any two steps can be told and mended.

Every file goes from one known state to another through a staged name next to it:

    modify   stage new -> exchange with the file -> what was displaced is checked -> removed
    remove   rename the file to the staged name -> checked -> removed
    rename   rename the file to the staged name -> checked -> given its new name
    create   stage new -> given its name, unless something is there

Whatever turns out to be something else than expected is put back, and the whole is given up.
Content always comes from the store, where it is durable before anything here begins.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass, replace

from takeback.files.disk import Folder
from takeback.model.ids import BlobId
from takeback.model.paths import WorkspacePath, ancestors, parent
from takeback.model.state import FileKind, FileState
from takeback.store.objects import ObjectStore

STAGED_PREFIX = ".takeback-"
_SYNC_EACH = 64
"""Up to so many files are synced one by one; more, in one pass over the file system."""
_ANY_SIZE = 1 << 62


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One file's way from one state to another."""

    path: WorkspacePath
    target: WorkspacePath
    """Differs from `path` for a rename."""
    before: FileState
    after: FileState
    staged: str
    """The name that the file has in between, without its folder."""

    @property
    def leaves(self) -> bool:
        """Whether nothing will be at `path`."""
        return self.before.exists and (not self.after.exists or self.path != self.target)

    @property
    def arrives(self) -> bool:
        """Whether something will be at `target` where nothing was."""
        return self.after.exists and (not self.before.exists or self.path != self.target)

    def reversed(self) -> Move:
        """The way back."""
        return replace(self, path=self.target, target=self.path, before=self.after, after=self.before)


def matches(folder: Folder, path: WorkspacePath, state: FileState) -> bool:
    """Whether exactly `state` is at `path`. A state that was never captured is compared by kind and size."""
    reading = folder.read(path, _ANY_SIZE if state.captured or state.blob else 0)
    if reading.kind is not state.kind:
        return False
    if state.kind is None or state.kind is FileKind.DIRECTORY:
        return True
    if not state.captured and state.blob is None:
        return reading.stat is None or reading.stat.size_bytes == state.size_bytes
    if reading.data is None or blob_id(reading.data) != state.blob:
        return False
    return state.kind is not FileKind.FILE or reading.stat is None or reading.stat.permissions == state.mode


def blob_id(data: bytes) -> BlobId:
    """The git object id of `data`."""
    return BlobId(hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest())


class Carrier:
    """Carries moves out in one workspace."""

    def __init__(
        self, folder: Folder, store: ObjectStore, is_kept_folder: Callable[[WorkspacePath], bool]
    ) -> None:
        self._folder = folder
        self._store = store
        self._is_kept_folder = is_kept_folder

    def stage(self, moves: Sequence[Move]) -> None:
        """Write every new content beside its place, and wait until it is on disk. Changes no file of the user's."""
        staged = [self._stage(move) for move in moves if self._needs_stage(move)]
        if len(staged) > _SYNC_EACH:
            self._folder.sync_all()
            return
        for path in staged:
            self._folder.sync_file(path)

    def unstage(self, moves: Sequence[Move]) -> None:
        """Remove what `stage` wrote."""
        for move in moves:
            for place in self._staged_places(move):
                self._folder.remove(place)

    def carry_out(self, moves: Sequence[Move]) -> Move | None:
        """Do what was staged; the first move whose file was not as expected, if any: that one is left as it was.

        What was done before it stays done: the caller reverses it.
        """
        leaving = sorted((m for m in moves if m.leaves), key=lambda m: m.path, reverse=True)
        staying = [m for m in moves if not m.leaves and not m.arrives]
        arriving = sorted((m for m in moves if m.arrives), key=lambda m: m.target)
        for phase, act in ((leaving, self._take_away), (staying, self._change), (arriving, self._put)):
            if phase is arriving:
                self._make_room(leaving, arriving)
            for move in phase:
                if not act(move):
                    return move
        self.wrap_up(moves)
        return None

    def wrap_up(self, moves: Sequence[Move]) -> None:
        """Remove folders that became empty, and wait until all names are on disk."""
        for move in sorted(moves, key=lambda m: m.path, reverse=True):
            if move.leaves and move.before.kind is FileKind.DIRECTORY:
                self._remove_empty(move.path)  # files on their way elsewhere were staged in it before
        self._prune(moves)
        self._sync_folders(moves)

    # -- staging ---------------------------------------------------------------------------------

    def _needs_stage(self, move: Move) -> bool:
        if move.after.blob is None:
            return False
        if not move.before.exists:
            return True
        return (move.after.kind, move.after.blob) != (move.before.kind, move.before.blob)

    def _stage(self, move: Move) -> WorkspacePath:
        beside = self._stage_folder(move)
        data = self._store.get(move.after.blob or BlobId(""))
        near = beside if beside != move.path or not move.before.exists else move.path
        if move.after.kind is FileKind.SYMLINK:
            return self._folder.stage_link(near, _new(move), data)
        like = near == move.path and move.before.kind is FileKind.FILE
        return self._folder.stage_file(near, _new(move), data, move.after.mode, like=like)

    def _stage_folder(self, move: Move) -> WorkspacePath:
        """A path in the folder where new content is staged: the target's, or the root while that is not there."""
        if self._is_folder(WorkspacePath(parent(move.target))):
            return move.target
        return WorkspacePath(_new(move))

    def _is_folder(self, path: WorkspacePath) -> bool:
        """Whether a folder is at `path`; the root is one."""
        stat = self._folder.look(path) if path else None
        return not path or (stat is not None and stat.kind is FileKind.DIRECTORY)

    def _staged_places(self, move: Move) -> Iterable[WorkspacePath]:
        folders = dict.fromkeys((parent(move.path), parent(move.target), ""))
        for folder in folders:
            for name in (_new(move), _old(move)):
                yield _in(folder, name)

    def _find(self, move: Move, name: str) -> WorkspacePath | None:
        for folder in dict.fromkeys((parent(move.target), parent(move.path), "")):
            place = _in(folder, name)
            if self._folder.look(place) is not None:
                return place
        return None

    # -- the three phases ------------------------------------------------------------------------

    def _take_away(self, move: Move) -> bool:
        if move.before.kind is FileKind.DIRECTORY:
            self._folder.remove_folder(move.path)
            return True
        place = self._place_aside(move)
        if self._folder.look(move.path) is None or not self._folder.move(move.path, place):
            return False
        if not matches(self._folder, place, move.before):
            self._folder.move(place, move.path)
            return False
        if not move.after.exists or self._needs_stage(move):
            self._folder.remove(place)
        return True

    def _place_aside(self, move: Move) -> WorkspacePath:
        """Where a file waits that was taken away: if it will have a new name, in a folder that is still there then."""
        if move.after.exists and move.path != move.target:
            return _in(parent(self._stage_folder(move)), _old(move))
        return _in(parent(move.path), _old(move))

    def _make_room(self, leaving: Sequence[Move], arriving: Sequence[Move]) -> None:
        """Remove the folders that became empty and stand where a file or link is to come."""
        targets = {move.target for move in arriving if move.after.kind is not FileKind.DIRECTORY}
        emptied = {folder for move in leaving for folder in ancestors(move.path)}
        for folder in sorted(emptied, key=len, reverse=True):
            if not targets.isdisjoint((folder, *ancestors(folder))):
                self._remove_empty(folder)

    def _remove_empty(self, folder: WorkspacePath) -> None:
        if self._is_folder(folder):
            self._folder.remove_folder(folder)

    def _change(self, move: Move) -> bool:
        if move.before.kind is FileKind.DIRECTORY or move.after.kind is FileKind.DIRECTORY:
            return self._change_kind(move)
        if not self._needs_stage(move):
            if not matches(self._folder, move.path, move.before):
                return False
            self._folder.set_mode(move.path, move.after.mode)
            return True
        staged = self._find(move, _new(move))
        assert staged is not None, "BUG: new content was not staged"
        if self._is_shared(move):
            return self._overwrite(move, staged)
        return self._exchange(move, staged)

    def _exchange(self, move: Move, staged: WorkspacePath) -> bool:
        folder = self._folder
        if folder.look(move.path) is None:
            return False
        if not folder.exchange(staged, move.path):  # no such call here: look once more, then rename over it
            if not matches(folder, move.path, move.before):
                return False
            folder.replace(staged, move.path)
            return True
        if not matches(folder, staged, move.before):
            folder.exchange(staged, move.path)
            return False
        folder.remove(staged)
        return True

    def _overwrite(self, move: Move, staged: WorkspacePath) -> bool:
        """Write into a file that has other names too, so that all of them go on showing the same."""
        if matches(self._folder, move.path, move.after):  # written under another of its names already
            self._folder.remove(staged)
            return True
        if not matches(self._folder, move.path, move.before):
            return False
        self._folder.overwrite(move.path, self._store.get(move.after.blob or BlobId("")))
        self._folder.set_mode(move.path, move.after.mode)
        self._folder.remove(staged)
        return True

    def _is_shared(self, move: Move) -> bool:
        stat = self._folder.look(move.path)
        same_kind = move.before.kind is FileKind.FILE and move.after.kind is FileKind.FILE
        return stat is not None and stat.n_links > 1 and same_kind

    def _change_kind(self, move: Move) -> bool:
        absent = FileState()
        if not self._take_away(replace(move, after=absent)):
            return False
        return self._put(replace(move, before=absent))

    def _put(self, move: Move) -> bool:
        folder = self._folder
        folder.make_folders(parent(move.target))
        if move.after.kind is FileKind.DIRECTORY:
            folder.make_folders(move.target)
            return True
        staged = self._find(move, _new(move) if self._needs_stage(move) else _old(move))
        if staged is None or not folder.place(staged, move.target):
            return False
        if move.after.kind is FileKind.FILE and move.after.mode != move.before.mode and move.before.exists:
            folder.set_mode(move.target, move.after.mode)
        return True

    def _prune(self, moves: Sequence[Move]) -> None:
        """Remove folders that became empty, unless a folder there is a state of its own."""
        kept = {move.target for move in moves if move.after.kind is FileKind.DIRECTORY}
        above = {folder for move in moves if move.leaves for folder in ancestors(move.path)} - kept
        for folder in sorted(above, key=len, reverse=True):
            if not self._is_kept_folder(folder):
                self._remove_empty(folder)

    def _sync_folders(self, moves: Sequence[Move]) -> None:
        touched = {parent(path) for move in moves for path in (move.path, move.target)}
        if len(touched) > _SYNC_EACH:
            self._folder.sync_all()
            return
        for folder in touched:
            if self._is_folder(WorkspacePath(folder)):
                self._folder.sync_folder(folder)

    # -- after a death ---------------------------------------------------------------------------

    def tidy(self, move: Move) -> None:
        """Bring a move that a death interrupted to one of its ends, without losing what anybody wrote."""
        taken = self._find(move, _old(move))
        if taken is not None:
            self._tidy_taken(move, taken)
        staged = self._find(move, _new(move))
        if staged is not None:
            self._tidy_staged(move, staged)
        self._mend_overwritten(move)

    def _tidy_taken(self, move: Move, taken: WorkspacePath) -> None:
        """A file that was taken away goes back; if something new is there, it goes only where its content is kept."""
        if self._folder.look(move.path) is None:
            self._folder.make_folders(parent(move.path))
            self._folder.move(taken, move.path)
        elif move.before.captured and matches(self._folder, taken, move.before):
            self._folder.remove(taken)

    def _tidy_staged(self, move: Move, staged: WorkspacePath) -> None:
        """Under the staged name lies new content, perhaps half written; after an exchange, what was displaced."""
        exchanged = move.path == move.target and matches(self._folder, move.path, move.after)
        known = matches(self._folder, staged, move.before) or matches(self._folder, staged, move.after)
        if exchanged and not known and self._folder.exchange(staged, move.path):
            known = True  # somebody's bytes are back in their place; ours are under the staged name again
        if known or not exchanged:
            self._folder.remove(staged)

    def _mend_overwritten(self, move: Move) -> None:
        """Put a half overwritten file back: it begins as the new content and goes on as the old."""
        kept = move.before.captured and move.after.captured
        if not (
            kept
            and move.before.blob
            and move.after.blob
            and move.path == move.target
            and self._is_shared(move)
        ):
            return
        data = self._folder.read(move.path, _ANY_SIZE).data
        old, new = self._store.get(move.before.blob), self._store.get(move.after.blob)
        if data is None or data in (old, new):
            return
        n = next(
            (i for i, (a, b) in enumerate(zip(data, new, strict=False)) if a != b), min(len(data), len(new))
        )
        if data[n:] == old[n:]:
            self._folder.overwrite(move.path, old)

    def at_end(self, move: Move) -> bool:
        """Whether the move is done."""
        gone = move.path == move.target or not matches(self._folder, move.path, move.before)
        if not move.after.exists:
            return not matches(self._folder, move.path, move.before)
        return gone and matches(self._folder, move.target, move.after)

    def at_start(self, move: Move, leaving: Set[WorkspacePath] = frozenset()) -> bool:
        """Whether the move has not begun. Files that are still at paths of `leaving` are not in the way."""
        free = not move.arrives or move.target in leaving or not self._is_held(move.target)
        return free and (not move.before.exists or matches(self._folder, move.path, move.before))

    def _is_held(self, target: WorkspacePath) -> bool:
        """Whether something is at `target` that cannot make room, as an empty folder can."""
        stat = self._folder.look(target)
        return stat is not None and stat.kind is not FileKind.DIRECTORY


def _new(move: Move) -> str:
    return move.staged


def _old(move: Move) -> str:
    return move.staged + "-old"


def _in(folder: str, name: str) -> WorkspacePath:
    return WorkspacePath(f"{folder}/{name}" if folder else name)
