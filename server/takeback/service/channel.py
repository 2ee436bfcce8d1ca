"""How processes of one workspace talk: lines of JSON over a unix socket that only its owner can open.

One line asks, one line answers. A connection that is cut ends whatever was begun on it, so a process that is killed
leaves nothing open. The only module that imports socket.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import socket
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

logger = logging.getLogger(__name__)

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
    base = runtime if os.path.isabs(runtime) and len(runtime) < 60 else tempfile.gettempdir()
    digest = hashlib.sha256(os.fsencode(state)).hexdigest()[:16]
    return os.path.join(base, f"takeback-{os.getuid()}", f"{digest}-{name}")


class Listener:
    """Answers at one address until closed, each connection on a thread of its own."""

    def __init__(
        self,
        path: str,
        answer: Callable[[int, Message], Message],
        hung_up: Callable[[int], None] = lambda _: None,
    ) -> None:
        """`answer` gets the number of the connection and the message. Raises OSError if the address cannot be had."""
        self._path = path
        self._answer = answer
        self._hung_up = hung_up
        _private_folder(os.path.dirname(path))
        with suppress(FileNotFoundError):
            os.unlink(path)  # whoever left it is dead: only one process at a time may have this address
        self._socket = socket.socket(socket.AF_UNIX)
        mask = os.umask(0o177)
        try:
            self._socket.bind(path)
        finally:
            os.umask(mask)
        self._socket.listen()
        threading.Thread(target=self._accept, name="takeback-listen", daemon=True).start()

    def close(self) -> None:
        """Answer no longer."""
        with suppress(OSError):
            os.unlink(self._path)
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._socket.close()

    def _accept(self) -> None:
        number = 0
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            number += 1
            threading.Thread(
                target=self._serve, args=(number, connection), name="takeback-answer", daemon=True
            ).start()

    def _serve(self, number: int, connection: socket.socket) -> None:
        try:
            with connection, connection.makefile("rwb") as lines:
                for line in lines:
                    lines.write(json.dumps(self._answered(number, line)).encode() + b"\n")
                    lines.flush()
        except OSError:
            logger.debug("a connection was cut")
        finally:
            self._hung_up(number)

    def _answered(self, number: int, line: bytes) -> Message:
        try:
            return self._answer(number, json.loads(line))
        except Exception:  # the edge of this process: the other side must get an answer
            logger.exception("a request could not be answered")
            return {"failed": True}


def _private_folder(folder: str) -> None:
    os.makedirs(folder, mode=0o700, exist_ok=True)
    stat = os.lstat(folder)
    if stat.st_uid != os.getuid() or stat.st_mode & 0o077:
        raise PermissionError(f"{folder} is not private")
