"""One word per concept, in everything that a user reads."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click

from takeback.cli.app import takeback
from takeback.cli.program import run as _whole_program  # importing it registers every command

PROJECT = Path(__file__).parents[2]
PACKAGE = PROJECT / "server" / "takeback"

INSTEAD = {
    r"snapshots?": "checkpoint",
    r"save ?points? of the workspace": "checkpoint",
    r"revert(s|ed|ing)?": "undo",
    r"rewind(s|ing)?": "rollback",
    r"unundo": "redo",
    r"director(y|ies)": "folder",
    r"repos?": "repository",
    r"transactions? (log|history)": "journal",
    r"event log": "journal",
    r"object database": "store",
    r"backups?": "store",
    r"project root": "workspace",
}
"""Words that would be a second name for something, and the one name that it has."""


assert _whole_program


def helps(command: click.Command, name: str) -> Iterator[tuple[str, str]]:
    """Every help text below a command, with where it is."""
    yield name, command.help or ""
    for parameter in command.params:
        yield f"{name} {parameter.name}", getattr(parameter, "help", None) or ""
    if isinstance(command, click.Group):
        for below, one in command.commands.items():
            yield from helps(one, f"{name} {below}")


def messages() -> Iterator[tuple[str, str]]:
    """Every sentence in the code that can reach a user: texts with a space in them that are no docstring."""
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        silent = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
            if is_text and id(node) not in silent and " " in node.value:
                yield f"{path.relative_to(PROJECT)}:{node.lineno}", node.value


def second_names(text: str) -> list[str]:
    """The forbidden words in `text`, code spans and words of git's own left out."""
    plain = re.sub(r"`[^`]*`|git revert|REPO\b", "", text)
    return [
        f"{found[0]} (say {word})"
        for pattern, word in INSTEAD.items()
        for found in [re.search(rf"\b({pattern})\b", plain, re.IGNORECASE)]
        if found
    ]


def test_help_uses_one_word_per_concept():
    """No help text has a second name for a checkpoint, an undo, a folder or a workspace."""
    wrong = {where: found for where, text in helps(takeback, "takeback") if (found := second_names(text))}

    assert wrong == {}


def test_messages_use_one_word_per_concept():
    """No message, hint or note has a second name for a concept of the glossary."""
    wrong = {where: found for where, text in messages() if (found := second_names(text))}

    assert wrong == {}


def test_pages_use_one_word_per_concept():
    """The README and the pages for users have one name for each concept too."""
    pages = [PROJECT / "README.md", PROJECT / "CHANGELOG.md", *sorted((PROJECT / "docs").glob("*.md"))]
    wrong = {}
    for page in pages:
        text = re.sub(r"```.*?```|<!--.*?-->", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        if page.name != "glossary.md" and (found := second_names(text)):
            wrong[page.name] = found

    assert wrong == {}


def test_a_second_name_is_found():
    """The rule sees a second name in prose, and leaves code and git's own words alone."""
    assert second_names("Reverts the files to a snapshot in this directory") == [
        "snapshot (say checkpoint)",
        "Reverts (say undo)",
        "directory (say folder)",
    ]
    assert second_names("like `git revert` or git revert of REPO") == []
