"""Reads from journal and store what a plan needs: the histories of the files that are concerned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from takeback.journal import views
from takeback.journal.log import Journal
from takeback.lines import content_text, rewrite_of
from takeback.model.ids import ChangeSeq, FileId
from takeback.model.operation import Change
from takeback.model.text import Rewrite, Text, decode, encode
from takeback.store.objects import ObjectStore
from takeback.undo.fold import History, Step

Made = list[tuple[ChangeSeq, bytes]]
"""Hunks that were not kept yet, and are worth keeping."""


def load(journal: Journal, store: ObjectStore, file: FileId, flips: Mapping[ChangeSeq, bool]) -> History:
    """The history of `file` from the first change that `flips` concerns. Hunks that had to be made are kept."""
    made: Made = []
    found = read(journal, store, file, flips, made)
    if made:
        journal.keep_hunks(made)
    return found


def read(
    journal: Journal, store: ObjectStore, file: FileId, flips: Mapping[ChangeSeq, bool], made: Made
) -> History:
    """As `load`, but hunks that had to be made are added to `made`: keeping them is one transaction for all files."""
    changes = _from_earliest(journal, file, min(flips))
    path, state = views.place_of(journal, file)
    return History(
        file=file,
        base=_base(journal, store, changes[0]),
        steps=_steps(journal, store, changes, made),
        path=path,
        state=state,
        now=content_text(store, state) if state.exists and state.captured else None,
    )


def _from_earliest(journal: Journal, file: FileId, earliest: ChangeSeq) -> tuple[Change, ...]:
    """The changes from `earliest` on; from further back if one of them made an older one stand or not."""
    changes = views.file_changes(journal, file, earliest)
    read = changes
    while (reach := min((target for one in read for target in one.flips), default=earliest)) < earliest:
        read = views.file_changes(journal, file, reach, earliest)
        changes, earliest = read + changes, reach
    return changes


def _base(journal: Journal, store: ObjectStore, first: Change) -> Text:
    """The lines before the first step: of the last state before it that was captured."""
    before = first.before
    if not before.captured:
        before = views.last_captured(journal, first) or before
    return content_text(store, before)


def _steps(journal: Journal, store: ObjectStore, changes: Iterable[Change], made: Made) -> tuple[Step, ...]:
    kept = journal.hunks(change.seq for change in changes)
    steps = []
    for change in changes:
        rewrite = _rewrite(journal, store, change, kept, made)
        guessed = change.seq not in kept and _is_guessed(change)
        steps.append(Step(change=change, rewrite=rewrite, guessed=guessed))
    return tuple(steps)


def _rewrite(
    journal: Journal,
    store: ObjectStore,
    change: Change,
    kept: Mapping[ChangeSeq, bytes],
    made: Made,
) -> Rewrite | None:
    if change.seq in kept:
        return decode(kept[change.seq])
    if change.flips:  # it changed which others stand, and wrote no line of its own
        return None
    rewrite = rewrite_of(journal, store, change)
    if rewrite is not None and not _is_guessed(change):
        made.append((change.seq, encode(rewrite)))
    return rewrite


def _is_guessed(change: Change) -> bool:
    """Whether the content changed, and what exactly it did to the lines is not known: one side is kept no longer.

    Content that was never captured is another matter: the plan judges whether it takes it (`unseen.is_blind`).
    """
    sides = (change.before, change.after)
    known = all(state.exists for state in sides) and not change.flips
    same = change.before.blob == change.after.blob and change.before.blob is not None
    return known and not same and any(not state.captured and not state.never_captured for state in sides)
