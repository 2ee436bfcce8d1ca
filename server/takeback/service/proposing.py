"""What a plan makes of an open document: its text with the plan in it and unsaved text over that, or why it stays."""

from __future__ import annotations

from collections.abc import Iterable

from takeback.journal import views
from takeback.model.state import FileKind
from takeback.model.text import Text, join, split
from takeback.service.decoding import decoded, normal, with_mark
from takeback.service.documents import Blocked, Buffer, Proposed
from takeback.service.opening import Workspace
from takeback.store.diff import differ
from takeback.undo import buffer, history
from takeback.undo.buffer import Older
from takeback.undo.plan import FilePlan

ENCODING_NOTE = "it is open with unsaved text, and its file is no text in UTF-8"
OLDER_NOTE = "the lines to take back cannot be told in the editor's older text"
SAME_LINES_NOTE = "unsaved text in the editor rewrote the same lines"
SEVERAL_NOTE = "the editor has it open under several names, with unsaved text; save it and close all but one"


def for_several(plan: FilePlan, documents: Iterable[Buffer]) -> Blocked | None:
    """Documents of one file stay: a save of one would overwrite the other. Without unsaved text, all are reloaded."""
    return Blocked(path=plan.path, note=SEVERAL_NOTE) if any(one.is_dirty for one in documents) else None


def for_one(workspace: Workspace, plan: FilePlan, name: str, known: Buffer) -> Proposed | Blocked | None:
    """What the only document of a file has to become; `None` if its text is not concerned."""
    if known.parent is None or normal(known.parent) is None:
        is_lost = known.is_dirty and known.disk is not None
        return Blocked(path=plan.path, note=ENCODING_NOTE) if is_lost else None
    if plan.before.kind is not FileKind.FILE or plan.after.kind is not FileKind.FILE:
        return None
    older = None if known.is_over_disk else known.older or _recorded_at(workspace, plan, known.parent)
    after = _after(workspace, plan, known, older)
    if after is None:
        return Blocked(path=plan.path, note=OLDER_NOTE)
    return _with_unsaved(plan, name, known, older, after)


def _with_unsaved(
    plan: FilePlan, name: str, known: Buffer, older: Older | None, after: Text
) -> Proposed | Blocked | None:
    assert known.parent is not None, "BUG: a document without a parent takes no part"
    parent = split(known.parent)
    if after == parent:
        return None
    text = buffer.with_unsaved(parent, after, split(with_mark(known.text, known.parent)), differ)
    if text is None:
        return Blocked(path=plan.path, note=SAME_LINES_NOTE)
    return Proposed(
        name=name,
        path=plan.path,
        version=known.version,
        shown=known.text,
        text=decoded(join(text), known.text),
        parent=known.parent,
        after=join(after),
        was_clean=not known.has_unsaved,
        over_disk=known.is_over_disk,
        older=older,
    )


def _after(workspace: Workspace, plan: FilePlan, known: Buffer, older: Older | None) -> Text | None:
    """The parent, with as much of the plan as stands in it."""
    assert known.parent is not None, "BUG: a document without a parent takes no part"
    if known.is_over_disk:
        return split(_planned_bytes(workspace, plan))
    parent = split(known.parent)
    if older is None or not plan.flips:
        return parent  # a state that was never recorded: nothing of any operation is known to be in it
    found = history.load(workspace.journal, workspace.store, plan.file, plan.flips)
    return buffer.taken_back(found, older, parent, plan.flips)


def _planned_bytes(workspace: Workspace, plan: FilePlan) -> bytes:
    if plan.data is not None:
        return plan.data
    return workspace.store.get(plan.after.blob) if plan.after.blob else b""


def _recorded_at(workspace: Workspace, plan: FilePlan, parent: bytes) -> Older | None:
    """What is in the parent, where that is a state that the file had."""
    blob = workspace.store.id_of(parent)
    changes = views.file_changes(workspace.journal, plan.file)
    for change in reversed(changes):
        if change.after.blob == blob:
            return Older(until=change.seq)
    return Older(until=views.START) if changes and changes[0].before.blob == blob else None
