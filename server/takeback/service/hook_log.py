"""What went wrong in hooks: an agent shows it to nobody, so it is kept where `status` and `doctor` find it."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime

_MAX_BYTES = 1 << 16
_NAME = "hooks.log"


def note(folder: str, text: str) -> None:
    """Keep one line. Never raises: this is where failures end."""
    moment = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    with suppress(OSError):
        os.makedirs(folder, mode=0o700, exist_ok=True)
        path = os.path.join(folder, _NAME)
        if os.path.exists(path) and os.path.getsize(path) > _MAX_BYTES:
            os.replace(path, path + ".old")
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(f"{moment} {_line(text)}\n")


def note_once(folder: str, text: str) -> None:
    """The same, unless the log says so already."""
    with suppress(OSError), open(os.path.join(folder, _NAME), encoding="utf-8", errors="replace") as file:
        if any(line.partition(" ")[2] == f"{_line(text)}\n" for line in file):
            return
    note(folder, text)


def last(folder: str) -> str:
    """The newest line; empty if nothing went wrong."""
    try:
        with open(os.path.join(folder, _NAME), encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
    except OSError:
        return ""
    return lines[-1] if lines else ""


def _line(text: str) -> str:
    return " ".join(text.split()).encode("utf-8", "backslashreplace").decode()
