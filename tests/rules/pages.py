"""The parts of the pages in `docs` that follow from the code: made here, compared by `test_docs.py`.

`python tests/rules/pages.py` writes them into the pages, between `<!-- generated: NAME -->` and `<!-- /generated -->`.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import click

from takeback import config
from takeback.cli.app import takeback
from takeback.cli.program import run as _whole_program  # importing it registers every command
from takeback.journal.schema import RECORDS

assert _whole_program

PROJECT = Path(__file__).parents[2]
DOCS = PROJECT / "docs"
BLOCK = re.compile(r"(<!-- generated: (?P<name>[\w -]+) -->\n)(?P<body>.*?)(<!-- /generated -->)", re.DOTALL)
SHARED = ("folder", "as_json")
"""Options of every command, described once."""
_SHOWN = re.compile(r"^Shown by: .*$", re.MULTILINE)
_TRAP = re.compile(r"^## (?P<number>\d+)\. ", re.MULTILINE)


# -- commands ------------------------------------------------------------------------------------


def leaves(group: click.Group, above: str) -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, with its full name."""
    for name, one in group.commands.items():
        if isinstance(one, click.Group):
            yield from leaves(one, f"{above} {name}")
        else:
            yield f"{above} {name}", one


def commands() -> str:
    """Each command with its usage, its help and its options."""
    return "\n".join(_command(name, one) for name, one in sorted(leaves(takeback, "takeback")))


def _command(name: str, one: click.Command) -> str:
    context = click.Context(one, info_name=name)
    usage = " ".join(one.collect_usage_pieces(context))
    text = "\n\n".join(" ".join(part.split()) for part in (one.help or "").split("\n\n"))
    parts = [f"### `{name}`", f"`{name} {usage}`", _one_sentence_per_line(text)]
    options = [row for parameter in one.params if (row := _option(context, parameter))]
    if not any(parameter.name == "as_json" for parameter in one.params):
        parts.append("It has no `--json`.")
    if options:
        parts.append("\n".join(["| option | what |", "|---|---|", *options]))
    return "\n\n".join(parts) + "\n"


def _option(context: click.Context, parameter: click.Parameter) -> str | None:
    record = parameter.get_help_record(context)
    if record is None or parameter.name in SHARED or isinstance(parameter, click.Argument):
        return None
    names, text = (part.replace("|", "\\|") for part in record)
    return f"| `{names}` | {text} |"


def _one_sentence_per_line(text: str) -> str:
    return re.sub(r"(?<=[.!?]) (?=[A-Z`])", "\n", text)


# -- configuration -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key of the configuration."""

    name: str
    default: Any
    text: str
    from_workspace: bool
    low: int
    high: int


def configuration_keys() -> tuple[Key, ...]:
    """Every key, in the order of the code."""
    tree = ast.parse(Path(config.__file__).read_text(encoding="utf-8"))
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    return tuple(
        key for section in config.Config.__dataclass_fields__.values() for key in _keys(section.name, classes)
    )


def _keys(section: str, classes: Mapping[str, ast.ClassDef]) -> Iterator[Key]:
    values = getattr(config.Config(), section)
    body = classes[type(values).__name__].body
    for field, text in pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            assert isinstance(text, ast.Expr), f"{field.target.id} has no text"
            assert isinstance(text.value, ast.Constant), f"{field.target.id} has no text"
            known = type(values).__dataclass_fields__[field.target.id]
            yield Key(
                name=f"{section}.{field.target.id}",
                default=getattr(values, field.target.id),
                text=" ".join(str(text.value.value).split()),
                from_workspace=known.metadata["from_workspace"],
                low=known.metadata["low"],
                high=known.metadata["high"],
            )


def configuration() -> str:
    """The table of all keys."""
    rows = [
        f"| `{key.name}` | `{_toml(key.default)}` | {'yes' if key.from_workspace else 'no'} | {key.text} |"
        for key in configuration_keys()
    ]
    return "\n".join(
        ["| key | default | from a workspace | unit and meaning |", "|---|---|---|---|", *rows, ""]
    )


