"""One open document over its file, and what a plan makes of it: values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce

from takeback.model.paths import WorkspacePath
from takeback.model.spans import LineEdit, composed
from takeback.model.text import Span
from takeback.service.decoding import normal, readings, shows
from takeback.service.texts import is_made, is_typed_into
from takeback.undo.buffer import Older


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A text over what it came from."""

    text: str
    parent: bytes | None
    spans: tuple[Span, ...] | None
    """The lines of the parent that the editor replaced to come there; `None`: nobody knows better than a diff."""
    is_unsaved: bool
    """Somebody typed something since the parent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Buffer:
    """One open document."""

    path: WorkspacePath
    """Its file, by whatever link the editor opened it."""
    version: int
    text: str
    parent: bytes | None
    """`None`: its file was not there, or cannot be read."""
    base: str
    """What it showed when it came from its file."""
    disk: bytes | None
    """Its file when it was looked at last."""
    stamp: tuple[int, ...]
    older: Older | None = None
    """What is in the parent, where that is no state that the file ever had."""
    caught_up: tuple[int, ...] = ()
    """The stamp with which its file turned out to be what it shows: reloaded, or saved and not told yet."""
    is_edited: bool = False
    """It was changed together with its file and not saved since, so its editor counts it as changed."""
    saved_at: tuple[int, ...] = ()
    """The stamp of its file when a save was told last."""
    recent: tuple[int, ...] = ()
    """Digests of the last texts that it had since it was saved, oldest first."""
    spans: tuple[Span, ...] | None = None
    """The lines of the parent that the editor replaced since; `None`: not known."""
    came: Draft | None = None
    """How it came to be what its file is, where the editor told of its text after it had written that."""
    may_be_reloaded: bool = False
    """It was clean when its file had changed already and it was told to show something else.

    Editors may tell that they have reloaded a file only together with what was typed into it since.
    """
    before_save: Draft | None = None
    """What it was when the editor began to save it: what came since is a formatter's."""

    def saved_as(self, text: str, disk: bytes | None, stamp: tuple[int, ...]) -> str:
        """The text that a save has put on disk, where the document is `text` by the time that the save is told.

        Somebody may have typed on in between, so the disk says which of its texts was saved. A disk that shows none
        of them was written by others since.
        """
        if disk is None or shows(text, disk):
            return text
        if stamp == self.saved_at and disk == self.parent:  # seen when another was told
            return self.base
        return next((one for one in readings(disk) if digest(one) in self.recent), text)

    def since(self, text: str) -> tuple[int, ...]:
        """Digests of the texts that it had after `text`."""
        place = digest(text)
        return self.recent[self.recent.index(place) + 1 :] if place in self.recent else ()

    def spans_after(self, edits: Sequence[LineEdit] | None) -> tuple[Span, ...] | None:
        """The lines of the parent that are replaced after some more edits."""
        if edits is None or self.spans is None:
            return None
        return reduce(composed, edits, self.spans)

    def caught_up_with_disk(self) -> Buffer:
        """The same, now that it shows what its file is: it comes from that."""
        return replace(
            self,
            parent=self.disk,
            base=self.text,
            older=None,
            caught_up=self.stamp,
            spans=(),
            came=self.came if self.is_over_disk else self.draft,
            may_be_reloaded=False,
        )

    def reloaded_or_not(self) -> Buffer:
        """The same: over what its file is now, if it shows that with something typed since.

        To be asked when the editor has nothing more to say of a save: a formatter's file looks like that, too.
        """
        base, file, text = normal(self.base), normal(self.disk), normal(self.text)
        if not self.may_be_reloaded or self.is_over_disk or base is None or file is None or text is None:
            return self
        if not (is_made(base, file, text) or is_typed_into(base, file, text)):
            return self
        return replace(
            self,
            parent=self.disk,
            base=file,
            older=None,
            spans=None,
            came=None,
            before_save=None,
            may_be_reloaded=False,
        )

    def saved(self, text: str) -> Buffer:
        """The same when it was saved as `text`, which may be less than it shows."""
        return self if text == self.text else replace(self, text=text, spans=None, before_save=None)

    @property
    def draft(self) -> Draft:
        """What it shows, over what that came from."""
        if self.came is not None and self.came.text == self.text:
            return self.came
        return Draft(text=self.text, parent=self.parent, spans=self.spans, is_unsaved=self.has_unsaved)

    @property
    def typed(self) -> Draft | None:
        """What a person typed before a formatter made of it what it shows; `None`: no formatter did."""
        before = self.before_save
        return before if before is not None and normal(before.text) != normal(self.text) else None

    @property
    def has_unsaved(self) -> bool:
        """Whether it shows other text than the file it came from; byte order mark and endings do not count."""
        came_from = normal(self.base) if self.parent is not None else None
        return came_from != normal(self.text)

    @property
    def is_saving(self) -> bool:
        """Whether its editor writes its file at this moment: what it shows was typed, though the file holds it too."""
        before, came = self.before_save, self.came
        if before is None or came is None or not before.is_unsaved:
            return self.has_unsaved
        return self.has_unsaved or before.parent == came.parent  # else the announced save never came

    @property
    def is_dirty(self) -> bool:
        """Whether its editor would lose or overwrite something if others changed the file."""
        return self.is_edited or self.has_unsaved

    @property
    def keeps_time(self) -> bool:
        """Whether its file has an older time than its content, for its sake."""
        return self.is_edited and self.older is None

    @property
    def is_over_disk(self) -> bool:
        """Whether the file is still the one that it came from."""
        return self.parent == self.disk


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """What a document has to become for a plan."""

    name: str
    """What the editor calls it."""
    path: WorkspacePath
    version: int
    """Of the document that this was made for."""
    shown: str
    """What it shows now."""
    text: str
    parent: bytes
    """What its file was when it came from it."""
    after: bytes
    """What takes the parent's place."""
    was_clean: bool
    over_disk: bool
    older: Older | None
    """What is in the parent, where it lags behind its file and that is known."""

    @property
    def edits(self) -> bool:
        """Whether the document has to show anything else."""
        return self.text != self.shown

    @property
    def is_edited(self) -> bool:
        """Whether its editor counts it as changed when it has gone along with its file."""
        return self.edits or not self.was_clean

    @property
    def is_there(self) -> bool:
        """Whether somebody has made of it what the plan would make, and nothing else."""
        return not self.edits and not self.was_clean and normal(self.shown) == normal(self.after)


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """A document that cannot follow, so its file is left too."""

    path: WorkspacePath
    note: str


def digest(text: str) -> int:
    """What tells a text from others within this process; byte order mark and endings do not count."""
    return hash(normal(text))
