"""What an editor sends counts as unheard from the moment that it is in the pipe until it was handled."""

from __future__ import annotations

import asyncio
import os

from editor import until
from takeback.lsp.incoming import Incoming

MESSAGE = b"Content-Length: 2\r\n\r\n{}"


async def message(incoming):
    """The next message, as pygls reads it."""
    header = await incoming.readline()
    await incoming.readline()
    return await incoming.readexactly(int(header.split()[1])) if header else b""


def test_what_is_sent_is_unheard_until_the_next_message_is_asked_for():
    """Neither in the pipe, nor read, nor while it is handled counts it as heard."""

    async def story(read_end, write_end):
        incoming = Incoming(read_end)
        assert not incoming.is_behind
        os.write(write_end, MESSAGE * 2)
        assert incoming.is_behind
        assert await message(incoming) == b"{}"
        assert incoming.is_behind
        assert await message(incoming) == b"{}"
        assert incoming.is_behind  # it is being handled
        waiting = asyncio.create_task(message(incoming))
        await until(lambda: not incoming.is_behind)
        os.write(write_end, MESSAGE[:5])
        assert incoming.is_behind
        os.write(write_end, MESSAGE[5:])
        assert await waiting == b"{}"

    piped(story)


def test_the_end_is_an_empty_line():
    """Half a message and then the end is no message; nothing is unheard then."""

    async def story(read_end, write_end):
        incoming = Incoming(read_end)
        os.write(write_end, MESSAGE[:-1])
        os.close(write_end)
        assert await message(incoming) == b""
        assert await incoming.readline() == b""

    piped(story, is_closed=True)


def test_a_message_may_be_larger_than_a_pipe():
    """Bodies come in pieces."""
    body = b"x" * 300_000

    async def story(read_end, write_end):
        incoming = Incoming(read_end)
        sent = asyncio.create_task(
            asyncio.to_thread(write_all, write_end, b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        )
        assert await message(incoming) == body
        await sent

    piped(story)


def test_a_file_is_read_whole(tmp_path):
    """Input from a file, which no loop can wait for, is there at once."""
    (tmp_path / "messages").write_bytes(MESSAGE * 2)

    async def story(descriptor):
        incoming = Incoming(descriptor)
        assert [await message(incoming) for _ in range(3)] == [b"{}", b"{}", b""]

    with (tmp_path / "messages").open("rb") as file:
        asyncio.run(story(file.fileno()))


def write_all(descriptor, data):
    """Write everything, however little the pipe takes at once."""
    while data:
        data = data[os.write(descriptor, data) :]


def piped(story, *, is_closed=False):
    """Let a story happen between the ends of a pipe."""
    read_end, write_end = os.pipe()
    try:
        asyncio.run(story(read_end, write_end))
    finally:
        os.close(read_end)
        if not is_closed:
            os.close(write_end)
