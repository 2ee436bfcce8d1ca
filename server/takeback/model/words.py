"""Words from outside as text: the names of branches, commands and actors may hold bytes that are no UTF-8."""

from __future__ import annotations


def as_text(words: str) -> str:
    r"""`words` in UTF-8. A byte that is none is written out, as a terminal shows it: `caf\udce9`.

    So two names that differ still do. Not for paths: those are kept as bytes.
    """
    return words.encode("utf-8", "backslashreplace").decode()
