"""Making checkpoints of what is there now."""

from __future__ import annotations

from takeback.checkpoints import Checkpoint, Circumstances, Wanted
from takeback.repository.window import discover
from takeback.service.opening import Workspace
from takeback.service.recording import sync


def create(workspace: Workspace, wanted: Wanted) -> Checkpoint:
    """A checkpoint of the workspace as it is now; what nobody announced is recorded first."""
    sync(workspace)
    return workspace.checkpoints.create(wanted, _git(workspace.root))


def _git(root: str) -> Circumstances:
    repository = discover(root)
    if repository is None:
        return Circumstances()
    head = repository.head()
    return Circumstances(base_commit=head.commit, branch=head.branch, in_progress=head.in_progress)
