"""Trees as git writes them, rewritten only along the paths that changed.

Trees are read and written as raw bytes rather than through pygit2's TreeBuilder: names may hold any byte, the id is
known before anything is written, and one regular expression reads a whole folder.

    update({a/x, a/y, b/z}, {a/x: new})        root' ── a'  ── x', y       written
                                                    └── b   ── z          reused by id
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping

from pygit2.enums import ObjectType

from takeback.model.ids import BlobId
from takeback.model.paths import WorkspacePath, ancestors
from takeback.store.objects import EMPTY_TREE, ObjectStore

FOLDER = 0o40000
GITLINK = 0o160000

Leaf = tuple[BlobId, int]
"""A blob and its git file mode: 0o100644, 0o100755 or 0o120000."""

_ENTRY = re.compile(rb"([0-7]+) ([^\0]+)\0(.{20})", re.DOTALL)
_Entries = dict[bytes, tuple[int, str]]


def entry(store: ObjectStore, tree: str, path: WorkspacePath) -> Leaf | None:
    """What `tree` holds at `path`: blob and git file mode; `None` for nothing, a folder or a submodule."""
    *folders, name = os.fsencode(path).split(b"/")
    for folder in folders:
        mode, object_id = _read(store, tree).get(folder, (0, ""))
        if mode != FOLDER:
            return None
        tree = object_id
    mode, object_id = _read(store, tree).get(name, (0, ""))
    return None if mode in (0, FOLDER, GITLINK) else (BlobId(object_id), mode)


def update(store: ObjectStore, tree: str | None, changes: Mapping[WorkspacePath, Leaf | None]) -> str:
    """The tree that differs from `tree` in `changes` alone; `None` takes a file away.

    A file replaces the folder of its name with all below it, and files below replace the file of a folder's name;
    taking a file away leaves a folder of that name alone. Folders that become empty go.
    Cost: the folders on the changed paths.
    """
    old = _OldFolders(store, tree)
    files = _by_folder(changes)
    folders: dict[bytes, dict[bytes, str | None]] = {}
    for folder in _deepest_first(files):
        entries = _changed(old.entries(folder), files.get(folder, {}), folders.get(folder, {}))
        written = _write(store, entries) if entries else None
        if not folder:
            return written or _write(store, {})
        above, _, name = folder.rpartition(b"/")
        folders.setdefault(above, {})[name] = written
    return tree or _write(store, {})


def walk(store: ObjectStore, tree: str) -> Iterator[tuple[WorkspacePath, BlobId, int]]:
    """Every file in `tree` as path, blob and git file mode, in git's order, read folder by folder as asked for."""
    return _walk(store, tree, b"")


def walk_folder(store: ObjectStore, tree: str, folder: str) -> Iterator[tuple[WorkspacePath, BlobId, int]]:
    """Every file below `folder`, with its path from the root of `tree`; nothing if there is no such folder."""
    found = _OldFolders(store, tree).id_of(os.fsencode(folder))
    return _walk(store, found, os.fsencode(folder) + b"/" if folder else b"") if found else iter(())


def folder(store: ObjectStore, tree: str, path: str) -> str | None:
    """The id of the tree at a folder's path; `None` if there is none."""
    return _OldFolders(store, tree).id_of(os.fsencode(path))


def of_folders(store: ObjectStore, folders: Mapping[str, str]) -> str:
    """A tree that holds other trees under the given names."""
    return _write(store, {os.fsencode(name): (FOLDER, tree) for name, tree in folders.items()})


def differences(store: ObjectStore, before: str, after: str) -> tuple[WorkspacePath, ...]:
    """The paths of files that the two trees hold differently, in no particular order.

    Submodules are passed over. Cost: the folders that differ.
    """
    found: set[WorkspacePath] = set()
    pending = [(b"", before, after)]
    while pending:
        prefix, left, right = pending.pop()
        if left == right:
            continue
        old, new = _read(store, left), _read(store, right)
        for name in old.keys() | new.keys():
            a, b = old.get(name), new.get(name)
            if a and b and a[0] == b[0] == FOLDER:
                pending.append((prefix + name + b"/", a[1], b[1]))
            elif a != b:
                found |= _differing_files(store, prefix + name, a)
                found |= _differing_files(store, prefix + name, b)
    return tuple(found)


def reach(store: ObjectStore, tree: str, folders: set[str], blobs: set[str]) -> None:
    """Add every tree and blob that `tree` names to the two sets; trees that are in `folders` are not read again.

    Blobs need not exist, trees must.
    """
    pending = [tree]
    while pending:
        one = pending.pop()
        if one in folders:
            continue
        folders.add(one)
        for mode, object_id in _read(store, one).values():
            if mode == FOLDER:
                pending.append(object_id)
            elif mode != GITLINK:
                blobs.add(object_id)


