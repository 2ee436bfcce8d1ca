"""Commands that take something back, or bring it back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from takeback.aio import Core
from takeback.errors import UsageError
from takeback.lsp import convert, protocol
from takeback.lsp.arguments import ALSO, Arguments, arguments_in, place_in, required
from takeback.lsp.commands import asking, conflicts
from takeback.lsp.server import Server
from takeback.lsp.taking_back import Asked, take_back
from takeback.lsp.work import read
from takeback.model.ids import OpId, TurnId
from takeback.model.operation import OperationKind, parse_actor
from takeback.model.paths import WorkspacePath, workspace_path
from takeback.service import answers, choosing
from takeback.service.choosing import Choice
from takeback.service.documents import Proposed
from takeback.service.requests import Message, Outcome, Request, Result, Verb
from takeback.undo.clash import OnConflict

_UNDO = Verb(kind=OperationKind.UNDO)
_REDO = Verb(kind=OperationKind.REDO)
_NOTHING = Result(outcome=Outcome.NOTHING, operation=None, undone=(), files=())
_ALL = "all of them"


# -- undo ----------------------------------------------------------------------------------------


async def undo_last(server: Server, core: Core, arguments: Arguments | None) -> Message:
    """Take back the last operations."""
    if arguments is None:
        return await _undo_one(server, core, protocol.UNDO_LAST, {"n": 1})
    request = await _request(core, arguments, n=arguments.get("n", 1), in_editor=True)
    return await _done(server, core, _UNDO, request, arguments)


async def undo_operations(server: Server, core: Core, arguments: Arguments | None) -> Message:
    """Take back these operations."""
    if arguments is None:
        return await _undo_one(server, core, protocol.UNDO_OPERATIONS, {"ids": [1]})
    return await _done(server, core, _UNDO, await _request(core, arguments, ops=_ids(arguments)), arguments)


async def _undo_one(server: Server, core: Core, name: str, example: Arguments) -> Message:
    choices = await read(server, core, lambda desk: choosing.operations(desk.workspace))
    chosen = await _chosen(server, "Take back which operation?", choices, (name, example))
    return await _asked(server, core, _UNDO, Request(ops=(chosen.value,)) if chosen else None)


async def undo_turn(server: Server, core: Core, arguments: Arguments | None) -> Message:
    """Take back a turn: the one that is named, else the last of which something stands."""
    if arguments is not None and "turn" in arguments:
        request = await _request(core, arguments, turn=TurnId(arguments["turn"]))
        return await _done(server, core, _UNDO, request, arguments)
    choices = await read(server, core, lambda desk: choosing.turns(desk.workspace))
    if arguments is not None:
        turn = TurnId(choices[0].value) if choices else None
        request = await _request(core, arguments, turn=turn)
        return await _done(server, core, _UNDO, request, arguments) if turn else _nothing()
    call = (protocol.UNDO_TURN, {"turn": "turn-1"})
    chosen = await _chosen(server, "Take back which turn?", choices, call)
    return await _asked(server, core, _UNDO, Request(turn=TurnId(chosen.value)) if chosen else None)


async def undo_since(server: Server, core: Core, arguments: Arguments | None) -> Message:
    """Take back what came after a moment."""
    if arguments is None:
        choices = await read(server, core, lambda desk: choosing.moments(desk.workspace))
        call = (protocol.UNDO_SINCE, {"since": "10m"})
        chosen = await _chosen(server, "Take back everything since when?", choices, call)
        return await _asked(server, core, _UNDO, Request(since=chosen.value) if chosen else None)
    since = required(arguments, "since", "10m")
    return await _done(server, core, _UNDO, await _request(core, arguments, since=since), arguments)


async def undo_hunk(server: Server, core: Core, arguments: Arguments | None) -> Message:
    """Take back one hunk of one operation in one file; the rest of it stays."""
    arguments = arguments or {}
    op, hunk = OpId(required(arguments, "operation", 12)), required(arguments, "hunk", 1)
    required(arguments, "uri", "file:///a.py")
    return await _done(server, core, _UNDO, await _request(core, arguments, ops=(op,), hunk=hunk), arguments)


# -- redo, rollback, restore ---------------------------------------------------------------------


async def redo(server: Server, core: Core, arguments: Arguments | None) -> Message:
    """Bring back what was taken back last, or these operations."""
    if arguments is None:
        choices = await read(server, core, lambda desk: choosing.undone(desk.workspace))
        chosen = await _chosen(
            server, "Bring back what which undo took back?", choices, (protocol.REDO, {"n": 1})
        )
        return await _asked(server, core, _REDO, Request(ops=(chosen.value,)) if chosen else None)
    ops = _ids(arguments) if "ids" in arguments else ()
    request = await _request(core, arguments, n=None if ops else arguments.get("n", 1), ops=ops)
    return await _done(server, core, _REDO, request, arguments)


async def rollback(server: Server, core: Core, arguments: Arguments | None) -> Message:
    """Take back everything after a checkpoint."""
    if arguments is None:
        choices = await read(server, core, lambda desk: choosing.checkpoints(desk.workspace))
        call = (protocol.ROLLBACK, {"checkpoint": "cp-1"})
        chosen = await _chosen(server, "Roll back to which checkpoint?", choices, call)
        if chosen is None:
            return _nothing()
        return await _asked(server, core, _to(chosen.value), Request())
    name = required(arguments, "checkpoint", "cp-3")
    return await _done(server, core, _to(name), await _request(core, arguments), arguments)


async def restore(server: Server, core: Core, arguments: Arguments | None) -> Message:
    """Put files back to a checkpoint's content."""
    if arguments is None:
        return await _restore_asked(server, core)
    name = required(arguments, "checkpoint", "cp-3")
    return await _done(server, core, _from(name), await _request(core, arguments), arguments)


