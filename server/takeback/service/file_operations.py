"""What a person does with files in an editor: creates, renames and deletes them. It is recorded as the human's, once.

The editor tells of it when it is done. A watcher, of this process or another, may have seen it before: then what it
recorded becomes the human's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from takeback.errors import UsageError
from takeback.model.operation import Change, ChangeStatus
from takeback.model.paths import WorkspacePath, is_within, rebased, workspace_path
from takeback.model.state import FileKind
from takeback.service import saves, sources
from takeback.service.opening import Workspace
from takeback.watch.settle import Move, only

Renamed = Iterable[tuple[str | None, str | None]]
"""From where and to where; `None` is outside of the workspace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOperations:
    """What an editor says it did: files, and folders with all that is below them."""

    created: tuple[WorkspacePath, ...] = ()
    deleted: tuple[WorkspacePath, ...] = ()
    renamed: tuple[tuple[WorkspacePath, WorkspacePath], ...] = ()
    """From where, and to where."""

    @property
    def paths(self) -> tuple[WorkspacePath, ...]:
        """Every name in it."""
        ends = (path for pair in self.renamed for path in pair)
        return tuple(dict.fromkeys((*self.created, *self.deleted, *ends)))


def named(created: Iterable[str] = (), deleted: Iterable[str] = (), renamed: Renamed = ()) -> FileOperations:
    """What of it concerns the workspace: what leaves it is gone, what comes into it is new."""
    ends = [tuple(path_in(end) if end else None for end in pair) for pair in renamed]
    return FileOperations(
        created=tuple(filter(None, (*map(path_in, created), *(new for old, new in ends if not old)))),
        deleted=tuple(filter(None, (*map(path_in, deleted), *(old for old, new in ends if not new)))),
        renamed=tuple((old, new) for old, new in ends if old and new),
    )


def path_in(relative: str) -> WorkspacePath | None:
    """The path of a document or file; `None` for one inside a `.git`, which is nobody's business."""
    with suppress(UsageError):
        return workspace_path(relative)
    return None


def record(workspace: Workspace, told: FileOperations) -> None:
    """Record what an editor did with files, or claim it where a watcher was quicker."""
    if sources.is_paused(workspace) or not told.paths:
        return
    done = replace(only(told.paths), folders=told.paths, moves=tuple(_moves(workspace, told)))
    recorded = workspace.looker.burst(done, saves.BY_HAND)
    claimed = workspace.claims.claim_all(saves.BY_HAND, lambda change: _is_of(told, change))
    for op in (recorded.operation, *claimed):
        workspace.claims.note_by_hand(op)


def _moves(workspace: Workspace, told: FileOperations) -> Iterator[Move]:
    for source, target in told.renamed:
        stat = workspace.folder.look(target)
        is_folder = stat is not None and stat.kind is FileKind.DIRECTORY
        yield Move(source=source, target=target, is_folder=is_folder)


def _is_of(told: FileOperations, change: Change) -> bool:
    """Whether a change is one that the editor told of, or a folder that became empty by it or is so no longer."""
    if FileKind.DIRECTORY in (change.before.kind, change.after.kind):
        return any(is_within(change.path, path) or is_within(path, change.path) for path in told.paths)
    if change.status is ChangeStatus.CREATED:
        return any(is_within(change.path, path) for path in told.created)
    if change.status is ChangeStatus.DELETED:
        return any(is_within(change.path, path) for path in told.deleted)
    return change.moved_from is not None and any(
        is_within(change.moved_from, source) and rebased(change.moved_from, source, target) == change.path
        for source, target in told.renamed
    )
