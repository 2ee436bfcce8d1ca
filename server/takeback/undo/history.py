"""Reads from journal and store what a plan needs: the histories of the files that are concerned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from takeback.journal import views
from takeback.journal.log import Journal
from takeback.lines import content_text, rewrite_of
from takeback.model.ids import ChangeSeq, FileId, change_of
from takeback.model.operation import Change
from takeback.model.state import FileState
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
    changes = _from_earliest(journal, file, min(map(change_of, flips)))
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
    """The changes from `earliest` on; from further back if one of them made an older one stand or not.

    All of them, if what was before is kept no longer: hunks may still lead there.
    """
    changes = views.file_changes(journal, file, earliest)
    read = changes
    while (
        reach := min((change_of(target) for one in read for target in one.flips), default=earliest)
    ) < earliest:
        read = views.file_changes(journal, file, reach, earliest)
        changes, earliest = read + changes, reach
    return views.file_changes(journal, file) if _is_lost(changes[0].before) else changes


def _base(journal: Journal, store: ObjectStore, first: Change) -> Text:
    """The lines before the first step: of the last state before it that was captured."""
    before = first.before
    if not before.captured:
        before = views.last_captured(journal, first) or before
    return content_text(store, before)


def _steps(journal: Journal, store: ObjectStore, changes: Sequence[Change], made: Made) -> tuple[Step, ...]:
    """The changes with what they did to the lines. A kept hunk counts only where the lines that it was made for are known."""
    kept = journal.hunks(change.seq for change in changes)
    exact = not _is_lost(changes[0].before)
    steps = []
    for change in changes:
        hunk = kept.get(change.seq) if exact else None
        rewrite = decode(hunk) if hunk is not None else _rewrite(journal, store, change, made)
        guessed = hunk is None and _is_guessed(change)
        steps.append(Step(change=change, rewrite=rewrite, guessed=guessed))
        followed = hunk is not None or bool(change.flips) or change.after.never_captured
        exact = change.after.captured or (exact and followed)
    return tuple(steps)


def _rewrite(journal: Journal, store: ObjectStore, change: Change, made: Made) -> Rewrite | None:
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
    same = change.before.blob == change.after.blob and change.before.blob is not None
    return not change.flips and not same and (_is_lost(change.before) or _is_lost(change.after))


def _is_lost(state: FileState) -> bool:
    """Whether the content was captured, and is kept no longer."""
    return not state.captured and not state.never_captured
