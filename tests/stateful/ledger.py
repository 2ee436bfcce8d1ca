"""An obvious model of a workspace in which every line knows its author.

Nothing is diffed and nothing is merged: what a file should be is what comes out when exactly the standing edits are
made again, in order, on the first text. Every line ever written is distinct, so a line is its own identity.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(eq=False)
class Edit:
    """What one operation did to one file."""

    op: int
    removed: tuple[str, ...] = ()
    inserted: tuple[str, ...] = ()
    name: str | None = None
    """The file's new name."""
    mode: int | None = None
    exists: bool | None = None
    target: str | None = None
    """A symlink's target: content without lines."""
    hunk: int | None = None
    """Its number among the runs of lines that the operation changed in the file."""

    def stands(self, standing: set) -> bool:
        """Whether it is made: its operation stands, and this hunk was not taken back alone."""
        return self.op in standing and self not in standing


@dataclass(eq=False, repr=False)
class ModelFile:
    """A file through all its names, as its first state and the edits since."""

    base: tuple[str, ...]
    name: str
    mode: int = 0o644
    exists: bool = True
    edits: list[Edit] = field(default_factory=list)
    versions: list[tuple[str, ...]] = field(default_factory=list)
    """Every text that somebody wrote: lines must never swap their order."""
    seen: set[str] = field(default_factory=set)
    """Every text the file ever had, by whatever way."""
    shown: str = ""
    """Its name when it was there last: that of a file that is gone is not changed by a rename that stands again."""

    def __repr__(self) -> str:
        return f"<{self.name}>"

    def state(self, standing: set) -> State:
        """The file if exactly these operations stood, without the edits that are named too: hunks that fell."""
        lines = set(self.base)
        found = State(name=self.name, mode=self.mode, exists=self.exists)
        for edit in self.edits:
            if not edit.stands(standing):
                continue
            lines = (lines - set(edit.removed)) | set(edit.inserted)
            found.name = edit.name or found.name
            found.mode = edit.mode or found.mode
            found.exists = found.exists if edit.exists is None else edit.exists
            found.target = edit.target or found.target
        found.lines = frozenset(lines)
        return found

    def clashes(self, standing: set, after: set) -> bool:
        """Whether going from one set to the other meets lines that a standing edit rewrote."""
        others = [edit for edit in self.edits if edit.stands(standing) and edit.stands(after)]
        for edit in self.edits:
            if edit.stands(standing) == edit.stands(after):
                continue
            needed = set(edit.inserted if edit.stands(standing) else edit.removed)
            touching = [other for other in others if needed & set(other.removed)]
            if any(other.inserted for other in touching):
                return True
            gone = {line for other in others for line in other.removed}
            if needed and needed <= gone and edit.inserted and edit.removed:
                return True
        return False

    def in_order(self, text: list[str]) -> bool:
        """Whether no two lines of `text` stand the other way round than in any version."""
        for version in self.versions:
            place = {line: index for index, line in enumerate(version)}
            common = [place[line] for line in text if line in place]
            if common != sorted(common):
                return False
        return True

    def touched_otherwise(self, chosen: set, standing: set) -> bool:
        """Whether a standing operation that is not chosen, and came after one that is, touched the file at all."""
        mine = [edit.op for edit in self.edits if edit.op in chosen or edit in chosen]
        return bool(mine) and any(e.op > min(mine) and e.op in standing - chosen for e in self.edits)


@dataclass
class State:
    """What a file is."""

    name: str
    mode: int
    exists: bool
    target: str | None = None
    lines: frozenset[str] = frozenset()
