"""What a look of the tree knew when it began, kept beside its cache: only a shortcut, which can be thrown away."""

from __future__ import annotations

import os
from dataclasses import dataclass

from takeback.files.faults import explained
from takeback.journal import views
from takeback.model.ids import ChangeSeq


@dataclass(frozen=True, slots=True, kw_only=True)
class Until:
    """The moment until which everything was looked at."""

    change: ChangeSeq
    """The last change in the journal."""
    index: str
    """The index of git's, as `IgnoreRules.index_token` tells it."""


def load_until(path: str) -> Until:
    """What `save_until` wrote; the beginning of everything where there is nothing, or nothing that can be read."""
    try:
        with open(path, encoding="ascii") as file:
            change, _, index = file.read().partition(" ")
        return Until(change=ChangeSeq(int(change)), index=index)
    except (OSError, ValueError):
        return Until(change=views.START, index="")


def save_until(until: Until, path: str) -> None:
    """`path` holds `until`, in one step. Raises StorageFull or Refused when it cannot be written."""
    temporary = f"{path}.{os.getpid()}"
    with explained("write", temporary):
        with open(temporary, "w", encoding="ascii") as file:
            file.write(f"{until.change} {until.index}")
        os.replace(temporary, path)
