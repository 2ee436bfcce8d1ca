"""The commands. With arguments they do not ask; without, they ask, and do nothing when nobody answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from pygls.exceptions import JsonRpcException

from takeback.aio import Core
from takeback.checkpoints import CheckpointKind, Wanted
from takeback.errors import Busy, TakebackError, UsageError
from takeback.lsp import convert, protocol
from takeback.lsp.arguments import Arguments, arguments_in
from takeback.lsp.editor_writer import EditorWriter, Shown, Written
from takeback.lsp.server import REQUEST_FAILED, Server
from takeback.model.ids import OpId
from takeback.model.operation import OperationKind, parse_actor
from takeback.model.paths import WorkspacePath, workspace_path
from takeback.service import answers
from takeback.service.desk import Proposal
from takeback.service.requests import Message, Outcome, Request, Result, Verb, request_in
from takeback.undo.clash import OnConflict

CANCEL = "Cancel"
ATTEMPTS = 5
"""How often a plan is made anew because somebody goes on typing or writing."""
HAND_OVER_S = 28.0

_NOTHING = Result(outcome=Outcome.NOTHING, operation=None, undone=(), files=())


async def run_command(server: Server, name: str, given: Sequence[Any]) -> Message:
    """The answer to one command, in the JSON of the command line."""
    try:
        arguments = arguments_in(name, given)
        known = arguments or {}
        core = await server.core_for(known.get("workspace") or known.get("uri"))
        return await _COMMANDS[name](server, core, arguments)
    except TakebackError as problem:
        text = f"{problem.message}. {problem.hint}".strip()
        raise JsonRpcException(text, REQUEST_FAILED, answers.error(problem)) from problem


def handed_over(server: Server, root: str, message: Message) -> Message:
    """The answer to another process that wants something taken back; called on a thread of its own."""
    assert server.loop is not None, "BUG: workspaces are opened on the loop"
    verb, request = request_in(message["request"])

    async def act() -> Message:
        return answers.result(await take_back(server, server.core_at(root), verb, request))

    try:
        return asyncio.run_coroutine_threadsafe(act(), server.loop).result(HAND_OVER_S)
    except TakebackError as problem:
        return answers.error(problem)


async def take_back(server: Server, core: Core, verb: Verb, request: Request) -> Result:
    """Take something back in documents and files; what moves meanwhile leads to a new plan."""
    async with server.lock(core):
        try:
            return await _attempts(server, core, verb, request)
        finally:
            core.post(lambda desk: desk.let_go())


async def _attempts(server: Server, core: Core, verb: Verb, request: Request) -> Result:
    for _ in range(ATTEMPTS):
        server.protocol.check_cancelled()
        found = await core.do(lambda desk: desk.propose(verb, request))
        if isinstance(found, Result):
            return found
        result = await _attempt(server, core, found)
        if result is not None:
            return result
    raise Busy("files or documents of this undo keep changing", hint="Try again when nobody is writing.")


async def _attempt(server: Server, core: Core, proposal: Proposal) -> Result | None:
    writer = EditorWriter(server, core)
    shown: list[Shown] = []
    failed: dict[WorkspacePath, str] = {}
    for proposed in proposal.edits:
        if not server.can_edit and proposed.was_clean:
            continue  # the file changes, and the editor reloads it
        written, one = await writer.show(proposed)
        if one is not None:
            shown.append(one)
        elif written is Written.STALE:
            await writer.take_back(shown)
            return None
        else:
            failed[proposed.path] = "the editor did not change its document, so its file was left too"
            break
    if failed:
        stay = {one.proposed.path for one in await writer.take_back(shown)}
        others = {file.path for file in proposal.draft.plan.files} - stay - failed.keys()
        failed |= dict.fromkeys(others, "left, because another document could not be changed")
    return await _carried_out(server, core, proposal, shown, failed)


async def _carried_out(
    server: Server, core: Core, proposal: Proposal, shown: Sequence[Shown], left: Mapping[WorkspacePath, str]
) -> Result | None:
    writer = EditorWriter(server, core)
    clean = {
        one.proposed.path
        for one in shown
        if one.proposed.was_clean and one.proposed.path not in left and writer.is_as_planned(one)
    }
    unsaved = frozenset() if server.can("save") else frozenset(clean)
    paths = {one.proposed.path for one in shown}
    result = None
    if not server.protocol.is_cancelled:  # from here on it is too late
        result = await core.do(lambda desk: desk.carry_out(proposal, paths, left, unsaved))
    if result is None:
        await writer.take_back(shown)
        return None
    for path in sorted(clean - unsaved):
        await server.save(convert.uri_of(core.root, path))
    return result


# -- the commands --------------------------------------------------------------------------------


async def _undo_last(server: Server, core: Core, arguments: Arguments | None) -> Message:
    if arguments is None:
        return await _undo_asked(server, core, "Take back which operation?")
    request = _request(core, arguments, n=arguments.get("n", 1), in_editor=True)
    return await _answered(server, core, Verb(kind=OperationKind.UNDO), request)


async def _undo_operations(server: Server, core: Core, arguments: Arguments | None) -> Message:
    if arguments is None:
        return await _undo_asked(server, core, "Take back which operation?")
    request = _request(core, arguments, ops=_ids(arguments))
    return await _answered(server, core, Verb(kind=OperationKind.UNDO), request)


async def _redo(server: Server, core: Core, arguments: Arguments | None) -> Message:
    if arguments is None:
        answer = await server.ask("Bring back what was taken back last?", ("Bring back", CANCEL))
        if answer != "Bring back":
            return answers.result(_NOTHING)
        arguments = {}
    ops = _ids(arguments) if "ids" in arguments else ()
    request = _request(core, arguments, n=None if ops else arguments.get("n", 1), ops=ops)
    return await _answered(server, core, Verb(kind=OperationKind.REDO), request)


async def _rollback(server: Server, core: Core, arguments: Arguments | None) -> Message:
    if arguments is None:
        choices = await core.do(lambda desk: desk.checkpoint_choices())
        named = {line: name for name, line in choices}
        answer = await server.ask("Roll back to which checkpoint?", (*named, CANCEL)) if named else None
        if answer not in named:
            return answers.result(_NOTHING)
        arguments = {"checkpoint": named[answer]}
    if "checkpoint" not in arguments:
        raise UsageError("rollback needs a checkpoint", hint='For example {"checkpoint": "cp-3"}.')
    verb = Verb(kind=OperationKind.ROLLBACK, checkpoint=arguments["checkpoint"])
    return await _answered(server, core, verb, _request(core, arguments))


async def _create_checkpoint(server: Server, core: Core, arguments: Arguments | None) -> Message:
    if arguments is None:
        answer = await server.ask("Create a checkpoint of all files as they are on disk?", ("Create", CANCEL))
        if answer != "Create":
            return {"version": answers.VERSION, "checkpoint": None}
        arguments = {}
    wanted = Wanted(
        label=arguments.get("label", ""),
        kind=CheckpointKind(arguments.get("kind", CheckpointKind.MANUAL)),
        tags=tuple(arguments.get("tags", ())),
        context=dict(arguments.get("context", {})),
    )
    return await core.do(lambda desk: desk.create_checkpoint(wanted))


async def _status(_server: Server, core: Core, _arguments: Arguments | None) -> Message:
    return await core.do(lambda desk: desk.status())


async def _undo_asked(server: Server, core: Core, question: str) -> Message:
    choices = await core.do(lambda desk: desk.choices())
    named = {line: op for op, line in choices}
    if not named:
        server.say("There is nothing to take back.")
        return answers.result(_NOTHING)
    answer = await server.ask(question, (*named, CANCEL))
    if answer not in named:
        return answers.result(_NOTHING)
    request = Request(ops=(OpId(named[answer]),))
    return await _answered(server, core, Verb(kind=OperationKind.UNDO), request)


async def _answered(server: Server, core: Core, verb: Verb, request: Request) -> Message:
    return answers.result(await take_back(server, core, verb, request))


# -- arguments -----------------------------------------------------------------------------------


def _request(core: Core, arguments: Arguments, **more: Any) -> Request:
    actor = arguments.get("actor")
    uris = [*arguments.get("uris", ()), *([arguments["uri"]] if "uri" in arguments else [])]
    return Request(
        actor=parse_actor(actor) if actor is not None else None,
        paths=tuple(_path(core, uri) for uri in uris),
        dry_run=arguments.get("dryRun", False),
        on_conflict=OnConflict(arguments.get("onConflict", OnConflict.STOP)),
        **more,
    )


def _path(core: Core, uri: str) -> WorkspacePath:
    relative = convert.relative_path(core.root, uri)
    if relative is None:
        raise UsageError(f"{uri} lies outside the workspace {core.root}")
    return workspace_path(relative)


def _ids(arguments: Arguments) -> tuple[OpId, ...]:
    if not arguments.get("ids"):
        raise UsageError("ids are missing", hint='For example {"ids": [12, 13]}.')
    return tuple(map(OpId, arguments["ids"]))


_COMMANDS: Mapping[str, Callable[[Server, Core, Arguments | None], Awaitable[Message]]] = MappingProxyType(
    {
        protocol.UNDO_LAST: _undo_last,
        protocol.UNDO_OPERATIONS: _undo_operations,
        protocol.REDO: _redo,
        protocol.CREATE_CHECKPOINT: _create_checkpoint,
        protocol.ROLLBACK: _rollback,
        protocol.STATUS: _status,
    }
)
