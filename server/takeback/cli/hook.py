"""Hooks of agents: setting them up, and taking that away again. `hooked` is what agents then call."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Callable

import click

from takeback.agents.decoding import AGENTS
from takeback.agents.settings import SETTINGS
from takeback.cli.app import Invocation, command, takeback
from takeback.errors import Refused, TakebackError, UsageError
from takeback.service import hook_settings, hooking
from takeback.service.hook_settings import Edit


@takeback.group("hook")
def hook_group() -> None:
    """What agents tell by their own hooks: every write of theirs is theirs, with a turn for each prompt."""


@command(hook_group, "install", json_too=False)
@click.argument("agent", type=click.Choice(AGENTS))
@click.option("--yes", is_flag=True, help="Do not ask.")
def install(invocation: Invocation, agent: str, *, yes: bool) -> None:
    """Let an agent tell what it writes: show what its settings get, ask, and write it.

    Everything else in the settings stays as it is. An agent is recorded in workspaces that have history.
    """
    edit = hook_settings.installing(agent, os.environ)
    if _write(edit, yes=yes, nothing=f"{SETTINGS[agent].title} tells Takeback already: {edit.path}"):
        click.echo(f"{SETTINGS[agent].title} tells Takeback what it writes.")
        _say_what_is_left(invocation, agent)


@command(hook_group, "uninstall", json_too=False)
@click.argument("agent", type=click.Choice(AGENTS))
@click.option("--yes", is_flag=True, help="Do not ask.")
def uninstall(invocation: Invocation, agent: str, *, yes: bool) -> None:  # noqa: ARG001 - every command has one
    """Take out of an agent's settings what `install` put there: show it, ask, and write it."""
    edit = hook_settings.uninstalling(agent, os.environ)
    if _write(edit, yes=yes, nothing=f"{SETTINGS[agent].title} tells Takeback nothing: {edit.path}"):
        click.echo(f"{SETTINGS[agent].title} tells Takeback nothing any more.")


def _write(edit: Edit, *, yes: bool, nothing: str) -> bool:
    """Whether the file was changed. Raises Refused if nobody can be asked."""
    if not edit.changes_something:
        click.echo(nothing)
        return False
    click.echo("".join(_difference(edit)), nl=False)
    if not yes:
        if not sys.stdin.isatty():
            raise Refused("nothing was written: there is nobody to ask", hint="`--yes` writes it unasked.")
        if not click.confirm(f"Write this to {edit.path}?"):
            click.echo("Nothing was written.")
            return False
    hook_settings.write(edit)
    return True


def _difference(edit: Edit) -> list[str]:
    before, after = ((text or "").splitlines(keepends=True) for text in (edit.before, edit.after))
    lines = difflib.unified_diff(before, after, edit.path, edit.path)
    return [line if line.endswith("\n") else line + "\n" for line in lines]


def _say_what_is_left(invocation: Invocation, agent: str) -> None:
    if SETTINGS[agent].afterwards:
        click.echo(SETTINGS[agent].afterwards)
    root = _root(invocation)
    if root and hooking.place_of(root, os.environ) is None:
        click.echo(f"{root} has no history yet: `takeback init` there begins it.")


def _root(invocation: Invocation) -> str:
    try:
        return invocation.root()
    except TakebackError:  # the settings are written: where the user stands is not what they asked about
        return ""


def _told(agent: str) -> Callable[..., None]:
    def told(_: Invocation, event: str | None) -> None:  # noqa: ARG001 - an agent names it, a person does not come so far
        raise UsageError(
            f"this is what {SETTINGS[agent].title} calls, with what it does on standard input",
            hint=f"`takeback hook install {agent}` lets it do so.",
        )

    told.__doc__ = f"What {SETTINGS[agent].title} calls, with JSON on standard input. It answers nothing and always ends with 0."
    return told


for _agent in AGENTS:
    command(hook_group, _agent, json_too=False)(click.argument("event", required=False)(_told(_agent)))
