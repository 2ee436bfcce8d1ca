"""`takeback mcp`: the server on standard input and output, for one client.

Nothing is caught when the process is ended by a signal: what it began ends with it, and any later process of the
workspace sees that.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import traceback
from typing import Any

import anyio
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    InputRequiredResult,
    ListToolsResult,
    NotificationParams,
    PaginatedRequestParams,
    TextContent,
    ToolAnnotations,
)
from mcp_types import Tool as ToolOnWire

from takeback import __version__
from takeback.errors import Defect, TakebackError
from takeback.mcp.asking import Context, InputNeeded
from takeback.mcp.connection import Connection
from takeback.mcp.tools import INSTRUCTIONS, TOOLS, Tool
from takeback.mcp.unread import answered
from takeback.model.words import as_text
from takeback.service import answers
from takeback.service.answers import Answer
from takeback.service.requests import Outcome

logger = logging.getLogger(__name__)

_FAILED = (Outcome.CONFLICT, Outcome.PARTIAL, Outcome.REFUSED)
"""Outcomes that are not what was asked for."""


def serve(folder: str | None, actor: str | None, patience_s: float) -> None:
    """Serve until the client closes standard input."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)  # standard output belongs to the protocol
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # the thread that reads standard input cannot be woken up
    anyio.run(_serve, folder, actor, patience_s)


async def _serve(folder: str | None, actor: str | None, patience_s: float) -> None:
    connection = Connection(folder, actor, patience_s)
    server = _server(connection)
    async with stdio_server() as (reader, writer):
        try:
            async with answered(reader, writer.send) as readable:
                await server.run(readable, writer, server.create_initialization_options())
        finally:
            await connection.close()


def _server(connection: Connection) -> Server[object]:
    async def list_tools(_context: Context, _params: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(tools=[_on_wire(name, tool) for name, tool in TOOLS.items()])

    async def call_tool(
        context: Context, params: CallToolRequestParams
    ) -> CallToolResult | InputRequiredResult:
        return await _called(connection, context, params)

    async def roots_changed(_context: Context, _params: NotificationParams) -> None:
        connection.forget_roots()

    server: Server[object] = Server(
        "takeback",
        version=__version__,
        title="Takeback",
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )
    server.add_notification_handler("notifications/roots/list_changed", NotificationParams, roots_changed)
    server.middleware.clear()  # no telemetry, not even where somebody installed an exporter
    return server


async def _called(
    connection: Connection, context: Context, params: CallToolRequestParams
) -> CallToolResult | InputRequiredResult:
    tool = TOOLS.get(params.name)
    if tool is None:
        raise MCPError(INVALID_PARAMS, f"there is no tool {params.name!r}, only {', '.join(TOOLS)}")
    try:
        return _result(await connection.call(params.name, tool, context, params))
    except InputNeeded as needed:
        return needed.result
    except TakebackError as problem:
        return _result(answers.error(problem))
    except Exception as problem:  # noqa: BLE001 - the front end's edge: what gets here is our defect
        return _result(answers.error(_defect(problem)))


def _result(answer: Answer) -> CallToolResult:
    """The answer twice: as data, and as text for clients that do not read data."""
    answer = plain(answer)
    failed = "error" in answer or answer.get("outcome") in _FAILED
    text = TextContent(text=json.dumps(answer, ensure_ascii=False, allow_nan=False))
    return CallToolResult(content=[text], structured_content=answer, is_error=failed)


def plain(value: Any) -> Any:
    """The answer as the protocol can carry it: bytes of a path that are no text are written out."""
    if isinstance(value, str):
        return as_text(value)
    if isinstance(value, dict):
        return {as_text(name): plain(one) for name, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, list | tuple) else value


def _defect(problem: Exception) -> Defect:
    frames = traceback.extract_tb(problem.__traceback__)
    place = next((f"{os.path.basename(frame.filename)}:{frame.lineno}" for frame in reversed(frames)), "?")
    defect = Defect(f"{__version__} failed at {place}: {type(problem).__name__}: {problem}")
    logger.error("%s %s", defect.message, defect.hint)
    return defect


def _on_wire(name: str, tool: Tool) -> ToolOnWire:
    return ToolOnWire(
        name=name,
        title=tool.title,
        description=tool.text,
        input_schema=tool.schema(),
        output_schema=dict(tool.answers),
        annotations=ToolAnnotations(
            title=tool.title,
            read_only_hint=tool.reads,
            destructive_hint=tool.destroys,
            open_world_hint=False,
        ),
    )
