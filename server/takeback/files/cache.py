"""What the last look over a tree saw, so that the next one can prove that most of it is unchanged.

Only a shortcut: it can be thrown away at any time, and is, whenever anything about the file is not as it should be.
Never the only place where something is known.
"""

from __future__ import annotations

import marshal
import os
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from takeback.files.faults import explained

_MAGIC = b"takeback stat cache 2\n"
_CRC_BYTES = 4
PLAIN = 2
"""The version of marshal that writes equal values as equal bytes: later ones mark what is shared."""

Record = tuple[bytes, frozenset[str], tuple[str, ...], int]
"""A folder: its listing (`listing.packed`), the names left out, the folders below that are walked, its number of files.

Names of folders end with `/` in the listing and among those left out.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatCache:
    """The folders that a look walked, by path (the root is empty), each after the one that holds it."""

    folders: Mapping[str, Record] = field(default_factory=dict)

    @property
    def n_files(self) -> int:
        """How many files and links the look counted."""
        return sum(record[3] for record in self.folders.values())

    def left_out(self) -> Iterator[str]:
        """The paths that the look left out, those of folders with their `/`."""
        for folder, (_, left_out, _, _) in self.folders.items():
            yield from (f"{folder}/{name}" if folder else name for name in left_out)


def load_cache(path: str) -> StatCache:
    """The cache saved at `path`; an empty one when there is none, or it is damaged or of another version."""
    try:
        with open(path, "rb") as file:
            saved = file.read()
    except OSError:
        return StatCache()
    crc, packed = saved[len(_MAGIC) : len(_MAGIC) + _CRC_BYTES], saved[len(_MAGIC) + _CRC_BYTES :]
    if not saved.startswith(_MAGIC) or crc != _crc(packed):
        return StatCache()
    try:
        return StatCache(folders=marshal.loads(packed))  # noqa: S302  # our own file, only owner-writable, and checked
    except (EOFError, TypeError, ValueError):
        return StatCache()


def save_cache(cache: StatCache, path: str) -> None:
    """`path` holds `cache`, in one step and not synced: after a power cut it may be empty, which is only slower.

    Raises StorageFull or Refused when it cannot be written.
    """
    packed = marshal.dumps(dict(cache.folders), PLAIN)
    new = f"{path}.{os.getpid()}.new"
    with explained("save the stat cache", path):
        try:
            with open(
                os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb"
            ) as file:
                file.write(_MAGIC + _crc(packed))
                file.write(packed)
            os.replace(new, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(new)
            raise


def _crc(packed: bytes) -> bytes:
    return zlib.crc32(packed).to_bytes(_CRC_BYTES, "big")
