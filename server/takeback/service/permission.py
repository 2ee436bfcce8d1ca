"""What an agent may take back by itself, and what a person has to decide.

Alone, an agent takes back what it wrote, and brings back what it took back itself. Where that reaches anything of
somebody else's, a person is asked; where nobody can be asked, it is refused. What the person was asked about is
exactly what is done: if it is another thing meanwhile, they are asked again.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass, replace
from enum import StrEnum

from takeback.errors import Refused
from takeback.files.faults import shown
from takeback.journal import views
from takeback.model.ids import OpId
from takeback.model.operation import TAKING_BACK, Operation, OperationKind
from takeback.service.opening import Workspace
from takeback.service.requests import Request, Result, Verb
from takeback.service.taking_back import unless_asked
from takeback.service.wording import plain
from takeback.undo.clash import OnConflict
from takeback.undo.plan import Conflict

_NAMED = 10
"""How many operations or conflicts a question names."""
_REPLACES = (OnConflict.TAKE_THEIRS, OnConflict.MARKERS)
"""Decisions that change lines that somebody else wrote."""


class Choice(StrEnum):
    """What a person may answer."""

    PROCEED = "proceed"
    UNDO_THOSE_TOO = "undo-those-too"
    KEEP_MINE = "keep-mine"
    TAKE_THEIRS = "take-theirs"
    MARKERS = "markers"
    SKIP_FILE = "skip-file"
    CANCEL = "cancel"


_MEANS = {
    Choice.PROCEED: "do it",
    Choice.UNDO_THOSE_TOO: "take back the operations in the way too",
    Choice.KEEP_MINE: "the text that stands now stays; the rest is done",
    Choice.TAKE_THEIRS: "the text from before returns, and replaces what stands now",
    Choice.MARKERS: "both stand, between conflict markers",
    Choice.SKIP_FILE: "files with conflicts stay as they are",
    Choice.CANCEL: "nothing is changed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """The agent that asks for something to be taken back."""

    actor: str
    own: Set[OpId]
    """What was taken back because it asked for it."""
    has_person: bool
    """Whether anybody can be asked."""
    asks: bool = True
    """Whether a conflict is to be asked about; else it is told, and nothing is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a person has to decide before anything is written."""

    text: str
    choices: tuple[Choice, ...]
    ops: tuple[OpId, ...]
    """The operations that it is about."""
    conflicts: tuple[tuple[str, str], ...]
    """Where they cannot be told apart from others, and from which: of these the person knows."""
    in_the_way: tuple[OpId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What a person has said yes to."""

    ops: frozenset[OpId]
    conflicts: frozenset[tuple[str, str]] = frozenset()
    on_conflict: OnConflict | None = None

    def covers(self, question: Question) -> bool:
        """Whether everything that the question is about was decided."""
        return self.ops.issuperset(question.ops) and self.conflicts.issuperset(question.conflicts)

    def applied(self, verb: Verb, request: Request) -> Request:
        """The request, for what was decided."""
        actor = None if verb.kind is OperationKind.UNDO else request.actor
        pinned = replace(request, n=None, turn=None, since=None, ops=tuple(sorted(self.ops)), actor=actor)
        return replace(pinned, on_conflict=self.on_conflict or OnConflict.STOP)


