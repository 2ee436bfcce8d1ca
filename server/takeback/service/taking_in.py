"""Takes in what hooks told, in its order: what an agent wrote becomes its operations, exactly.

    before an edit    what is at its paths, if that is not what is known, is recorded as whoever's it is; then the call
                      is under way: what is seen at its paths meanwhile is an operation of its own (`apart`)
    after an edit     what is at its paths is the agent's, also where it was seen before it was told
    a command         as `takeback run` does it, in two processes

Whoever records does it, before anything else is recorded; where nobody records, the next verb does it first.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from typing import Any

from takeback import regular
from takeback.agents.decoding import Doing
from takeback.errors import UsageError
from takeback.journal import views
from takeback.model.ids import OpId
from takeback.model.operation import UNKNOWN, Observation, OperationKind, with_candidates
from takeback.model.paths import WorkspacePath
from takeback.model.source import Source
from takeback.service import agent_turns, at_work, calls, hook_log, late, sources, spool
from takeback.service.hook_words import File, call_of, files_of, is_understood, name_of, session_of
from takeback.service.opening import Workspace
from takeback.watch.settle import Burst

logger = logging.getLogger(__name__)

_AROUND_MS = 1000
"""How long an agent and its hook may take around a tool call, at most, besides the call itself."""
_AGAIN_NS = 10_000_000_000
"""How long after the end of a call another word of the agent's about its files may be of that call."""
_ENDS = frozenset({Doing.PROMPT, Doing.END})
"""What ends every call of its session."""


def waits(workspace: Workspace) -> bool:
    """Whether hooks told something that nobody has taken in yet. Cost: one listing of a folder."""
    return bool(spool.pending(workspace.state))


def take_in(workspace: Workspace) -> None:
    """Record what hooks told until now.

    Raises TakebackError if it cannot be recorded; then it stays where it is, and is taken in later.
    """
    _note_others(workspace.state)
    if waits(workspace):
        with spool.taking(workspace.state):
            names = spool.pending(workspace.state)
            taking = _Taking(workspace, [*spool.heads(workspace.state, names)])
            for name in names:
                taking.entry(name)
                spool.drop(workspace.state, name)
            calls.forget(workspace.state, workspace.clock() - _AGAIN_NS)
    agent_turns.end_dead(workspace.journal, workspace.clock())


def _note_others(state: str) -> None:
    """Say once what stands in the place of what hooks and commands keep. It stays where it is."""
    for folder in (spool.FOLDER, calls.FOLDER, at_work.FOLDER):
        place = os.path.join(state, folder)
        if os.path.lexists(place) and not os.path.isdir(place):
            hook_log.note_once(state, f"{folder} is no folder, and is passed over")
        for name in regular.others(place):
            hook_log.note_once(state, f"{folder}/{name} is no file, and is passed over")


def apart(workspace: Workspace, burst: Burst | None = None) -> frozenset[WorkspacePath]:
    """Record what is at the paths of calls under way by itself, so that whose it is can be said later.

    Of a burst, only what it tells of: elsewhere somebody may be in the middle of writing. The result is where all is
    recorded now.
    """
    done = set()
    for path, source in _announced(workspace).items():
        if burst is None or burst.tells_of(path):
            deferred = workspace.looker.at([path], source).deferred
            if path not in deferred and workspace.recorder.state_of(path)[1].exists:
                done.add(path)  # of what is gone, the burst looks whether its folder is empty now
    return frozenset(done)


def _announced(workspace: Workspace) -> dict[WorkspacePath, Source]:
    """The paths that calls under way name, each with who may be writing there."""
    found: dict[WorkspacePath, set[str]] = {}
    for body in calls.under_way(workspace.state).values():
        for path in body["paths"]:
            found.setdefault(WorkspacePath(path), set()).add(body["actor"])
    return {path: _perhaps(actors) for path, actors in found.items()}


def _perhaps(actors: set[str]) -> Source:
    return Source(kind=OperationKind.EDIT, actor=UNKNOWN, label=with_candidates("", actors))


