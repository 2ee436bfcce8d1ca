"""`status` for a person: where things are, what was recorded last, what could not be captured."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from takeback.cli import render
from takeback.service.answers import Answer

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def status(answer: Answer) -> None:
    """The workspace at a glance."""
    for name, value in _facts(answer):
        click.echo(f"{click.style(f'{name:<12}', bold=True)} {render.printable(value)}")
    for name, items in _lists(answer):
        click.secho(name, bold=True)
        for item in items:
            click.echo(f"  {render.printable(item)}")


def _facts(answer: Answer) -> Iterator[tuple[str, str]]:
    yield "workspace", answer["workspace"]
    yield "history", answer["state"]
    yield "recording", _recording(answer)
    yield "store", _store(answer["store"])
    counters = answer["counters"]
    kinds = ("operation", "change", "checkpoint")
    yield "so far", ", ".join(_counted(counters.get(f"{kind}s", 0), kind) for kind in kinds)
    if answer["shortcut"] != "the git index":
        yield "first look", f"read every file: {answer['shortcut']}"


def _recording(answer: Answer) -> str:
    if answer["paused"]:
        return "paused; `takeback resume` records again"
    recorder = answer.get("recorder")
    return (
        f"live, by {_flat(recorder)}"
        if recorder
        else "at each command; `takeback watch` records as it happens"
    )


def _store(store: Answer) -> str:
    share = f"{_size(store['bytes'])} of {_size(store['max_bytes'])}"
    linked = store["linked_bytes"]
    return share + (f", and {_size(linked)} shared with the repository" if linked else "")


def _lists(answer: Answer) -> Iterator[tuple[str, list[str]]]:
    wanted = {
        "open turns": [f"{one['id']}  {one['actor']}  {one['label']}" for one in answer["turns"]],
        "last operations": [_operation(one) for one in answer["operations"]],
        "checkpoints": [
            f"{one['id']}  after operation {one['position']}  {one['label']}" for one in answer["checkpoints"]
        ],
        "not captured": list(answer["not_captured"]),
        "notices": list(answer["notices"]),
    }
    yield from ((name, items) for name, items in wanted.items() if items)


def _operation(one: Answer) -> str:
    paths = [change["path"] for change in one["changes"]]
    shown = ", ".join(paths[:3]) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")
    undone = f"  (undone by {one['undone_by']})" if one["standing"] == "none" else ""
    line = f"{one['id']:>5}  {one['at'][11:19]}  {one['actor']:<18} {one['kind']:<8} {shown}  {one['label']}{undone}"
    return line.rstrip()


def _counted(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def _size(n_bytes: float) -> str:
    for unit in _UNITS[:-1]:
        if n_bytes < 1024:
            return f"{n_bytes:.0f} {unit}"
        n_bytes /= 1024
    return f"{n_bytes:.1f} {_UNITS[-1]}"


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {inner}" for key, inner in value.items() if inner not in (None, ""))
    return str(value)