def consent(question: Question, choice: Choice) -> Consent:
    """What that answer allows. Raises Refused if it is no."""
    if choice is Choice.CANCEL:
        raise Refused("the person said no, so nothing was changed", hint="Go on without it, or ask them why.")
    if choice is Choice.PROCEED:
        return Consent(ops=frozenset(question.ops))
    if choice is Choice.UNDO_THOSE_TOO:
        return Consent(ops=frozenset({*question.ops, *question.in_the_way}))
    return Consent(
        ops=frozenset(question.ops),
        conflicts=frozenset(question.conflicts),
        on_conflict=OnConflict(choice.value),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Beyond:
    """What of a plan the agent may not decide about."""

    foreign: tuple[Operation, ...]
    conflicts: tuple[Conflict, ...]
    may_take_more: bool
    """Whether operations in the way can be taken back together with the chosen ones."""


def take_back(
    workspace: Workspace, verb: Verb, request: Request, asker: Asker, given: Consent | None
) -> Result | Question:
    """The result, or what a person has to be asked before: then nothing was written.

    Raises Refused where nobody can be asked, apart from a conflict, which is a result as anywhere.
    """

    def asks(planned: Result) -> Question | None:
        beyond = _Beyond(
            foreign=_foreign(workspace, verb, planned.undone, asker),
            conflicts=_undecided(planned.conflicts, request.on_conflict, asker),
            may_take_more=verb.kind is OperationKind.UNDO and request.hunk is None,
        )
        if request.dry_run or not (beyond.foreign or beyond.conflicts):
            return None
        question = _question(workspace, verb, planned, beyond, asker)
        if given is not None and given.covers(question):
            return None
        if asker.has_person:
            return question
        if beyond.foreign or request.on_conflict in _REPLACES:
            raise _refusal(planned, beyond, asker, request)
        return None

    return unless_asked(workspace, verb, request, asks)


def _undecided(conflicts: tuple[Conflict, ...], how: OnConflict, asker: Asker) -> tuple[Conflict, ...]:
    """Conflicts that an agent may not decide as it would: lines of others would be replaced."""
    return conflicts if how in _REPLACES or (how is OnConflict.STOP and asker.asks) else ()


def _foreign(workspace: Workspace, verb: Verb, undone: Iterable[OpId], asker: Asker) -> tuple[Operation, ...]:
    """What the agent has no say in alone."""
    found = views.named(workspace.journal, undone)
    returns = verb.kind is OperationKind.REDO
    return tuple(one for one in found if not (_may_return if returns else _may_go)(one, asker))


def _may_go(one: Operation, asker: Asker) -> bool:
    """Whether the agent may take it back: it wrote it. Taking back an undo brings something back."""
    if one.kind in TAKING_BACK:
        return one.id in asker.own
    return one.actor == asker.actor and not one.inferred


def _may_return(one: Operation, asker: Asker) -> bool:
    """Whether the agent may bring it back: it took it back itself."""
    taker = one.id if one.kind in TAKING_BACK else one.undone_by
    return taker is None or taker in asker.own


# -- words ---------------------------------------------------------------------------------------


def _question(workspace: Workspace, verb: Verb, planned: Result, beyond: _Beyond, asker: Asker) -> Question:
    conflicts = beyond.conflicts
    in_the_way = tuple(sorted({op for one in conflicts for op in one.in_the_way}))
    choices = _choices(beyond)
    lines = [f"{plain(asker.actor)} asks for {_what(verb, planned)}."]
    if beyond.foreign:
        lines += ["Somebody else took back:" if verb.kind is OperationKind.REDO else "Not its own:"]
        lines += _shortened([_line(one) for one in beyond.foreign])
    if conflicts:
        lines += ["Others changed the same since:"]
        lines += _shortened([f"- {shown(one.path)} ({one.what})" for one in conflicts])
        lines += _shortened([_line(one) for one in views.named(workspace.journal, in_the_way)])
    lines += [f"{choice}: {_MEANS[choice]}" for choice in choices]
    return Question(
        text="\n".join(lines),
        choices=choices,
        ops=planned.undone,
        conflicts=tuple(sorted((one.path, str(op)) for one in conflicts for op in one.in_the_way)),
        in_the_way=in_the_way,
    )


def _choices(beyond: _Beyond) -> tuple[Choice, ...]:
    if not beyond.conflicts:
        return Choice.PROCEED, Choice.CANCEL
    more = (Choice.UNDO_THOSE_TOO,) if beyond.may_take_more else ()
    return (*more, Choice.KEEP_MINE, Choice.TAKE_THEIRS, Choice.MARKERS, Choice.SKIP_FILE, Choice.CANCEL)


def _what(verb: Verb, planned: Result) -> str:
    ops = ", ".join(map(str, planned.undone[:_NAMED])) + (" …" if len(planned.undone) > _NAMED else "")
    where = f" to {plain(verb.checkpoint or '')}" if verb.kind is OperationKind.ROLLBACK else ""
    return f"{verb.kind}{where} of operation {ops}" if ops else f"{verb.kind}{where}"


def _line(one: Operation) -> str:
    """One operation on one line: no name and no label may look like a choice."""
    paths = list(dict.fromkeys(change.path for change in one.changes))
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    files = f"{shown(paths[0])}{more}" if paths else ""
    by_time = " (concluded from time alone)" if one.inferred else ""
    said = [f"operation {one.id} by {plain(one.actor)}{by_time}", files, plain(one.label)]
    return "- " + ", ".join(filter(None, said))


def _shortened(lines: list[str]) -> list[str]:
    return lines if len(lines) <= _NAMED else [*lines[:_NAMED], f"- and {len(lines) - _NAMED} more"]


def _refusal(planned: Result, beyond: _Beyond, asker: Asker, request: Request) -> Refused:
    if not beyond.foreign:
        return Refused(
            f"{request.on_conflict} replaces what others wrote, which a person has to decide, and none can be asked",
            hint="Use keep-mine or skip-file, or let the person do it: "
            + (planned.way_out or "`takeback undo`."),
        )
    names = ", ".join(f"{one.id} ({one.actor})" for one in beyond.foreign[:_NAMED])
    return Refused(
        f"operation {names} is not what {asker.actor} may decide about alone, and no person can be asked here",
        hint="Name only operations of your own, or let the person do it on the command line.",
    )
