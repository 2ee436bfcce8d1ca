"""The state of the play: what was done, what stands, and the comparison with the disk after every verb."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass

from takeback.checkpoints import Wanted
from takeback.demo.model import FIRST, Edit, File, Step, after
from takeback.demo.workshop import Workshop
from takeback.model.ids import OpId
from takeback.model.operation import Operation
from takeback.model.state import FileKind
from takeback.service import checkpointing, recording, taking_back
from takeback.service.opening import Workspace, open_workspace
from takeback.service.requests import Outcome, Request, Result

_SHOWN = 6
_WIDTH = 92


class NotAsPromised(Exception):
    """Something is not what the model says."""

    def __init__(self, *lines: str) -> None:
        super().__init__(*lines)
        self.lines = lines


@dataclass(frozen=True, slots=True, kw_only=True)
class _Moment:
    """What a checkpoint stands for in the model."""

    n_done: int
    gone: frozenset[OpId]


class Play:
    """One run of the demo: it does things, writes down what must follow, and compares."""

    def __init__(self, shop: Workshop, say: Callable[[str], None]) -> None:
        self.shop = shop
        self.say = say
        self.first = shop.tree()
        self._done: list[tuple[OpId, Step]] = []
        self._gone: set[OpId] = set()
        self._moments: dict[str, _Moment] = {}
        self._n_checks = self._n_verbs = self._n_compared = 0
        self._began_s = time.monotonic()

    # -- the model -------------------------------------------------------------------------------

    def expected(self) -> dict[str, File]:
        """Every file as it must be."""
        return after(self.first, [step for op, step in self._done if op not in self._gone])

    def standing(self) -> list[OpId]:
        """The operations that were not taken back."""
        return [op for op, _ in self._done if op not in self._gone]

    def author(self, op: OpId) -> str:
        """Who did an operation."""
        return dict(self._done)[op].author

    def paths(self, op: OpId) -> tuple[str, ...]:
        """The files that an operation touched."""
        return dict(self._done)[op].paths

    def take(self, ops: Set[OpId]) -> None:
        """These are taken back now."""
        self._gone |= ops

    def expect(self, truth: bool, otherwise: str) -> None:  # noqa: FBT001 - reads like an assertion
        """Raises NotAsPromised, saying what was `otherwise`."""
        if not truth:
            raise NotAsPromised(otherwise)

    def check(self) -> None:
        """Compare every file of the workspace with the model, byte for byte."""
        expected, found = self.expected(), self.shop.tree()
        self._n_checks += 1
        self._n_compared += len(found)
        wrong = [
            path
            for path in sorted(expected.keys() | found.keys())
            if not _alike(expected.get(path), found.get(path))
        ]
        if wrong:
            more = [f"and {len(wrong) - _SHOWN} more files"] if len(wrong) > _SHOWN else []
            lines = [_difference(path, expected.get(path), found.get(path)) for path in wrong[:_SHOWN]]
            raise NotAsPromised(*lines, *more)

    # -- writing ---------------------------------------------------------------------------------

    def writes(self, author: str, text: str, edits: Sequence[Edit]) -> OpId:
        """Somebody writes; Takeback is told who it was."""
        step = Step(author=author, edits=tuple(edits))
        self.shop.write(after(self.expected(), [step]), step.paths)
        return self.wrote(author, text, edits)

    def wrote(self, author: str, text: str, edits: Sequence[Edit]) -> OpId:
        """Somebody has written already; Takeback is told who it was."""
        step = Step(author=author, edits=tuple(edits))
        with self.verb(f"{author:<14} {text}") as workspace:
            found = recording.record(workspace, author, text)
        return self._recorded(step, found)

    def runs(self, argv: Sequence[str], text: str, edits: Sequence[Edit], author: str = "") -> OpId:
        """A command runs, as `takeback run` runs it."""
        step = Step(author=author or f"command:{argv[0]}", edits=tuple(edits))
        with self.verb("") as workspace:
            recording.sync(workspace)
        status = self.shop.run(*argv)
        self.expect(status == 0, f"{argv[0]} ended with status {status}")
        with self.verb(f"{step.author:<14} {text}") as workspace:
            found = recording.record_command(workspace, step.author, text)
        return self._recorded(step, found)

    def _recorded(self, step: Step, found: Operation | None) -> OpId:
        if found is None:
            raise NotAsPromised(f"nothing was recorded of {step.author}")
        kinds = {change.path: change.after.kind or change.before.kind for change in found.changes}
        # A folder that became empty is a change too, and a right one.
        recorded = {path for path, kind in kinds.items() if kind is not FileKind.DIRECTORY}
        wrote = set(step.paths)
        self.expect(
            recorded == wrote, f"operation {found.id} holds other files than written: {recorded ^ wrote}"
        )
        self._done.append((found.id, step))
        self.check()
        return found.id

    # -- taking back -----------------------------------------------------------------------------

    def undo(self, text: str, request: Request, *, gone: Set[OpId], watch: str) -> None:
        """Take operations back."""
        with self.verb(text) as workspace:
            result = taking_back.undo(workspace, request)
        self.take(gone)
        self._took(result, watch)

    def redo(self, text: str, *, back: Set[OpId], watch: str) -> None:
        """Bring back what was undone last."""
        with self.verb(text) as workspace:
            result = taking_back.redo(workspace, Request())
        self._gone -= back
        self._took(result, watch)

    def checkpoint(self, label: str) -> str:
        """The id of a new checkpoint."""
        with self.verb(f"checkpoint: {label}") as workspace:
            made = checkpointing.create(workspace, Wanted(label=label))
        self._moments[made.id] = _Moment(n_done=len(self._done), gone=frozenset(self._gone))
        return made.id

    def rollback(self, name: str) -> None:
        """Undo everything after a checkpoint."""
        with self.verb(f"rollback to {name}") as workspace:
            result = taking_back.rollback(workspace, name, Request())
        moment = self._moments[name]
        self._gone = {*moment.gone, *(op for op, _ in self._done[moment.n_done :])}
        self._took(result, "")

    def _took(self, result: Result, watch: str) -> None:
        self.expect(result.outcome is Outcome.APPLIED, f"the outcome was {result.outcome}")
        counts = ", ".join(f"{n} {outcome}" for outcome, n in _outcomes(result))
        self.say(f"        {counts}" + (f"; {watch} holds {self._by_author(watch)}" if watch else ""))
        self.check()

    def _by_author(self, path: str) -> str:
        authors = self.expected()[path].authors()
        return ", ".join(f"{n} of {author}" for author, n in authors.items() if author != FIRST) + "'s lines"

    # -- verbs -----------------------------------------------------------------------------------

    def baseline(self) -> None:
        """Takeback sees the workspace for the first time."""
        self.say(
            f"The workspace is {self.shop.source}: {len(self.first)} files. It is temporary, and so is the history."
        )
        self.say("After every step each file, and all of .git, is compared with what it must be.")
        with self.verb("first look"):
            pass
        self.check()

    @contextmanager
    def verb(self, text: str) -> Iterator[Workspace]:
        """One start of Takeback, timed; raises NotAsPromised if it changed a byte of `.git`."""
        before = self.shop.git_digest()
        began = time.monotonic()
        with open_workspace(self.shop.root, self.shop.environ) as workspace:
            yield workspace
            last = workspace.journal.last_operation()
        took_ms = (time.monotonic() - began) * 1000
        self._n_verbs += 1
        if text:
            self.say(f"{last or '':>5}   {_fitted(text):<{_WIDTH}} {took_ms:>5.0f} ms")
        self.expect(self.shop.git_digest() == before, f"`{text}` changed something in .git")

    def verdict(self) -> None:
        """Say that everything was as promised, and what that rests on."""
        self.expect(
            self.shop.git_digest(afresh=True) == self.shop.git_digest(), "an object file of .git changed"
        )
        took_s = time.monotonic() - self._began_s
        self.say("")
        self.say(
            f"AS PROMISED: {self._n_checks} times every file was what it must be ({self._n_compared} comparisons), "
            f"and none of {self._n_verbs} starts of Takeback changed a byte of .git. {took_s:.1f} s."
        )


def _fitted(text: str) -> str:
    return text if len(text) <= _WIDTH else text[: _WIDTH - 2] + " …"


def _outcomes(result: Result) -> list[tuple[str, int]]:
    counts: dict[str, int] = {}
    for file in result.files:
        counts[file.outcome.value] = counts.get(file.outcome.value, 0) + 1
    return sorted(counts.items())


def _alike(one: File | None, other: File | None) -> bool:
    if one is None or other is None:
        return one is other
    return (one.data, one.executable, one.is_link) == (other.data, other.executable, other.is_link)


def _difference(path: str, expected: File | None, found: File | None) -> str:
    if expected is None:
        return f"{path} should not be there"
    if found is None:
        return f"{path} is gone"
    lost = Counter(author for author, text in expected.lines if text not in found.data)
    if lost:
        whose = ", ".join(f"{n} of {author}" for author, n in sorted(lost.items()))
        return f"{path} lost {lost.total()} lines: {whose}"
    return f"{path} has {len(found.data)} bytes that are not the {len(expected.data)} it should have"
