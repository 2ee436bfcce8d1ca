"""A file state as lines, whatever its content is.

A folder has no content. Content without lines (binary, a symlink's target, what was not captured) is one line that holds a token for the
whole. So whatever compares, replaces or merges lines treats it as something that is only ever replaced.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from takeback.model.ids import BlobId
from takeback.model.state import FileKind, FileState, Reason
from takeback.model.text import EMPTY_TEXT, Line, Text, is_binary, join, split

_TOKEN = b"\0"
"""No line of a text file begins so: a NUL makes a file binary."""


def text_of(state: FileState, data: bytes | None) -> Text:
    """The lines of a file state whose content is `data`, or its token."""
    if not state.exists or state.kind is FileKind.DIRECTORY:
        return EMPTY_TEXT
    if state.kind is FileKind.FILE and state.blob is not None and data is not None and not is_binary(data):
        return split(data)
    return Text(lines=(Line(_token(state)),), ending=None, final_newline=None)


def is_same(one: Text, other: Text) -> bool:
    """Whether both are the same content. A token has no ending, whatever the lines before it had."""
    if _tokens(one.lines):
        return one.lines == other.lines
    return join(one) == join(other)


def state_of_token(text: Text, mode: int) -> FileState | None:
    """The state that `text` is a token of; `None` if it has lines of its own.

    Raises ValueError if a token stands among other lines: that is no state of any file.
    """
    tokens = _tokens(text.lines)
    if not tokens:
        return None
    if is_mixed(text.lines):
        raise ValueError("content without lines cannot be merged")
    kind, blob, size, reason = tokens[0][1:].decode().split(" ")
    return FileState(
        kind=FileKind(kind),
        blob=BlobId(blob) if blob != "-" else None,
        mode=mode if kind == FileKind.FILE else 0,
        size_bytes=int(size),
        reason=Reason(reason) if reason != "-" else None,
    )


def is_mixed(lines: Sequence[Line]) -> bool:
    """Whether content without lines stands among others: no file can hold that."""
    return len(lines) > 1 and bool(_tokens(lines))


def _tokens(lines: Iterable[Line]) -> list[bytes]:
    return [line.text for line in lines if line.text.startswith(_TOKEN)]


def _token(state: FileState) -> bytes:
    assert state.kind is not None, "BUG: an absent file has no token"
    fields = (state.kind, state.blob or "-", state.size_bytes, state.reason or "-")
    return _TOKEN + " ".join(map(str, fields)).encode()
