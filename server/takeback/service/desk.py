"""What one editor sees of one workspace: its documents, and the verbs that change files and documents together.

A plan touches files on disk, which the core writes, and open documents, which only the editor may change. So it goes
in two steps: `propose` says what each document has to become; when the editor has shown these texts, `carry_out`
writes the files. Nothing is held in between: what moved meanwhile makes the plan stale.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

from takeback.errors import TakebackError
from takeback.model.paths import WorkspacePath
from takeback.model.spans import LineEdit
from takeback.service import (
    answers,
    channel,
    file_operations,
    handover,
    looking,
    provenance,
    recording,
    sources,
    taking_back,
)
from takeback.service.buffers import Buffers
from takeback.service.documents import Blocked, Proposed
from takeback.service.file_operations import Renamed, named, path_in
from takeback.service.opening import Workspace
from takeback.service.planned import Planned
from takeback.service.provenance import Authorship
from takeback.service.published import Publication, editors
from takeback.service.requests import FileResult, Outcome, Request, Result, Verb
from takeback.undo import planning
from takeback.undo.apply import Applied
from takeback.undo.clash import OnConflict
from takeback.undo.plan import FileOutcome, FilePlan

logger = logging.getLogger(__name__)

CLEAN_NOTE = "it is back on disk and in the editor, which counts it as changed until it is saved"
GONE_NOTE = "its document still holds unsaved text; a save of it brings the file back"
OPEN_NOTE = "its document is still open; a save of it brings the file back"
SAVED_NOTE = "its editor saved it, and another process recorded that as a write of its own"
TIME_NOTE = "the file keeps its time until the document is saved, so a build that goes by times does not see the change"

_DONE = {
    Outcome.NOTHING: Outcome.APPLIED,
    Outcome.CONFLICT: Outcome.APPLIED,
    Outcome.REFUSED: Outcome.PARTIAL,
}
"""What an outcome becomes by files that were done before."""

HandOver = Callable[[channel.Message], channel.Message]
"""Answers a request to take something back, on a thread of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A plan for the disk, and what open documents have to become before it is carried out."""

    draft: taking_back.Draft
    documents: tuple[Proposed, ...]
    blocked: tuple[Blocked, ...]
    """Documents that cannot follow: their files are left."""

    @property
    def edits(self) -> tuple[Proposed, ...]:
        """The documents that have to show anything else."""
        return tuple(one for one in self.documents if one.edits)


class Desk:
    """One workspace, as one editor works with it. Belongs to the thread that opened the workspace."""

    def __init__(
        self,
        workspace: Workspace,
        editor: str,
        hand_over: HandOver,
        is_behind: Callable[[], bool] = lambda: False,
    ) -> None:
        """`is_behind` tells whether the editor has said more than was told here."""
        self.workspace = workspace
        publication = Publication(workspace.state, editor)
        self.buffers = Buffers(workspace, publication, is_behind)
        self._planned = Planned(workspace)
        self._moved: tuple[WorkspacePath, ...] = ()
        """Files that were not what the last plan took them for."""
        self._listener: channel.Listener | None = None
        try:
            self._listener = channel.Listener(publication.address, lambda _, message: hand_over(message))
        except OSError:
            logger.warning("other processes cannot hand anything over: no socket", exc_info=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        if self._listener is not None:
            self._listener.close()
        self.buffers.close()

    # -- documents and files ---------------------------------------------------------------------

    def opened(self, name: str, relative: str, version: int, text: str) -> None:
        """A document was opened that the editor calls `name`; several may be of one file."""
        path = path_in(relative)
        if path is not None:
            self._finish(path, text)
            self.buffers.opened(name, path, version, text)

    def _finish(self, path: WorkspacePath, text: str) -> None:
        """Write a file whose document shows what a server had planned that died before it wrote the file."""
        begun = self._planned.begun(path, text)
        if begun is None:
            return
        try:
            applied = self.workspace.applier.apply(begun.plan, begun.source)
        except TakebackError:
            logger.warning("what a death interrupted was left as it is", exc_info=True)
        else:
            logger.info(
                "what a death interrupted was looked at", extra={"done": isinstance(applied, Applied)}
            )

    def changed(
        self, name: str, relative: str, version: int, text: str, edits: tuple[LineEdit, ...] | None = None
    ) -> None:
        """A document was edited or reloaded; `edits` are the lines that were replaced, one after the other."""
        path = path_in(relative)
        if path is not None:
            self.buffers.changed(name, path, version, text, edits)

    def will_save(self, name: str, relative: str) -> None:
        """A document is about to be saved: what changes until then is a formatter's."""
        path = path_in(relative)
        if path is not None:
            self.buffers.will_save(name, path)

    def saved(self, name: str, relative: str, text: str) -> None:
        """A document was saved."""
        path = path_in(relative)
        if path is not None:
            self.buffers.saved(name, path, text)

    def closed(self, name: str) -> None:
        """A document was closed."""
        self.buffers.closed(name)

    def provenance(self, name: str) -> Authorship | None:
        """Who wrote the lines of a document as it is now; `None` if it is not open, or by another name only."""
        known = self.buffers.document(name)
        if known is None:
            return None
        return provenance.of_document(self.workspace, known.path, known.version, known.text)

    def settle(self) -> None:
        """Record what happened until now, before the editor renames or deletes files: whose it is can be told yet."""
        recording.glance(self.workspace)

    def will_rename(self, renamed: Renamed) -> None:
        """Files and folders are about to be renamed; their documents may be opened anew before it is told."""
        self.buffers.will_rename(named(renamed=renamed).renamed)

    def did_files(self, created: Iterable[str], deleted: Iterable[str], renamed: Renamed) -> None:
        """Files and folders were created, deleted and renamed in the editor."""
        told = named(created, deleted, renamed)
        self.buffers.will_rename(told.renamed)
        file_operations.record(self.workspace, told)

    def propose(self, verb: Verb, request: Request) -> Proposal | Result:
        """What has to happen, or the result where nothing has to.

        Raises what `taking_back` raises, and Refused where another editor holds unsaved text.
        """
        self.let_go()
        self._look_again()
        draft = taking_back.planner(self.workspace, verb, request)()
        settled = taking_back.decided(draft, request)
        if settled is not None:
            return settled
        self._check_others(draft)
        found = [self.buffers.propose(plan) for plan in draft.plan.files]
        blocked = tuple(one for one in found if isinstance(one, Blocked))
        proposal = Proposal(
            draft=draft, documents=tuple(one for one in found if isinstance(one, Proposed)), blocked=blocked
        )
        if blocked and request.on_conflict is OnConflict.STOP:
            notes = {one.path: one.note for one in blocked}
            return _stopped(draft, notes)
        if proposal.edits:
            self.buffers.hold(proposal.edits)
            self._planned.keep(draft.source, draft.plan.files, proposal.edits)
        return proposal

    def foresee(self, verb: Verb, request: Request) -> tuple[Proposed, ...]:
        """What documents become by a request that changes nothing but documents and their files; else nothing.

        Nothing is held or written down: the editor may show it, and ask for it or not.
        """
        draft = taking_back.planner(self.workspace, verb, request)()
        if taking_back.decided(draft, request) is not None:
            return ()
        found = [self.buffers.propose(plan) for plan in draft.plan.files if plan.writes]
        edits = tuple(one for one in found if isinstance(one, Proposed) and one.over_disk and one.edits)
        return edits if len(edits) == len(found) else ()

    def _look_again(self) -> None:
        """Record what moved under the last plan: while its documents were held, or recording is paused, nobody did."""
        moved, self._moved = self._moved, ()
        if moved:
            self.workspace.looker.at(moved, sources.unannounced(self.workspace, ""))

    def let_go(self) -> None:
        """Nothing is being taken back any more."""
        self.buffers.let_go()
        self._planned.drop()

    def carry_out(
        self,
        proposal: Proposal,
        shown: Set[WorkspacePath],
        left: Mapping[WorkspacePath, str],
    ) -> Result | None:
        """The result of writing the files, those in `left` excepted; `None` if the plan went stale.

        `shown` are the documents that the editor has changed.
        """
        left = {**left, **{one.path: one.note for one in proposal.blocked}}
        following = [one for one in proposal.documents if one.path in shown or not one.edits]
        following = [one for one in following if one.path not in left]
        open_still = {file.target: self._left_open(file) for file in proposal.draft.plan.files}
        times = self._times(one.path for one in following if one.over_disk and one.is_edited)
        result = self._written(proposal.draft, left, times)
        if result is None:  # once more: an editor may have saved in this moment what it was told to show
            result = self._written(proposal.draft, left, times)
        if result is None:
            self._moved = tuple(file.path for file in proposal.draft.plan.files)
            return None
        self.let_go()
        self._keep_times(times)
        for one in following:
            self.buffers.followed(one)
        files = tuple(_with_note(file, open_still.get(file.path, "")) for file in result.files)
        return _with_left(replace(result, files=files), proposal, left)

    def followed_elsewhere(self, proposed: Proposed, relative: str) -> None:
        """Another workspace of this editor changed a document together with its file."""
        path = path_in(relative)
        if path is not None:
            self.buffers.followed_elsewhere(proposed, path)

    def _left_open(self, file: FilePlan) -> str:
        """What is to be known of a document whose file goes, or moves: it is the editor's, and stays open."""
        if not (file.leaves and file.path in self.buffers.documents()):
            return ""
        return GONE_NOTE if self.buffers.has_unsaved(file.path) else OPEN_NOTE

    def noted(self, result: Result, clean: Set[WorkspacePath], saved: Set[WorkspacePath]) -> Result:
        """The result, with what is to be known of the documents that were changed and not saved since.

        `clean` held no unsaved text before; `saved` are those of them that the editor has saved by request.
        """
        files = [file if file.path in saved else self._noted(file, clean) for file in result.files]
        return replace(result, files=tuple(files))

    def _noted(self, file: FileResult, clean: Set[WorkspacePath]) -> FileResult:
        if file.path in clean and self.buffers.is_edited(file.path):
            file = replace(file, outcome=FileOutcome.IN_EDITOR, note=CLEAN_NOTE)
        return _with_note(file, TIME_NOTE) if self.buffers.keeps_time(file.path) else file

    def _written(
        self, draft: taking_back.Draft, left: Mapping[WorkspacePath, str], times: Mapping[WorkspacePath, int]
    ) -> Result | None:
        self.buffers.take_in_saves()
        files = [self._over_saved(file) for file in draft.plan.files if file.path not in left]
        done = [file for file in files if self.buffers.holds(file.path) and not file.writes]
        rest = tuple(file for file in files if file not in done)
        plan = replace(draft.plan, files=rest)
        result = taking_back.carried_out(self.workspace, replace(draft, plan=plan), times)
        return self._with_recorded(result, draft, done) if result and done else result

    def _with_recorded(self, result: Result, draft: taking_back.Draft, done: Sequence[FilePlan]) -> Result:
        """The result, with files that their editor saved as planned, and that another process has recorded already."""
        claim, state_of = self.workspace.claims.claim, self.workspace.recorder.state_of
        ops = [claim(draft.source, file.path, state_of(file.path)[1]) for file in done]
        op = next(filter(None, (result.operation, *ops)), None)
        more = tuple(
            FileResult(path=file.path, outcome=FileOutcome.RESTORED, note=SAVED_NOTE) for file in done
        )
        outcome = _DONE.get(result.outcome, result.outcome)
        return replace(result, outcome=outcome, operation=op, files=result.files + more)

    def _over_saved(self, file: FilePlan) -> FilePlan:
        """A file's plan; anew, where its editor has saved the document together with unsaved text."""
        workspace = self.workspace
        is_saved = workspace.recorder.state_of(file.path)[1] != file.before
        if not (is_saved and file.flips and self.buffers.holds(file.path)):
            return file
        flips = {file.file: dict(file.flips)}
        (anew,) = planning.plans(workspace.journal, workspace.store, flips, OnConflict.STOP)
        return file if anew.conflicts else anew

    def _times(self, paths: Iterable[WorkspacePath]) -> dict[WorkspacePath, int]:
        found = {}
        for path in paths:
            stat = self.workspace.folder.look(path)
            if stat is not None:
                found[path] = stat.mtime_ns
        return found

    def _keep_times(self, times: Mapping[WorkspacePath, int]) -> None:
        """Give files whose documents changed the same way the time that their editor knows.

        Else it would ask, at the next save, whether to overwrite what somebody else wrote: there is nothing that
        the document does not have. The save gives the present time, which is what builds go by; so does closing.
        """
        for path, mtime_ns in times.items():
            with suppress(TakebackError):
                self.workspace.folder.set_modified(path, mtime_ns)

    def _check_others(self, draft: taking_back.Draft) -> None:
        paths = {place for file in draft.plan.files if file.writes for place in (file.path, file.target)}
        holding = [one for one in editors(self.workspace.state) if one.dirty & paths]
        if holding:
            raise handover.refusal(holding, paths)

    # -- the other verbs -------------------------------------------------------------------------

    def status(self) -> answers.Answer:
        """The workspace at a glance."""
        found = looking.status(self.workspace)
        digests = self.buffers.digests()
        found["documents"] = [
            {"path": path, "dirty": dirty, "digest": digests[path]}
            for path, dirty in self.buffers.documents().items()
        ]
        return found


