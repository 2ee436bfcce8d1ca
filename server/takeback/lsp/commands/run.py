"""Runs a command by its name. With arguments it does not ask; without, it asks, and does nothing if nobody answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from pygls.exceptions import JsonRpcException

from takeback.aio import Core
from takeback.errors import TakebackError, UsageError
from takeback.lsp import convert, protocol
from takeback.lsp.arguments import Arguments, arguments_in, parameters_in, place_in
from takeback.lsp.commands import asking, checkpoints, failures, recording, taking_back, timeline, turns
from takeback.lsp.server import REQUEST_FAILED, Server
from takeback.service import answers, wording
from takeback.service.choosing import Choice
from takeback.service.requests import Message

Command = Callable[[Server, Core, Arguments | None], Awaitable[Message]]
"""`None` for arguments: it was called without any, and asks."""


async def run_command(server: Server, name: str, given: Sequence[Any]) -> Message:
    """The answer to one command, in the JSON of the command line."""
    with _answered():
        arguments = arguments_in(name, given)
        core = await server.core_for(place_in(arguments or {}))
        if arguments is None and len(server.cores) > 1:
            core = await _chosen(server, name)
        answer = await _COMMANDS[name](server, core, arguments)
        server.news.stir(core)
        return answer


async def _chosen(server: Server, name: str) -> Core:
    """The workspace that a person means, of several. Raises UsageError if that is not said."""
    choices = [Choice(value=core, line=wording.plain(core.root, 200)) for core in server.cores]
    call = asking.call(name, {"workspace": convert.file_uri(choices[0].value.root)})
    chosen = await asking.choose(server, "In which folder?", choices, f"Several folders are open. {call}")
    if chosen is None:
        raise UsageError("several folders are open, and none was chosen", hint="Name one as `workspace`.")
    return chosen.value


async def run_message(server: Server, name: str, given: Any) -> Message:
    """The answer to one message of our own."""
    with _answered():
        parameters = parameters_in(name, given)
        core = await server.core_for(place_in(parameters))
        return await _MESSAGES[name](server, core, parameters)


@contextmanager
def _answered() -> Iterator[None]:
    """Errors of the core become answers that say the same as on the command line."""
    try:
        yield
    except TakebackError as problem:
        text = f"{problem.message}. {problem.hint}".strip()
        raise JsonRpcException(text, REQUEST_FAILED, answers.error(problem)) from problem


_COMMANDS: Mapping[str, Command] = MappingProxyType(
    {
        protocol.UNDO_LAST: taking_back.undo_last,
        protocol.UNDO_OPERATIONS: taking_back.undo_operations,
        protocol.UNDO_TURN: taking_back.undo_turn,
        protocol.UNDO_SINCE: taking_back.undo_since,
        protocol.UNDO_HUNK: taking_back.undo_hunk,
        protocol.REDO: taking_back.redo,
        protocol.ROLLBACK: taking_back.rollback,
        protocol.RESTORE: taking_back.restore,
        protocol.RESOLVE_CONFLICT: taking_back.resolve_conflict,
        protocol.KEEP: recording.keep,
        protocol.CREATE_CHECKPOINT: checkpoints.create,
        protocol.LIST_CHECKPOINTS: checkpoints.list_all,
        protocol.UPDATE_CHECKPOINT: checkpoints.update,
        protocol.DELETE_CHECKPOINT: checkpoints.delete,
        protocol.EXPORT_CHECKPOINT: checkpoints.export,
        protocol.COMPARE_CHECKPOINT: checkpoints.compare,
        protocol.SHOW_TIMELINE: timeline.show_timeline,
        protocol.SHOW_OPERATION: timeline.show_operation,
        protocol.PAUSE_RECORDING: recording.pause,
        protocol.RESUME_RECORDING: recording.resume,
        protocol.STATUS: recording.status,
    }
)

_MESSAGES: Mapping[str, Callable[[Server, Core, Arguments], Awaitable[Message]]] = MappingProxyType(
    {
        protocol.BEGIN_TURN: turns.begin,
        protocol.END_TURN: turns.end,
        protocol.RECORD_EDIT: turns.record_edit,
        protocol.RECORD_FAILURE: failures.record,
        protocol.TIMELINE: timeline.page,
    }
)
