"""The plans of all files that one undo concerns, read from journal and store together.

Most files of a large undo have not been touched since: there the change itself says what was before, and no line has
to be read. Only the others get their history.
"""

from __future__ import annotations

from collections.abc import Mapping

from takeback.journal import views
from takeback.journal.log import Journal
from takeback.model.ids import ChangeSeq, FileId
from takeback.store.diff import differ
from takeback.store.objects import ObjectStore
from takeback.undo import history
from takeback.undo.clash import OnConflict
from takeback.undo.plan import Circumstances, FilePlan, plan_file
from takeback.undo.rewind import step_back
from takeback.undo.select import Flips


def plans(journal: Journal, store: ObjectStore, flips: Flips, mode: OnConflict) -> list[FilePlan]:
    """What becomes of each file in `flips`. Cost: a few queries for all files that nobody touched since."""
    newest = views.newest_changes(journal, list(flips))
    made: history.Made = []
    found = [
        step_back(newest[file], one) or _with_history(journal, store, file, one, mode, made)
        for file, one in flips.items()
    ]
    if made:
        journal.keep_hunks(made)
    return found


def _with_history(  # noqa: PLR0913, PLR0917 - where to read, what to plan, and what was made on the way
    journal: Journal,
    store: ObjectStore,
    file: FileId,
    flips: Mapping[ChangeSeq, bool],
    mode: OnConflict,
    made: history.Made,
) -> FilePlan:
    found = history.read(journal, store, file, flips, made)
    ops = [step.change.op for step in found.steps]
    actors = views.actors(journal, sorted(set(ops)))
    names = {op: f"operation {op} ({actor})" for op, actor in actors.items()}
    return plan_file(found, flips, Circumstances(on_conflict=mode, names=names, differ=differ))
