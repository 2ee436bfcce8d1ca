"""A rollback puts each file back to what it was, whoever wrote since."""

import itertools

from takeback.model.ids import BlobId, ChangeSeq, FileId, OpId
from takeback.model.operation import Change, standing
from takeback.model.paths import WorkspacePath
from takeback.model.state import ABSENT, FileKind, FileState, Reason
from takeback.undo.plan import FileOutcome
from takeback.undo.rewind import rewind

BIG = FileState(kind=FileKind.FILE, mode=0o644, size_bytes=9, reason=Reason.TOO_LARGE)


def state(content):
    """A captured file; `None`: absent."""
    return content if isinstance(content, FileState) else _captured(content) if content else ABSENT


def _captured(content):
    return FileState(kind=FileKind.FILE, blob=BlobId(content), mode=0o644, size_bytes=1)


def changes_of(*steps):
    """The changes of a file through these (path, content) steps, one operation each."""
    pairs = itertools.pairwise(steps)
    return [
        Change(
            seq=ChangeSeq(number),
            op=OpId(number),
            file=FileId(1),
            path=WorkspacePath(path),
            moved_from=WorkspacePath(old_path) if old_path != path else None,
            before=state(before),
            after=state(after),
            flips={},
        )
        for number, ((old_path, before), (path, after)) in enumerate(pairs, start=1)
    ]


def check(steps, position, outcome, target, after):
    """Back at `position`, the file is `after` at `target`."""
    changes = changes_of(*steps)
    plan = rewind([one for one in changes if one.op > position])
    assert (plan.outcome, plan.target, plan.after) == (outcome, target, state(after))
    if plan.flips:
        assert standing(changes, plan.flips) == {one.seq for one in changes if one.op <= position}


def test_files_go_back_to_what_they_were():
    """Restored, removed, made again, renamed back: always the exact state, and no conflict."""
    check([("f", "1"), ("f", "2"), ("f", "3")], 0, FileOutcome.RESTORED, "f", "1")
    check([("f", "1"), ("f", "2"), ("f", "3")], 1, FileOutcome.RESTORED, "f", "2")
    check([("f", None), ("f", "1")], 0, FileOutcome.REMOVED, "f", None)
    check([("f", "1"), ("f", None)], 0, FileOutcome.RECREATED, "f", "1")
    check([("f", "1"), ("g", "1")], 0, FileOutcome.RENAMED, "f", "1")
    check([("f", "1"), ("g", "2"), ("h", "3")], 1, FileOutcome.RESTORED, "g", "2")


def test_what_is_as_it_was_is_left():
    """A file that went and came back is not touched; only what stands changes."""
    check([("f", "1"), ("f", "2"), ("f", "1")], 0, FileOutcome.UNCHANGED, "f", "1")
    check([("f", None), ("f", "1"), ("f", None)], 0, FileOutcome.UNCHANGED, "f", None)


def test_what_was_not_captured_is_left_and_said():
    """Neither a state that is not in the store is claimed, nor one that nobody kept overwritten."""
    check([("f", BIG), ("f", "1")], 0, FileOutcome.NOT_CAPTURED, "f", "1")
    check([("f", "1"), ("f", BIG)], 0, FileOutcome.NOT_CAPTURED, "f", BIG)
