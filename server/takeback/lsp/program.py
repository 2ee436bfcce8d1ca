"""`takeback lsp`: the server on standard input and output, or on a port of this machine for one client."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import sys
from asyncio import StreamReader, StreamWriter
from threading import Event
from typing import TYPE_CHECKING

from pygls.io_ import StdoutWriter, run_async

from takeback.errors import UsageError
from takeback.lsp.handlers import register
from takeback.lsp.incoming import Incoming
from takeback.lsp.server import Server

if TYPE_CHECKING:
    from pygls.io_ import AsyncReader, AsyncWriter, Writer

logger = logging.getLogger(__name__)

_LAST_PORT = 65_535
_SWITCH_S = 0.0005
"""How soon the loop may run while threads work. With Python's 5 ms, two that wait for the disk by turns starve it for 0.1 s."""


def serve() -> None:
    """Serve on standard input and output until the client ends it."""
    if sys.stdin is None or sys.stdout is None:  # where it was closed
        sys.exit(
            "error: an editor talks to `takeback lsp` by standard input and output, and one of them is closed"
        )
    server = _started()
    try:
        asyncio.run(_serve(server))
    except BrokenPipeError:
        logger.warning("the editor no longer listens")
    finally:
        server.shutdown()  # type: ignore[no-untyped-call]  # pygls gives it no types


async def _serve(server: Server) -> None:
    incoming = Incoming(sys.stdin.fileno())
    server.is_behind = lambda: incoming.is_behind
    await _run(server, incoming, StdoutWriter(sys.stdout.buffer))


async def _run(server: Server, reader: AsyncReader, writer: Writer | AsyncWriter) -> None:
    server.protocol.set_writer(writer)
    await run_async(
        stop_event=Event(),
        reader=reader,
        protocol=server.protocol,
        logger=logger,
        error_handler=server.report_server_error,
    )


def serve_tcp(address: str) -> None:
    """Serve the first client that connects to `HOST:PORT`, until it ends.

    Nobody is asked who they are: whoever may connect to this machine's own addresses may be that client. Raises
    UsageError for anything but a loopback address, and where nobody can listen.
    """
    host, _, port = address.rpartition(":")
    if not (port.isdecimal() and int(port) <= _LAST_PORT and _is_loopback(host)):
        raise UsageError(f"{address!r} is no address of this machine", hint="For example 127.0.0.1:8765.")
    asyncio.run(_serve_first(host.strip("[]"), int(port)))


async def _serve_first(host: str, port: int) -> None:
    server = _started()
    await _run(server, *await _first_connection(host, port))


async def _first_connection(host: str, port: int) -> tuple[StreamReader, StreamWriter]:
    """The first connection; every other one is refused, for there is one protocol with one client's documents."""
    first: asyncio.Future[tuple[StreamReader, StreamWriter]] = asyncio.get_running_loop().create_future()

    def connected(reader: StreamReader, writer: StreamWriter) -> None:
        if first.done():
            writer.close()
        else:
            first.set_result((reader, writer))

    try:
        listening = await asyncio.start_server(connected, host, port)
    except OSError as problem:
        text = f"{host}:{port} cannot be listened on: {problem.strerror}"
        raise UsageError(text, hint="Perhaps another server listens there; name another port.") from problem
    try:
        return await first
    finally:
        listening.close()


def _started() -> Server:
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)  # standard output belongs to the protocol
    sys.setswitchinterval(_SWITCH_S)
    server = Server()
    register(server)
    return server


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
