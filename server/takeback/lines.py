"""What a change did to the lines of its file, from the contents that the store keeps."""

from __future__ import annotations

from takeback.journal import views
from takeback.journal.log import Journal
from takeback.model import text
from takeback.model.content import text_of
from takeback.model.operation import Change
from takeback.model.state import FileKind, FileState
from takeback.model.text import Rewrite, Text
from takeback.store.diff import differ
from takeback.store.objects import ObjectStore


def rewrite_of(journal: Journal, store: ObjectStore, change: Change) -> Rewrite | None:
    """What `change` did to the lines, by a diff; `None` if it touched none or its content was not captured.

    A deletion removes all lines, a creation writes all of them. Lines are compared with the last captured content of
    the file, so a state in between that was not captured counts to the change after it.
    """
    before, after = change.before, change.after
    if not after.captured:
        return None
    if not before.captured:
        before = views.last_captured(journal, change) or before
    if (before.kind, before.blob) == (after.kind, after.blob):
        return None
    old, new = content_text(store, before), content_text(store, after)
    return text.rewrite(new, differ(text.keys(old, new), text.keys(new, old)))


def content_text(store: ObjectStore, state: FileState) -> Text:
    """The lines of a file state, read from the store."""
    kept = state.kind is FileKind.FILE and state.blob and state.captured
    data = store.get(state.blob) if kept and state.blob else None
    return text_of(state, data)
