"""The configuration: every key does something, and is documented with its default and its unit."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from rules import pages
from takeback import config

PROJECT = Path(__file__).parents[2]
PACKAGE = PROJECT / "server" / "takeback"
UNITS = ("Bytes.", "Files.", "Days.", "Milliseconds", "Glob patterns", "True or false.")


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


def test_the_schema_is_that_of_the_code():
    """`docs/takeback.schema.json` has every key with its kind, range and default, and allows no other."""
    published = (PROJECT / "docs" / "takeback.schema.json").read_text(encoding="utf-8")

    assert published == pages.configuration_schema(), "run `make docs`"
    known = {
        f"{section}.{key}"
        for section, table in json.loads(published)["properties"].items()
        for key in table["properties"]
    }
    assert known == {key.name for key in pages.configuration_keys()}


@pytest.mark.parametrize("key", pages.configuration_keys(), ids=lambda key: key.name)
def test_the_schema_takes_what_the_code_takes(key, tmp_path):
    """Of each key, the ends of the schema's range are taken by the code, and what lies beyond them is not."""
    section, _, name = key.name.partition(".")
    schema = json.loads(pages.configuration_schema())["properties"][section]["properties"][name]
    if schema["type"] == "array":
        taken, refused = (["a"], []), ("a", [1])
    elif schema["type"] == "boolean":
        taken, refused = (True, False), ("true", 1, [])
    else:
        low, high = schema["minimum"], schema["maximum"]
        taken, refused = (low, high), (low - 1, high + 1, "1", True, 1.5)

    def problems(value):
        return config.load(str(tmp_path), {"HOME": str(tmp_path)}, {section: {name: value}}).problems

    assert [value for value in taken if problems(value)] == []
    assert [value for value in refused if not problems(value)] == []


def test_every_key_is_documented():
    """`docs/configuration.md` has one row for each key, with its default."""
    page = (PROJECT / "docs" / "configuration.md").read_text(encoding="utf-8")

    assert [key.name for key in pages.configuration_keys() if f"| `{key.name}` | `" not in page] == []
