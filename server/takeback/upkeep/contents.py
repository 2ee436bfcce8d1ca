"""Whether the store holds what the journal says it holds, and what can be done where it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from takeback.errors import Damaged, TakebackError
from takeback.files.disk import Folder
from takeback.journal.rows import path_in
from takeback.model.ids import BlobId
from takeback.model.paths import WorkspacePath
from takeback.model.state import Reason
from takeback.repository.window import discover
from takeback.store import trees
from takeback.store.baseline import link_objects
from takeback.store.inventory import loose_objects, packed_objects, packs
from takeback.store.refs import read_commit
from takeback.undo.apply import locked
from takeback.upkeep.histories import History

_LOCK_WAIT_S = 5.0
_ANY_SIZE = 1 << 62


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Content that states name and the store does not hold, or not as it was written."""

    places: Mapping[str, WorkspacePath]
    """Each blob with a path that has, or had, this content."""
    problems: tuple[str, ...]
    """Trees and commits that cannot be read, one sentence each."""


def missing(history: History) -> Missing:
    """What the store should hold and does not. Cost: every object of our own is read, the user's are looked up."""
    problems: list[str] = []
    places = dict(_named(history))
    for path, blob in _in_trees(history, problems):
        places.setdefault(blob, path)
    lost = history.journal.lost(places)
    own = _own(history)
    return Missing(
        places={
            blob: path
            for blob, path in places.items()
            if blob not in lost and not _is_whole(history, BlobId(blob), read=blob in own)
        },
        problems=tuple(problems),
    )


def mend(history: History, found: Missing) -> Missing:
    """What is still missing after the workspace and the user's repository were asked for it."""
    if not found.places:
        return found
    repository = discover(history.root)
    if repository is not None:
        link_objects(history.store, repository.object_folders())
        history.store.reopen()
    for path in _present_paths(history, found.places):
        _take_from_workspace(history, path, found.places)
    history.store.make_durable()
    return missing(history)


def write_off(history: History, found: Missing, clock: Callable[[], int]) -> None:
    """From now on states that name the content say that it is damaged, instead of failing."""
    with locked(history.lock_path, _LOCK_WAIT_S), history.journal.transaction():
        history.journal.append("facts", "cleaned", f"{len(found.places)} damaged", clock())
        history.journal.lose(((blob, Reason.DAMAGED) for blob in sorted(found.places)), clock())


def _named(history: History) -> Iterable[tuple[str, WorkspacePath]]:
    for table, columns in (
        ("changes", ("before_blob", "after_blob")),
        ("known", ("blob",)),
        ("firsts", ("blob",)),
    ):
        for column in columns:
            sql = f"SELECT {column}, min(path) FROM {table} WHERE {column} IS NOT NULL GROUP BY {column}"  # noqa: S608 - fixed names
            for blob, path in history.journal.query(sql):
                yield blob, path_in(path)


def _in_trees(history: History, problems: list[str]) -> Iterable[tuple[WorkspacePath, str]]:
    found: list[tuple[WorkspacePath, str]] = []
    if history.baseline is not None:
        for tree in filter(None, (history.baseline.tracked, history.baseline.rest)):
            try:
                found += [(path, str(blob)) for path, blob, _ in trees.walk(history.store, tree)]
            except Damaged as problem:
                problems.append(
                    f"the baseline cannot be read, and nothing can be recorded without it: {problem.message}; "
                    f"move {history.state} away, and a new history begins"
                )
    folders: set[str] = set()
    for one in history.checkpoints.all():
        try:
            trees.reach(history.store, read_commit(history.store, one.commit).tree, folders, set())
        except Damaged as problem:
            problems.append(
                f"{one.id} cannot be exported: {problem.message}; `takeback checkpoint delete {one.id}` gives it up"
            )
    return found


def _own(history: History) -> frozenset[str]:
    """What is not shared with the user's repository: only this can be damaged behind git's back."""
    found = {one.id for one in loose_objects(history.store) if not one.linked}
    for pack in packs(history.store):
        if not pack.linked:
            found |= packed_objects(pack).keys()
    return frozenset(found)


def _is_whole(history: History, blob: BlobId, *, read: bool) -> bool:
    if not read:
        return history.store.has(blob)
    try:
        return history.store.id_of(history.store.get(blob)) == blob
    except Damaged:
        return False


def _present_paths(history: History, wanted: Mapping[str, WorkspacePath]) -> list[WorkspacePath]:
    """Where the content might stand in the workspace at this moment."""
    known = [path for path, one in history.journal.all_known() if one.state.blob in wanted]
    return list(dict.fromkeys((*known, *wanted.values())))


def _take_from_workspace(history: History, path: WorkspacePath, wanted: Mapping[str, WorkspacePath]) -> None:
    try:
        with Folder(history.root) as folder:
            data = folder.read(path, _ANY_SIZE).data
    except TakebackError:
        return
    if data is not None and history.store.id_of(data) in wanted:
        history.store.replace(data)
