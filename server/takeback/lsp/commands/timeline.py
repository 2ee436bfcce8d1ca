"""Commands that show what happened."""

from __future__ import annotations

from takeback.aio import Core
from takeback.lsp import protocol, virtual
from takeback.lsp.arguments import FILTER, Arguments, checked, required
from takeback.lsp.commands import asking
from takeback.lsp.commands.recording import keep_asked
from takeback.lsp.commands.taking_back import paths, undo_operations
from takeback.lsp.server import Server
from takeback.lsp.work import read
from takeback.model.ids import OpId
from takeback.model.paths import workspace_path
from takeback.model.words import as_text
from takeback.service import answers, choosing, looking, wording
from takeback.service.choosing import Choice
from takeback.service.requests import Message

_UNDO = Choice(value="undo", line="Take it back")
_KEEP = Choice(value="keep", line="Keep it")
_SHOW = Choice(value="show", line="Show what it changed")
_N = 50
_MOST = 500
"""So many operations at most in one answer."""


async def show_timeline(server: Server, core: Core, arguments: Arguments | None) -> Message:
    """The last operations, of a file or of the whole workspace."""
    if arguments is None:
        return await _browse(server, core, protocol.SHOW_TIMELINE)
    where = await paths(core, (arguments["uri"],)) if "uri" in arguments else ()
    wanted = looking.Wanted(n=_N, paths=where)
    found = await read(server, core, lambda desk: looking.log(desk.workspace, wanted))
    return answers.log(found)


async def show_operation(server: Server, core: Core, arguments: Arguments | None) -> Message:
    """One operation, with a unified diff for each file."""
    if arguments is None:
        return await _browse(server, core, protocol.SHOW_OPERATION)
    op = OpId(required(arguments, "id", 12))
    found = await read(server, core, lambda desk: looking.shown(desk.workspace, op))
    if arguments.get("show"):
        await virtual.show(server, core, virtual.operation_diff_uri(core.root, op), f"Operation {op}")
    return found


async def page(server: Server, core: Core, parameters: Arguments) -> Message:
    """A page of operations, newest first, and what the next page has to be before."""
    narrow = checked("filter", parameters.get("filter", {}), FILTER)
    limit = min(parameters.get("limit", _N), _MOST)
    where = await paths(core, (narrow["uri"],)) if "uri" in narrow else ()
    where += (workspace_path(narrow["path"]),) if "path" in narrow else ()
    before = OpId(parameters["before"]) if "before" in parameters else None
    wanted = looking.Wanted(
        actor=narrow.get("actor"),
        turn=narrow.get("turn"),
        text=as_text(narrow.get("text", "")),
        paths=where,
        before=before,
    )
    found = await read(server, core, lambda desk: looking.page(desk.workspace, wanted, limit))
    return {**answers.log(found.operations), "next": found.before}


async def _browse(server: Server, core: Core, command: str) -> Message:
    """Let the person choose an operation, and what becomes of it."""
    choices = await read(server, core, lambda desk: choosing.recorded(desk.workspace))
    if not choices:
        server.say("Nothing was recorded yet.")
        return answers.log(())
    example = {"id": choices[0].value} if command == protocol.SHOW_OPERATION else {}
    otherwise = f"The last operation is {choices[0].line}. {asking.call(command, example)}"
    chosen = await asking.choose(server, "Which operation?", choices, otherwise)
    if chosen is None:
        return answers.log(())
    op = chosen.value
    found = await read(server, core, lambda desk: looking.shown(desk.workspace, op))
    changes = [f"{one['status']} {wording.plain(one['path'])}" for one in found["operations"][0]["changes"]]
    more = f" and {len(changes) - 5} more" if len(changes) > 5 else ""
    question = f"{chosen.line}. {', '.join(changes[:5])}{more}"
    way = await asking.choose(server, question, (_UNDO, _SHOW, _KEEP), question)
    if way is _UNDO:
        await undo_operations(server, core, {"ids": [op], "interactive": True})
    elif way is _SHOW:
        await virtual.show(
            server, core, virtual.operation_diff_uri(core.root, op), f"What operation {op} changed"
        )
    elif way is _KEEP:
        await keep_asked(server, core, (op,))
    return found
