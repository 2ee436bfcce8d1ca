"""The doctor: looks at everything that a history consists of, mends what can be mended, and says each in one line.

It cannot rely on an opened workspace, for what it mends may be what keeps a workspace from opening.
"""

from __future__ import annotations

import os
import shutil
import stat as modes
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from takeback import config as configuration
from takeback.errors import TakebackError
from takeback.files.cache import load_cache
from takeback.files.disk import Folder
from takeback.files.holders import holder, is_held
from takeback.journal import rebuild
from takeback.journal.verify import Verdict, verify
from takeback.service import at_work
from takeback.service.opening import check_root, open_workspace
from takeback.store.objects import ObjectStore, lacking
from takeback.store.packing import detach
from takeback.undo.apply import locked
from takeback.upkeep import adopting, contents, leftovers
from takeback.upkeep.histories import History, claims_of, holds_history, opened

_SHOWN = 8
_SCRATCH = ("rebuild-", "export-")
"""How folders are called in which something is made beside its place."""


class Health(StrEnum):
    """How one thing is."""

    WELL = "well"
    MENDED = "mended"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    what: str
    """`folder`, `locks`, `journal`, `operations`, `store`, `stat cache`, `leftovers`, `history`."""
    health: Health
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that was looked at, in that order."""

    root: str
    state: str
    findings: tuple[Finding, ...]

    @property
    def is_well(self) -> bool:
        """Whether nothing stays broken."""
        return all(finding.health is not Health.BROKEN for finding in self.findings)


def examine(
    root: str, environ: Mapping[str, str], clock: Callable[[], int], *, alone: bool = False
) -> Report:
    """What is well, was mended, or stays broken. With `alone`, the store shares nothing with the repository after.

    Raises WorkspaceRefused for a folder that cannot be a workspace, Busy if another process changes files in it.
    """
    real = os.path.realpath(root)
    check_root(real, environ)
    state = configuration.state_folder(real, environ)
    if not holds_history(state):
        found = [_well("history", f"{real} has no history yet"), *_moved(real, environ, clock)]
        return Report(root=real, state=state, findings=tuple(found))
    findings = [*_folder(state), *_locks(state), *_parts(state)]
    findings += _journal(state, clock)
    if any(finding.health is Health.BROKEN for finding in findings):
        return Report(root=real, state=state, findings=tuple(findings))
    findings += _contents(real, state, clock)
    findings += _stat_cache(state)
    findings += _operations(real, environ, clock)
    with opened(state, clock) as history:
        findings += _leftovers(real, history)
        if not history.journal.last_operation():
            findings += _moved(real, environ, clock)
        if alone:
            findings += _detached(history)
    return Report(root=real, state=state, findings=tuple(findings))


def _folder(state: str) -> Iterator[Finding]:
    mode = modes.S_IMODE(os.stat(state).st_mode)
    if mode & 0o077:
        os.chmod(state, 0o700)
        yield _mended("folder", f"{state} could be read by others ({mode:04o}); now by its owner alone")
    else:
        yield _well("folder", f"{state} is its owner's alone")
    for name in sorted(os.listdir(state)):
        if name.startswith(_SCRATCH) and not is_held(os.path.join(state, "lock")):
            shutil.rmtree(os.path.join(state, name))
            yield _mended("folder", f"removed {name}, which a rebuild or an export left when it died")


def _locks(state: str) -> Iterator[Finding]:
    for name, doing in (("lease", "records"), ("lock", "is changing files")):
        path = os.path.join(state, name)
        if is_held(path):
            yield _well("locks", f"{_who(state, name)} {doing} in this workspace")


def _who(state: str, name: str) -> str:
    number = holder(os.path.join(state, name))
    return f"process {number}" if number else "another process"


def _parts(state: str) -> Iterator[Finding]:
    path = os.path.join(state, "store.git")
    gone = lacking(path)
    if gone:
        ObjectStore(path)
        yield _mended("store", f"{', '.join(gone)} of its repository had gone, and is made anew")


def _journal(state: str, clock: Callable[[], int]) -> Iterator[Finding]:
    claims = claims_of(os.path.join(state, "store.git"))
    verdict = verify(state, claims)
    if not (verdict.database or verdict.derived or verdict.mirror):
        yield _well("journal", "every row is as it was written, in both copies")
        return
    with locked(os.path.join(state, "lock"), 0):
        writers = _writers(state)
        if verdict.database and writers:
            # Whoever has the damaged database open would go on writing into the one that is kept aside.
            yield _broken("journal", f"{'; '.join(verdict.database)}; end {writers}, then try again")
            return
        if verdict.database:
            yield from _rebuilt(state, verdict, clock)
            verdict = verify(state, claims)
        if verdict.derived:
            rebuild.renew_derived(os.path.join(state, "journal.db"), claims)
            yield _mended("journal", f"{'; '.join(verdict.derived)}: made anew")
        if verdict.mirror:
            rebuild.renew_mirror(state, clock())
            yield _mended("journal", f"{'; '.join(verdict.mirror)}: made anew")


def _writers(state: str) -> str:
    """Who records, and who does when a command ends."""
    recorder = [_who(state, "lease")] if is_held(os.path.join(state, "lease")) else []
    return " and ".join(recorder + [f"process {number}" for number in at_work.processes(state)])


def _rebuilt(state: str, verdict: Verdict, clock: Callable[[], int]) -> Iterator[Finding]:
    made = rebuild.rebuild(state, claims_of(os.path.join(state, "store.git")), clock())
    aside = f"; the damaged one is {made.kept_aside}" if made.kept_aside else ""
    yield _mended("journal", f"{'; '.join(verdict.database)}: rebuilt with {made.rows} rows{aside}")
    for text in made.missing:
        yield _broken("journal", text)


def _contents(root: str, state: str, clock: Callable[[], int]) -> Iterator[Finding]:
    with opened(state, clock) as history:
        found = contents.missing(history)
        left = contents.mend(history, found)
        mended = len(found.places) - len(left.places)
        if mended:
            text = f"{mended} missing contents were taken from the workspace or its repository again"
            yield _mended("store", text)
        if left.places:
            contents.write_off(history, left, clock)
            names = sorted(set(left.places.values()))
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            paths = ", ".join(names[:_SHOWN]) + more
            yield _broken("store", f"{len(left.places)} contents are gone and cannot be put back: {paths}")
        for text in left.problems:
            yield _broken("store", text)
        if not (mended or left.places or left.problems):
            yield _well("store", f"every content is there ({root})")


def _stat_cache(state: str) -> Iterator[Finding]:
    path = os.path.join(state, "stat.cache")
    if os.path.exists(path) and not load_cache(path).folders:
        os.unlink(path)
        yield _mended("stat cache", "it was unreadable and is removed: the next look reads everything once")
    else:
        yield _well("stat cache", "it can be read")


def _operations(root: str, environ: Mapping[str, str], clock: Callable[[], int]) -> Iterator[Finding]:
    with open_workspace(root, environ, clock=clock) as workspace:
        for one in workspace.settled:
            if one.problem:
                yield _broken("operations", f"an interrupted operation cannot be settled yet: {one.problem}")
                continue
            how = f"was finished as operation {one.finished}" if one.finished else "was reversed"
            left = f"; others changed meanwhile, and were left: {', '.join(one.left)}" if one.left else ""
            yield _mended("operations", f"an interrupted operation {how}{left}")
        if not workspace.settled:
            yield _well("operations", "none was interrupted")


def _leftovers(root: str, history: History) -> Iterator[Finding]:
    with Folder(root) as folder, locked(history.lock_path, 0):
        found = leftovers.clear(history, folder)
    for path in found.removed:
        yield _mended("leftovers", f"removed {path}: its content is in the store")
    for path in found.kept:
        text = f"{path} is left of an interrupted operation, and its content is nowhere else: look at it"
        yield _well("leftovers", text)


def _moved(root: str, environ: Mapping[str, str], clock: Callable[[], int]) -> Iterator[Finding]:
    for one in adopting.candidates(root, configuration.state_root(environ), clock):
        text = (
            f"{one.root} is gone; of {one.compared} files that its history knows {one.same} are here as they were. "
            f"If this is that folder: takeback doctor --adopt {one.root}"
        )
        yield _well("history", text)


def _detached(history: History) -> Iterator[Finding]:
    try:
        count = detach(history.store)
    except TakebackError as problem:
        yield _broken("store", problem.message)
        return
    yield _well("store", f"it stands alone: {count} files that it shared with the repository are copied")


def _well(what: str, text: str) -> Finding:
    return Finding(what=what, health=Health.WELL, text=text)


def _mended(what: str, text: str) -> Finding:
    return Finding(what=what, health=Health.MENDED, text=text)


def _broken(what: str, text: str) -> Finding:
    return Finding(what=what, health=Health.BROKEN, text=text)
