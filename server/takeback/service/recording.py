"""Recording on request: looks, turns, commands, keeping, pausing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from takeback.errors import Refused, UsageError
from takeback.journal import views
from takeback.journal.rows import path_out
from takeback.model.ids import OpId, TurnId
from takeback.model.operation import UNKNOWN, Operation, OperationKind, Turn
from takeback.model.paths import WorkspacePath
from takeback.model.source import Source
from takeback.service import agent_turns, at_work, held_turns, line, taking_in
from takeback.service.lease import holder
from takeback.service.opening import Workspace
from takeback.service.sources import at_its_end, is_paused, open_turns, source_out, unannounced
from takeback.watch.look import Looked

PAUSED = "while paused"

SYNC_S = 3.0
"""How long a live recorder is waited for; after that, this process looks itself."""
END_S = 60.0
"""How long the recording of a command's effects may take."""


def sync(workspace: Workspace) -> Looked:
    """Record what happened unannounced until now, so that nothing newer is overlooked.

    A live recorder is asked to catch up; only where there is none, the tree is looked at.
    """
    if is_paused(workspace):
        taking_in.take_in(workspace)
        return Looked(operation=None)
    return _caught_up(workspace, None)


def sync_all(workspace: Workspace) -> None:
    """As `sync`, and in a pause too: who goes back to an exact state has to know what is there."""
    sync(workspace)
    if is_paused(workspace):
        _look_at_pause(workspace)


def glance(workspace: Workspace) -> None:
    """Record what happened unannounced, for somebody who only reads.

    Not while a command is at work: what it writes is one operation, recorded at its end.
    """
    if holder(workspace.state) is None:  # else the recorder does it, and more exactly
        taking_in.take_in(workspace)
    if not at_work.commands(workspace.state):
        sync(workspace)


def recorder_address(workspace: Workspace) -> str:
    """Where the process that records this workspace can be asked."""
    return line.address(workspace.state, "socket")


def _caught_up(workspace: Workspace, source: Source | None) -> Looked:
    """Everything until now is recorded, as of `source` if that is known."""
    watching = workspace.here.watching
    if watching is not None:
        taking_in.take_in(workspace)
        recorded = watching.catch_up(source)
        return Looked(operation=recorded.operation, git=recorded.git)
    question: line.Message = {"do": "sync", "source": source_out(source) if source else None}
    answer = line.ask(recorder_address(workspace), question, SYNC_S)
    if answer is not None and "operation" in answer:
        return Looked(operation=answer["operation"], git=answer["git"])
    taking_in.take_in(workspace)
    taking_in.apart(workspace)
    return workspace.looker.everything(source or unannounced(workspace))


def hear(workspace: Workspace) -> None:
    """Let a live recorder take in what its editor and hooks have told until now: they know whose their writes are."""
    if workspace.here.watching is None:
        line.ask(recorder_address(workspace), {"do": "hear"}, SYNC_S)


def record(
    workspace: Workspace, actor: str | None, label: str, turn: TurnId | None = None
) -> Operation | None:
    """Record what changed since the last look as one operation; `None` if nothing did.

    Without an actor it is the open turn's. Raises Refused while recording is paused.
    """
    refuse_paused(workspace)
    return _operation(workspace, _caught_up(workspace, told(workspace, actor, label, turn)))


def refuse_paused(workspace: Workspace) -> None:
    """Raises Refused while recording is paused."""
    if is_paused(workspace):
        raise Refused("recording is paused", hint="`takeback resume` first.")


def told(workspace: Workspace, actor: str | None, label: str, name: TurnId | None = None) -> Source:
    """Who says that something is theirs, in the turn of this name or the only one that is open."""
    turns = [
        turn
        for turn in open_turns(workspace)
        if name in (None, turn.id)
        and (turn.actor == actor or (actor is None and _is_by_hand(workspace, turn)))
    ]
    turn = turns[0] if len(turns) == 1 else None
    return Source(
        kind=OperationKind.EDIT,
        actor=actor or (turn.actor if turn else UNKNOWN),
        label=label or ("" if actor or turn else unannounced(workspace).label),
        turn=turn.id if turn else None,
    )


def _is_by_hand(workspace: Workspace, turn: Turn) -> bool:
    """Whether somebody opened the turn who does not say what they write in it, as an agent's hooks do."""
    return not agent_turns.is_agents(workspace.journal, turn.id)


def record_command(workspace: Workspace, actor: str, label: str) -> Operation | None:
    """Record the effects of a command that has just ended, as one operation."""
    return _operation(workspace, _caught_up(workspace, _command_source(workspace, actor, label)))


@contextmanager
def command(workspace: Workspace, actor: str, label: str) -> Iterator[None]:
    """What is written meanwhile, and nobody announces, is recorded at the end as one operation of a command."""
    source = _command_source(workspace, actor, label)
    sync(workspace)
    with at_work.announced(workspace.state, source_out(source)) as name:
        recorder = line.call(recorder_address(workspace), SYNC_S)
        question = {"do": "begin", "name": name, "source": source_out(source)}
        begun = recorder.ask(question, SYNC_S) if recorder else None
        try:
            yield
        finally:
            ended = recorder.ask({"do": "end"}, END_S) if recorder and begun else None
            if recorder:
                recorder.close()
            if ended is None or "operation" not in ended:  # no recorder, or not the same all the time
                workspace.looker.everything(at_its_end(workspace, name, source))


