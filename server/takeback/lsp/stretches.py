"""Stretches of a document that an operation of somebody else wrote: where lenses, hovers, hints and actions are. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # importing the core takes longer than answering `initialize` may
    from takeback.service.provenance import Author, Authorship, Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Lines in a row that one hunk of an operation wrote, or the place where it removed some."""

    start: int
    end: int
    """Lines as the editor counts them, `[start:end]`; both the same where lines were removed before `start`."""
    hunk: int
    """0: it came with the whole file."""
    author: Author

    @property
    def is_gone(self) -> bool:
        """Whether it is where lines were removed."""
        return self.start == self.end

    def meets(self, first: int, last: int) -> bool:
        """Whether it concerns one of the lines `first` to `last`."""
        return self.start <= last and (self.end > first or (self.is_gone and self.start >= first))


def stretches(authorship: Authorship, text: str) -> tuple[Stretch, ...]:
    """The stretches of a document that shows `text`, in order."""
    line = _editor_lines(text)
    found = [
        Stretch(start=line(start), end=line(end), hunk=mark.hunk, author=authorship.authors[mark.op])
        for start, end, mark in (*_runs(authorship), *_removals(authorship))
        if mark.op in authorship.authors
    ]
    return tuple(sorted(found, key=lambda one: (one.start, one.end)))


def _runs(authorship: Authorship) -> Iterator[tuple[int, int, Mark]]:
    at = 0
    for mark, run in groupby(authorship.provenance.lines):
        n = len(tuple(run))
        if mark is not None:
            yield at, at + n, mark
        at += n


def _removals(authorship: Authorship) -> Iterator[tuple[int, int, Mark]]:
    return ((one.line, one.line, one.mark) for one in authorship.provenance.gone)


class _Lines:
    """Which line of an editor each line between line feeds begins at: editors count a lone CR as an ending, too."""

    def __init__(self, text: str) -> None:
        self._extra = [
            line
            for line, piece in enumerate(text.replace("\r\n", "\n").split("\n"))
            for _ in range(piece.count("\r"))
        ]

    def __call__(self, line: int) -> int:
        return line + bisect_right(self._extra, line - 1)


def _editor_lines(text: str) -> _Lines | type[int]:
    has_lone = text.count("\r") > text.count("\r\n")
    return _Lines(text) if has_lone else int


def foreign(found: Sequence[Stretch]) -> tuple[Stretch, ...]:
    """Those of others that nobody has kept yet: the changes that a person may want to look at."""
    return tuple(one for one in found if one.author.is_foreign and not one.author.kept)
