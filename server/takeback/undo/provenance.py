"""Which operation last wrote each line of a text, kept while somebody types. Pure.

It comes from the weave that undo goes by, so what a lens names is what taking that back would take away. From then on
it follows the text: lines that are replaced are nobody's operation yet, all others keep their mark.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from takeback.model.ids import ChangeSeq, OpId, fall_of
from takeback.model.text import Span
from takeback.undo.fold import Folded, Step
from takeback.undo.weave import Atom


class Mark(NamedTuple):
    """Who wrote a line: one hunk of an operation."""

    op: OpId
    hunk: int
    """From 1, within its operation and file; 0 where it came with the whole file."""


UNSAVED = Mark(OpId(0), 0)
"""Typed in an editor, and not recorded yet."""


class Gone(NamedTuple):
    """Lines that a hunk removed and put nothing in their place."""

    line: int
    """Before which line they were."""
    mark: Mark


@dataclass(slots=True, kw_only=True)
class Provenance:
    """The marks of a text; they change with it."""

    lines: list[Mark | None]
    """One for each line; `None`: it is older than what is recorded."""
    gone: list[Gone]
    """In order."""

    def replace(self, start: int, end: int, n: int, mark: Mark | None = UNSAVED) -> None:
        """Lines `start` to `end` became `n` others. Cost: what the lines behind take to move, some microseconds."""
        self.lines[start:end] = [mark] * n
        if self.gone:
            self.gone = [Gone(_moved(one.line, start, end, n), one.mark) for one in self.gone]

    def carry(self, spans: Sequence[Span], mark: Mark | None) -> None:
        """Go over to another text, which differs in `spans`; what is new there is `mark`'s."""
        for start, end, first, last in reversed(spans):
            self.replace(start, end, last - first, mark)


def _moved(line: int, start: int, end: int, n: int) -> int:
    if line <= start:
        return line
    return line + n - (end - start) if line >= end else start


def provenance(folded: Folded, steps: Iterable[Step]) -> Provenance:
    """The marks of the lines that show in a file. `steps` are all that it was folded from."""
    marks = _marks(steps)
    standing = folded.weave.standing
    lines = [marks.get(atom.writer(standing)) for atom in folded.weave.shown()]
    return Provenance(lines=lines, gone=_gone(folded, marks))


def _marks(steps: Iterable[Step]) -> Mapping[tuple[ChangeSeq, ChangeSeq], Mark]:
    """By change and fall: the hunks as they are numbered for people (`service.hunks`)."""
    found: dict[tuple[ChangeSeq, ChangeSeq], Mark] = {}
    numbered: dict[OpId, int] = {}
    for step in steps:
        change = step.change
        stays = change.before.exists and change.after.exists
        for n in range(len(step.rewrite.hunks) if step.rewrite else 0):
            before = numbered.get(change.op, 0)
            found[change.seq, fall_of(change.seq, n)] = Mark(change.op, before + 1 if stays else 0)
            numbered[change.op] = before + stays
    return found


def _gone(folded: Folded, marks: Mapping[tuple[ChangeSeq, ChangeSeq], Mark]) -> list[Gone]:
    weave = folded.weave
    alone = {
        hunk.removed[-1]: marks[hunk.seq, hunk.hunk.fall]
        for hunk in weave.replacements
        if hunk.removed
        and not hunk.hunk.inserted
        and hunk.stands(weave.standing)
        and (hunk.seq, hunk.hunk.fall) in marks
    }
    return _placed(weave.atoms(), alone) if alone else []


def _placed(atoms: Iterable[Atom], alone: Mapping[Atom, Mark]) -> list[Gone]:
    """Where removed lines were; not where they show again."""
    found, line = [], 0
    for atom in atoms:
        if atom.shows:
            line += 1
        elif atom in alone:
            found.append(Gone(line, alone[atom]))
    return found
