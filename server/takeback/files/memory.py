"""Memory that was needed once."""

from __future__ import annotations

from contextlib import suppress


def give_back() -> None:
    """Let the system have what was freed: glibc keeps it, and a server lives for days. Elsewhere it does nothing."""
    import ctypes  # noqa: PLC0415 - only a first look needs it, and it takes a command's time to import

    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
