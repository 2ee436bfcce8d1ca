"""Runs a command by its name. With arguments it does not ask; without, it asks, and does nothing if nobody answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from pygls.exceptions import JsonRpcException

from takeback.aio import Core
from takeback.errors import TakebackError
from takeback.lsp import protocol
from takeback.lsp.arguments import Arguments, arguments_in, parameters_in, place_in
from takeback.lsp.commands import checkpoints, failures, recording, taking_back, timeline, turns
from takeback.lsp.server import REQUEST_FAILED, Server
from takeback.service import answers
from takeback.service.requests import Message

Command = Callable[[Server, Core, Arguments | None], Awaitable[Message]]
"""`None` for arguments: it was called without any, and asks."""


async def run_command(server: Server, name: str, given: Sequence[Any]) -> Message:
    """The answer to one command, in the JSON of the command line."""
    with _answered():
        arguments = arguments_in(name, given)
        core = await server.core_for(place_in(arguments or {}))
        answer = await _COMMANDS[name](server, core, arguments)
        server.news.stir(core)
        return answer


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
