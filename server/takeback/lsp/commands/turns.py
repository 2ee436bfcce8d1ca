"""Messages of an agent in the editor: it says who writes."""

from __future__ import annotations

from takeback.aio import Core
from takeback.errors import UsageError
from takeback.lsp.arguments import Arguments, required
from takeback.lsp.commands.taking_back import paths
from takeback.lsp.server import Server
from takeback.model.operation import parse_actor
from takeback.service import answers, recording, telling
from takeback.service.requests import Message


async def begin(_server: Server, core: Core, parameters: Arguments) -> Message:
    """Begin a turn: what nobody announces is its actor's until its end."""
    actor, label = parse_actor(required(parameters, "actor", "agent:claude")), parameters.get("label", "")
    return answers.turn(await core.do(lambda desk: recording.begin_turn(desk.workspace, actor, label)))


async def end(_server: Server, core: Core, parameters: Arguments) -> Message:
    """End a turn; it need not be named when only one is open."""
    name = parameters.get("turn")
    return answers.turn(await core.do(lambda desk: recording.end_turn(desk.workspace, name)))


async def record_edit(_server: Server, core: Core, parameters: Arguments) -> Message:
    """Put down what is in some files now to the actor who says that it wrote them."""
    actor, label = parse_actor(required(parameters, "actor", "agent:claude")), parameters.get("label", "")
    if not required(parameters, "uris", ["file:///a.py"]):
        raise UsageError(
            "uris is empty", hint='For example {"uris": ["file:///a.py"], "actor": "agent:claude"}.'
        )
    named = await paths(core, parameters["uris"])
    told = await core.do(lambda desk: telling.record(desk.workspace, named, actor, label))
    return {**answers.recorded(told.operation), "claimed": list(told.claimed)}
