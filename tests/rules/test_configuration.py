"""The configuration: every key does something, and is documented with its default and its unit."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from rules import pages
from takeback import config

PROJECT = Path(__file__).parents[2]
PACKAGE = PROJECT / "server" / "takeback"
UNITS = ("Bytes.", "Files.", "Days.", "Milliseconds", "Glob patterns")


def attributes_read() -> set[str]:
    """Every attribute that the code reads anywhere but in the configuration itself."""
    files = [path for path in PACKAGE.rglob("*.py") if path != Path(config.__file__)]
    nodes = (node for path in files for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    return {node.attr for node in nodes if isinstance(node, ast.Attribute)}


def test_every_key_is_read():
    """No key is there for show: each is read somewhere outside the configuration."""
    read = attributes_read()

    assert [key.name for key in pages.configuration_keys() if key.name.rpartition(".")[2] not in read] == []


@pytest.mark.parametrize("key", pages.configuration_keys(), ids=lambda key: key.name)
def test_every_key_has_a_unit(key):
    """The text of each key begins with its unit."""
    assert key.text.startswith(UNITS)


def test_every_key_is_documented():
    """`docs/configuration.md` has one row for each key, with its default."""
    page = (PROJECT / "docs" / "configuration.md").read_text(encoding="utf-8")

    assert [key.name for key in pages.configuration_keys() if f"| `{key.name}` | `" not in page] == []