class _Taking:
    """One pass over what waits."""

    def __init__(self, workspace: Workspace, heads: Sequence[Mapping[str, Any]]) -> None:
        """`heads` are all that is to be taken in, without the content of files."""
        self._workspace = workspace
        self._journal = workspace.journal
        self._is_paused = sources.is_paused(workspace)
        self._began = self._journal.last_operation()
        self._times: dict[WorkspacePath, int] | None = None

        heads = [head for head in heads if is_understood(head)]
        self._ends_calls = {name_of(head) for head in heads if head.get("doing") == Doing.AFTER_COMMAND}
        self._ends_sessions = {session_of(head) for head in heads if head.get("doing") in _ENDS}
        for name, call in calls.all_of(workspace.state).items():
            self._put(name, call)

    def _put(self, name: str, call: Mapping[str, Any]) -> None:
        """A call is under way; if its end waits to be taken in, also where the agent has ended since."""
        if name in self._ends_calls or session_of(call) in self._ends_sessions:
            call = {**call, "process": None, "at": self._workspace.clock()}
        calls.put(self._workspace.state, name, call)

    def entry(self, name: str) -> None:
        """Take in one entry. What no hook of ours wrote is noted, and dropped."""
        try:
            entry = spool.read(self._workspace.state, name)
            if entry is not None:
                self._take(entry)
        except (ValueError, KeyError, TypeError, UsageError) as problem:
            logger.info("what a hook told cannot be understood", exc_info=True)
            hook_log.note(self._workspace.state, f"{name} in the spool cannot be understood: {problem!r}")

    def _take(self, entry: spool.Entry) -> None:
        body = entry.body
        if not is_understood(body):
            raise ValueError("no hook of this version wrote it")
        match Doing(body["doing"]):
            case Doing.PROMPT:
                self._finish_all(body)
                agent_turns.begin(self._journal, body, self._workspace.clock())
            case Doing.END:
                self._finish_all(body)
                agent_turns.end(self._journal, body, self._workspace.clock())
            case Doing.BEFORE_EDIT:
                self._before_edit(body, files_of(entry))
            case Doing.AFTER_EDIT:
                self._after_edit(body, files_of(entry))
            case Doing.BEFORE_COMMAND:
                self._before_command(body)
            case Doing.AFTER_COMMAND:
                self._finish(name_of(body), body)

    # -- edits -----------------------------------------------------------------------------------

    def _before_edit(self, body: Mapping[str, Any], files: Sequence[File]) -> None:
        since = views.newest_until(self._journal, body["at"])
        if not self._is_paused:
            since = max(since, self._record_unannounced(files, body["at"]))
        paths = [file.path for file in files]
        begun = calls.under_way(self._workspace.state).get(name_of(body))
        known = {
            "paths": paths,
            **self._contest(body, paths),
            "since": since,
            "paused": self._is_paused,
            "ends": 1 + (begun["ends"] if begun else 0),
        }
        self._put(name_of(body), {**call_of(body), **known})

    def _contest(self, body: Mapping[str, Any], paths: Sequence[WorkspacePath]) -> dict[str, Any]:
        """Which of these paths calls under way of other sessions name as well; they get to know it too."""
        mine: dict[str, list[WorkspacePath]] = {"contested": [], "turnless": []}
        for name, other in self._shared(body, paths).items():
            doubt = "turnless" if other["actor"] == body["actor"] else "contested"
            both = [path for path in paths if path in other["paths"]]
            self._put(name, {**other, doubt: sorted({*other.get(doubt, ()), *both})})
            mine[doubt] += both
        return mine

    def _shared(self, body: Mapping[str, Any], paths: Sequence[WorkspacePath]) -> dict[str, dict[str, Any]]:
        """Calls under way of other sessions that name some of the same paths."""
        return {
            name: other
            for name, other in calls.under_way(self._workspace.state).items()
            if session_of(other) != session_of(body) and not {*paths}.isdisjoint(other["paths"])
        }

    def _after_edit(self, body: Mapping[str, Any], files: Sequence[File]) -> None:
        call = calls.end(self._workspace.state, name_of(body), body["at"])
        if self._is_paused:
            return
        if call is not None:
            self._ended(body, call, files)
            return
        again = self._told_before(body)
        told = [file for file in files if file.path in again]
        self._record_unannounced(told, body["at"])
        rest = [file for file in files if file.path not in again]
        self._ended(body, self._other(body, [file.path for file in rest]), rest)

    def _told_before(self, body: Mapping[str, Any]) -> set[str]:
        """The paths of which this session has told what it wrote a moment ago, and of nothing since.

        Whatever is there now, somebody else may have written.
        """
        mine = self._of_session(body)
        ended = (call for call in mine if not call["ends"] and abs(body["at"] - call["ended"]) < _AGAIN_NS)
        begun = {path for call in mine if call["ends"] for path in call["paths"]}
        return {path for call in ended for path in call["paths"]} - begun

    def _other(self, body: Mapping[str, Any], paths: Sequence[WorkspacePath]) -> Mapping[str, Any]:
        """The call of its session that an agent tells of in other words as well.

        If there is none, nobody told of its beginning: then nothing is claimed, unless the agent never tells of one.
        """
        for call in self._of_session(body):
            if call["ends"] and not {*paths}.isdisjoint(call["paths"]):
                return call
        never = not body.get("has_before", True)
        return {
            "since": views.FIRST if never else self._journal.last_operation(),
            **self._contest(body, paths),
        }

    def _of_session(self, body: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The calls of its session that are under way, or were a moment ago."""
        known = calls.known(self._workspace.state).values()
        return [call for call in known if session_of(call) == session_of(body)]

    def _ended(self, body: Mapping[str, Any], call: Mapping[str, Any], files: Sequence[File]) -> None:
        """What is in these files is the agent's, as far as no other call was under way on them."""
        contested = {*call["contested"]}
        turnless = {*call.get("turnless", ())} - contested
        since = self._journal.last_operation() if call.get("paused") else OpId(call["since"])
        exact = [file for file in files if file.path not in contested | turnless]
        self._record(self._source(body), exact, body["at"], since)
        of_any_turn = [file for file in files if file.path in turnless]
        self._record(Source(kind=OperationKind.EDIT, actor=body["actor"]), of_any_turn, body["at"], since)
        doubtful = [file for file in files if file.path in contested]
        if doubtful:
            others = self._shared(body, [file.path for file in doubtful]).values()
            self._record(_perhaps({body["actor"], *(one["actor"] for one in others)}), doubtful, body["at"])

    def _source(self, body: Mapping[str, Any]) -> Source:
        turn = agent_turns.of_session(self._journal, body)
        return Source(kind=OperationKind.EDIT, actor=body["actor"], turn=turn)

    def _record_unannounced(self, files: Sequence[File], at_ns: int) -> OpId:
        """Record what was at these paths where nobody says that it is theirs; nothing is claimed."""
        source = sources.unannounced(self._workspace, "")
        return self._record(source, files, at_ns, self._journal.last_operation())

    def _record(self, source: Source, files: Sequence[File], at_ns: int, since: OpId = views.FIRST) -> OpId:
        """Record what was at these paths as `source`'s; what was recorded unannounced after `since` is claimed for it.

        The result is the last operation that brought one of them to what was told.
        """
        seen, found = [], [views.FIRST]
        for file in files:
            one = self._observation(file)
            if one is None:
                continue
            op = self._recorded(source, one, at_ns, since)
            if op is None:
                seen.append(one)
            else:
                found.append(op)
        record = (
            self._workspace.recorder.record if source.told else self._workspace.recorder.record_unannounced
        )
        if seen:
            found.append(record(source, seen).operation or views.FIRST)
        below = [file.path for file in files if file.must_look or self._had_below(file)]
        if below:
            self._workspace.looker.at(below, source)
        return max(found)

    def _recorded(self, source: Source, one: Observation, at_ns: int, since: OpId) -> OpId | None:
        """The operation that brought a path to what was told of it, which is `source`'s now; `None` if that is new."""
        later = late.recorded_after(self._journal, one.path, at_ns, self._began)
        if later:
            return late.place(self._workspace, source, one, later, since)
        if self._workspace.recorder.state_of(one.path)[1] != one.after:
            return None
        last = views.touching(self._journal, one.path, self._journal.last_operation())
        if last is None:
            return views.FIRST
        if source.told and last.op > since:  # a call that failed wrote nothing, and what was there is not its
            self._workspace.claims.claim(source, one.path, one.after)
        return last.op

    def _observation(self, file: File) -> Observation | None:
        return None if file.must_look else self._workspace.looker.told(file.path, file.reading)

    def _had_below(self, file: File) -> bool:
        """Whether it is a folder that went: what was known below it went too."""
        return file.reading.kind is None and self._workspace.recorder.has_recorded_below(file.path)

    # -- commands --------------------------------------------------------------------------------

    def _before_command(self, body: Mapping[str, Any]) -> None:
        if self._is_paused:
            return
        self._until(body["at"], sources.unannounced(self._workspace, ""))
        turn = agent_turns.of_session(self._journal, body)
        source = Source(
            kind=OperationKind.COMMAND, actor=body["actor"], label=body["label"] or "a command", turn=turn
        )
        self._put(name_of(body), {**call_of(body), "source": sources.source_out(source)})

    def _finish(self, name: str, body: Mapping[str, Any]) -> None:
        """A command has ended: what it wrote is recorded as its own, unless others are at work too."""
        call = calls.under_way(self._workspace.state).get(name)
        if call is not None and call["source"] is not None and not self._is_paused:
            self._while_it_waited(name, call, body)
            source = sources.source_in(call["source"])
            self._until(body["at"], sources.at_its_end(self._workspace, at_work.of_call(name), source))
        calls.drop(self._workspace.state, name)

    def _while_it_waited(self, name: str, call: Mapping[str, Any], body: Mapping[str, Any]) -> None:
        """Record what was written while a person was asked whether the command may run: it is not the command's.

        Only the times of files tell, and only where the agent says how long the command itself took.
        """
        took_ms = body.get("duration_ms")
        if took_ms is None:
            return
        ran_ns = body["at"] - int((took_ms + _AROUND_MS) * 1_000_000)
        if ran_ns > call["began"]:
            self._times = dict(self._workspace.looker.times())
            besides = at_work.of_call(name)
            self._by_times(ran_ns, sources.unannounced(self._workspace, "", besides=besides))

    def _abandon(self, name: str, call: Mapping[str, Any], body: Mapping[str, Any]) -> None:
        """A call of which nobody says how it ended. Perhaps it was refused: then what was written is not the agent's."""
        if call["source"] is not None and not self._is_paused:
            self._until(body["at"], _perhaps({call["actor"]}))
        calls.give_up(self._workspace.state, name, call, body["at"])

    def _finish_all(self, body: Mapping[str, Any]) -> None:
        """The session goes on to something else: no call of it is under way any more."""
        for name, call in calls.under_way(self._workspace.state).items():
            if session_of(call) == session_of(body):
                self._abandon(name, call, body)

    def _until(self, at_ns: int, source: Source) -> None:
        """Record what happened until a moment.

        A recorder knows what happened, and this is that moment. Without one, times tell: what changed last before the
        moment. Where they cannot tell (a file removed from a folder that changed later), the look after this decides.
        """
        watching = self._workspace.here.watching
        if watching is not None:
            watching.catch_up(source)
        else:
            self._by_times(at_ns, source)

    def _by_times(self, at_ns: int, source: Source) -> None:
        if self._times is None:
            self._times = dict(self._workspace.looker.times())
        early = [path for path, changed_ns in self._times.items() if changed_ns <= at_ns]
        for path in early:
            del self._times[path]
        announced = _announced(self._workspace)
        for path in announced.keys() & {*early}:
            self._workspace.looker.at([path], announced[path])
        if early:
            self._workspace.looker.some(early, source)
