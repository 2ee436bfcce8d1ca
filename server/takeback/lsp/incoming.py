"""What the editor sends on standard input, and whether all of it has been heard.

An editor tells what it types before it writes the file, so who wrote a file can be said once nothing is left unread.
The loop reads, when there is something: what is not read yet is still in the pipe, where any thread can see it.
"""

from __future__ import annotations

import asyncio
import os
import select
from contextlib import suppress

_CHUNK_BYTES = 1 << 16


class Incoming:
    """Reads messages for pygls, on the loop that made it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._loop = asyncio.get_running_loop()
        self._unread = bytearray()
        self._is_over = False
        self._is_heard = True
        """Whether everything that was read has been handled."""
        self._came = asyncio.Event()
        try:
            self._loop.add_reader(descriptor, self._take)
        except PermissionError:  # a file: all of it is there
            while not self._is_over:
                self._take()

    @property
    def is_behind(self) -> bool:
        """Whether something was sent that is not handled yet. Any thread may ask.

        In this order: what left the pipe counts as unheard before it leaves.
        """
        return self._waits_in_pipe() or not self._is_heard

    def _waits_in_pipe(self) -> bool:
        if self._is_over:
            return False
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        return any(event & select.POLLIN for _, event in poll.poll(0))

    def _take(self) -> None:
        self._is_heard = False
        data = b""
        with suppress(OSError):  # a terminal that was closed
            data = os.read(self._descriptor, _CHUNK_BYTES)
        if not data:
            self._is_over = True
            self._loop.remove_reader(self._descriptor)
        self._unread += data
        self._came.set()

    async def readline(self) -> bytes:
        """The next line with its end; empty if nothing comes any more."""
        while (end := self._unread.find(b"\n")) < 0 and not self._is_over:
            await self._more()
        return self._cut(end + 1)

    async def readexactly(self, n_bytes: int) -> bytes:
        """So many bytes; empty if not so many come any more."""
        await asyncio.sleep(0)  # whatever else waits has its turn between two messages
        while len(self._unread) < n_bytes and not self._is_over:
            await self._more()
        return self._cut(n_bytes) if len(self._unread) >= n_bytes else b""

    async def _more(self) -> None:
        self._came.clear()
        self._is_heard = not self._unread
        await self._came.wait()

    def _cut(self, n_bytes: int) -> bytes:
        cut = bytes(self._unread[:n_bytes])
        del self._unread[:n_bytes]
        return cut
