"""Messages of the language server protocol, as they go over a pipe."""

from __future__ import annotations

import json
from typing import IO, Any

Message = dict[str, Any]


def send(stream: IO[bytes], message: Message) -> None:
    """Write one message."""
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    stream.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    stream.flush()


def receive(stream: IO[bytes]) -> Message:
    """Wait for the next message. Raises RuntimeError if the server ended."""
    length = 0
    while line := stream.readline().strip():
        if line.lower().startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    if not length:
        raise RuntimeError("the server ended")
    message: Message = json.loads(stream.read(length))
    return message
