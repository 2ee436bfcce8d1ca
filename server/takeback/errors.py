"""Every error that leaves the core, in one tree.

    TakebackError
    ├── UsageError             the request itself is wrong                     exit 2
    ├── Refused                possible, but not safe or not allowed           exit 3
    │   ├── WorkspaceRefused   this folder cannot be a workspace
    │   ├── Busy               another process holds what is needed
    │   ├── NotFound           no such operation, checkpoint, turn or path
    │   ├── StorageFull        no room to keep what must be kept
    │   └── Unsupported        this machine or file system cannot do it
    ├── OutcomeUnknown         another process may have done it, or not        exit 3
    ├── Damaged                our own records are not what was written        exit 3
    └── Defect                 what should not happen: a mistake of ours       exit 70

`message` says what happened and where, `hint` what to do next. Front ends print both; nobody matches on text.
What a user can run into in the course of an undo (a conflict, a stale plan) is a result, not an error.
"""

from __future__ import annotations


class TakebackError(Exception):
    """The base of all errors of Takeback."""

    code = "error"
    """Stable name on the wire (`error.code` in JSON)."""
    exit_status = 3
    hint = ""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if hint is not None:
            self.hint = hint


class UsageError(TakebackError):
    """The request contradicts itself or names something that cannot exist."""

    code = "usage"
    exit_status = 2
    hint = "See `takeback --help`."


class Refused(TakebackError):
    """Nothing was changed, because going on would not be safe."""

    code = "refused"


class WorkspaceRefused(Refused):
    """This folder cannot be recorded."""

    code = "workspace_refused"
    hint = "Name a project folder with `-C DIR`."


class Busy(Refused):
    """Another process held the lock for longer than we wait."""

    code = "busy"
    hint = "Try again in a moment; `takeback doctor` says who holds the lock."


class NotFound(Refused):
    """What was named does not exist in this workspace's history."""

    code = "not_found"
    hint = "`takeback log` and `takeback checkpoint list` show what there is."


class StorageFull(Refused):
    """What must be kept before anything is overwritten could not be stored."""

    code = "storage_full"
    hint = "Free some space, or run `takeback gc`; nothing was changed."


class Unsupported(Refused):
    """This machine or file system lacks something that is needed to be safe."""

    code = "unsupported"


class OutcomeUnknown(TakebackError):
    """Another process was asked to do it, and did not say what became of it."""

    code = "outcome_unknown"
    hint = "`takeback log` shows whether it was done."


class Damaged(TakebackError):
    """The journal or the store is not what Takeback wrote."""

    code = "damaged"
    hint = "Run `takeback doctor`: it rebuilds the journal from its second copy."


class Defect(TakebackError):
    """Something happened that nobody foresaw; made only at a front end's edge, of whatever got there."""

    code = "defect"
    exit_status = 70
    hint = "This is a defect of Takeback. Nothing that was recorded is lost. Please report this line."
