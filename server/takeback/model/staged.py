"""The names of files on their way from one state to another: Takeback's own, so nobody's to record.

    .takeback-TOKEN-NUMBER        and the same with -old or -back behind it

Exactly these names are passed over: what a user calls `.takeback-notes` is the user's.
"""

from __future__ import annotations

import re

_STAGED = re.compile(r"\.takeback-([0-9a-f]{12})-\d+(-back)?(-old)?", re.ASCII)


def staged_name(token: str, number: int) -> str:
    """The name of the file number `number` of the intent with this token."""
    return f".takeback-{token}-{number}"


def token_of(name: str) -> str | None:
    """The token of the intent that a name belongs to; `None` if it is no name of Takeback's."""
    found = _STAGED.fullmatch(name)
    return found[1] if found else None


def is_own_name(name: str) -> bool:
    """Whether one name in a path is git's own folder or one of our unfinished files."""
    return name == ".git" or token_of(name) is not None
