"""How processes of one workspace talk: lines of JSON over a unix socket that only its owner can open.

One line asks, one line answers. A connection that is cut ends whatever was begun on it, so a process that is killed
leaves nothing open. `line` has the side that asks; no other module than these two imports socket.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import threading
from collections.abc import Callable
from contextlib import suppress

from takeback.service.line import Line as Line  # noqa: PLC0414 - others find it here
from takeback.service.line import Message as Message  # noqa: PLC0414 - others find it here
from takeback.service.line import address as address  # noqa: PLC0414 - others find it here
from takeback.service.line import ask as ask  # noqa: PLC0414 - others find it here
from takeback.service.line import call as call  # noqa: PLC0414 - others find it here

logger = logging.getLogger(__name__)


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
