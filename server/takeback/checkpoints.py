"""Checkpoints: durable, named states of the whole workspace, as a commit in the store and a position in the journal.

The commit's tree has two folders: `tracked`, what git would track, and `rest`, what git ignores and Takeback
records. Only the first may ever leave the machine. Making one rewrites only the trees on paths that changed since
the checkpoint before.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from takeback.errors import Damaged, NotFound, UsageError
from takeback.journal import views
from takeback.journal.log import Journal
from takeback.model.ids import BlobId, CheckpointId, OpId, number_in
from takeback.model.paths import WorkspacePath
from takeback.model.state import FileKind, FileState
from takeback.model.words import as_text
from takeback.record import Baseline, Recorder
from takeback.store import trees
from takeback.store.objects import ObjectStore
from takeback.store.refs import commit, delete_ref, read_commit, set_ref

SCHEMA_VERSION = 1
_REF = "refs/takeback/checkpoints/"


class CheckpointKind(StrEnum):
    """Why a checkpoint was made."""

    PHASE_COMPLETE = "phase_complete"
    TASK_GROUP_COMPLETE = "task_group_complete"
    SAFE_STATE = "safe_state"
    PRE_RISKY_OPERATION = "pre_risky_operation"
    ERROR_RECOVERY = "error_recovery"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What whoever makes a checkpoint says about it."""

    label: str = ""
    kind: CheckpointKind = CheckpointKind.MANUAL
    phase: str | None = None
    session: str | None = None
    tags: tuple[str, ...] = ()
    context: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A state of the workspace that can be returned to."""

    id: CheckpointId
    label: str
    kind: CheckpointKind
    at_ns: int
    position: OpId
    """The last operation before it."""
    commit: str
    parent: CheckpointId | None
    phase: str | None
    session: str | None
    tags: tuple[str, ...]
    context: Mapping[str, Any]
    base_commit: str | None
    """What the user's HEAD was."""
    branch: str | None
    in_progress: tuple[str, ...]
    """Of merge, rebase …, what git was in the middle of."""
    pinned: bool
    rollback_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What git said about the user's repository when a checkpoint was made."""

    base_commit: str | None = None
    branch: str | None = None
    in_progress: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoints:
    """The checkpoints of one workspace."""

    journal: Journal
    store: ObjectStore
    recorder: Recorder
    baseline: Callable[[], Baseline]
    ignored_by_git: Callable[[Sequence[str]], Set[str]]
    clock: Callable[[], int]

    def create(self, wanted: Wanted, git: Circumstances) -> Checkpoint:
        """A checkpoint of the last known state. Cost: the paths that changed since the one before.

        Raises UsageError for a context that is no JSON.
        """
        _check_context(wanted.context)
        with self.journal.transaction():  # so that tree and position are of one moment
            position = self.journal.last_operation()
            previous = self.newest()
            now = self.clock()
            parents = [previous.commit] if previous else []
            message = as_text(wanted.label or "checkpoint")
            commit_id = commit(self.store, self._tree(previous, position), parents, message, now)
            name = f"cp-{self.journal.next_id('checkpoints')}"
            set_ref(self.store, _REF + name, commit_id)
            self.store.make_durable()
            record = _record(wanted, git, commit_id, previous)
            self.journal.append("checkpoints", position, _sealed(record), now)
            self.journal.count("checkpoints")
        return self.find(name)

    def all(self) -> tuple[Checkpoint, ...]:
        """Every checkpoint that was not deleted, newest first."""
        rows = self.journal.records("checkpoints", "1 ORDER BY id DESC")
        edits = self._edits()
        found = [self._checkpoint(row, edits.get(row[0], {})) for row in rows]
        return tuple(one for one in found if one is not None)

    def newest(self) -> Checkpoint | None:
        """The newest checkpoint that was not deleted."""
        last = self.journal.next_id("checkpoints") - 1
        return next(filter(None, map(self._numbered, range(last, 0, -1))), None)

    def find(self, name: str) -> Checkpoint:
        """The checkpoint of this id, or the newest with this label; no label names none. Raises NotFound."""
        digits = name.removeprefix("cp-")
        if name.startswith("cp-") and digits.isdecimal():
            found = self._numbered(number_in(digits))
        else:
            found = next((one for one in self.all() if name and one.label == name), None)
        if found is None:
            raise NotFound(f"there is no checkpoint {name}", hint="`takeback checkpoint list` shows them.")
        return found

    def edit(self, name: str, **changes: Any) -> Checkpoint:
        """The checkpoint with another label, or pinned or not."""
        checkpoint = self.find(name)
        with self.journal.transaction():
            self._append_edit(checkpoint, changes)
        return self.find(checkpoint.id)

    def delete(self, name: str) -> Checkpoint:
        """Forget a checkpoint. Its record stays in the journal, its content until `gc`."""
        checkpoint = self.find(name)
        if checkpoint.pinned:
            raise UsageError(
                f"{checkpoint.id} is pinned", hint=f"`takeback checkpoint unpin {checkpoint.id}` first."
            )
        with self.journal.transaction():
            self._append_edit(checkpoint, {"deleted": True})
        delete_ref(self.store, _REF + checkpoint.id)
        return checkpoint

    def leaf(self, checkpoint: Checkpoint, path: WorkspacePath) -> trees.Leaf | None:
        """Blob and git mode of `path` in a checkpoint's commit."""
        for part in ("tracked", "rest"):
            found = trees.entry(self.store, self._root(checkpoint), WorkspacePath(f"{part}/{path}"))
            if found is not None:
                return found
        return None

    def tracked_tree(self, checkpoint: Checkpoint) -> str | None:
        """The tree of what git would track."""
        return trees.folder(self.store, self._root(checkpoint), "tracked")

    # --------------------------------------------------------------------------------------------

    def _root(self, checkpoint: Checkpoint) -> str:
        return read_commit(self.store, checkpoint.commit).tree

    def _tree(self, previous: Checkpoint | None, position: OpId) -> str:
        if previous is not None:
            old: str | None = self._root(previous)
            since = previous.position
        else:
            old, since = self._baseline_tree(), OpId(0)
        paths = views.paths_changed_between(self.journal, since, position)
        ignored = self.ignored_by_git(paths)
        changes: dict[WorkspacePath, trees.Leaf | None] = {}
        for path in paths:
            state = self.recorder.state_of(path)[1]
            part, other = ("rest", "tracked") if path in ignored else ("tracked", "rest")
            changes[WorkspacePath(f"{part}/{path}")] = _leaf(state)
            changes[WorkspacePath(f"{other}/{path}")] = None
        return trees.update(self.store, old, changes)

    def _baseline_tree(self) -> str:
        baseline = self.baseline()
        parts = {"tracked": baseline.tracked, "rest": baseline.rest}
        return trees.of_folders(self.store, {name: tree for name, tree in parts.items() if tree})

    def _numbered(self, number: int) -> Checkpoint | None:
        rows = self.journal.records("checkpoints", "id = ?", (number,))
        return self._checkpoint(rows[0], self._edits(number).get(number, {})) if rows else None

    def _append_edit(self, checkpoint: Checkpoint, changes: Mapping[str, Any]) -> None:
        number = int(checkpoint.id.removeprefix("cp-"))
        self.journal.append("checkpoint_edits", number, json.dumps(changes), self.clock())

    def _edits(self, number: int | None = None) -> dict[int, dict[str, Any]]:
        condition, parameters = ("checkpoint = ? ORDER BY id", (number,)) if number else ("1 ORDER BY id", ())
        edits: dict[int, dict[str, Any]] = {}
        for _, checkpoint, edit, _ in self.journal.records("checkpoint_edits", condition, parameters):
            edits.setdefault(checkpoint, {}).update(json.loads(edit))
        return edits

    def _checkpoint(self, row: Sequence[Any], edits: Mapping[str, Any]) -> Checkpoint | None:
        if edits.get("deleted"):
            return None
        name = CheckpointId(f"cp-{row[0]}")
        record = _unsealed(name, row[2])
        count = self.journal.query("SELECT count(*) FROM operations WHERE checkpoint = ?", (name,))[0][0]
        return Checkpoint(
            id=name,
            label=edits.get("label", record["label"]),
            kind=CheckpointKind(record["kind"]),
            at_ns=row[3],
            position=OpId(row[1]),
            commit=record["commit"],
            parent=record["parent"],
            phase=record["phase"],
            session=record["session"],
            tags=tuple(record["tags"]),
            context=record["context"],
            base_commit=record["base_commit"],
            branch=record["branch"],
            in_progress=tuple(record["in_progress"]),
            pinned=bool(edits.get("pinned", False)),
            rollback_count=count,
        )


