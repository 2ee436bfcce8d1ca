"""What lies in the store's files, and how much room each object takes there.

A file with a second name is shared with the user's repository: it costs nothing, and it is never rewritten.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from takeback.store.objects import ObjectStore

_PACK = re.compile(r"pack-[0-9a-f]{40}\.pack")
_FAN_OUT = re.compile(r"[0-9a-f]{2}")
_LOOSE = re.compile(r"[0-9a-f]{38}")
_MAGIC = b"\xfftOc\x00\x00\x00\x02"
_ID_BYTES = 20
_LARGE = 1 << 31


@dataclass(frozen=True, slots=True, kw_only=True)
class Loose:
    """An object in a file of its own."""

    id: str
    size_bytes: int
    linked: bool
    at_ns: int
    """When it was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """A file of many objects, with its index beside it."""

    path: str
    size_bytes: int
    linked: bool

    @property
    def index_path(self) -> str:
        """Where its index lies."""
        return self.path.removesuffix(".pack") + ".idx"


def loose_objects(store: ObjectStore) -> Iterator[Loose]:
    """Every loose object. Cost: one `stat` for each."""
    for fan_out in filter(_FAN_OUT.fullmatch, os.listdir(store.objects_path)):
        with os.scandir(os.path.join(store.objects_path, fan_out)) as entries:
            for entry in entries:
                if _LOOSE.fullmatch(entry.name):
                    stat = entry.stat(follow_symlinks=False)
                    yield Loose(
                        id=fan_out + entry.name,
                        size_bytes=stat.st_size,
                        linked=stat.st_nlink > 1,
                        at_ns=stat.st_mtime_ns,
                    )


def packs(store: ObjectStore) -> tuple[Pack, ...]:
    """Every pack that has an index, through which alone it can be read."""
    folder = os.path.join(store.objects_path, "pack")
    found = []
    for name in sorted(filter(_PACK.fullmatch, os.listdir(folder))):
        stat = os.lstat(os.path.join(folder, name))
        pack = Pack(path=os.path.join(folder, name), size_bytes=stat.st_size, linked=stat.st_nlink > 1)
        if os.path.exists(pack.index_path):
            found.append(pack)
    return tuple(found)


def packed_objects(pack: Pack) -> Mapping[str, int]:
    """The objects of a pack, and the bytes that each takes in it.

    Read from the index. Source: gitformat-pack(5), "Version 2 pack-*.idx files support packs larger than 4 GiB".
    """
    with open(pack.index_path, "rb") as file:
        data = file.read()
    if not data.startswith(_MAGIC):
        return {}
    n = int(struct.unpack_from(">I", data, len(_MAGIC) + 255 * 4)[0])
    ids_at = len(_MAGIC) + 256 * 4
    offsets_at = ids_at + n * (_ID_BYTES + 4)
    large_at = offsets_at + n * 4
    offsets = []
    for number, offset in enumerate(struct.unpack_from(f">{n}I", data, offsets_at)):
        at = (
            offset if offset < _LARGE else struct.unpack_from(">Q", data, large_at + (offset - _LARGE) * 8)[0]
        )
        offsets.append((at, number))
    offsets.sort()
    ends = [at for at, _ in offsets[1:]] + [max(pack.size_bytes - _ID_BYTES, 0)]
    found = {}
    for (start, number), end in zip(offsets, ends, strict=True):
        place = ids_at + number * _ID_BYTES
        found[data[place : place + _ID_BYTES].hex()] = end - start
    return found
