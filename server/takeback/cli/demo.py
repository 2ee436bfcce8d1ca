"""The demo command."""

from __future__ import annotations

import click

from takeback.cli.app import EXIT_CONFLICT, Invocation, command, takeback


@command(takeback, "demo", json_too=False)
@click.argument("repository", metavar="[REPO]", required=False, type=click.Path(exists=True, file_okay=False))
def demo(invocation: Invocation, repository: str | None) -> None:
    """Show and check the main job on a temporary copy of REPO (default: this clone, or a repository made for it).

    The exit status is 1 if anything is not as promised.
    """
    from takeback.demo import story, workshop  # noqa: PLC0415 - no other command needs it

    source = repository or invocation.folder or workshop.default_repository()
    if not story.tell(source, click.echo):
        raise click.exceptions.Exit(EXIT_CONFLICT)