def _stopped(draft: taking_back.Draft, notes: Mapping[WorkspacePath, str]) -> Result:
    files = tuple(_file(file, notes, FileOutcome.CONFLICT) for file in draft.plan.files)
    return Result(
        outcome=Outcome.CONFLICT, operation=None, undone=draft.plan.undone, files=files, passed=draft.passed
    )


def _file(file: FilePlan, notes: Mapping[WorkspacePath, str], outcome: FileOutcome) -> FileResult:
    if file.path in notes:
        return FileResult(path=file.path, outcome=outcome, note=notes[file.path])
    return FileResult(path=file.target, outcome=FileOutcome.UNCHANGED, note="nothing was written")


def _with_note(file: FileResult, note: str) -> FileResult:
    return replace(file, note="; ".join(filter(None, (file.note, note))))


def _with_left(result: Result, proposal: Proposal, left: Mapping[WorkspacePath, str]) -> Result:
    """The result, with the files that were left because of their documents."""
    files = list(result.files)
    files += [
        FileResult(path=file.path, outcome=FileOutcome.SKIPPED, note=left[file.path])
        for file in proposal.draft.plan.files
        if file.path in left
    ]
    outcome = result.outcome
    if left:
        outcome = Outcome.PARTIAL if result.operation is not None else Outcome.REFUSED
    return replace(result, outcome=outcome, files=tuple(sorted(files, key=lambda file: file.path)))