class _OldFolders:
    """The folders of a tree as they were, each read once."""

    def __init__(self, store: ObjectStore, tree: str | None) -> None:
        self._store = store
        self._ids: dict[bytes, str | None] = {b"": tree}
        self._entries: dict[bytes, _Entries] = {}

    def id_of(self, folder: bytes) -> str | None:
        """The id of a folder; `None` if there is none of that name."""
        parts = folder.split(b"/") if folder else []
        for depth in range(1, len(parts) + 1):
            path = b"/".join(parts[:depth])
            if path not in self._ids:
                mode, object_id = self.entries(path.rpartition(b"/")[0]).get(parts[depth - 1], (0, ""))
                self._ids[path] = object_id if mode == FOLDER else None
            if self._ids[path] is None:
                return None
        return self._ids[folder]

    def entries(self, folder: bytes) -> _Entries:
        """What a folder holds; nothing if there is none."""
        if folder not in self._entries:
            object_id = self.id_of(folder)
            self._entries[folder] = _read(self._store, object_id) if object_id else {}
        return self._entries[folder]


def _by_folder(changes: Mapping[WorkspacePath, Leaf | None]) -> dict[bytes, dict[bytes, Leaf | None]]:
    files: dict[bytes, dict[bytes, Leaf | None]] = {}
    for path, leaf in changes.items():
        assert leaf is None or not any(changes.get(above) for above in ancestors(path)), (
            f"BUG: {path!r} is written below a file that is written too"
        )
        folder, _, name = os.fsencode(path).rpartition(b"/")
        files.setdefault(folder, {})[name] = leaf
    return files


def _deepest_first(folders: Iterable[bytes]) -> list[bytes]:
    """`folders` and all above them, each after everything below it. Not recursive: paths may be 2,000 deep."""
    every: set[bytes] = set()
    for start in folders:
        folder = start
        while folder not in every:
            every.add(folder)
            folder = folder.rpartition(b"/")[0]
    return sorted(every, key=lambda folder: (folder.count(b"/"), bool(folder)), reverse=True)


def _changed(
    old: _Entries, files: Mapping[bytes, Leaf | None], folders: Mapping[bytes, str | None]
) -> _Entries:
    entries = dict(old)
    for name, leaf in files.items():
        if leaf is not None:
            entries[name] = (leaf[1], leaf[0])
        elif name in entries and entries[name][0] != FOLDER:
            del entries[name]
    for name, tree in folders.items():
        if files.get(name) is not None:
            continue  # the new file stands where the folder was
        if tree is not None:
            entries[name] = (FOLDER, tree)
        elif entries.get(name, (0, ""))[0] == FOLDER:
            del entries[name]
    return entries


def _read(store: ObjectStore, tree: str) -> _Entries:
    if tree == EMPTY_TREE:
        return {}
    raw = store.read(tree, ObjectType.TREE)
    return {name: (int(mode, 8), object_id.hex()) for mode, name, object_id in _ENTRY.findall(raw)}


def _write(store: ObjectStore, entries: _Entries) -> str:
    raw = b"".join(
        b"%o %s\0%s" % (mode, name, bytes.fromhex(object_id))
        for name, (mode, object_id) in sorted(entries.items(), key=_git_order)
    )
    return store.put_object(ObjectType.TREE, raw)


def _git_order(item: tuple[bytes, tuple[int, str]]) -> bytes:
    """Folders sort as if their names ended in a slash. Source: git's `base_name_compare`."""
    name, (mode, _) = item
    return name + b"/" if mode == FOLDER else name


def _walk(store: ObjectStore, tree: str, prefix: bytes) -> Iterator[tuple[WorkspacePath, BlobId, int]]:
    """Not recursive: paths may be 2,000 deep."""
    pending = [(prefix, iter(_read(store, tree).items()))]
    while pending:
        prefix, items = pending[-1]
        for name, (mode, object_id) in items:
            if mode == FOLDER:
                pending.append((prefix + name + b"/", iter(_read(store, object_id).items())))
                break
            if mode != GITLINK:
                yield WorkspacePath(os.fsdecode(prefix + name)), BlobId(object_id), mode
        else:
            pending.pop()


def _differing_files(store: ObjectStore, path: bytes, item: tuple[int, str] | None) -> set[WorkspacePath]:
    """The files that one side of a difference holds at `path` or below it."""
    if item is None or item[0] == GITLINK:
        return set()
    if item[0] == FOLDER:
        return {below for below, _, _ in _walk(store, item[1], path + b"/")}
    return {WorkspacePath(os.fsdecode(path))}
