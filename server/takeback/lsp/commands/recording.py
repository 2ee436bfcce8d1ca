"""Commands about recording."""

from __future__ import annotations

from collections.abc import Sequence

from takeback.aio import Core
from takeback.lsp import protocol
from takeback.lsp.arguments import Arguments, required
from takeback.lsp.commands import asking
from takeback.lsp.commands.taking_back import paths
from takeback.lsp.server import Server
from takeback.lsp.work import read
from takeback.model.ids import OpId
from takeback.service import answers, choosing, recording, wording
from takeback.service.choosing import Choice
from takeback.service.desk import Desk
from takeback.service.requests import Message

_ALL = OpId(0)


async def status(server: Server, core: Core, arguments: Arguments | None) -> Message:
    """The workspace at a glance."""
    found = await read(server, core, lambda desk: desk.status())
    if arguments is None:
        n = found["counters"].get("operations", 0)
        state = "paused" if found["paused"] else "recording"
        notices = "".join(f" {wording.plain(one, 200)}." for one in found["notices"][:3])
        server.say(f"Takeback: {state}, {wording.numbered('operation', n)} in {core.root}.{notices}")
    return found


async def keep(server: Server, core: Core, arguments: Arguments | None) -> Message:
    """Say that a foreign operation is fine, everywhere or in one file: its marks end."""
    if arguments is None:
        chosen = await _chosen(server, core)
        if chosen is None:
            return {"version": answers.VERSION, "kept": []}
        return await keep_asked(server, core, (chosen,) if chosen else ())
    ops = (OpId(arguments["operation"]),) if "operation" in arguments else ()
    where = await paths(core, (arguments["uri"],)) if "uri" in arguments else ()
    if not (ops or where):
        required(arguments, "operation", 12)
    kept = await core.do(lambda desk: recording.keep(desk.workspace, ops, where))
    server.authorships.look_again(core)
    return {"version": answers.VERSION, "kept": list(kept)}


async def keep_asked(server: Server, core: Core, ops: Sequence[OpId]) -> Message:
    """Keep what a person chose, all that is foreign if that is nothing in particular, and say so."""
    kept = await core.do(lambda desk: recording.keep(desk.workspace, ops))
    server.authorships.look_again(core)
    server.say(f"Kept {wording.numbered('operation', len(kept))}.")
    return {"version": answers.VERSION, "kept": list(kept)}


async def pause(server: Server, core: Core, arguments: Arguments | None) -> Message:
    """Stop recording, after what has happened so far."""

    def act(desk: Desk) -> None:
        recording.pause(desk.workspace)

    await core.do(act)
    if arguments is None:
        server.say(f"Takeback no longer records {core.root}, until recording is resumed.")
    return {"version": answers.VERSION, "paused": True}


async def resume(server: Server, core: Core, arguments: Arguments | None) -> Message:
    """Record again; what happened meanwhile becomes one operation."""
    found = await core.do(lambda desk: recording.resume(desk.workspace))
    if arguments is None:
        server.say(f"Takeback records {core.root} again.")
    return {"version": answers.VERSION, "paused": False, "operation": answers.recorded(found)["operation"]}


async def _chosen(server: Server, core: Core) -> OpId | None:
    choices = await read(server, core, lambda desk: choosing.foreign(desk.workspace))
    if not choices:
        server.say("There is nothing to keep.")
        return None
    every = Choice(value=_ALL, line="All of them")
    offered = (every, *choices) if len(choices) > 1 else choices
    otherwise = f"Keep which operation? {asking.call(protocol.KEEP, {'operation': choices[0].value})}"
    chosen = await asking.choose(server, "Keep which operation?", offered, otherwise)
    return chosen.value if chosen else None
