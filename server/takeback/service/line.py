"""The side of the channel that asks. Apart from the side that answers, because hooks need it at every tool call."""

from __future__ import annotations

import hashlib
import json
import os
import socket
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

Message = dict[str, Any]

_MAX_PATH_BYTES = 100
"""Some systems take 104 bytes with the final NUL. Source: unix(4) of BSD; Linux has 108."""


class Line:
    """A connection to a running server; close it, or use it in a `with` statement."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._file = connection.makefile("rwb")

    def ask(self, message: Message, timeout_s: float) -> Message | None:
        """The answer; `None` if none came in time or the other side is gone."""
        try:
            self._connection.settimeout(timeout_s)
            self._file.write(json.dumps(message).encode() + b"\n")
            self._file.flush()
            answer = self._file.readline()
        except OSError:
            return None
        return json.loads(answer) if answer else None

    def close(self) -> None:
        """End the connection, and what was begun on it."""
        with suppress(OSError):
            self._file.close()
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.close()


def call(path: str, timeout_s: float) -> Line | None:
    """A connection to the server at `path`; `None` if nobody answers there."""
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(timeout_s)
    try:
        connection.connect(path)
    except OSError:
        connection.close()
        return None
    return Line(connection)


def ask(path: str, message: Message, timeout_s: float) -> Message | None:
    """One question and its answer; `None` if nobody answers in time."""
    line = call(path, timeout_s)
    if line is None:
        return None
    with line:
        return line.ask(message, timeout_s)


def address(state: str, name: str) -> str:
    """Where a socket of a workspace lies: in its state folder, or in a folder with a shorter name."""
    path = os.path.join(state, name)
    if len(os.fsencode(path)) <= _MAX_PATH_BYTES:
        return path
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    base = runtime if os.path.isabs(runtime) and len(runtime) < 60 else _temporary_folder()
    digest = hashlib.sha256(os.fsencode(state)).hexdigest()[:16]
    return os.path.join(base, f"takeback-{os.getuid()}", f"{digest}-{name}")


def _temporary_folder() -> str:
    import tempfile  # noqa: PLC0415 - 4 ms, and hardly ever needed

    return tempfile.gettempdir()
