"""Reading: status, log, show, diff."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from takeback.errors import TakebackError, UsageError
from takeback.journal import views
from takeback.model.ids import OpId, TurnId
from takeback.model.operation import Operation, parse_actor
from takeback.model.paths import WorkspacePath
from takeback.service import answers, hook_log
from takeback.service.lease import holder, trouble
from takeback.service.moments import position_of
from takeback.service.opening import Workspace
from takeback.service.recording import glance
from takeback.service.sources import is_paused, open_turns, who_is_at_work
from takeback.store.usage import usage
from takeback.timeline import diff as differences
from takeback.timeline import pages
from takeback.undo.intents import still_open

_STATUS_OPERATIONS = 5
_STATUS_NOTICES = 20
_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which operations `log` lists."""

    n: int | None = 20
    actor: str | None = None
    paths: tuple[WorkspacePath, ...] = ()
    turn: str | None = None
    since: str | None = None
    text: str = ""
    before: OpId | None = None


def log(workspace: Workspace, wanted: Wanted) -> tuple[Operation, ...]:
    """Operations, newest first. Raises NotFound for a turn or moment that does not exist."""
    glance(workspace)
    return _page(workspace, wanted)


def page(workspace: Workspace, wanted: Wanted, n: int) -> pages.Page:
    """At most `n` operations and where the next page begins, quickly among a million. Raises NotFound for a turn."""
    glance(workspace)
    return pages.bounded(workspace.journal, _filter(workspace, wanted), n)


def _page(workspace: Workspace, wanted: Wanted) -> tuple[Operation, ...]:
    return pages.page(workspace.journal, _filter(workspace, wanted), wanted.n)


def _filter(workspace: Workspace, wanted: Wanted) -> pages.Filter:
    turn = views.turn(workspace.journal, TurnId(wanted.turn)).id if wanted.turn else None
    return pages.Filter(
        actor=parse_actor(wanted.actor) if wanted.actor else None,
        paths=wanted.paths,
        turn=turn,
        after=position_of(workspace, wanted.since) if wanted.since else OpId(0),
        text=wanted.text,
        before=wanted.before,
    )


def operation(workspace: Workspace, op: OpId) -> Operation:
    """One operation. Raises NotFound."""
    glance(workspace)
    return views.operation(workspace.journal, op)


def diffs_of(workspace: Workspace, one: Operation) -> tuple[str, ...]:
    """What one operation changed, a unified diff for each file."""
    found = differences.of_operation(one.changes)
    return tuple(differences.render(workspace.store, part) for part in found)


def shown(workspace: Workspace, op: OpId) -> answers.Answer:
    """One operation as an answer, with what it changed. Raises NotFound."""
    one = operation(workspace, op)
    return {**answers.log([one]), "diff": "".join(diffs_of(workspace, one))}


def compare(workspace: Workspace, name: str) -> answers.Answer:
    """What differs between a checkpoint and now, as an answer: each file, and a unified diff. Raises NotFound."""
    checkpoint = workspace.checkpoints.find(name)
    glance(workspace)
    last = workspace.journal.last_operation()
    found = differences.between(workspace.journal, checkpoint.position, last)
    diffs = (differences.render(workspace.store, part) for part in found)
    return {
        **answers.checkpoint(checkpoint),
        "files": [{"path": one.path, "from": one.moved_from, "status": one.status.value} for one in found],
        "diff": "".join(diffs),
    }


def diff(workspace: Workspace, moments: str | None, paths: Sequence[WorkspacePath]) -> tuple[str, ...]:
    """A unified diff for each file that differs between two moments."""
    glance(workspace)
    after, up_to = _range(workspace, moments)
    found = differences.between(workspace.journal, after, up_to, paths)
    return tuple(differences.render(workspace.store, part) for part in found)


def _range(workspace: Workspace, moments: str | None) -> tuple[OpId, OpId]:
    last = workspace.journal.last_operation()
    if moments is None:
        return OpId(max(0, last - 1)), last
    start, dots, end = moments.partition("..")
    after = _before(workspace, start) if start else OpId(0)
    up_to = position_of(workspace, end) if end else last
    if up_to < after:
        raise UsageError(f"{end} is before {start}", hint=f"Perhaps {end}..{start}?" if dots else None)
    return after, up_to


def _before(workspace: Workspace, moment: str) -> OpId:
    """The last operation before the state that A names: for an operation, the state before it."""
    position = position_of(workspace, moment)
    return OpId(position - 1) if moment.isdecimal() else position


def status(workspace: Workspace) -> answers.Answer:
    """The workspace at a glance, as an answer; also when what happened last cannot be recorded, which it says."""
    failing = _why_not_recorded(workspace)
    journal = workspace.journal
    space = usage(workspace.store)
    recent = _page(workspace, Wanted(n=_STATUS_OPERATIONS))
    notices = journal.records("notices", "1 ORDER BY id DESC LIMIT ?", (_STATUS_NOTICES,))
    missing = Counter(
        f"{path}: {known.state.reason.value}"
        for path, known in journal.all_known()
        if known.state.reason is not None
    )
    missing.update(f"{folder}/: {why}" for folder, why in workspace.looker.unseen().items())
    return {
        "version": answers.VERSION,
        "workspace": workspace.root,
        "state": workspace.state,
        "paused": is_paused(workspace),
        "recorder": holder(workspace.state),
        "shortcut": journal.fact("shortcut") or "the git index",
        "counters": journal.counters(),
        "turns": [answers.turn(turn)["turn"] for turn in open_turns(workspace)],
        "operations": [answers.operation(one) for one in recent],
        "checkpoints": [answers.checkpoint(one)["checkpoint"] for one in workspace.checkpoints.all()],
        "store": {
            "bytes": space.own_bytes,
            "linked_bytes": space.linked_bytes,
            "max_bytes": workspace.config.store.max_bytes,
        },
        "not_captured": sorted(missing),
        "notices": [
            *([f"recording fails, and is tried again: {failing}"] if failing else []),
            *_unsettled(workspace),
            *([f"an agent's hook failed: {failed}"] if (failed := hook_log.last(workspace.state)) else []),
            *(
                f"{who} is at work: what it writes is recorded at its end"
                for who in who_is_at_work(workspace)
            ),
            *(
                f"{answers.rfc3339(row[1])} {row[2]} {row[3].decode(errors='replace')}: {row[4]}"
                for row in notices
            ),
        ],
    }


def _unsettled(workspace: Workspace) -> list[str]:
    """What a death interrupted and could not be settled when the workspace was opened, as long as that is so."""
    problems = [one.problem for one in workspace.settled if one.problem]
    if not (problems and still_open(workspace.journal)):
        return []
    claimed = sorted(workspace.journal.claimed())
    more = f" and {len(claimed) - _NAMED} more" if len(claimed) > _NAMED else ""
    until = (
        f"; until then nothing of {', '.join(claimed[:_NAMED])}{more} is recorded or taken back"
        if claimed
        else ""
    )
    return [
        f"an interrupted operation can be neither finished nor reversed yet: {why}{until}" for why in problems
    ]


def _why_not_recorded(workspace: Workspace) -> str:
    """Why what happened until now could not be recorded; empty if it was."""
    try:
        glance(workspace)
    except TakebackError as problem:
        return problem.message
    return trouble(workspace.state)
