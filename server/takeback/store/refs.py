"""Commits in the store and the names that keep them: durable when the call returns."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass

import pygit2
from pygit2.enums import ObjectType

from takeback.errors import UsageError
from takeback.store.objects import ObjectStore, storing, sync

PREFIX = "refs/takeback/"
_IDENTITY = "takeback <takeback@localhost>"
_NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCommit:
    """A commit as the store keeps it."""

    id: str
    tree: str
    parents: tuple[str, ...]
    message: str
    at_s: int


def commit(store: ObjectStore, tree: str, parents: Sequence[str], message: str, at_ns: int) -> str:
    """The id of a commit by a fixed identity, so that no `user.name` is needed.

    It and everything put before it are on disk when this returns. git keeps whole seconds of `at_ns`.
    """
    signature = f"{_IDENTITY} {at_ns // _NS_PER_S} +0000"
    lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
    lines += [f"author {signature}", f"committer {signature}", "", message]
    raw = "\n".join(lines).encode("utf-8", "surrogateescape")
    object_id = store.put_object(ObjectType.COMMIT, raw)
    store.make_durable()
    return object_id


def read_commit(store: ObjectStore, object_id: str) -> StoredCommit:
    """The commit of that id. Raises Damaged if it is missing."""
    raw = store.read(object_id, ObjectType.COMMIT).decode("utf-8", "surrogateescape")
    header, _, message = raw.partition("\n\n")
    fields = [line.split(" ", 1) for line in header.split("\n")]
    stamp = next(value for name, value in fields if name == "committer").rsplit(" ", 2)[1]
    return StoredCommit(
        id=object_id,
        tree=fields[0][1],
        parents=tuple(value for name, value in fields if name == "parent"),
        message=message,
        at_s=int(stamp),
    )


def set_ref(store: ObjectStore, name: str, object_id: str) -> None:
    """`name` keeps `object_id` from now on, also after a power cut.

    Written here rather than by libgit2, which does not sync before it renames. Several processes may set one name at
    once, as at the first look: each stages a file of its own, and the last one counts.
    """
    path = _path(store, name)
    folder, last = os.path.split(path)
    with storing(f"the name {name}"):
        os.makedirs(folder, mode=0o700, exist_ok=True)
        # git and libgit2 never list a name that ends in `.lock`, so one that a killed process left does no harm.
        descriptor, staged = tempfile.mkstemp(prefix=f"{last}.", suffix=".lock", dir=folder)
        with open(descriptor, "w", encoding="ascii") as file:
            file.write(object_id + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(staged, path)
        _sync_upwards(store, folder)


def delete_ref(store: ObjectStore, name: str) -> None:
    """`name` keeps nothing from now on; a name that is not there needs nothing."""
    path = _path(store, name)
    with storing(f"the name {name}"):
        try:
            os.unlink(path)
        except FileNotFoundError:
            return
        sync(os.path.dirname(path))


def refs(store: ObjectStore, prefix: str = PREFIX) -> dict[str, str]:
    """The names that begin with `prefix`, sorted, and the ids they keep."""
    names = sorted(name for name in store.repository.references if name.startswith(prefix))
    return {name: str(store.repository.lookup_reference(name).target) for name in names}


def _path(store: ObjectStore, name: str) -> str:
    if not name.startswith(PREFIX) or not pygit2.reference_is_valid_name(name):
        raise UsageError(f"{name!r} is no name for a checkpoint")
    return os.path.join(store.path, name)


def _sync_upwards(store: ObjectStore, folder: str) -> None:
    """Sync `folder` and those above it up to the store, for each may be new."""
    while len(folder) > len(store.path):
        sync(folder)
        folder = os.path.dirname(folder)