def _command_source(workspace: Workspace, actor: str, label: str) -> Source:
    turns = [turn for turn in open_turns(workspace) if turn.actor == actor]
    turn = turns[0].id if len(turns) == 1 else None
    return Source(kind=OperationKind.COMMAND, actor=actor, label=label, turn=turn)


def begin_turn(workspace: Workspace, actor: str, label: str, stack: ExitStack | None = None) -> Turn:
    """A new turn: what is recorded until its end belongs to it. What happened before is recorded first.

    With a stack it lasts no longer than that, nor than this process, even if nobody ends it.
    """
    _end_left(workspace)
    sync(workspace)
    with workspace.journal.transaction():
        number = workspace.journal.append("turns", actor, label, workspace.clock())
        name = TurnId(f"turn-{number}")
        held_turns.forget(workspace.state, name)
        if stack is not None:
            held_turns.begin(workspace.state, name, stack)
    return views.turn(workspace.journal, name)


def end_turn(workspace: Workspace, name: str | None) -> Turn:
    """The turn, ended; what it wrote and nobody announced is recorded first.

    Raises UsageError if several are open and none is named, or it has ended already.
    """
    _end_left(workspace)
    turn = views.turn(workspace.journal, TurnId(name)) if name else _only_open(workspace)
    if turn.ended_ns is not None:
        raise UsageError(f"{turn.id} has ended already")
    sync(workspace)
    return _ended(workspace, turn.id)


def _end_left(workspace: Workspace) -> None:
    """End the turns whose process has died."""
    for turn in views.open_turns(workspace.journal):
        if held_turns.is_left(workspace.state, turn.id):
            _ended(workspace, turn.id)


def _ended(workspace: Workspace, name: TurnId) -> Turn:
    with workspace.journal.transaction():
        workspace.journal.append("turn_ends", int(name.removeprefix("turn-")), workspace.clock())
    held_turns.forget(workspace.state, name)
    return views.turn(workspace.journal, name)


def keep(workspace: Workspace, ops: Sequence[OpId], paths: Sequence[WorkspacePath] = ()) -> tuple[OpId, ...]:
    """These operations are fine: their marks end, with `paths` only there. Without any, all that have not been kept.

    Raises UsageError for an operation that touched none of `paths`.
    """
    sync(workspace)
    chosen = [one.id for one in views.named(workspace.journal, ops)] or views.not_kept(workspace.journal)
    kept: list[tuple[OpId, WorkspacePath | None]] = [(op, None) for op in chosen]
    if paths:
        kept = [(op, path) for path in paths for op in _touching(workspace, path) if op in set(chosen)]
        lacking = set(ops) - {op for op, _ in kept}
        if lacking:
            raise UsageError(f"operation {min(lacking)} did not touch {paths[0]}", hint="Leave the file out.")
    with workspace.journal.transaction():
        for op, path in kept:
            workspace.journal.append("keeps", op, path_out(path), workspace.clock())
    return tuple(dict.fromkeys(op for op, _ in kept))


def _touching(workspace: Workspace, path: WorkspacePath) -> tuple[OpId, ...]:
    """The operations that touched what is at `path` now, under whatever name."""
    file, _ = workspace.recorder.state_of(path)
    return views.touching_file(workspace.journal, file, path)


def pause(workspace: Workspace) -> None:
    """Stop recording, after what has happened so far."""
    if not is_paused(workspace):
        sync(workspace)
        _note_pause(workspace, paused=True)


def resume(workspace: Workspace) -> Operation | None:
    """Record again; what happened meanwhile becomes one operation, labelled so."""
    if not is_paused(workspace):
        return None
    taking_in.take_in(workspace)
    _note_pause(workspace, paused=False)  # first, so that a live recorder misses nothing behind the look
    return _operation(workspace, _look_at_pause(workspace))


def _look_at_pause(workspace: Workspace) -> Looked:
    return workspace.looker.everything(replace(unannounced(workspace), label=PAUSED))


def _note_pause(workspace: Workspace, *, paused: bool) -> None:
    with workspace.journal.transaction():
        workspace.journal.append("pauses", int(paused), workspace.clock())


def _only_open(workspace: Workspace) -> Turn:
    turns = open_turns(workspace)
    if len(turns) == 1:
        return turns[0]
    if not turns:
        raise UsageError("no turn is open", hint="`takeback turn begin --actor A` opens one.")
    names = ", ".join(turn.id for turn in turns)
    raise UsageError(f"several turns are open: {names}", hint="Name the one to end.")


def _operation(workspace: Workspace, looked: Looked) -> Operation | None:
    found = looked.operation or looked.git
    return views.operation(workspace.journal, found) if found else None
