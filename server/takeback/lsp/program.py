"""`takeback lsp`: the server on standard input and output, or on a port of this machine for one client."""

from __future__ import annotations

import ipaddress
import logging
import sys

from takeback.errors import UsageError
from takeback.lsp.handlers import register
from takeback.lsp.server import Server


def serve() -> None:
    """Serve on standard input and output until the client ends it."""
    _started().start_io()


def serve_tcp(address: str) -> None:
    """Serve one client on `HOST:PORT`. Raises UsageError for anything but a loopback address."""
    host, _, port = address.rpartition(":")
    if not port.isdecimal() or not _is_loopback(host):
        raise UsageError(f"{address!r} is no address of this machine", hint="For example 127.0.0.1:8765.")
    _started().start_tcp(host.strip("[]"), int(port))


def _started() -> Server:
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)  # standard output belongs to the protocol
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
