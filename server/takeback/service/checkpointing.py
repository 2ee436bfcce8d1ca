"""Making checkpoints of what is there now, and handing one out as a commit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from takeback.checkpoints import Checkpoint, Circumstances, Wanted
from takeback.errors import Refused
from takeback.model.ids import BlobId
from takeback.model.paths import WorkspacePath
from takeback.repository import export as exporting
from takeback.repository.window import discover
from takeback.service.opening import Workspace
from takeback.service.recording import sync
from takeback.store import trees

_NS_PER_S = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A checkpoint as a commit in the user's repository."""

    checkpoint: Checkpoint
    branch: str
    commit: str
    parent: str | None
    left_out: tuple[WorkspacePath, ...]
    """Files of repositories inside the workspace."""


def create(workspace: Workspace, wanted: Wanted) -> Checkpoint:
    """A checkpoint of the workspace as it is now; what nobody announced is recorded first."""
    sync(workspace)
    return workspace.checkpoints.create(wanted, _git(workspace.root))


def export(workspace: Workspace, name: str, branch: str) -> Exported:
    """A checkpoint as a commit on a new branch of the user's repository, where nothing else is written.

    Only what git would track goes out; what it ignores never does. Raises Refused if the workspace is in no
    repository, the branch exists, or some of the content is gone; UsageError for an invalid branch name.
    """
    checkpoint = workspace.checkpoints.find(name)
    repository = discover(workspace.root)
    if repository is None:
        raise Refused(
            f"{workspace.root} is in no git repository, so there is nowhere to export to",
            hint="`git init` makes one; `takeback restore` brings files back without any.",
        )
    tree = workspace.checkpoints.tracked_tree(checkpoint)
    found = trees.walk(workspace.store, tree) if tree else ()
    files = {path: (blob, mode) for path, blob, mode in found}
    _refuse_lost(workspace, checkpoint, files)
    wanted = exporting.Commit(
        branch=branch,
        message=checkpoint.label or f"takeback {checkpoint.id}",
        at_s=checkpoint.at_ns // _NS_PER_S,
        base=checkpoint.base_commit,
        files=files,
        read=workspace.store.get,
    )
    made = exporting.export(repository, workspace.root, wanted, workspace.state)
    return Exported(
        checkpoint=checkpoint, branch=branch, commit=made.commit, parent=made.parent, left_out=made.left_out
    )


def _refuse_lost(
    workspace: Workspace, checkpoint: Checkpoint, files: Mapping[WorkspacePath, tuple[BlobId, int]]
) -> None:
    lost = workspace.journal.lost(blob for blob, _ in files.values())
    gone = [f"{path} ({lost[blob]})" for path, (blob, _) in files.items() if blob in lost]
    if gone:
        raise Refused(
            f"{checkpoint.id} is no longer whole, so it was not exported: {', '.join(gone[:5])}",
            hint="Export a newer checkpoint.",
        )


def _git(root: str) -> Circumstances:
    repository = discover(root)
    if repository is None:
        return Circumstances()
    head = repository.head()
    return Circumstances(base_commit=head.commit, branch=head.branch, in_progress=head.in_progress)
