"""Takes in what hooks told, in its order: what an agent wrote becomes its operations, exactly.

    before an edit    what is at its paths, if that is not what is known, is recorded as whoever's it is; then the call
                      is under way: what is seen at its paths meanwhile is an operation of its own (`apart`)
    after an edit     what is at its paths is the agent's, also where it was seen before it was told
    a command         as `takeback run` does it, in two processes

Whoever records does it, before anything else is recorded; where nobody records, the next verb does it first.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from takeback.agents.decoding import Doing
from takeback.errors import UsageError
from takeback.files.reading import Reading, Stat
from takeback.journal import views
from takeback.model.ids import OpId
from takeback.model.operation import UNKNOWN, Observation, OperationKind
from takeback.model.paths import WorkspacePath, workspace_path
from takeback.model.state import FileKind
from takeback.record import Source
from takeback.service import agent_turns, at_work, calls, hook_log, sources, spool
from takeback.service.opening import Workspace
from takeback.watch.settle import Burst

logger = logging.getLogger(__name__)

_AROUND_MS = 1000
"""How long an agent and its hook may take around a tool call, at most, besides the call itself."""
_ENDS = frozenset({Doing.PROMPT, Doing.END})
"""What ends every call of its session."""
_TEXTS = ("actor", "doing", "session", "call")
"""What every hook says in text."""
_PROCESS_PARTS = 3


def waits(workspace: Workspace) -> bool:
    """Whether hooks told something that nobody has taken in yet. Cost: one listing of a folder."""
    return bool(spool.pending(workspace.state))


def take_in(workspace: Workspace) -> None:
    """Record what hooks told until now.

    Raises TakebackError if it cannot be recorded; then it stays where it is, and is taken in later.
    """
    if waits(workspace):
        with spool.taking(workspace.state):
            names = spool.pending(workspace.state)
            taking = _Taking(workspace, [*spool.heads(workspace.state, names)])
            for name in names:
                taking.entry(name)
                spool.drop(workspace.state, name)
    agent_turns.end_dead(workspace.journal, workspace.clock())


def apart(workspace: Workspace, burst: Burst | None = None) -> None:
    """Record what is at the paths of calls under way by itself, so that whose it is can be said later.

    Of a burst, only what it tells of: elsewhere somebody may be in the middle of writing.
    """
    for path, source in _announced(workspace).items():
        if burst is None or burst.tells_of(path):
            workspace.looker.at([path], source)


def _announced(workspace: Workspace) -> dict[WorkspacePath, Source]:
    """The paths that calls under way name, each with who may be writing there."""
    found: dict[WorkspacePath, set[str]] = {}
    for body in calls.under_way(workspace.state).values():
        for path in body["paths"]:
            found.setdefault(WorkspacePath(path), set()).add(body["actor"])
    return {path: _perhaps(actors) for path, actors in found.items()}


def _perhaps(actors: set[str]) -> Source:
    return Source(kind=OperationKind.EDIT, actor=UNKNOWN, label=f"perhaps {' or '.join(sorted(actors))}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """What a hook read at one path."""

    path: WorkspacePath
    reading: Reading
    must_look: bool
    """It was not read, so what is there now has to do."""


class _Taking:
    """One pass over what waits."""

    def __init__(self, workspace: Workspace, heads: Sequence[Mapping[str, Any]]) -> None:
        """`heads` are all that is to be taken in, without the content of files."""
        self._workspace = workspace
        self._journal = workspace.journal
        self._is_paused = sources.is_paused(workspace)
        self._began = self._journal.last_operation()
        self._times: dict[WorkspacePath, int] | None = None

        heads = [head for head in heads if _is_understood(head)]
        self._ends_calls = {_name(head) for head in heads if head.get("doing") == Doing.AFTER_COMMAND}
        self._ends_sessions = {_session(head) for head in heads if head.get("doing") in _ENDS}
        for name, call in calls.all_of(workspace.state).items():
            self._put(name, call)

    def _put(self, name: str, call: Mapping[str, Any]) -> None:
        """A call is under way; if its end waits to be taken in, also where the agent has ended since."""
        if name in self._ends_calls or _session(call) in self._ends_sessions:
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
        if not _is_understood(body):
            raise ValueError("no hook of this version wrote it")
        match Doing(body["doing"]):
            case Doing.PROMPT:
                self._finish_all(body)
                agent_turns.begin(self._journal, body, self._workspace.clock())
            case Doing.END:
                self._finish_all(body)
                agent_turns.end(self._journal, body, self._workspace.clock())
            case Doing.BEFORE_EDIT:
                self._before_edit(body, _files(entry))
            case Doing.AFTER_EDIT:
                self._after_edit(body, _files(entry))
            case Doing.BEFORE_COMMAND:
                self._before_command(body)
            case Doing.AFTER_COMMAND:
                self._finish(_name(body), body)

    # -- edits -----------------------------------------------------------------------------------

    def _before_edit(self, body: Mapping[str, Any], files: Sequence[_File]) -> None:
        if not self._is_paused:
            self._record(sources.unannounced(self._workspace, ""), files, body["at"])
        paths = [file.path for file in files]
        mine: dict[str, list[WorkspacePath]] = {"contested": [], "turnless": []}
        for name, other in self._shared(body, paths).items():
            doubt = "turnless" if other["actor"] == body["actor"] else "contested"
            both = [path for path in paths if path in other["paths"]]
            self._put(name, {**other, doubt: sorted({*other.get(doubt, ()), *both})})
            mine[doubt] += both
        known = {"paths": paths, **mine, "since": self._journal.last_operation()}
        self._put(_name(body), {**_call(body), **known})

    def _shared(self, body: Mapping[str, Any], paths: Sequence[WorkspacePath]) -> dict[str, dict[str, Any]]:
        """Calls under way of other sessions that name some of the same paths."""
        return {
            name: other
            for name, other in calls.under_way(self._workspace.state).items()
            if _session(other) != _session(body) and not {*paths}.isdisjoint(other["paths"])
        }

    def _after_edit(self, body: Mapping[str, Any], files: Sequence[_File]) -> None:
        call = calls.drop(self._workspace.state, _name(body))
        if self._is_paused:
            return
        contested = {*(call["contested"] if call else ())}
        turnless = {*(call.get("turnless", ()) if call else ())} - contested
        since = OpId(call["since"] if call else 0)
        exact = [file for file in files if file.path not in contested | turnless]
        self._record(self._source(body), exact, body["at"], since)
        of_any_turn = [file for file in files if file.path in turnless]
        self._record(Source(kind=OperationKind.EDIT, actor=body["actor"]), of_any_turn, body["at"], since)
        doubtful = [file for file in files if file.path in contested]
        if doubtful:
            actors = {body["actor"]} | {
                other["actor"] for other in self._shared(body, [file.path for file in doubtful]).values()
            }
            self._record(_perhaps(actors), doubtful, body["at"])

    def _source(self, body: Mapping[str, Any]) -> Source:
        turn = agent_turns.of_session(self._journal, body)
        return Source(kind=OperationKind.EDIT, actor=body["actor"], turn=turn)

    def _record(self, source: Source, files: Sequence[_File], at_ns: int, since: OpId = views.FIRST) -> None:
        """Record what was at these paths as `source`'s; what was recorded unannounced after `since` is claimed for it."""
        seen = []
        for file in files:
            one = self._observation(file)
            if one is None:
                continue
            if self._workspace.recorder.state_of(one.path)[1] == one.after:
                if source.told and self._was_written(one.path, since):
                    self._workspace.claims.claim(source, one.path, one.after)
            elif not self._is_overtaken(one.path, at_ns):
                seen.append(one)
        if seen and source.told:
            self._workspace.recorder.record(source, seen)
        elif seen:
            self._workspace.recorder.record_unannounced(source, seen)
        below = [file.path for file in files if file.must_look or self._had_below(file)]
        if below:
            self._workspace.looker.at(below, source)

    def _was_written(self, path: WorkspacePath, since: OpId) -> bool:
        """Whether it was written after `since`: a call that failed wrote nothing, and what was there is not its."""
        last = views.touching(self._journal, path, self._journal.last_operation())
        return last is not None and last.op > since

    def _observation(self, file: _File) -> Observation | None:
        return None if file.must_look else self._workspace.looker.told(file.path, file.reading)

    def _had_below(self, file: _File) -> bool:
        """Whether it is a folder that went: what was known below it went too."""
        return file.reading.kind is None and self._workspace.recorder.has_recorded_below(file.path)

    def _is_overtaken(self, path: WorkspacePath, at_ns: int) -> bool:
        """Whether something newer than a hook saw at that moment was recorded before this pass, and still stands."""
        last = views.touching(self._journal, path, self._journal.last_operation())
        if last is None or last.op > self._began or views.operation(self._journal, last.op).at_ns <= at_ns:
            return False
        return self._workspace.looker.read(path) == self._workspace.recorder.state_of(path)[1]

    # -- commands --------------------------------------------------------------------------------

    def _before_command(self, body: Mapping[str, Any]) -> None:
        if self._is_paused:
            return
        self._until(body["at"], sources.unannounced(self._workspace, ""))
        turn = agent_turns.of_session(self._journal, body)
        source = Source(
            kind=OperationKind.COMMAND, actor=body["actor"], label=body["label"] or "a command", turn=turn
        )
        self._put(_name(body), {**_call(body), "source": sources.source_out(source)})

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
        calls.drop(self._workspace.state, name)

    def _finish_all(self, body: Mapping[str, Any]) -> None:
        """The session goes on to something else: no call of it is under way any more."""
        for name, call in calls.under_way(self._workspace.state).items():
            if _session(call) == _session(body):
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


