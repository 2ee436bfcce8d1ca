"""How much room the store takes, with what it shares with the user's repository counted apart."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from takeback.store.objects import ObjectStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """The store on disk."""

    own_bytes: int
    """In files that nothing else links to: what the cap counts."""
    linked_bytes: int
    """In files that the user's repository holds too."""
    loose_objects: int


def usage(store: ObjectStore) -> Usage:
    """What the store takes on disk. Cost: one `stat` for each of its files."""
    own = linked = loose = 0
    for entry in _files(store.path):
        try:
            stat = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue
        if stat.st_nlink > 1:
            linked += stat.st_size
        else:
            own += stat.st_size
        loose += len(os.path.basename(os.path.dirname(entry.path))) == 2
    return Usage(own_bytes=own, linked_bytes=linked, loose_objects=loose)


def _files(folder: str) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _files(entry.path)
            else:
                yield entry
