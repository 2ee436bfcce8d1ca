"""Packs what is loose, drops what is not needed, and copies what the user's repository shares.

A file that the user's repository holds too is never rewritten: only the store's own name of it can go. Nothing is
dropped before everything else in it is on disk elsewhere.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress

import pygit2

from takeback.errors import Damaged
from takeback.store.inventory import Pack, loose_objects, packed_objects, packs
from takeback.store.loose import read_loose
from takeback.store.objects import ObjectStore, storing, sync

BATCH = 5_000
"""Objects that go into one pack: between two packs what was packed is removed, so little free space is needed."""


def pack_loose(store: ObjectStore, ids: Sequence[str]) -> int:
    """How many loose objects of our own went into packs."""
    own = sorted(one for one in ids if _is_whole(store, one))
    for start in range(0, len(own), BATCH):
        part = own[start : start + BATCH]
        write_pack(store, part)
        drop_loose(store, part)
    return len(own)


def _is_whole(store: ObjectStore, object_id: str) -> bool:
    """Whether a loose object can be read: libgit2 would not come back from one that cannot."""
    try:
        return read_loose(store.loose_path(object_id), object_id) is not None
    except Damaged:
        return False


def write_pack(store: ObjectStore, ids: Iterable[str]) -> None:
    """One pack that holds these objects, on disk when this returns."""
    folder = os.path.join(store.objects_path, "pack")
    packer = pygit2.PackBuilder(store.repository)
    packer.set_threads(1)
    for object_id in ids:
        packer.add(pygit2.Oid(hex=object_id))
    before = set(os.listdir(folder))
    with storing("packed objects"):
        try:
            packer.write(folder)
        except BaseException:
            for name in set(os.listdir(folder)) - before:
                os.unlink(os.path.join(folder, name))
            raise
        for name in set(os.listdir(folder)) - before:
            sync(os.path.join(folder, name))
        sync(folder)


def drop_loose(store: ObjectStore, ids: Iterable[str]) -> None:
    """These objects are loose no longer."""
    for object_id in ids:
        with suppress(FileNotFoundError):
            os.unlink(store.loose_path(object_id))


def drop_pack(pack: Pack) -> None:
    """The store's names of a pack go. Its index first: without it nobody looks into the pack."""
    base = pack.path.removesuffix(".pack")
    for extension in (".idx", ".rev", ".bitmap", ".mtimes", ".pack"):
        with suppress(FileNotFoundError):
            os.unlink(base + extension)


def drop_from_pack(store: ObjectStore, pack: Pack, is_needed: Callable[[str], bool]) -> None:
    """The pack goes, after what is needed of it and lies in no other pack is in a new one."""
    elsewhere: set[str] = set()
    for other in packs(store):
        if other.path != pack.path:
            elsewhere.update(packed_objects(other))
    kept = [one for one in packed_objects(pack) if one not in elsewhere and is_needed(one)]
    if kept:
        write_pack(store, kept)
    drop_pack(pack)


def detach(store: ObjectStore) -> int:
    """How many files had a second name, in the user's repository, and are copies of our own now.

    The user's file keeps its bytes, its mode and its times; only its number of names falls.
    """
    count = 0
    with storing("copies of what the store shares with the repository"):
        for path in list(_linked(store)):
            _copy(path)
            count += 1
        if count:
            sync(os.path.join(store.objects_path, "pack"))
            sync(store.objects_path)
    return count


def _linked(store: ObjectStore) -> Iterator[str]:
    for pack in packs(store):
        for path in (pack.path, pack.index_path):
            if os.lstat(path).st_nlink > 1:
                yield path
    for one in loose_objects(store):
        if one.linked:
            yield store.loose_path(one.id)


def _copy(path: str) -> None:
    staged = path + ".detached"
    try:
        shutil.copyfile(path, staged)
        os.chmod(staged, 0o400)
        sync(staged)
        os.replace(staged, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(staged)
        raise
