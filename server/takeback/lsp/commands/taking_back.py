"""Commands that take something back."""

from __future__ import annotations

from typing import Any

from takeback.aio import Core
from takeback.errors import UsageError
from takeback.lsp import convert
from takeback.lsp.arguments import Arguments
from takeback.lsp.commands import asking
from takeback.lsp.server import Server
from takeback.lsp.taking_back import Asked, take_back
from takeback.model.ids import OpId
from takeback.model.operation import OperationKind, parse_actor
from takeback.model.paths import WorkspacePath, workspace_path
from takeback.service import answers
from takeback.service.requests import Message, Outcome, Request, Result, Verb
from takeback.undo.clash import OnConflict

NOTHING = Result(outcome=Outcome.NOTHING, operation=None, undone=(), files=())


async def undo_last(server: Server, core: Core, arguments: Arguments | None) -> Message:
    """Take back the last operations."""
    if arguments is None:
        return await _undo_asked(server, core, "Take back which operation?")
    request = _request(core, arguments, n=arguments.get("n", 1), in_editor=True)
    return await _answered(server, core, Verb(kind=OperationKind.UNDO), request)


async def undo_operations(server: Server, core: Core, arguments: Arguments | None) -> Message:
    """Take back these operations."""
    if arguments is None:
        return await _undo_asked(server, core, "Take back which operation?")
    request = _request(core, arguments, ops=_ids(arguments))
    return await _answered(server, core, Verb(kind=OperationKind.UNDO), request)


async def redo(server: Server, core: Core, arguments: Arguments | None) -> Message:
    """Bring back what was taken back last, or these operations."""
    if arguments is None:
        answer = await server.ask(
            "Bring back what was taken back last?",
            ("Bring back", asking.CANCEL),
            "Call the command with arguments.",
        )
        if answer != "Bring back":
            return answers.result(NOTHING)
        arguments = {}
    ops = _ids(arguments) if "ids" in arguments else ()
    request = _request(core, arguments, n=None if ops else arguments.get("n", 1), ops=ops)
    return await _answered(server, core, Verb(kind=OperationKind.REDO), request)


async def rollback(server: Server, core: Core, arguments: Arguments | None) -> Message:
    """Take back everything after a checkpoint."""
    if arguments is None:
        choices = await core.do(lambda desk: desk.checkpoint_choices())
        named = {line: name for name, line in choices}
        answer = (
            await server.ask(
                "Roll back to which checkpoint?", (*named, asking.CANCEL), "Call the command with arguments."
            )
            if named
            else None
        )
        if answer not in named:
            return answers.result(NOTHING)
        arguments = {"checkpoint": named[answer]}
    if "checkpoint" not in arguments:
        raise UsageError("rollback needs a checkpoint", hint='For example {"checkpoint": "cp-3"}.')
    verb = Verb(kind=OperationKind.ROLLBACK, checkpoint=arguments["checkpoint"])
    return await _answered(server, core, verb, _request(core, arguments))


async def _undo_asked(server: Server, core: Core, question: str) -> Message:
    choices = await core.do(lambda desk: desk.choices())
    named = {line: op for op, line in choices}
    if not named:
        server.say("There is nothing to take back.")
        return answers.result(NOTHING)
    answer = await server.ask(question, (*named, asking.CANCEL), "Call the command with arguments.")
    if answer not in named:
        return answers.result(NOTHING)
    request = Request(ops=(OpId(named[answer]),))
    return await _answered(server, core, Verb(kind=OperationKind.UNDO), request)


async def _answered(server: Server, core: Core, verb: Verb, request: Request) -> Message:
    return answers.result(await take_back(server, core, Asked(verb=verb, request=request)))


# -- arguments -----------------------------------------------------------------------------------


def _request(core: Core, arguments: Arguments, **more: Any) -> Request:
    actor = arguments.get("actor")
    uris = [*arguments.get("uris", ()), *([arguments["uri"]] if "uri" in arguments else [])]
    return Request(
        actor=parse_actor(actor) if actor is not None else None,
        paths=tuple(path for uri in uris for path in _paths(core, uri)),
        dry_run=arguments.get("dryRun", False),
        on_conflict=OnConflict(arguments.get("onConflict", OnConflict.STOP)),
        **more,
    )


def _paths(core: Core, uri: str) -> tuple[WorkspacePath, ...]:
    """What a URI names; of a link that is the link itself, and the file that its document is."""
    named = {convert.relative_path(core.root, uri), convert.document_path(core.root, uri)}
    paths = tuple(workspace_path(path) for path in named if path is not None)
    if not paths:
        raise UsageError(f"{uri} lies outside the workspace {core.root}")
    return paths


def _ids(arguments: Arguments) -> tuple[OpId, ...]:
    if not arguments.get("ids"):
        raise UsageError("ids are missing", hint='For example {"ids": [12, 13]}.')
    return tuple(map(OpId, arguments["ids"]))
