"""The command that serves an editor: lsp."""

from __future__ import annotations

import click

from takeback.cli import render
from takeback.cli.app import takeback
from takeback.errors import UsageError


@takeback.command("lsp")
@click.option("--tcp", metavar="HOST:PORT", help="Serve one client on this address of this machine instead.")
@click.option(
    "--stdio", is_flag=True, help="Standard input and output; the default, and accepted for clients."
)
@click.option("-C", "folder", metavar="DIR", hidden=True, help="Ignored: the editor names its folders.")
def lsp(tcp: str | None, *, stdio: bool, folder: str | None) -> None:
    """Run the language server, which records, and takes back in files and open documents."""
    del stdio, folder
    from takeback.lsp import program  # noqa: PLC0415 - no other command needs the editor's side

    try:
        program.serve_tcp(tcp) if tcp is not None else program.serve()
    except UsageError as problem:
        render.problem(problem)
        raise click.exceptions.Exit(problem.exit_status) from problem
