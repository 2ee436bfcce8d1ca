"""Commands about checkpoints."""

from __future__ import annotations

from takeback.aio import Core
from takeback.checkpoints import CheckpointKind, Wanted
from takeback.lsp.arguments import Arguments
from takeback.lsp.commands import asking
from takeback.lsp.server import Server
from takeback.service import answers
from takeback.service.requests import Message


async def create(server: Server, core: Core, arguments: Arguments | None) -> Message:
    """Make a checkpoint of the files."""
    if arguments is None:
        answer = await server.ask(
            "Create a checkpoint of all files as they are on disk?",
            ("Create", asking.CANCEL),
            "Call the command with arguments.",
        )
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
