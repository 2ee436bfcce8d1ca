"""Reads an object that lies in a file of its own.

Not through libgit2, which up to 1.9 never ends on a file that a power cut left short (its issue 7342), and writes past
its buffer where an object says that it is smaller than it is (7177): the user's repository may hold such a one.
"""

from __future__ import annotations

import hashlib
import zlib

from pygit2.enums import ObjectType

from takeback.errors import Damaged

_KINDS = {one.name.lower().encode(): one for one in (ObjectType.BLOB, ObjectType.TREE, ObjectType.COMMIT)}


def read_loose(path: str, object_id: str) -> tuple[ObjectType, bytes] | None:
    """The kind and the raw bytes of the object in this file; `None` if there is no such file.

    Raises Damaged if it is not what its id says. Source: gitrepository-layout(5), "objects/[0-9a-f][0-9a-f]".
    """
    try:
        with open(path, "rb") as file:
            raw = zlib.decompress(file.read())
    except FileNotFoundError:
        return None
    except (OSError, zlib.error) as exc:
        raise Damaged(f"object {object_id} cannot be read: {exc}") from exc
    header, _, data = raw.partition(b"\0")
    kind = _KINDS.get(header.partition(b" ")[0])
    if kind is None or hashlib.sha1(raw, usedforsecurity=False).hexdigest() != object_id:
        raise Damaged(f"object {object_id} is not what was written")
    return kind, data
