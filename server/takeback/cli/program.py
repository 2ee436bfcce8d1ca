"""The whole program: importing a module of commands registers them."""

from __future__ import annotations

from takeback.cli import checkpoints, demo, reading, recording, taking_back
from takeback.cli.app import run

__all__ = ["checkpoints", "demo", "reading", "recording", "run", "taking_back"]