def configuration_schema() -> str:
    """The JSON Schema of a file of settings, which editors complete and check it by."""
    sections: dict[str, dict[str, Any]] = {}
    for key in configuration_keys():
        section, _, name = key.name.partition(".")
        sections.setdefault(section, {})[name] = _schema(key)
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Takeback's configuration",
        "description": "takeback.toml, [tool.takeback] in pyproject.toml, and what an editor passes on.",
        **_table({name: _table(keys) for name, keys in sections.items()}),
    }
    return json.dumps(schema, indent=2) + "\n"


def _table(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": dict(properties)}


def _schema(key: Key) -> dict[str, Any]:
    about = {"description": key.text, "default": key.default}
    if isinstance(key.default, bool):
        return {"type": "boolean", **about}
    if isinstance(key.default, int):
        return {"type": "integer", "minimum": key.low, "maximum": key.high, **about}
    assert isinstance(key.default, tuple), f"no schema is known for {key.name}"
    return {"type": "array", "items": {"type": "string"}, **about}


def _toml(value: Any) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(f'"{item}"' for item in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:_}" if isinstance(value, int) else str(value)


# -- the journal ---------------------------------------------------------------------------------


def record_tables() -> str:
    """Every record table with its columns."""
    rows = [
        f"| `{table}` | {', '.join(f'`{column}`' for column in columns)} |"
        for table, columns in RECORDS.items()
    ]
    return "\n".join(["| table | columns, in the order of the checksum |", "|---|---|", *rows, ""])


# -- markers -------------------------------------------------------------------------------------


def marked(kind: str) -> dict[int, set[str]]:
    """For each number of a marker, the test files that carry it."""
    found: dict[int, set[str]] = {}
    for path in sorted((PROJECT / "tests").rglob("test_*.py")):
        for number in _markers(path, kind):
            found.setdefault(number, set()).add(str(path.relative_to(PROJECT)))
    return found


def _markers(path: Path, kind: str) -> Iterator[int]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == f"pytest.mark.{kind}":
            yield from (part.value for part in node.args if isinstance(part, ast.Constant))


def with_tests(page: str) -> str:
    """The page of traps, each with the test files that show it."""
    found = marked("trap")
    pieces = re.split(r"(?m)^(?=## \d+\. )", page)
    return "".join(_with_test(piece, found) for piece in pieces)


def _with_test(piece: str, found: Mapping[int, set[str]]) -> str:
    number = _TRAP.match(piece)
    if number is None:
        return piece
    files = sorted(found.get(int(number["number"]), ()))
    line = "Shown by: " + (", ".join(f"`{file}`" for file in files) or "no test yet") + "."
    return _SHOWN.sub(line, piece)


# ------------------------------------------------------------------------------------------------

GENERATED = {
    "commands": commands,
    "configuration": configuration,
    "record tables": record_tables,
}


def renewed(text: str) -> str:
    """A page with all its generated parts made anew; parts that others make stay."""

    def part(found: re.Match[str]) -> str:
        make = GENERATED.get(found["name"])
        return found[0] if make is None else f"{found[1]}\n{make()}\n{found[4]}"

    return BLOCK.sub(part, text)


FILES = {"takeback.schema.json": configuration_schema}
"""Files beside the pages that are made as a whole."""


def main() -> None:
    """Write every page and file anew."""
    for name, make in FILES.items():
        (DOCS / name).write_text(make(), encoding="utf-8")
    for path in sorted(DOCS.glob("*.md")):
        text = path.read_text(encoding="utf-8")
        fresh = renewed(text)
        fresh = with_tests(fresh) if path.name == "traps.md" else fresh
        if fresh != text:
            path.write_text(fresh, encoding="utf-8")


if __name__ == "__main__":
    main()
