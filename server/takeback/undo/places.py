"""Whether the files of a plan can all come to where they belong. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace

from takeback.model.ids import FileId
from takeback.model.paths import WorkspacePath, ancestors
from takeback.model.state import FileKind
from takeback.undo.plan import Conflict, FileOutcome, FilePlan


def settle_places(
    files: Sequence[FilePlan], occupants: Mapping[WorkspacePath, Set[FileId]]
) -> tuple[FilePlan, ...]:
    """The plans, with a conflict where a file would come to a place that another one holds and keeps.

    `occupants` names, by target, the files that have to leave it: at it, below it, or instead of a folder above it.
    """
    leaving = {plan.file for plan in files if plan.leaves}
    folders = {plan.target: plan.file for plan in files if plan.after.kind is FileKind.DIRECTORY}
    coming: dict[WorkspacePath, FileId] = {}
    settled = []
    for plan in files:
        room = {folders[place] for place in ancestors(plan.target) if place in folders}
        holders = occupants.get(plan.target, frozenset()) - {plan.file} - room
        places = (plan.target, *ancestors(plan.target))
        taken = bool(holders - leaving) or any(coming.get(place, plan.file) != plan.file for place in places)
        if plan.arrives and taken:
            conflict = Conflict(path=plan.target, what="name", chosen=(), in_the_way=())
            settled.append(
                replace(
                    plan,
                    target=plan.path,
                    after=plan.before,
                    data=None,
                    flips={},
                    rewrite=None,
                    outcome=FileOutcome.CONFLICT,
                    note=f"something else is at {plan.target} now",
                    conflicts=(*plan.conflicts, conflict),
                )
            )
            continue
        if plan.arrives and plan.after.kind is not FileKind.DIRECTORY:
            coming[plan.target] = plan.file
        settled.append(plan)
    return tuple(settled)
