"""SQLite rows to values and back. An unknown kind is an error, never a guess; a wrong checksum is damage."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from takeback.errors import Damaged
from takeback.model.ids import BlobId, ChangeSeq, FileId, OpId
from takeback.model.operation import Change
from takeback.model.paths import WorkspacePath
from takeback.model.state import FileKind, FileState, Reason
from takeback.model.words import as_text

Row = Sequence[Any]
T = TypeVar("T")

_KINDS = {kind.value: kind for kind in FileKind}
_REASONS = {reason.value: reason for reason in Reason}
"""To look one up costs a tenth of a call of its class, which counts where a thousand changes are read."""


def checksum(row: Row) -> int:
    """The checksum of a record row's values, in column order."""
    return zlib.crc32(repr(tuple(row)).encode("utf-8", "surrogatepass"))


def checked(table: str, row: Row) -> Row:
    """`row` without its checksum. Raises Damaged if the two do not agree."""
    *values, stored = row
    if checksum(values) != stored:
        raise Damaged(f"row {values[0]} of {table} in the journal is not what was written")
    return values


def values_out(values: Iterable[Any]) -> tuple[Any, ...]:
    """Values as SQLite takes them: a word outside UTF-8, wherever it came from, becomes text here."""
    return tuple(as_text(value) if isinstance(value, str) else value for value in values)


def path_out(path: WorkspacePath | None) -> bytes | None:
    """A path as the journal stores it: the file system's own bytes."""
    return None if path is None else os.fsencode(path)


def path_in(raw: bytes) -> WorkspacePath:
    """The path that the journal stored as `raw`."""
    return WorkspacePath(os.fsdecode(raw))


def state_out(state: FileState) -> tuple[Any, ...]:
    """A file state as five columns: kind, blob, mode, size, reason.

    That content was captured and is gone is not the state's own: `losses` say so.
    """
    kind = state.kind.value if state.kind else None
    reason = state.reason.value if state.reason and state.blob is None else None
    return (kind, state.blob, state.mode, state.size_bytes, reason)


def state_in(columns: Row, lost: Mapping[str, Reason]) -> FileState:
    """The file state of five columns. Raises Damaged for a kind that this version does not know.

    `lost` says which content was captured and is gone, and why.
    """
    kind, blob, mode, size, reason = columns
    reason = lost.get(blob, reason)
    try:
        return FileState(
            kind=_KINDS[kind] if kind else None,
            blob=BlobId(blob) if blob else None,
            mode=mode,
            size_bytes=size,
            reason=_REASONS[reason] if reason else None,
        )
    except KeyError as error:
        raise Damaged(f"the journal holds a file state that this version does not know: {error}") from error


def change_in(row: Row, flips: Mapping[ChangeSeq, bool], lost: Mapping[str, Reason]) -> Change:
    """The change of a `changes` row (checksum removed)."""
    seq, op, file, path, moved_from = row[:5]
    return Change(
        seq=ChangeSeq(seq),
        op=OpId(op),
        file=FileId(file),
        path=path_in(path),
        moved_from=path_in(moved_from) if moved_from is not None else None,
        before=state_in(row[5:10], lost),
        after=state_in(row[10:15], lost),
        flips=flips,
    )


def parts(items: Sequence[T], size: int = 900) -> Iterator[Sequence[T]]:
    """`items` in parts that fit the number of parameters SQLite takes."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
