"""Names of things, so that one number is not taken for another."""

from __future__ import annotations

from typing import NewType

OpId = NewType("OpId", int)
"""An operation: dense, increasing from 1 in one workspace. 0 is the moment before the first."""

ChangeSeq = NewType("ChangeSeq", int)
"""One change of one path: dense, increasing from 1 in one workspace."""

_HUNK_BITS = 20
"""So many hunks of one change can be told apart: about a million."""

NO_FALL = ChangeSeq(-1)
"""No hunk's fall: what fell with no hunk alone."""


def fall_of(seq: ChangeSeq, hunk: int) -> ChangeSeq:
    """The fall of one hunk of a change, counted from 0: it takes part like a change, under a negative number.

    Unlike a change it does not stand until it is flipped; while it stands, the hunk does not.
    """
    return ChangeSeq(-(seq << _HUNK_BITS | hunk)) if hunk < 1 << _HUNK_BITS else NO_FALL


def is_fall(seq: ChangeSeq) -> bool:
    """Whether this is the fall of a hunk, and no change."""
    return seq < 0


def change_of(seq: ChangeSeq) -> ChangeSeq:
    """The change itself, or the one that a fallen hunk is of."""
    return ChangeSeq(-seq >> _HUNK_BITS) if seq < 0 else seq


def falls_of(first: ChangeSeq, last: ChangeSeq) -> tuple[ChangeSeq, ChangeSeq]:
    """The least and the greatest number that is the fall of a hunk of the changes from `first` to `last`."""
    return ChangeSeq(-((last + 1) << _HUNK_BITS) + 1), ChangeSeq(-(first << _HUNK_BITS))


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