def _check_context(context: Mapping[str, Any]) -> None:
    try:
        json.dumps(context, allow_nan=False)
    except ValueError as wrong:
        raise UsageError(
            "the context holds a number that JSON does not have",
            hint="NaN and Infinity are none: give them as text.",
        ) from wrong


def _record(
    wanted: Wanted, git: Circumstances, commit_id: str, previous: Checkpoint | None
) -> dict[str, Any]:
    return {
        "label": wanted.label,
        "kind": wanted.kind,
        "phase": wanted.phase,
        "session": wanted.session,
        "tags": list(wanted.tags),
        "context": dict(wanted.context),
        "commit": commit_id,
        "parent": previous.id if previous else None,
        "base_commit": git.base_commit,
        "branch": git.branch,
        "in_progress": list(git.in_progress),
        "schema_version": SCHEMA_VERSION,
    }


def _leaf(state: FileState) -> trees.Leaf | None:
    if state.blob is None or not state.captured:
        return None
    if state.kind is FileKind.SYMLINK:
        return state.blob, 0o120000
    return BlobId(state.blob), 0o100755 if state.mode & 0o100 else 0o100644


def _sealed(record: Mapping[str, Any]) -> str:
    """The record as canonical JSON with its SHA-256."""
    body = json.dumps(record, sort_keys=True, separators=(",", ":"))
    return json.dumps(
        {"record": record, "checksum": hashlib.sha256(body.encode()).hexdigest()}, sort_keys=True
    )


def _unsealed(name: CheckpointId, text: str) -> dict[str, Any]:
    sealed = json.loads(text)
    record: dict[str, Any] = sealed["record"]
    body = json.dumps(record, sort_keys=True, separators=(",", ":"))
    if hashlib.sha256(body.encode()).hexdigest() != sealed["checksum"]:
        raise Damaged(f"the record of checkpoint {name} is not what was written")
    return record
