"""The first known state without copying: the user's objects as hard links, the user's index as a tree.

The index is a shortcut and never trusted blindly: whatever is odd about a repository becomes a reason, in words, and
the caller hashes its files instead. Nothing here writes, touches or chmods a file of the user's, and the check of who
owns a repository is never switched off.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import pygit2
from pygit2.enums import DeltaStatus, RepositoryOpenFlag

from takeback.errors import TakebackError
from takeback.model.ids import BlobId
from takeback.model.paths import WorkspacePath
from takeback.store import trees
from takeback.store.objects import EMPTY_BLOB, ObjectStore, storing, sync

_PACK = re.compile(r"pack-[0-9a-f]{40}\.pack")
_FAN_OUT = re.compile(r"[0-9a-f]{2}")
_LOOSE = re.compile(r"[0-9a-f]{38}")
_CANNOT_LINK = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EACCES, errno.ENOTSUP, errno.ENOSYS)
_PASSES = 3
"""How often a folder is read again because a `git gc` replaced packs meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """What became of the user's object folders."""

    linked_files: int
    failed: tuple[str, ...]
    """Folders whose files cannot be linked from here; their objects must be copied."""

    @property
    def linked(self) -> bool:
        """Whether every folder is linked."""
        return not self.failed


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexTree:
    """The user's index as a tree of the store, with every object it names present."""

    tree: str
    stamp: tuple[int, int, int]
    """mtime, size and inode of the index that was read: another stamp means another index."""


def link_objects(store: ObjectStore, object_folders: Sequence[str]) -> Linked:
    """What could be hard-linked: packs and loose objects of `object_folders`; names already here are skipped."""
    count = 0
    failed = []
    for folder in object_folders:
        try:
            with storing(f"links to {folder}"):
                count += _link_settled(store, folder)
        except _CannotLinkError:
            failed.append(folder)
    return Linked(linked_files=count, failed=tuple(failed))


def head_tree(git_dir: str) -> str | None:
    """The id of the tree of the user's HEAD; `None` before the first commit or where libgit2 cannot tell."""
    try:
        return str(_open(git_dir).head.peel(pygit2.Tree).id)
    except (pygit2.GitError, KeyError, ValueError, OSError):
        return None


def copy_objects(store: ObjectStore, git_dir: str, tree: str) -> str | None:
    """Copy the objects of one of the user's trees into one pack, durable; `None`, or the reason why not."""
    try:
        packer = pygit2.PackBuilder(_open(git_dir))
        packer.add_recur(pygit2.Oid(hex=tree))
    except (pygit2.GitError, KeyError, ValueError, OSError) as exc:
        return str(exc)
    folder = os.path.join(store.objects_path, "pack")
    before = set(os.listdir(folder))
    with storing("a copy of the repository's objects"):
        packer.write(folder)
        for name in set(os.listdir(folder)) - before:
            sync(os.path.join(folder, name))
        sync(folder)
    return None


def index_tree(store: ObjectStore, git_dir: str) -> IndexTree | str:
    """The user's index as a tree of the store, or the reason why it cannot be used. Never raises.

    Not `Index.write_tree`: it writes, and so freshens, objects that are linked to the user's. The difference between
    index and HEAD is put over HEAD's tree instead; then every object that the tree names is looked for.
    """
    try:
        repository = _open(git_dir)
        try:
            return _index_tree(store, repository)
        finally:
            repository.free()  # it refers to itself: else its index stays until the next collection
    except (pygit2.GitError, KeyError, ValueError, OSError, TakebackError) as exc:
        return f"the index cannot be read: {exc}"


def _index_tree(store: ObjectStore, repository: pygit2.Repository) -> IndexTree | str:
    stamp = _stamp(repository)
    index = repository.index
    if index.conflicts is not None:
        return "the index has unmerged paths"
    base = None if repository.head_is_unborn else repository.head.peel(pygit2.Tree)
    staged = dict(_staged(index, base) if base is not None else _all_entries(index))
    leaves = {path: None if leaf and leaf[1] == trees.GITLINK else leaf for path, leaf in staged.items()}
    _copy_missing(store, repository, leaves.values())
    tree = trees.update(store, str(base.id) if base is not None else None, leaves)
    if not _is_complete(store, tree):
        return "objects that the index names are missing"
    if _stamp(repository) != stamp:
        return "the index was being written"
    return IndexTree(tree=tree, stamp=stamp)


