"""Ways out of a conflict: asked for, or named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lsprotocol import types as lsp

from takeback.aio import Core
from takeback.lsp import virtual
from takeback.lsp.arguments import ALSO
from takeback.lsp.commands import asking
from takeback.lsp.server import Server
from takeback.lsp.taking_back import Asked, take_back
from takeback.model.operation import OperationKind
from takeback.service import wording
from takeback.service.choosing import Choice
from takeback.service.requests import Outcome, Request, Result, Verb, about
from takeback.undo.clash import OnConflict

_LINES = {
    OnConflict.KEEP_MINE: "Keep the lines that stand now, take back the rest",
    OnConflict.TAKE_THEIRS: "Bring back the lines from before",
    OnConflict.MARKERS: "Write both, with conflict markers",
}
_SKIP = Choice(value=str(OnConflict.SKIP_FILE), line="Leave these files, take back the rest")
_SHOW = Choice(value="show", line="Show what is in conflict: base, mine and theirs")
_BAD = frozenset({Outcome.CONFLICT, Outcome.PARTIAL, Outcome.REFUSED})


async def decided(server: Server, core: Core, asked: Asked, result: Result) -> Result:
    """The result, after the person has decided about what is in the way; the same if nobody does."""
    while result.outcome is Outcome.CONFLICT and asked.request.on_conflict is OnConflict.STOP:
        question = f"{wording.conflict(result)} What now?"
        way = await asking.choose(server, question, _ways(asked.verb, result), wording.result(result))
        if way is None:
            return result
        if way is _SHOW:
            await virtual.show_conflicts(server, core, result.conflicts)
            continue
        if way.value == ALSO:
            return await with_the_others(server, core, asked.request, result)
        request = replace(about(asked.request, result.undone), on_conflict=OnConflict(way.value))
        asked = replace(asked, request=request)
        result = await take_back(server, core, asked)
    return result


async def with_the_others(server: Server, core: Core, request: Request, result: Result) -> Result:
    """The result of taking back what is in the way too, and what is in its way in turn."""
    if request.hunk is not None:
        return await _after_the_others(server, core, request, result)
    verb, ops = Verb(kind=OperationKind.UNDO), set(result.undone)
    while result.outcome is Outcome.CONFLICT:
        more = {op for one in result.conflicts for op in one.in_the_way} - ops
        if not more:
            break
        ops |= more
        widened = replace(about(request, tuple(sorted(ops))), actor=None, on_conflict=OnConflict.STOP)
        result = await take_back(server, core, Asked(verb=verb, request=widened))
    return result


async def _after_the_others(server: Server, core: Core, request: Request, result: Result) -> Result:
    """The result of taking back what is in the way of a hunk, and then the hunk: it is of one operation alone."""
    asked = Asked(verb=Verb(kind=OperationKind.UNDO), request=replace(request, on_conflict=OnConflict.STOP))
    others = tuple(sorted({op for one in result.conflicts for op in one.in_the_way}))
    if result.outcome is not Outcome.CONFLICT or not others:
        return result
    whole = replace(asked.request, ops=others, hunk=None, paths=(), actor=None)
    first = await take_back(server, core, replace(asked, request=whole))
    first = await with_the_others(server, core, whole, first)
    if first.outcome is not Outcome.APPLIED:
        return first
    then = await take_back(server, core, asked)
    return replace(then, undone=(*then.undone, *first.undone))


def tell(server: Server, result: Result) -> None:
    """Let the person know what became of it."""
    kind = lsp.MessageType.Warning if result.outcome in _BAD else lsp.MessageType.Info
    server.say(wording.result(result), kind)


def _ways(verb: Verb, result: Result) -> Sequence[Choice[str]]:
    others = sorted({op for one in result.conflicts for op in one.in_the_way} - set(result.undone))
    also = [Choice(value=ALSO, line=f"Take back {wording.operations(others)} too")] if others else []
    if verb.kind is OperationKind.REDO:  # what is in its way goes first, and the redo is asked for again
        also = []
    lines = [Choice(value=str(mode), line=line) for mode, line in _LINES.items()] if result.conflicts else []
    return (*also, *lines, _SKIP, *((_SHOW,) if result.conflicts else ()))
