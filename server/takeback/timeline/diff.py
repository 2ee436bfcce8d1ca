"""What differs between two moments, file by file, as unified diffs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from takeback.journal.log import Journal
from takeback.model import text
from takeback.model.ids import OpId
from takeback.model.operation import Change, ChangeStatus
from takeback.model.paths import WorkspacePath, is_within
from takeback.model.state import FileKind, FileState
from takeback.store.diff import differ
from takeback.store.objects import ObjectStore

_CONTEXT_LINES = 3
_UNENDED = b"\0"
"""Marks a line without a line feed; no text holds it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDiff:
    """One file that differs."""

    path: WorkspacePath
    moved_from: WorkspacePath | None
    before: FileState
    after: FileState

    @property
    def status(self) -> ChangeStatus:
        """The difference in one word."""
        if not self.before.exists:
            return ChangeStatus.CREATED
        if not self.after.exists:
            return ChangeStatus.DELETED
        return ChangeStatus.RENAMED if self.moved_from else ChangeStatus.MODIFIED


def of_operation(changes: Sequence[Change]) -> tuple[FileDiff, ...]:
    """What one operation changed: each file once, from its first state to its last."""
    return _summed(changes)


def between(
    journal: Journal, after: OpId, up_to: OpId, paths: Sequence[WorkspacePath] = ()
) -> tuple[FileDiff, ...]:
    """What differs between the state after operation `after` and the state after `up_to`."""
    diffs = _summed(journal.changes("op > ? AND op <= ? ORDER BY id", (after, up_to)))
    return tuple(one for one in diffs if not paths or any(is_within(one.path, path) for path in paths))


def _summed(changes: Iterable[Change]) -> tuple[FileDiff, ...]:
    first: dict[int, Change] = {}
    last: dict[int, Change] = {}
    for change in changes:
        first.setdefault(change.file, change)
        last[change.file] = change
    diffs = []
    for file, change in last.items():
        origin = first[file].moved_from or first[file].path
        moved = (
            origin if origin != change.path and first[file].before.exists and change.after.exists else None
        )
        one = FileDiff(path=change.path, moved_from=moved, before=first[file].before, after=change.after)
        if one.before != one.after or moved:
            diffs.append(one)
    return tuple(sorted(diffs, key=lambda one: one.path))


def render(store: ObjectStore, one: FileDiff) -> str:
    """A unified diff with git's headers, for people and for `git apply`."""
    return "\n".join((*_header(one), *_body(store, one), ""))


def _header(one: FileDiff) -> Iterator[str]:
    old = one.moved_from or one.path
    yield f"diff --git a/{old} b/{one.path}"
    if not one.before.exists:
        yield f"new file mode {_mode(one.after)}"
    elif not one.after.exists:
        yield f"deleted file mode {_mode(one.before)}"
    elif _mode(one.before) != _mode(one.after):
        yield f"old mode {_mode(one.before)}"
        yield f"new mode {_mode(one.after)}"
    if one.moved_from:
        yield f"rename from {one.moved_from}"
        yield f"rename to {one.path}"


def _body(store: ObjectStore, one: FileDiff) -> Iterator[str]:
    missing = next((state.reason for state in (one.before, one.after) if state.reason), None)
    if missing:
        yield f"(content not captured: {missing})"
        return
    if one.before.blob == one.after.blob:
        return
    old, new = _data(store, one.before), _data(store, one.after)
    if text.is_binary(old) or text.is_binary(new):
        yield f"Binary files differ ({len(old)} -> {len(new)} bytes)"
        return
    yield "--- " + (f"a/{one.moved_from or one.path}" if one.before.exists else "/dev/null")
    yield "+++ " + (f"b/{one.path}" if one.after.exists else "/dev/null")
    yield from _hunks(_lines(old), _lines(new))


def _hunks(old: Sequence[bytes], new: Sequence[bytes]) -> Iterator[str]:
    for group in _grouped(differ(old, new)):
        start, stop = max(0, group[0][0] - _CONTEXT_LINES), min(len(old), group[-1][1] + _CONTEXT_LINES)
        new_start = group[0][2] - (group[0][0] - start)
        new_stop = group[-1][3] + (stop - group[-1][1])
        yield f"@@ -{_range(start, stop)} +{_range(new_start, new_stop)} @@"
        at = start
        for i1, i2, j1, j2 in group:
            yield from _marked(" ", old[at:i1])
            yield from _marked("-", old[i1:i2])
            yield from _marked("+", new[j1:j2])
            at = i2
        yield from _marked(" ", old[at:stop])


def _grouped(spans: Sequence[text.Span]) -> list[list[text.Span]]:
    groups: list[list[text.Span]] = []
    for span in spans:
        if groups and span[0] - groups[-1][-1][1] <= 2 * _CONTEXT_LINES:
            groups[-1].append(span)
        else:
            groups.append([span])
    return groups


def _range(start: int, stop: int) -> str:
    return f"{start + 1 if stop > start else start},{stop - start}"


def _marked(sign: str, lines: Sequence[bytes]) -> Iterator[str]:
    for line in lines:
        yield sign + line.removesuffix(_UNENDED).decode("utf-8", "surrogateescape")
        if line.endswith(_UNENDED):
            yield "\\ No newline at end of file"


def _lines(data: bytes) -> list[bytes]:
    """The lines without their line feeds; a last line that has none is marked, so that it differs from one that has."""
    *ended, rest = data.split(b"\n")
    return [*ended, rest + _UNENDED] if rest else ended


def _data(store: ObjectStore, state: FileState) -> bytes:
    return store.get(state.blob) if state.blob else b""


def _mode(state: FileState) -> str:
    if state.kind is FileKind.SYMLINK:
        return "120000"
    if state.kind is FileKind.DIRECTORY:
        return "040000"
    return "100755" if state.mode & 0o100 else "100644"
