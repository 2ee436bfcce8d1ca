"""Commands about checkpoints."""

from __future__ import annotations

from takeback.aio import Core
from takeback.checkpoints import CheckpointKind, Wanted
from takeback.errors import UsageError
from takeback.lsp import protocol
from takeback.lsp.arguments import Arguments, required
from takeback.lsp.commands import asking
from takeback.lsp.server import Server
from takeback.lsp.work import Work, read
from takeback.service import answers, checkpointing, choosing, looking, wording
from takeback.service.requests import Message

_NONE = {"version": answers.VERSION, "checkpoint": None}


async def create(server: Server, core: Core, arguments: Arguments | None) -> Message:
    """Make a checkpoint of the files; unsaved text is not in it."""
    if arguments is None:
        question = "Create a checkpoint of all files as they are on disk?"
        otherwise = asking.call(protocol.CREATE_CHECKPOINT, {"label": "before"})
        if not await asking.confirmed(server, question, "Create", otherwise):
            return _NONE
    given = arguments or {}
    wanted = Wanted(
        label=given.get("label", ""),
        kind=CheckpointKind(given.get("kind", CheckpointKind.MANUAL)),
        tags=tuple(given.get("tags", ())),
        context=dict(given.get("context", {})),
    )
    async with Work(server, "Takeback: checkpoint"):
        made = await core.do(lambda desk: checkpointing.create(desk.workspace, wanted))
    if arguments is None:
        server.say(f"{made.id} was created.")
    return answers.checkpoint(made)


async def list_all(server: Server, core: Core, arguments: Arguments | None) -> Message:
    """Every checkpoint, newest first."""
    found = await read(server, core, lambda desk: desk.workspace.checkpoints.all())
    if arguments is None:
        names = "; ".join(f"{one.id} {wording.plain(one.label)}".strip() for one in found[:20])
        server.say(
            f"{wording.numbered('checkpoint', len(found))}: {names}" if found else "There is no checkpoint."
        )
    return answers.checkpoints(found)


async def update(server: Server, core: Core, arguments: Arguments | None) -> Message:
    """Another label, or pinned or not. Asked for without arguments, it pins or unpins."""
    asks = arguments is None
    if arguments is None:
        chosen = await _chosen(server, core, "Pin or unpin which checkpoint?", protocol.UPDATE_CHECKPOINT)
        if chosen is None:
            return _NONE
        is_pinned = await core.do(lambda desk: desk.workspace.checkpoints.find(chosen).pinned)
        arguments = {"id": chosen, "pinned": not is_pinned}
    name = required(arguments, "id", "cp-3")
    changes = {key: arguments[key] for key in ("label", "pinned") if key in arguments}
    if not changes:
        raise UsageError(
            "neither label nor pinned is given", hint='For example {"id": "cp-3", "pinned": true}.'
        )
    edited = await core.do(lambda desk: desk.workspace.checkpoints.edit(name, **changes))
    if asks:
        server.say(f"{edited.id} is {'pinned: it never expires' if edited.pinned else 'no longer pinned'}.")
    return answers.checkpoint(edited)


async def delete(server: Server, core: Core, arguments: Arguments | None) -> Message:
    """Delete a checkpoint; operations and their content stay."""
    name = await _named(server, core, arguments, "Delete which checkpoint?", protocol.DELETE_CHECKPOINT)
    if name is None:
        return _NONE
    deleted = await core.do(lambda desk: desk.workspace.checkpoints.delete(name))
    if arguments is None:
        server.say(f"{deleted.id} was deleted.")
    return answers.checkpoint(deleted)


async def export(server: Server, core: Core, arguments: Arguments | None) -> Message:
    """Write a checkpoint as a commit on a new branch of the user's repository."""
    asks = arguments is None
    if arguments is None:
        name = await _chosen(server, core, "Export which checkpoint?", protocol.EXPORT_CHECKPOINT)
        if name is None or not await _may_export(server, name):
            return _NONE
        arguments = {"id": name, "branch": _branch(name)}
    name, branch = required(arguments, "id", "cp-3"), required(arguments, "branch", "before")
    async with Work(server, "Takeback: export"):
        made = await core.do(lambda desk: checkpointing.export(desk.workspace, name, branch))
    if asks:
        server.say(f"{made.checkpoint.id} is commit {made.commit[:12]} on the new branch {made.branch}.")
    return answers.exported(made)


async def compare(server: Server, core: Core, arguments: Arguments | None) -> Message:
    """What differs between a checkpoint and now."""
    question = "Compare which checkpoint with now?"
    name = await _named(server, core, arguments, question, protocol.COMPARE_CHECKPOINT)
    if name is None:
        return _NONE
    compared = await read(server, core, lambda desk: looking.compare(desk.workspace, name))
    if arguments is None:
        paths = [file["path"] for file in compared["files"]]
        what = wording.numbered("file", len(paths))
        server.say(f"Since {name}, {what} changed{': ' + wording.files(paths) if paths else ''}.")
    return compared


async def _named(
    server: Server, core: Core, arguments: Arguments | None, question: str, command: str
) -> str | None:
    """The checkpoint that is named, or that the person chooses; `None` if there is none to choose, or none chosen."""
    if arguments is None:
        return await _chosen(server, core, question, command)
    name: str = required(arguments, "id", "cp-3")
    return name


async def _may_export(server: Server, name: str) -> bool:
    question = f"Write {name} as a commit on the new branch {_branch(name)} of your repository?"
    otherwise = asking.call(protocol.EXPORT_CHECKPOINT, {"id": name, "branch": _branch(name)})
    return await asking.confirmed(server, question, "Export", otherwise)


def _branch(name: str) -> str:
    return f"takeback/{name}"


async def _chosen(server: Server, core: Core, question: str, command: str) -> str | None:
    choices = await read(server, core, lambda desk: choosing.checkpoints(desk.workspace))
    if not choices:
        server.say("There is no checkpoint.")
        return None
    example = {"id": choices[0].value, **({"branch": "b"} if command == protocol.EXPORT_CHECKPOINT else {})}
    chosen = await asking.choose(server, question, choices, f"{question} {asking.call(command, example)}")
    return chosen.value if chosen else None
