"""Names of things, so that one number is not taken for another."""

from __future__ import annotations

from typing import NewType

OpId = NewType("OpId", int)
"""An operation: dense, increasing from 1 in one workspace. 0 is the moment before the first."""

ChangeSeq = NewType("ChangeSeq", int)
"""One change of one path: dense, increasing from 1 in one workspace."""

FileId = NewType("FileId", int)
"""A file through all its renames: the sequence number of the change that first named it."""

BlobId = NewType("BlobId", str)
"""The git object id of some content, as 40 hexadecimal digits."""

TurnId = NewType("TurnId", str)
"""A turn: `turn-` and a number."""

CheckpointId = NewType("CheckpointId", str)
"""A checkpoint: `cp-` and a number."""

_MOST_DIGITS = 20
"""More than any id has; Python itself reads no more than some thousand."""


def number_in(digits: str) -> int:
    """The number that decimal digits name; of too many, one that is no id either."""
    return int(digits[:_MOST_DIGITS])
