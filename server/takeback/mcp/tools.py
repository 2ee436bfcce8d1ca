"""The tools as a model sees them: what each is for, what it takes, what it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from takeback.checkpoints import CheckpointKind
from takeback.errors import UsageError
from takeback.mcp import schemas, verbs
from takeback.mcp.verbs import ANYONE, ASK, Act, Call
from takeback.service.arguments import (
    NAME,
    NAMES,
    NUMBER,
    NUMBERS,
    OBJECT,
    TEXT,
    TEXTS,
    TRUTH,
    Arguments,
    Kind,
    checked,
    one_of,
)
from takeback.undo.clash import OnConflict

INSTRUCTIONS = f"""Takeback records every write in this workspace, whoever made it, and takes back exactly what is chosen: \
what others wrote before, between or after stays, in the same file too.

- Begin a turn (begin_turn) before you change files, and name what you wrote (record with paths) after it, so that it \
carries your name. You need no tool of Takeback's for writing.
- To take your own step back use undo, not git and not writing the old text again. Undo, redo and rollback can be undone.
- Before something risky make a checkpoint; rollback goes back to it.
- Only files are taken back. What a command did elsewhere (a database, the network, a container) is irreversible.
- An answer with `undone_since` tells what somebody took back of yours, and why. Do not write that again; \
if you think it is needed, ask the person.
- A result with outcome `conflict` changed nothing: somebody rewrote the same lines since. Look at `conflicts` and `hint`; \
do not force it. What is not yours is taken back only if a person agrees; they are asked where your client can ask.
- `{ANYONE}` as actor means everybody's operations, not only yours."""


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a tool."""

    kind: Kind
    text: str
    """What it is for, to a model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One tool."""

    title: str
    text: str
    """When to use it, what it changes, what comes back: to a model."""
    takes: Mapping[str, Argument]
    needs: tuple[str, ...] = ()
    answers: Mapping[str, Any]
    act: Callable[[Call], Act]
    reads: bool = False
    """It changes no file and nothing that anybody would take back."""
    destroys: bool = False
    """It changes files."""
    kinds: Mapping[str, Kind] = field(init=False)

    def __post_init__(self) -> None:
        kinds = {name: argument.kind for name, argument in self.takes.items()}
        object.__setattr__(self, "kinds", MappingProxyType(kinds))

    def schema(self) -> dict[str, Any]:
        """What it takes, as JSON Schema."""
        properties = {name: {**one.kind.schema, "description": one.text} for name, one in self.takes.items()}
        schema = {"type": "object", "properties": properties, "additionalProperties": False}
        return {**schema, "required": list(self.needs)} if self.needs else schema

    def arguments(self, name: str, given: Mapping[str, Any]) -> Arguments:
        """What it was called with. Raises UsageError for what it does not take, and for what is missing."""
        arguments = checked(name, given, self.kinds)
        for needed in self.needs:
            if needed not in arguments:
                raise UsageError(f"{name} needs {needed}", hint=self.takes[needed].text)
        return arguments


_WORKSPACE = Argument(
    NAME, "The folder, as a path or file URI; only needed where the client has several open."
)
_PATHS = Argument(NAMES, "Only these files or folders, from the top of the workspace or absolute.")
_SINCE = Argument(NAME, "Only after this: an operation (12), checkpoint (cp-3), turn (turn-2) or time (10m).")
_LABEL = Argument(TEXT, "What to call it, in a few words.")
_REASON = Argument(NAME, "Why; kept in the log, and told to whoever is concerned.")
_DRY_RUN = Argument(TRUTH, "Show what would happen, file by file, and write nothing.")
_INFERRED = Argument(TRUTH, "Also operations that were put down to their actor by time alone.")
_ON_CONFLICT = Argument(
    one_of((ASK, *OnConflict)),
    "Where others rewrote the same lines since: `ask` the person (default), `stop` and tell, `keep-mine` leaves their "
    "lines, `skip-file` leaves such files; `take-theirs` and `markers` replace their lines, so a person is asked first.",
)
_ACTOR_OF = (
    f"Whose operations count; by default yours. `{ANYONE}` for everybody's: a person is asked about others'."
)


def _takes(**more: Argument) -> Mapping[str, Argument]:
    return MappingProxyType({**more, "workspace": _WORKSPACE})


TOOLS: Mapping[str, Tool] = MappingProxyType(
    {
        "status": Tool(
            title="Status of the workspace",
            text="The workspace at a glance: last operations, checkpoints, open turns, whether recording is paused, and "
            "what could not be captured and so could not be brought back. Use it first.",
            takes=_takes(),
            answers=schemas.STATUS,
            act=verbs.status,
            reads=True,
        ),
        "log": Tool(
            title="List operations",
            text="Recorded operations, newest first: who (actor), when, which files, whether they still stand. "
            "`standing` is none for what was taken back; `inferred` means the actor was concluded from time alone.",
            takes=_takes(
                n=Argument(NUMBER, "How many at most (default 20)."),
                actor=Argument(
                    NAME, "Only this actor's: human, git, unknown, takeback, agent:NAME, command:NAME."
                ),
                paths=_PATHS,
                turn=Argument(NAME, "Only those of this turn."),
                since=_SINCE,
            ),
            answers=schemas.OPERATIONS,
            act=verbs.log,
            reads=True,
        ),
        "show": Tool(
            title="Show one operation",
            text="One operation: who, when, what it changed, hunk by hunk. `diff` with the same operation shows the lines.",
            takes=_takes(operation=Argument(NUMBER, "The operation's id, as log has it.")),
            needs=("operation",),
            answers=schemas.OPERATIONS,
            act=verbs.show,
            reads=True,
        ),
        "diff": Tool(
            title="Compare two moments",
            text="A unified diff: of one operation, or between two moments. Without arguments, of the last operation. "
            "A diff that is too long is cut, and says so (`truncated`): name paths then.",
            takes=_takes(
                operation=Argument(NUMBER, "What exactly this operation changed."),
                moments=Argument(
                    NAME,
                    "A..B: from the state before operation A to the state after B; `cp-1..` compares a checkpoint with now.",
                ),
                paths=_PATHS,
            ),
            answers=schemas.DIFF,
            act=verbs.diff,
            reads=True,
        ),
        "record": Tool(
            title="Put writes down to you",
            text="Call it after you changed files, by whatever means, with the paths you wrote: they become an operation "
            "with your name, also if a recorder has seen them before as unknown. Without paths, everything that nobody "
            "recorded yet is put down to you: only where nobody else is writing. Changes no file. `operation` is null if "
            "there was nothing to record.",
            takes=_takes(
                paths=Argument(
                    NAMES, "The files or folders you wrote, from the top of the workspace or absolute."
                ),
                label=_LABEL,
            ),
            answers=schemas.RECORDED,
            act=verbs.record,
        ),
        "begin_turn": Tool(
            title="Begin a turn",
            text="Begin a turn: what you record until its end belongs to it, and can be undone as one. It ends with "
            "end_turn, with your next turn, or with the connection.",
            takes=_takes(label=Argument(TEXT, "What it is about: the first words of the task.")),
            answers=schemas.TURN,
            act=verbs.begin_turn,
        ),
        "end_turn": Tool(
            title="End your turn",
            text="End your turn. What was written in it and nobody named is recorded first, as inferred to be yours.",
            takes=_takes(turn=Argument(NAME, "Your open turn, if you want to be exact.")),
            answers=schemas.TURN,
            act=verbs.end_turn,
        ),
        "undo": Tool(
            title="Take operations back",
            text="Take back operations and nothing else: others' edits stay, in the same files too. By default the last "
            "one of yours. Can be undone itself (redo). Outcome: `applied`; `nothing`; `conflict` (others rewrote the same "
            "lines since: nothing was changed, see `conflicts`, `hint`); `partial` or `refused` (see each file's note). "
            "Operations of others need a person's consent, and are refused where nobody can be asked.",
            takes=_takes(
                n=Argument(NUMBER, "The last N instead of 1."),
                operations=Argument(
                    NUMBERS, "Exactly these, by id, also from the middle; the undo of an undo is its redo."
                ),
                turn=Argument(NAME, "The operations of this turn."),
                since=_SINCE,
                actor=Argument(NAME, _ACTOR_OF),
                paths=_PATHS,
                hunk=Argument(NUMBER, "Only this hunk, as show counts them, of one operation in one file."),
                inferred=_INFERRED,
                dry_run=_DRY_RUN,
                on_conflict=_ON_CONFLICT,
                reason=_REASON,
            ),
            answers=schemas.RESULT,
            act=verbs.undo,
            destroys=True,
        ),
        "redo": Tool(
            title="Bring back what was undone",
            text="Bring back what was undone last, or the named operations. What somebody else took back needs a person's "
            "consent: they did not want it. Answers as undo does.",
            takes=_takes(
                n=Argument(NUMBER, "The last N undos instead of 1."),
                operations=Argument(NUMBERS, "These operations, or these undos', by id."),
                dry_run=_DRY_RUN,
                on_conflict=_ON_CONFLICT,
                reason=_REASON,
            ),
            answers=schemas.RESULT,
            act=verbs.redo,
            destroys=True,
        ),
        "checkpoint": Tool(
            title="Make a checkpoint",
            text="Name the state of the whole workspace as it is now, to come back to with rollback. Cheap; changes no "
            "file and nothing in git. Make one before something risky. status lists them.",
            takes=_takes(
                label=_LABEL,
                kind=Argument(one_of(CheckpointKind), "Why it is made (default manual)."),
                phase=Argument(NAME, "The phase of work that it ends."),
                session=Argument(NAME, "The session it belongs to."),
                tags=Argument(TEXTS, "Tags."),
                context=Argument(OBJECT, "Anything to keep with it."),
            ),
            answers=schemas.CHECKPOINT,
            act=verbs.checkpoint,
        ),
        "rollback": Tool(
            title="Go back to a checkpoint",
            text="Take back everything you did after a checkpoint; what others did since stays. With actor "
            f"`{ANYONE}` everything after it, by anybody, which a person has to agree to. Can be undone (redo). Commits, "
            "branches and the git index are not touched. Answers as undo does.",
            takes=_takes(
                checkpoint=Argument(NAME, "Its id (cp-3) or label."),
                actor=Argument(NAME, _ACTOR_OF),
                paths=_PATHS,
                inferred=_INFERRED,
                dry_run=_DRY_RUN,
                on_conflict=_ON_CONFLICT,
                reason=_REASON,
            ),
            needs=("checkpoint",),
            answers=schemas.RESULT,
            act=verbs.rollback,
            destroys=True,
        ),
    }
)
