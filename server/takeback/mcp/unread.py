"""Messages that cannot be read: the protocol's library drops them, and a client would wait for its answer for ever.

It reads JSON of at most 200 levels, and no half characters. Which request it was is found all the same, however deep or
broken the rest is, and answered with an error of the protocol.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage
from mcp_types import INVALID_REQUEST, PARSE_ERROR, ErrorData, JSONRPCError
from pydantic import ValidationError

logger = logging.getLogger(__name__)

Heard = SessionMessage | Exception
Say = Callable[[SessionMessage], Awaitable[None]]

_PART = re.compile(r'"(?:[^"\\]++|\\.)*+"|[{}\[\]:,]|[^\s"{}\[\]:,]++')
_BEGIN, _END = frozenset("{["), frozenset("}]")
_INTEGER = re.compile(r"-?\d{1,18}")


@asynccontextmanager
async def answered(heard: AsyncIterable[Heard], say: Say) -> AsyncIterator[MemoryObjectReceiveStream[Heard]]:
    """What is heard and can be read, while what cannot be is answered."""
    onward, readable = anyio.create_memory_object_stream[Heard](0)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_sort, heard, onward, say)
        yield readable
        tasks.cancel_scope.cancel()


async def _sort(heard: AsyncIterable[Heard], onward: MemoryObjectSendStream[Heard], say: Say) -> None:
    async with onward:
        async for one in heard:
            answer = _answer(one) if isinstance(one, ValidationError) else None
            if answer is not None:
                await say(SessionMessage(answer))
            else:
                await onward.send(one)


def _answer(problem: ValidationError) -> JSONRPCError | None:
    """What a client gets for a message that cannot be read; `None` if it was no request."""
    errors = problem.errors(include_url=False)
    first = errors[0]
    logger.warning("a message cannot be read: %s", first["msg"])
    is_broken = first["type"] == "json_invalid"
    request = request_in(str(first["input"])) if is_broken else _request_of([one["input"] for one in errors])
    if request is None:
        return None
    code = PARSE_ERROR if is_broken else INVALID_REQUEST
    error = ErrorData(code=code, message=f"the message cannot be read: {first['msg']}")
    return JSONRPCError(jsonrpc="2.0", id=request, error=error)


def _request_of(parts: Sequence[Any]) -> int | str | None:
    """The id of a request of which these are parts, one of them perhaps the whole."""
    for part in parts:
        if isinstance(part, Mapping) and "method" in part and type(part.get("id")) in (int, str):
            found: int | str = part["id"]
            return found
    return None


def request_in(line: str) -> int | str | None:
    """The id of the request in a text that need not be JSON as a whole; `None` if there is none, or it has none."""
    found: dict[str, str] = {}
    depth, key, last = 0, "", ""
    for match in _PART.finditer(line):
        part = match[0]
        if depth == 1 and last == ":" and part not in _BEGIN:
            found.setdefault(key, part)
        depth += (part in _BEGIN) - (part in _END)
        if part == ":":
            key = last
        last = part
    return _id(found['"id"']) if {'"id"', '"method"'} <= found.keys() else None


def _id(text: str) -> int | str | None:
    if _INTEGER.fullmatch(text):
        return int(text)
    try:
        found = json.loads(text)
        found.encode()
    except (ValueError, AttributeError):  # no JSON, half a character, or no text
        return None
    return str(found)