def _is_understood(body: Mapping[str, Any]) -> bool:
    """Whether a hook of this version may have written it: another one may have other words for who and what."""
    process = body.get("process")
    is_process = process is None or (isinstance(process, list) and len(process) == _PROCESS_PARTS)
    return is_process and all(isinstance(body.get(key), str) for key in _TEXTS)


def _files(entry: spool.Entry) -> list[_File]:
    described = entry.body["files"]
    return [_file(one, content) for one, content in zip(described, entry.contents, strict=True)]


def _file(described: Mapping[str, Any], content: bytes) -> _File:
    kind = FileKind(described["kind"]) if described["kind"] else None
    stat = Stat(size_bytes=len(content), mtime_ns=0, ctime_ns=0, inode=0, mode=described["mode"])
    reading = Reading() if kind is None else Reading(stat=stat, kind=kind, data=content)
    return _File(path=workspace_path(described["path"]), reading=reading, must_look=bool(described["look"]))


def _name(body: Mapping[str, Any]) -> str:
    """The call that `body` is of."""
    return calls.name_of(str(body.get("actor")), str(body.get("session")), str(body.get("call")))


def _session(body: Mapping[str, Any]) -> tuple[Any, Any]:
    return body.get("actor"), body.get("session")


def _call(body: Mapping[str, Any]) -> dict[str, Any]:
    """What is to be known of a call under way."""
    kept = {key: body[key] for key in ("actor", "session", "process", "at")}
    return {**kept, "began": body["at"], "paths": [], "contested": [], "since": 0, "source": None}
