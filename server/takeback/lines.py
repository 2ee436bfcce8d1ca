"""What a change did to the lines of its file, from the contents that the store keeps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from takeback.journal import views
from takeback.journal.log import Journal
from takeback.model import text
from takeback.model.content import text_of
from takeback.model.operation import Change, Edited
from takeback.model.spans import fitting
from takeback.model.state import FileKind, FileState
from takeback.model.text import Rewrite, Span, Text
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


def rewrite_as_told(
    store: ObjectStore, before: FileState, after: FileState, edited: Edited | None
) -> Rewrite | None:
    """What a save did to the lines, as the editor tells it; `None` where that is not the whole difference."""
    if edited is None or before.blob != edited.before or not (before.captured and after.captured):
        return None
    old, new = content_text(store, before), content_text(store, after)
    lines, made = text.keys(old, new), text.keys(new, old)
    spans = fitting(lines, made, edited.spans)
    if spans is None:
        return None
    return text.rewrite(new, [one for span in spans for one in _inside(lines, made, span)])


def _inside(before: Sequence[bytes], after: Sequence[bytes], span: Span) -> Iterator[Span]:
    """What differs within a span: an editor may replace many lines by the same ones."""
    i, last, j, end = span
    for i1, i2, j1, j2 in differ(before[i:last], after[j:end]):
        yield i + i1, i + i2, j + j1, j + j2


def content_text(store: ObjectStore, state: FileState) -> Text:
    """The lines of a file state, read from the store."""
    kept = state.kind is FileKind.FILE and state.blob and state.captured
    data = store.get(state.blob) if kept and state.blob else None
    return text_of(state, data)