async def _restore_asked(server: Server, core: Core) -> Message:
    call = (protocol.RESTORE, {"checkpoint": "cp-1", "uris": ["file:///a.py"]})
    checkpoints = await read(server, core, lambda desk: choosing.checkpoints(desk.workspace))
    chosen = await _chosen(server, "Put files back to which checkpoint?", checkpoints, call)
    if chosen is None:
        return _nothing()
    name = chosen.value
    paths = await read(server, core, lambda desk: choosing.paths_since(desk.workspace, name))
    every = Choice(value=_ALL, line=f"All {len(paths)} files that changed since")
    which = await _chosen(server, "Which files?", (every, *paths) if len(paths) > 1 else paths, call)
    if which is None:
        return _nothing()
    wanted = tuple(WorkspacePath(one.value) for one in (paths if which is every else (which,)))
    return await _asked(server, core, _from(name), Request(paths=wanted))


def _to(checkpoint: str) -> Verb:
    return Verb(kind=OperationKind.ROLLBACK, checkpoint=checkpoint)


def _from(checkpoint: str) -> Verb:
    return Verb(kind=OperationKind.RESTORE, checkpoint=checkpoint)


# -- foreseeing ----------------------------------------------------------------------------------


async def foresee(server: Server, name: str, given: Sequence[Any]) -> tuple[Proposed, ...]:
    """What documents become by a call that takes something back, if it changes nothing but documents and their files."""
    arguments = arguments_in(name, given) or {}
    core = await server.core_for(place_in(arguments))
    if name == protocol.UNDO_HUNK:
        request = await _request(core, arguments, ops=(arguments["operation"],), hunk=arguments["hunk"])
    elif name == protocol.UNDO_TURN:
        request = await _request(core, arguments, turn=TurnId(arguments["turn"]))
    elif name == protocol.UNDO_OPERATIONS:
        request = await _request(core, arguments, ops=_ids(arguments))
    else:
        return ()
    return await core.do(lambda desk: desk.foresee(_UNDO, request))


# -- conflicts -----------------------------------------------------------------------------------


async def resolve_conflict(server: Server, core: Core, arguments: Arguments | None) -> Message:
    """Take back one operation in one file, with a decision about what is in the way there."""
    arguments = arguments or {}
    op = OpId(required(arguments, "operation", 12))
    choice = required(arguments, "choice", ALSO)
    required(arguments, "uri", "file:///a.py")
    request = await _request(
        core, {name: arguments[name] for name in arguments if name != "choice"}, ops=(op,)
    )
    if choice != ALSO:
        return await _done(server, core, _UNDO, replace(request, on_conflict=OnConflict(choice)), arguments)
    result = await take_back(server, core, Asked(verb=_UNDO, request=request))
    return answers.result(await conflicts.with_the_others(server, core, request, result))


# -- carrying out --------------------------------------------------------------------------------


async def _chosen(
    server: Server, question: str, choices: Sequence[Choice[Any]], call: tuple[str, Arguments]
) -> Choice[Any] | None:
    """What the person chose. Where there is nothing to choose from, that is said."""
    if not choices:
        server.say("There is nothing to choose from.")
        return None
    otherwise = f"{question} The newest is {choices[0].line}. {asking.call(*call)}"
    return await asking.choose(server, question, choices, otherwise)


async def _asked(server: Server, core: Core, verb: Verb, request: Request | None) -> Message:
    """The answer to what a person chose, who is asked on where something is in the way, and hears what became of it."""
    if request is None:
        return _nothing()
    result = await take_back(server, core, Asked(verb=verb, request=request))
    result = await conflicts.decided(server, core, Asked(verb=verb, request=request), result)
    conflicts.tell(server, result)
    return answers.result(result)


async def _done(server: Server, core: Core, verb: Verb, request: Request, arguments: Arguments) -> Message:
    """The answer to a call with arguments, which asks nobody; but a lens or action that was clicked on has a person."""
    if arguments.get("interactive"):
        return await _asked(server, core, verb, request)
    return answers.result(await take_back(server, core, Asked(verb=verb, request=request)))


def _nothing() -> Message:
    return answers.result(_NOTHING)


# -- arguments -----------------------------------------------------------------------------------


async def _request(core: Core, arguments: Arguments, **more: Any) -> Request:
    actor = arguments.get("actor")
    uris = [*arguments.get("uris", ()), *([arguments["uri"]] if "uri" in arguments else [])]
    return Request(
        actor=parse_actor(actor) if actor is not None else None,
        paths=await paths(core, uris),
        inferred=arguments.get("inferred", False),
        dry_run=arguments.get("dryRun", False),
        on_conflict=OnConflict(arguments.get("onConflict", OnConflict.STOP)),
        reason=arguments.get("reason", ""),
        **more,
    )


async def paths(core: Core, uris: Sequence[str]) -> tuple[WorkspacePath, ...]:
    """What URIs name; of a link that is the link itself, and the file that its document is."""
    return await asyncio.to_thread(_paths, core.root, uris)


def _paths(root: str, uris: Sequence[str]) -> tuple[WorkspacePath, ...]:
    return tuple(dict.fromkeys(path for uri in uris for path in _named(root, uri)))


def _named(root: str, uri: str) -> tuple[WorkspacePath, ...]:
    named = {convert.relative_path(root, uri), convert.document_path(root, uri)}
    found = tuple(workspace_path(path) for path in named if path is not None)
    if not found:
        raise UsageError(f"{uri} lies outside the workspace {root}")
    return found


def _ids(arguments: Arguments) -> tuple[OpId, ...]:
    if not arguments.get("ids"):
        raise UsageError("ids are missing", hint='For example {"ids": [12, 13]}.')
    return tuple(map(OpId, arguments["ids"]))
