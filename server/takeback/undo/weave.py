"""The lines of one file through all its history, each with its own identity.

    history          atoms, in file order                      shown while all stand
    base: a b c      a[base+] b[base+] c[base+]                a b c
    1: b -> B        a b[base+ 1-] B[1+] c                     a B c
    2: append d      a b[base+ 1-] B[1+] c d[2+]               a B c d
    undo 1           (nothing is written: 1 no longer stands)  a b c d

An atom is one line that some change wrote. Its log says which changes wrote or removed it, oldest first, and it is
visible when the last entry whose change stands wrote it. Undo and redo write no lines, they change which changes
stand: so any set, taken back in any order, gives one result. One hunk taken back alone is a *fall* that stands: its
entries count no longer, the other hunks of its change do.

New atoms go next to the lines they replace; a run that is replaced by as many lines is taken line by line, so that
what others insert between them keeps its place. A pure insertion goes before the line that follows it and before what
that line replaced, but after lines that were only removed there: those come first if they return.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from typing import TypeVar

from takeback.model.ids import NO_FALL, ChangeSeq, fall_of
from takeback.model.text import Ending, Line, Rewrite, Text

T = TypeVar("T")

BASE = ChangeSeq(0)
"""The change that wrote the first text. It always stands."""


class Mismatch(Exception):
    """The recorded hunks do not fit the text they should apply to."""


class Atom:
    """One line that one change wrote."""

    __slots__ = ("line", "log", "next", "shows")

    def __init__(self, line: Line, seq: ChangeSeq, fall: ChangeSeq = NO_FALL) -> None:
        self.line = line
        self.log: list[tuple[ChangeSeq, ChangeSeq, bool]] = [(seq, fall, True)]
        """(change, fall of the hunk, wrote it): False where the change removed it."""
        self.next: Atom | None = None
        self.shows = True
        """Whether it is visible with what stands now."""

    def visible(self, standing: Set[ChangeSeq]) -> bool:
        """Whether the line shows if exactly `standing` stood."""
        for seq, fall, wrote in reversed(self.log):
            if seq in standing and fall not in standing:
                return wrote
        return False

    def writer(self, standing: Set[ChangeSeq]) -> tuple[ChangeSeq, ChangeSeq]:
        """The change that wrote the line, if it shows while `standing` stands, and the fall of the hunk."""
        return next(
            (seq, fall) for seq, fall, _ in reversed(self.log) if seq in standing and fall not in standing
        )


@dataclass(frozen=True, slots=True, eq=False)
class Replacement:
    """One hunk of one change, or one line of a hunk that replaced as many lines, as the atoms it removed and wrote."""

    seq: ChangeSeq
    removed: tuple[Atom, ...]
    inserted: tuple[Atom, ...]
    hunk: Hunk
    """The whole hunk, which tells apart what belongs together."""

    def stands(self, standing: Set[ChangeSeq]) -> bool:
        """Whether it stands if exactly `standing` stood."""
        return self.seq in standing and self.hunk.fall not in standing


@dataclass(frozen=True, slots=True, eq=False)
class Hunk:
    """All that one hunk of one change removed and wrote."""

    fall: ChangeSeq
    """What stands when this hunk was taken back alone."""
    removed: tuple[Atom, ...]
    inserted: tuple[Atom, ...]


class Weave:
    """The atoms of one file, the changes that stand, and the lines that show."""

    def __init__(self, base: Text) -> None:
        self._head = Atom(Line(b""), BASE)  # a sentinel before the first line, never shown
        self.standing: set[ChangeSeq] = {BASE}
        self.replacements: list[Replacement] = []
        self._endings: list[tuple[ChangeSeq, ChangeSeq, Ending | None]] = [(BASE, NO_FALL, base.ending)]
        self._finals: list[tuple[ChangeSeq, ChangeSeq, bool | None]] = [(BASE, NO_FALL, base.final_newline)]
        self._touched: dict[ChangeSeq, list[Atom]] = {}
        """What each change, and each hunk under the number of its fall, wrote or removed."""
        self._shown = [Atom(line, BASE) for line in base.lines]
        self._is_stale = False
        _link(self._head, self._shown)

    def atoms(self) -> Iterator[Atom]:
        """Every line that ever was, in order."""
        atom = self._head.next
        while atom is not None:
            yield atom
            atom = atom.next

    def shown(self) -> list[Atom]:
        """The lines that show now, in order."""
        return list(self._lines())

    def text(self, standing: Set[ChangeSeq] | None = None) -> Text:
        """The text if exactly `standing` stood (default: what stands now)."""
        if standing is None:
            atoms, standing = self._lines(), self.standing
        else:
            atoms = [atom for atom in self.atoms() if atom.visible(standing)]
        return self.text_of(atoms, standing)

    def text_of(self, atoms: Iterable[Atom], standing: Set[ChangeSeq]) -> Text:
        """`atoms` as a text that ends as the file would if exactly `standing` stood."""
        ending, final_newline = self.ends(standing)
        return Text(lines=tuple(atom.line for atom in atoms), ending=ending, final_newline=final_newline)

    def ends(self, standing: Set[ChangeSeq]) -> tuple[Ending | None, bool | None]:
        """How lines end, and whether the last one does, if exactly `standing` stood."""
        return _latest(self._endings, standing), _latest(self._finals, standing)

    def stand(self, standing: Set[ChangeSeq]) -> None:
        """Let exactly these changes stand. Only what a change touched that stands no longer, or again, is judged."""
        before, self.standing = self.standing, {BASE, *standing}
        touched = [atom for seq in before ^ self.standing for atom in self._touched.get(seq, ())]
        for atom in touched:
            atom.shows = atom.visible(self.standing)
        self._is_stale = self._is_stale or bool(touched)

    def _lines(self) -> list[Atom]:
        """What shows now: sought anew only when somebody asks, however often other changes came to stand."""
        if self._is_stale:
            self._shown = [atom for atom in self.atoms() if atom.shows]
            self._is_stale = False
        return self._shown

    def apply(self, seq: ChangeSeq, change: Rewrite | None) -> None:
        """Let `seq` stand, and write what it wrote over the lines that show now. Cost: the hunks, not the file.

        Raises Mismatch if the hunks reach beyond those lines.
        """
        self.standing.add(seq)
        if change is None:
            return
        if change.ending is not None:
            self._endings.append((seq, NO_FALL, change.ending))
        if change.final_newline is not None:
            self._finals.append((seq, self._fall_at_end(seq, change), change.final_newline))
        for number, hunk in reversed(tuple(enumerate(change.hunks))):
            span = (hunk.start, hunk.start + hunk.n_removed)
            self._replace((seq, fall_of(seq, number)), span, hunk.inserted)

    def _fall_at_end(self, seq: ChangeSeq, change: Rewrite) -> ChangeSeq:
        """With which hunk the final newline comes and goes: the one that reaches to the end."""
        last = len(change.hunks) - 1
        reaches = last >= 0 and change.hunks[last].start + change.hunks[last].n_removed == len(self._lines())
        return fall_of(seq, last) if reaches else NO_FALL

    def clear(self, seq: ChangeSeq) -> None:
        """Let `seq` remove every line that shows."""
        if self._lines():
            self.standing.add(seq)
            self._replace((seq, NO_FALL), (0, len(self._lines())), ())

    def _replace(
        self, by: tuple[ChangeSeq, ChangeSeq], span: tuple[int, int], lines: tuple[Line, ...]
    ) -> None:
        (seq, fall), (start, end), shown = by, span, self._lines()
        if not 0 <= start <= end <= len(shown):
            raise Mismatch(f"change {seq} replaces lines {start} to {end} of {len(shown)}")
        removed = shown[start:end]
        inserted = [Atom(line, seq, fall) for line in lines]
        hunk = Hunk(fall, tuple(removed), tuple(inserted))
        if removed and len(removed) == len(inserted):
            for old, new in zip(removed, inserted, strict=True):
                self._weave_in(old, Replacement(seq, (old,), (new,), hunk))
        else:
            anchor = removed[-1] if removed else self._gap(start)
            self._weave_in(anchor, Replacement(seq, hunk.removed, hunk.inserted, hunk))
        shown[start:end] = inserted

    def _weave_in(self, anchor: Atom, replacement: Replacement) -> None:
        following = anchor.next
        _link(anchor, replacement.inserted)
        (replacement.inserted[-1] if replacement.inserted else anchor).next = following
        for atom in replacement.removed:
            atom.log.append((replacement.seq, replacement.hunk.fall, False))
            atom.shows = False
        for by in (replacement.seq, replacement.hunk.fall):
            self._touched.setdefault(by, []).extend((*replacement.removed, *replacement.inserted))
        self.replacements.append(replacement)

    def _gap(self, index: int) -> Atom:
        """The atom after which a line inserted before shown line `index` goes."""
        anchor = self._shown[index - 1] if index else self._head
        following = self._shown[index] if index < len(self._shown) else None
        writer = following.log[0][0] if following is not None else None
        hidden = anchor.next
        while hidden is not None and hidden is not following:
            if writer is not None and any(seq == writer and not wrote for seq, _, wrote in hidden.log):
                break  # `following` replaced it: the two stay together
            anchor, hidden = hidden, hidden.next
        return anchor


def _link(anchor: Atom, atoms: Iterable[Atom]) -> None:
    for atom in atoms:
        anchor.next = atom
        anchor = atom


def _latest(log: list[tuple[ChangeSeq, ChangeSeq, T]], standing: Set[ChangeSeq]) -> T:
    return next(value for seq, fall, value in reversed(log) if seq in standing and fall not in standing)
