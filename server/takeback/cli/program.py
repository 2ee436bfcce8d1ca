"""The whole program: importing a module of commands registers them."""

from __future__ import annotations

from takeback.cli import (
    checkpoints,
    demo,
    editor,
    hook,
    maintenance,
    mcp,
    reading,
    recording,
    taking_back,
    watching,
)
from takeback.cli.app import run

__all__ = [
    "checkpoints",
    "demo",
    "editor",
    "hook",
    "maintenance",
    "mcp",
    "reading",
    "recording",
    "run",
    "taking_back",
    "watching",
]
