"""Which of the files that were seen came from which that vanished. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from takeback.model.ids import BlobId
from takeback.model.operation import Observation
from takeback.model.paths import WorkspacePath
from takeback.model.state import FileKind, FileState


def pair(seen: Iterable[tuple[Observation, FileState]]) -> dict[WorkspacePath, WorkspacePath]:
    """Where renamed files came from: told by an event, or found by equal content.

    `seen` says what is at a path, and what was known to be there before.
    """
    fresh = tuple(seen)
    vanished = {one.path: before for one, before in fresh if not one.after.exists and before.exists}
    moves: dict[WorkspacePath, WorkspacePath] = {}
    for one, _ in fresh:
        if one.moved_from in vanished and one.after.exists:
            moves[one.path] = one.moved_from
            del vanished[one.moved_from]
    by_content: dict[tuple[FileKind | None, BlobId | None], list[WorkspacePath]] = {}
    for path, state in vanished.items():
        if state.blob is not None and state.size_bytes > 0:
            by_content.setdefault((state.kind, state.blob), []).append(path)
    for one, before in fresh:
        candidates = by_content.get((one.after.kind, one.after.blob))
        if candidates and not before.exists and one.path not in moves:
            moves[one.path] = _most_alike(one.path, candidates)
            candidates.remove(moves[one.path])
    return moves


def _most_alike(path: WorkspacePath, candidates: Sequence[WorkspacePath]) -> WorkspacePath:
    name = path.rpartition("/")[2]
    return next((one for one in candidates if one.rpartition("/")[2] == name), candidates[0])
