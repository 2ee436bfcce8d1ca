"""The page of the language server's commands and messages says what the program takes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from takeback.lsp import arguments, protocol

PAGE = (Path(__file__).parents[2] / "docs" / "lsp-extensions.md").read_text(encoding="utf-8")
_SECTION = re.compile(r"^### `(?P<name>[\w./]+)`\n(?P<body>.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
_TAKES = re.compile(r"^Takes (?P<names>.*)\.$", re.MULTILINE)
_SAMPLE = re.compile(r"```json\n(?P<sample>.*?)```", re.DOTALL)
SECTIONS = {found["name"]: found["body"] for found in _SECTION.finditer(PAGE)}
TAKES = {**arguments.TAKES, **arguments.MESSAGES}


def test_every_command_and_message_is_documented():
    """The page has a section for every command and message, and for nothing else."""
    assert SECTIONS.keys() == {*protocol.COMMANDS, *protocol.MESSAGES, *protocol.TO_CLIENT}


def test_every_command_has_its_arguments():
    """The server announces exactly the commands whose arguments it knows."""
    assert set(protocol.COMMANDS) == arguments.TAKES.keys()
    assert set(protocol.MESSAGES) == arguments.MESSAGES.keys()


@pytest.mark.parametrize("name", TAKES)
def test_every_argument_is_documented(name):
    """A section names exactly the arguments that are taken; `workspace` is said once for all."""
    named = re.findall(r"`(\w+)`", _TAKES.search(SECTIONS[name])["names"])

    assert sorted(named) == sorted(TAKES[name].keys() - {"workspace"})


@pytest.mark.parametrize("name", TAKES)
def test_every_example_is_taken(name):
    """The example of a section is accepted as it stands, nested objects too."""
    example = json.loads(_SAMPLE.search(SECTIONS[name])["sample"])
    given = arguments.checked(name, example, TAKES[name])

    assert arguments.checked("filter", given.get("filter", {}), arguments.FILTER) == given.get("filter", {})
    assert dict(given) == example


def test_what_a_client_declares_is_documented():
    """The example of a declaration has every name that the server asks for."""
    (declared,) = re.findall(r'^\{"experimental".*\}$', PAGE, re.MULTILINE)

    names = json.loads(declared)["experimental"]["takeback"]
    assert set(names) == {name.removeprefix("takeback/") for name in protocol.TO_CLIENT}
