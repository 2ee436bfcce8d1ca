"""What an open document becomes when its file is taken back: unsaved text stays, as one more standing change. Pure.

    parent   the file as the document was opened from, reloaded from or saved to
    after    the same, with the chosen operations taken back
    shown    the document: the parent, and unsaved text over it

The way from parent to after is one change, the unsaved text another that stands; the weave puts both together.
An editor may show every line of a file with one ending: what it shows so is no unsaved text, and stays so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from takeback.model.ids import ChangeSeq, change_of
from takeback.model.text import Ending, Rewrite, Span, Text, keys, rewrite
from takeback.undo.clash import OnConflict, outlook
from takeback.undo.fold import History, fold
from takeback.undo.weave import Mismatch, Weave

Differ = Callable[[Sequence[bytes], Sequence[bytes]], tuple[Span, ...]]

_TAKING_BACK = ChangeSeq(1)
_UNSAVED = ChangeSeq(2)
_NAMES = {_TAKING_BACK: "taking back", _UNSAVED: "unsaved text"}


def with_unsaved(parent: Text, after: Text, shown: Text, differ: Differ) -> Text | None:
    """The document afterwards; `None` if unsaved text rewrote lines that would change."""
    parent, after = _as_shown(parent, after, shown)
    made = rewrite(after, differ(keys(parent, after), keys(after, parent)))
    typed = rewrite(shown, differ(keys(parent, shown), keys(shown, parent)))
    weave = Weave(parent)
    weave.apply(_TAKING_BACK, _without(made, typed))
    weave.stand(set())
    weave.apply(_UNSAVED, typed)
    found = outlook(weave, weave.standing | {_TAKING_BACK}, OnConflict.STOP, _NAMES)
    if found.clashes:
        return None
    kept = shown.final_newline == parent.final_newline
    final_newline = after.final_newline if kept else shown.final_newline
    ending = _ending(parent, after, shown)
    return Text(lines=found.lines, ending=ending, final_newline=final_newline if found.lines else None)


def _as_shown(parent: Text, after: Text, shown: Text) -> tuple[Text, Text]:
    """Both as an editor shows them that gives all lines the ending of `shown`; as they are in any other editor."""
    if parent.ending in (None, shown.ending) or shown.ending in (None, Ending.MIXED):
        return parent, after
    return replace(parent, ending=shown.ending), replace(after, ending=shown.ending)


def _ending(parent: Text, after: Text, shown: Text) -> Ending | None:
    """The document's: the file's, unless somebody gave the document another one."""
    is_the_files = shown.ending in (None, parent.ending)
    first, second = (after, shown) if is_the_files else (shown, after)
    return first.ending or second.ending


def _without(made: Rewrite, typed: Rewrite) -> Rewrite:
    """What is left to do of `made`: some of it may have been done by hand already."""
    done = frozenset(typed.hunks)
    return replace(made, hunks=tuple(hunk for hunk in made.hunks if hunk not in done))


@dataclass(frozen=True, slots=True, kw_only=True)
class Older:
    """Which changes of a file are in a document that was not reloaded since."""

    until: ChangeSeq
    besides: frozenset[ChangeSeq] = frozenset()
    """Later ones that it went along with: takings back, which it was edited for."""

    def has(self, seq: ChangeSeq) -> bool:
        """Whether a change, or the one whose hunk falls, is in it."""
        change = change_of(seq)
        return change <= self.until or change in self.besides


def taken_back(history: History, older: Older, parent: Text, flips: Mapping[ChangeSeq, bool]) -> Text | None:
    """The parent of an older document, with `flips` as far as they concern it; `None` if that is not clear.

    What happened to the file since is not in the document, and is not touched.
    """
    steps = tuple(step for step in history.steps if older.has(step.change.seq))
    inside = {seq: stands for seq, stands in flips.items() if older.has(seq)}
    if not steps or not inside:
        return parent
    try:
        folded = fold(replace(history, steps=steps))
    except Mismatch:
        return None
    shown = folded.weave.text()
    if keys(shown, parent) != keys(parent, shown):
        return None
    names = {step.change.seq: "" for step in steps}
    found = outlook(folded.weave, folded.after(inside), OnConflict.STOP, names)
    return None if found.clashes else replace(parent, lines=found.lines)