def _staged(index: pygit2.Index, base: pygit2.Tree) -> Iterator[tuple[WorkspacePath, trees.Leaf | None]]:
    for delta in index.diff_to_tree(base).deltas:
        new = delta.new_file
        deleted = delta.status == DeltaStatus.DELETED
        yield (
            WorkspacePath(os.fsdecode(new.raw_path)),
            None if deleted else (BlobId(str(new.id)), int(new.mode)),
        )


def _all_entries(index: pygit2.Index) -> Iterator[tuple[WorkspacePath, trees.Leaf | None]]:
    for item in index:
        yield WorkspacePath(item.path), (BlobId(str(item.id)), int(item.mode))


def _copy_missing(
    store: ObjectStore, repository: pygit2.Repository, leaves: Iterable[trees.Leaf | None]
) -> None:
    """What is staged but was not linked is copied. An intent to add names the empty blob, which need not exist."""
    for leaf in leaves:
        if leaf is None or store.has(leaf[0]):
            continue
        store.put(b"" if leaf[0] == EMPTY_BLOB else repository.odb.read(leaf[0])[1])


def _is_complete(store: ObjectStore, tree: str) -> bool:
    """Whether every tree and blob that `tree` names is here.

    A pack is planned and thrown away, because libgit2 then looks up every object itself: 100,000 in 85 ms.
    """
    try:
        pygit2.PackBuilder(store.repository).add_recur(pygit2.Oid(hex=tree))
    except (KeyError, pygit2.GitError):
        return False
    return True


def _open(git_dir: str) -> pygit2.Repository:
    # Opened by its own folder and without a search, so that neither GIT_DIR nor a folder above is taken instead.
    return pygit2.Repository(git_dir, RepositoryOpenFlag.NO_SEARCH)


def _stamp(repository: pygit2.Repository) -> tuple[int, int, int]:
    try:
        stat = os.stat(os.path.join(repository.path, "index"))
    except FileNotFoundError:
        return (0, 0, 0)
    return (stat.st_mtime_ns, stat.st_size, stat.st_ino)


class _CannotLinkError(Exception):
    """This folder's files cannot have a second name where the store is."""


def _link_settled(store: ObjectStore, folder: str) -> int:
    """How many files were linked; read again while files vanish underneath, for their successors come first."""
    count = 0
    for _ in range(_PASSES):
        linked, vanished = _link_folder(store, folder)
        count += linked
        if not vanished:
            break
    return count


def _link_folder(store: ObjectStore, folder: str) -> tuple[int, bool]:
    count, vanished = 0, False
    for source, target in _candidates(store, folder):
        try:
            count += _link(source, target)
        except FileNotFoundError:
            vanished = True
    return count, vanished


def _candidates(store: ObjectStore, folder: str) -> Iterator[tuple[str, str]]:
    """The user's files and their names in the store. A pack goes before its index, through which it is found."""
    packs = os.path.join(folder, "pack")
    for name in filter(_PACK.fullmatch, _names(packs)):
        for each in (name, name[: -len(".pack")] + ".idx"):
            yield os.path.join(packs, each), os.path.join(store.objects_path, "pack", each)
    for fan_out in filter(_FAN_OUT.fullmatch, _names(folder)):
        target = os.path.join(store.objects_path, fan_out)
        os.makedirs(target, mode=0o700, exist_ok=True)
        for name in filter(_LOOSE.fullmatch, _names(os.path.join(folder, fan_out))):
            yield os.path.join(folder, fan_out, name), os.path.join(target, name)


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _link(source: str, target: str) -> bool:
    """Whether a new link was made. A symlink would not outlive what it names, so it is not taken for an object."""
    if os.path.lexists(target):
        return False
    if os.path.islink(source):
        raise _CannotLinkError
    try:
        os.link(source, target, follow_symlinks=False)
    except FileExistsError:
        return False
    except OSError as exc:
        if exc.errno in _CANNOT_LINK:
            raise _CannotLinkError from exc
        raise
    return True
