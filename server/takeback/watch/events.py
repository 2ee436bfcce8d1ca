"""What the system says happened in a workspace: the one closed union between watcher and recorder.

Pure values, apart from `notify`, so that `settle` can be read and tested without a thread or a disk.
An event says where to look, never what is there: the recorder reads the path and decides.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass
from enum import StrEnum

from takeback.model.paths import WorkspacePath
from takeback.model.staged import is_own_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """Something was created, written, or given other attributes at `path`."""

    path: WorkspacePath
    at_ns: int
    """When the event was read, on the clock of the notifier (monotonic nanoseconds)."""
    is_folder: bool = False
    """A folder that appeared or became readable."""
    is_new: bool = False
    """The name appeared: it was created, or moved in from a place that is not watched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """The name is gone: deleted, or moved to a place that is not watched."""

    path: WorkspacePath
    is_folder: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """One name became another; a folder takes everything below along, and no further event says so."""

    source: WorkspacePath
    target: WorkspacePath
    is_folder: bool


@dataclass(frozen=True, slots=True)
class GitMoved:
    """HEAD, the index, or a marker of a merge or rebase of the user's repository was written."""


class LostReason(StrEnum):
    """Why events are missing, or will be."""

    OVERFLOW = "overflow"
    """The kernel dropped events; what was dropped is unknown."""
    LIMIT = "limit"
    """The system allows no more watches or instances (`fs.inotify.max_user_watches`, `max_user_instances`)."""
    UNREADABLE = "unreadable"
    """The folder may not be read."""
    UNWATCHED = "unwatched"
    """The system refused the watch for another reason, or took it away (an unmounted file system)."""
    ROOT_GONE = "root_gone"
    """The workspace folder itself was moved or removed: no further event will come."""
    STOPPED = "stopped"
    """Reading events failed for good: no further event will come."""
    FAILED = "failed"
    """A defect of ours stopped the handling of some events; the log has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """Events below `path` are missing: only a look finds what happened there."""

    reason: LostReason
    path: str
    """A folder; the empty string is the whole workspace, `.git` the moves of the user's repository."""


Event = Touched | Removed | Moved | GitMoved | Lost

LeaveOut = Callable[[Sequence[str]], Set[str]]
"""Of folders (relative, ending in "/"), those that are not recorded and need no watch."""
Put = Callable[[Event], None]
Clock = Callable[[], int]
"""Monotonic nanoseconds."""

GIT_NAMES = frozenset(
    {
        "HEAD",
        "index",
        "ORIG_HEAD",
        "MERGE_HEAD",
        "CHERRY_PICK_HEAD",
        "REVERT_HEAD",
        "REBASE_HEAD",
        "rebase-merge",
        "rebase-apply",
        "sequencer",
        "BISECT_LOG",
    }
)
"""What is written in git's folder when HEAD, the index, or a merge, rebase, pick or bisection moves."""


def is_shown(path: str) -> bool:
    """Whether events of `path` are passed on at all."""
    return not any(is_own_name(name) for name in path.split("/"))


def rename_seen(source: str | None, target: str | None, at_ns: int, *, is_folder: bool) -> Iterable[Event]:
    """A rename as seen from outside: where one half is not shown, the other appeared or is gone."""
    shown_source = source if source is not None and is_shown(source) else None
    shown_target = target if target is not None and is_shown(target) else None
    if shown_source is not None and shown_target is not None:
        yield Moved(
            source=WorkspacePath(shown_source), target=WorkspacePath(shown_target), is_folder=is_folder
        )
    elif shown_target is not None:
        yield Touched(path=WorkspacePath(shown_target), at_ns=at_ns, is_folder=is_folder, is_new=True)
    elif shown_source is not None:
        yield Removed(path=WorkspacePath(shown_source), is_folder=is_folder)


def lost_reason(code: int | None) -> LostReason:
    """Why a watch was refused, from its `errno`."""
    if code in (errno.ENOSPC, errno.EMFILE, errno.ENFILE):
        return LostReason.LIMIT
    return LostReason.UNREADABLE if code in (errno.EACCES, errno.EPERM) else LostReason.UNWATCHED
