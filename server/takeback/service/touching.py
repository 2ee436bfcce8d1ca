"""Who touched some lines of a document, the newest first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from takeback.model.ids import OpId
from takeback.model.operation import TAKEBACK
from takeback.service.desk import Desk
from takeback.service.provenance import UNSAVED, Author, Authorship
from takeback.service.wording import ago


def authors(desk: Desk, name: str, lines: Sequence[int]) -> tuple[tuple[Author, str], ...]:
    """Who wrote some lines of an open document, or removed what stood before or behind them, and how long ago.

    Not what Takeback did itself: that is what a redo is for.
    """
    found = desk.provenance(name)
    if found is None:
        return ()
    ops = {op for line in lines for op in _touching(found, line)}
    named = (found.authors[op] for op in sorted(ops, reverse=True) if op in found.authors)
    now = desk.workspace.clock()
    return tuple((one, ago(one.at_ns, now)) for one in named if one.actor != TAKEBACK)


def _touching(found: Authorship, line: int) -> Iterable[OpId]:
    marks = found.provenance.lines
    if line < len(marks) and (mark := marks[line]) is not None and mark != UNSAVED:
        yield mark.op
    yield from (one.mark.op for one in found.provenance.gone if one.line in {line, line + 1})
