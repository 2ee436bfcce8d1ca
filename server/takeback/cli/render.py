"""How answers look to a person: with colour on a terminal, plain when piped."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import click

from takeback.checkpoints import Checkpoint
from takeback.errors import TakebackError
from takeback.model.operation import Change, ChangeStatus, Operation, Standing, Turn
from takeback.service import answers
from takeback.service.checkpointing import Exported
from takeback.service.doctoring import Health, Report
from takeback.service.maintenance import Cleaned
from takeback.service.requests import FileResult, Outcome, Result
from takeback.undo.apply import Settled
from takeback.undo.plan import FileOutcome
from takeback.upkeep.forget import Forgotten

_SIGNS = {
    ChangeStatus.CREATED: "+",
    ChangeStatus.MODIFIED: "~",
    ChangeStatus.DELETED: "-",
    ChangeStatus.RENAMED: ">",
    ChangeStatus.MODE: "x",
    ChangeStatus.TYPE: "t",
}
_MARKS = {Standing.ALL: " ", Standing.PART: "/", Standing.NONE: "-"}
_COLOURS = {"agent": "magenta", "human": "green", "command": "cyan", "git": "blue", "takeback": "yellow"}
_BAD = {FileOutcome.CONFLICT, FileOutcome.IRREVERSIBLE, FileOutcome.NOT_CAPTURED}
_SHOWN_PATHS = 4
_SHOWN_FILES = 30
_HEADLINES = {
    Outcome.APPLIED: "Done",
    Outcome.PLANNED: "This would happen",
    Outcome.NOTHING: "Nothing to do",
    Outcome.CONFLICT: "Conflict: nothing was written",
    Outcome.PARTIAL: "Done in part",
    Outcome.REFUSED: "Nothing could be done",
}


def started(root: str, state: str) -> None:
    """Which folder is recorded, and where its history lies."""
    click.echo(f"Recording {printable(root)}\nHistory in {printable(state)}")


def operations(found: Sequence[Operation]) -> None:
    """The operations, newest first: a table on a terminal, a line for each when piped."""
    if not found:
        click.echo("No operations.")
    elif sys.stdout.isatty():
        _table(found)
    else:
        for one in found:
            click.echo(_line(one))


def _table(found: Sequence[Operation]) -> None:
    from rich import box  # noqa: PLC0415 - a piped command does not pay for it
    from rich.console import Console  # noqa: PLC0415 - the same
    from rich.table import Table  # noqa: PLC0415 - the same
    from rich.text import Text  # noqa: PLC0415 - the same

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("", width=1)
    table.add_column("op", justify="right")
    for heading in ("when", "who", "what"):
        table.add_column(heading, no_wrap=True)
    table.add_column("files", ratio=3, overflow="fold")
    table.add_column("label", ratio=2, overflow="fold")
    for one in found:
        gone = one.standing is Standing.NONE
        who = Text(printable(one.actor) + ("?" if one.inferred else ""), style=_colour(one.actor))
        undone = f" (undone by {one.undone_by})" if gone and one.undone_by else ""
        cells = (_MARKS[one.standing], str(one.id), _when(one), who, one.kind.value)
        table.add_row(
            *cells, Text(_paths(one)), Text(printable(one.label) + undone), style="dim" if gone else ""
        )
    Console(highlight=False).print(table)


def _when(one: Operation) -> str:
    return answers.rfc3339(one.at_ns)[:19].replace("T", " ")


def _line(one: Operation) -> str:
    label = f"  {printable(one.label)}" if one.label else ""
    actor = one.actor + ("?" if one.inferred else "")
    undone = f"  (undone by {one.undone_by})" if one.undone_by and one.standing is Standing.NONE else ""
    return (
        f"{_MARKS[one.standing]}{one.id:>5}  {_when(one)}  "
        f"{_actor(f'{printable(actor):<18}', one.actor)} {one.kind.value:<8} {_paths(one)}{label}{undone}"
    )


def _paths(one: Operation) -> str:
    changes = answers.visible_changes(one)
    shown = " ".join(_change(change) for change in changes[:_SHOWN_PATHS])
    more = len(changes) - _SHOWN_PATHS
    return shown + (f" and {more} more" if more > 0 else "")


def _change(change: Change) -> str:
    name = printable(change.path)
    if change.moved_from is not None:
        name = f"{printable(change.moved_from)} -> {name}"
    missing = next((state.reason for state in (change.after, change.before) if state.reason), None)
    return f"{_SIGNS[change.status]}{name}" + (f" (not captured: {missing})" if missing else "")


def operation(one: Operation, diffs: Sequence[str]) -> None:
    """One operation with all it changed."""
    click.secho(f"operation {one.id}", bold=True, nl=False)
    click.echo(f"  {one.kind.value} by {_actor(one.actor, one.actor)}, {answers.rfc3339(one.at_ns)}")
    facts = {
        "label": one.label,
        "turn": one.turn,
        "undoes": ", ".join(map(str, one.undoes)),
        "standing": one.standing.value + (f", undone by {one.undone_by}" if one.undone_by else ""),
        "actor": "concluded from time alone" if one.inferred else "",
    }
    for name, value in facts.items():
        if value:
            click.echo(f"  {name}: {printable(value)}")
    for change in answers.visible_changes(one):
        click.echo(f"  {_change(change)}")
    click.echo("")
    diff(diffs)


def diff(diffs: Sequence[str]) -> None:
    """Unified diffs."""
    colours = {"+": "green", "-": "red", "@": "cyan"}
    for one in diffs:
        for line in one.splitlines():
            bold = line.startswith(("diff ", "+++", "---"))
            click.secho(printable(line), fg=None if bold else colours.get(line[:1]), bold=bold)


def result(found: Result) -> None:
    """What became of an undo, file by file."""
    what = f": {_list(found.undone)}" if found.undone else ""
    number = f" (operation {found.operation})" if found.operation else ""
    good = found.outcome in (Outcome.APPLIED, Outcome.PLANNED, Outcome.NOTHING)
    click.secho(_HEADLINES[found.outcome] + what + number, bold=True, fg=None if good else "red")
    for file in _worth_showing(found):
        note = f"  {printable(file.note)}" if file.note else ""
        click.secho(
            f"  {file.outcome.value:<12} {printable(file.path)}{note}",
            fg="red" if file.outcome in _BAD else None,
        )
    if len(found.files) > _SHOWN_FILES:
        counts = Counter(file.outcome.value for file in found.files)
        click.echo("  in all: " + ", ".join(f"{n} {outcome}" for outcome, n in counts.most_common()))
    for passed in found.passed:
        click.echo(f"  passed over operation {passed.op}: {passed.why}")
    if found.outcome is Outcome.CONFLICT:
        click.echo(f"Way out: {printable(answers.way_out(found))}")
        click.echo("     or: --on-conflict keep-mine, take-theirs, markers or skip-file")


def _worth_showing(found: Result) -> list[FileResult]:
    """Every file, or of very many those that went wrong and some of the others."""
    if len(found.files) <= _SHOWN_FILES:
        return list(found.files)
    bad = [file for file in found.files if file.outcome in _BAD]
    good = [file for file in found.files if file.outcome not in _BAD]
    return bad + good[: max(0, _SHOWN_FILES - len(bad))]


def turn(one: Turn) -> None:
    """One turn."""
    state = "ended" if one.ended_ns is not None else "open"
    click.echo(f"{one.id}  {one.actor}  {printable(one.label)}  {state}")


def checkpoints(found: Sequence[Checkpoint]) -> None:
    """One line for each checkpoint."""
    if not found:
        click.echo("No checkpoints.")
    for one in found:
        pin = " pinned" if one.pinned else ""
        when = answers.rfc3339(one.at_ns)[:19].replace("T", " ")
        click.echo(
            f"{one.id:<8} {when}  after operation {one.position:<6} {one.kind.value}{pin}  {printable(one.label)}"
        )


def exported(one: Exported) -> None:
    """A checkpoint that became a commit."""
    click.echo(f"{one.checkpoint.id} is commit {one.commit[:12]} on the new branch {printable(one.branch)}")
    for path in one.left_out:
        click.echo(f"  left out, as it belongs to another repository: {printable(path)}")


def report(one: Report) -> None:
    """What the doctor found, a line for each thing."""
    colours = {Health.WELL: "green", Health.MENDED: "yellow", Health.BROKEN: "red"}
    for finding in one.findings:
        health = click.style(f"{finding.health.value:<7}", fg=colours[finding.health])
        click.echo(f"{health} {finding.what}: {printable(finding.text)}")


def cleaned(found: Cleaned) -> None:
    """What `gc` removed, a line for each history."""
    for one in found.collected:
        went = (
            f"{one.contents} contents of operations before {one.before} expired"
            if one.contents
            else "nothing expired"
        )
        packed = f", {one.packed} objects packed" if one.packed else ""
        click.echo(
            f"{printable(one.root)}: {went}{packed}; {one.freed_bytes} bytes freed, {one.left_bytes} left"
        )
        for note in one.notes:
            click.echo(f"  {printable(note)}")
    for skipped in found.skipped:
        click.echo(f"{printable(skipped.state)}: left alone, {printable(skipped.why)}")


def forgotten(one: Forgotten) -> None:
    """What `forget` dropped."""
    click.echo(f"Forgot {one.contents} contents.")
    if one.shared:
        click.echo(f"  also at {printable(_list(one.shared))}")
    for note in one.notes:
        click.echo(f"  {printable(note)}")


def facts(answer: answers.Answer) -> None:
    """Names and values, a line for each."""
    for name, value in answer.items():
        if name == "version" or value in (None, "", [], ()):
            continue
        if isinstance(value, list):
            click.echo(f"{name.replace('_', ' ')}:")
            for item in value:
                click.echo(f"  {printable(_flat(item))}")
        else:
            click.echo(f"{name.replace('_', ' ')}: {printable(_flat(value))}")


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {inner}" for key, inner in value.items() if inner not in (None, ""))
    return str(value)


def settled(one: Settled) -> str:
    """What was mended at the start."""
    if one.finished is not None:
        return f"An interrupted operation was finished: it is operation {one.finished}."
    if one.problem:
        return f"An interrupted operation can be neither finished nor reversed yet: {printable(one.problem)}."
    left = f"; left as others changed them: {_list(one.left)}" if one.left else ""
    return f"An interrupted operation was reversed{left}."


def problem(error: TakebackError) -> None:
    """An error and what to do about it."""
    click.secho(f"takeback: {printable(error.message)}", fg="red", err=True)
    if error.hint:
        click.echo(f"  {printable(error.hint)}", err=True)


def warn(message: str) -> None:
    """Something to know that is not the answer."""
    click.echo(printable(message), err=True)


def progress(*, quiet: bool) -> Callable[[int, int], None]:
    """Shows how far a long look is, on a terminal only."""

    def show(done: int, total: int) -> None:
        if not quiet and total and sys.stderr.isatty():
            click.echo(f"\rFirst look: {done * 100 // total} %", nl=False, err=True)

    return show


def printable(text: str) -> str:
    """`text` as a terminal can take it: no control characters, no lone surrogates."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _actor(text: str, actor: str) -> str:
    return click.style(text, fg=_colour(actor) or None)


def _colour(actor: str) -> str:
    return _COLOURS.get(actor.partition(":")[0], "")


def _list(items: Sequence[Any]) -> str:
    shown = ", ".join(str(item) for item in items[:8])
    return shown + (f" and {len(items) - 8} more" if len(items) > 8 else "")
