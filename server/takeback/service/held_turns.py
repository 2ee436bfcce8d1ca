"""Turns that last no longer than the process that began them: it holds a file of the turn while it lives.

turns/<turn>    held by the kernel for that process; a turn whose file nobody holds is over
"""

from __future__ import annotations

import os
from contextlib import ExitStack, suppress

from takeback.files.faults import explained
from takeback.files.holders import hold, is_held
from takeback.model.ids import TurnId

_FOLDER = "turns"


def begin(state: str, turn: TurnId, stack: ExitStack) -> None:
    """Let a turn last no longer than `stack`, and this process. Raises StorageFull without room."""
    place = _place(state, turn)
    with explained("say whose turn it is in", os.path.dirname(place)):
        os.makedirs(os.path.dirname(place), mode=0o700, exist_ok=True)
        stack.callback(os.close, hold(place, str(os.getpid()).encode()))


def is_left(state: str, turn: TurnId) -> bool:
    """Whether whoever held the turn is gone."""
    place = _place(state, turn)
    return os.path.exists(place) and not is_held(place)


def forget(state: str, turn: TurnId) -> None:
    """Nobody needs to know any more who held a turn of this name."""
    with suppress(FileNotFoundError):
        os.unlink(_place(state, turn))


def _place(state: str, turn: TurnId) -> str:
    return os.path.join(state, _FOLDER, turn)
