"""Operations, choices and results in words for people, one line each. Pure: the time comes in."""

from __future__ import annotations

from collections.abc import Sequence

from takeback.model.operation import Operation, OperationKind
from takeback.service.answers import visible_changes
from takeback.service.requests import Outcome, Result
from takeback.undo.plan import FileOutcome

_LABEL = 60
_NAMED = 3
_NS_PER_S = 10**9
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))

_HEADS = {
    Outcome.APPLIED: "Done",
    Outcome.PLANNED: "It would change",
    Outcome.NOTHING: "There is nothing to do",
    Outcome.CONFLICT: "Nothing was changed: somebody wrote the same lines since",
    Outcome.PARTIAL: "Done in part",
    Outcome.REFUSED: "Nothing was changed",
}
_OF_NOTE = {
    FileOutcome.IN_EDITOR: "on disk and in the editor, which counts it as changed until you save it",
    FileOutcome.CONFLICT: "in conflict",
    FileOutcome.SKIPPED: "left as they are",
    FileOutcome.NOT_CAPTURED: "not captured, so left",
    FileOutcome.IRREVERSIBLE: "irreversible, so left",
}


def ago(at_ns: int, now_ns: int) -> str:
    """How long ago something was."""
    seconds = max(0, now_ns - at_ns) // _NS_PER_S
    unit = next(((size, name) for size, name in _UNITS if seconds >= size), None)
    return f"{seconds // unit[0]} {unit[1]} ago" if unit else "just now"


def plain(text: str, most: int = _LABEL) -> str:
    """`text` on one line, without what cannot be shown, cut where it is long."""
    line = "".join(c if c.isprintable() else "\ufffd" for c in " ".join(text.split()))
    return line if len(line) <= most else f"{line[: most - 1]}…"


def files(paths: Sequence[str]) -> str:
    """`a.py`, or `a.py and 2 more`."""
    if not paths:
        return "no files"
    return plain(paths[0]) + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")


def operation(one: Operation, now_ns: int) -> str:
    """One operation: who, what, where, when, and last its number, by which no two lines are alike."""
    where = files(tuple(dict.fromkeys(change.path for change in visible_changes(one))))
    what = f"{_label(one)} ({where})" if one.label else where
    return f"{plain(one.actor)}: {what}, {ago(one.at_ns, now_ns)}, operation {one.id}"


def _label(one: Operation) -> str:
    is_ours = one.kind in {
        OperationKind.UNDO,
        OperationKind.REDO,
        OperationKind.ROLLBACK,
        OperationKind.RESTORE,
    }
    return f"{one.kind.value} {plain(one.label)}" if is_ours else plain(one.label)


def numbered(noun: str, n: int) -> str:
    """`1 operation`, `2 operations`."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def result(found: Result) -> str:
    """What became of a request, in a sentence or a few."""
    parts = [_head(found)]
    for outcome, what in _OF_NOTE.items():
        paths = [file.path for file in found.files if file.outcome is outcome]
        if paths and len(paths) == len(found.files) == 1:  # it was named just now
            parts.append(_begun(what))
        elif paths:
            parts.append(f"{files(paths)}: {what}")
    noted = [file for file in found.files if file.outcome in _OF_NOTE.keys() - {FileOutcome.IN_EDITOR}]
    notes = dict.fromkeys(file.note for file in noted if file.note)
    parts += [_begun(plain(note, 200)) for note in list(notes)[:_NAMED]]
    if found.passed:
        passed = ", ".join(f"{one.op} ({plain(one.why)})" for one in found.passed[:_NAMED])
        more = f" and {len(found.passed) - _NAMED} more" if len(found.passed) > _NAMED else ""
        parts.append(f"passed over {passed}{more}")
    return ". ".join(filter(None, parts)) + "."


def _begun(words: str) -> str:
    return words[:1].upper() + words[1:]


def _head(found: Result) -> str:
    if found.outcome not in {Outcome.APPLIED, Outcome.PARTIAL, Outcome.PLANNED}:
        return _HEADS[found.outcome]
    changed = [file.path for file in found.files if file.outcome is not FileOutcome.UNCHANGED]
    what = f" ({operations(found.undone)})" if found.undone else ""
    if found.files and not changed:
        notes = dict.fromkeys(plain(file.note, 200) for file in found.files if file.note)
        return ": ".join((f"{_HEADS[found.outcome]}{what}, and no file had to change", *list(notes)[:1]))
    return f"{_HEADS[found.outcome]}{what}: {files(changed)}"


def operations(ops: Sequence[int]) -> str:
    """`operation 12`, `operations 12 and 13`, `operations 12, 13 and 4 more`."""
    names = [str(op) for op in ops]
    if len(names) > _NAMED + 1:
        names = [", ".join(names[:_NAMED]), f"{len(names) - _NAMED} more"]
    listed = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
    return f"operation {listed}" if len(ops) == 1 else f"operations {listed}"


def conflict(found: Result) -> str:
    """What stands in the way, as the beginning of a question."""
    who = sorted({op for one in found.conflicts for op in one.in_the_way})
    where = files(tuple(dict.fromkeys(one.path for one in found.conflicts)))
    if not who:
        return f"Something else is in the way in {where}."
    stands = "stands" if len(who) == 1 else "stand"
    return f"{operations(who).capitalize()} {stands} in the way in {where}."
