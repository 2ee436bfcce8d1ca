"""The command that serves an agent: mcp."""

from __future__ import annotations

import click

from takeback.cli.app import Invocation, command, takeback
from takeback.errors import Unsupported, UsageError
from takeback.model.operation import parse_actor

_EXTRA = ("mcp", "mcp_types", "anyio")
"""What `takeback[mcp]` installs, as far as it is imported."""


@command(takeback, "mcp", json_too=False)
@click.option(
    "--actor",
    metavar="A",
    envvar="TAKEBACK_ACTOR",
    show_envvar=True,
    help="Who the client is: agent:NAME. Default: by the name that it gives.",
)
@click.option(
    "--patience",
    "patience_s",
    type=click.FloatRange(min=0, min_open=True),
    default=300,
    show_default=True,
    metavar="SECONDS",
    help="How long a question waits for a person.",
)
def mcp(invocation: Invocation, actor: str | None, patience_s: float) -> None:
    """Run the MCP server on standard input and output: an agent records what it wrote, and takes it back.

    Without `-C` the workspace is the folder that the client has open, else the one around the current folder.
    It needs the extra: `pip install "takeback[mcp]"`.
    """
    _serve(invocation.root() if invocation.folder is not None else None, _agent(actor), patience_s)


def _agent(actor: str | None) -> str | None:
    who = parse_actor(actor) if actor is not None else None
    if who is not None and not who.startswith("agent:"):
        raise UsageError(f"{who} is no agent", hint="For example `--actor agent:claude`.")
    return who


def _serve(root: str | None, who: str | None, patience_s: float) -> None:
    try:
        from takeback.mcp import program  # noqa: PLC0415 - no other command needs the extra
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] not in _EXTRA:
            raise
        raise Unsupported(
            "the MCP server is not installed", hint='`pip install "takeback[mcp]"` installs it.'
        ) from missing
    program.serve(root, who, patience_s)
