"""However writes, undos, redos, rollbacks and deaths interleave, the workspace is what the standing edits make of it."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from stateful.dying import die_at
from stateful.ledger import Edit, ModelFile
from takeback.checkpoints import Wanted
from takeback.model.ids import OpId
from takeback.model.paths import WorkspacePath
from takeback.service import checkpointing, looking, recording, taking_back
from takeback.service.opening import open_workspace
from takeback.service.taking_back import Outcome, Request

ACTORS = ("human", "agent:claude", "agent:codex", "command:black")
NAMES = ("a.txt", "b.txt", "sub/c.txt", "sub/deep/d.txt")
MODES = (0o644, 0o755)
N_LINES = 12

RESOLVED = (Outcome.APPLIED, Outcome.NOTHING)


MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
"""A file system in memory, where there is one: what is synced here need not survive a power cut."""


class UndoMachine(RuleBasedStateMachine):
    """Actors write, mostly in the same few files; anybody takes anything back, at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.temp = tempfile.mkdtemp(prefix="takeback-machine-", dir=MEMORY)
        self.root = Path(self.temp, "workspace")
        self.environ = {**os.environ, "TAKEBACK_STATE_DIR": str(Path(self.temp, "state"))}
        self.files: list[ModelFile] = []
        self.standing: set = set()
        """Operations that stand, and edits that fell alone."""
        self.undos: dict[int, tuple[set[int], set[int]]] = {}
        """By undo operation: what stood before it and after it."""
        self.checkpoints: dict[str, tuple[dict, set[int]]] = {}
        self.fresh = 0
        self.stack = ExitStack()

    def teardown(self) -> None:
        """Leave nothing behind."""
        self.stack.close()
        shutil.rmtree(self.temp)

    @initialize()
    def begin(self) -> None:
        """A folder with a few files of distinct lines, most of which everybody writes in."""
        for name in NAMES:
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            base = tuple(self.line(f"{name} base") for _ in range(N_LINES))
            path.write_text(text_of(base), encoding="utf-8")
            path.chmod(0o644)
            self.files.append(ModelFile(base=base, name=name, versions=[base]))
        self.open()

    def open(self) -> None:
        """Open the workspace, as the next process would."""
        self.workspace = self.stack.enter_context(open_workspace(str(self.root), self.environ))

    def close(self) -> None:
        """Close the workspace."""
        self.stack.close()
        self.stack = ExitStack()

    def line(self, what: str) -> str:
        """A line that was never written before."""
        self.fresh += 1
        return f"{what} {self.fresh}"

    # -- somebody writes -------------------------------------------------------------------------

    @rule(data=st.data(), actor=st.sampled_from(ACTORS), n_files=st.sampled_from([1, 1, 1, 2, 3]))
    def write(self, data: st.DataObject, actor: str, n_files: int) -> None:
        """Somebody edits one or several files and it is recorded as one operation."""
        present = [file for file in self.files if self.state(file).exists and self.state(file).target is None]
        chosen = data.draw(st.permutations(present))[:n_files]
        self.record(actor, [(file, one) for file in chosen for one in self.edits(data, file, actor)])

    def edits(self, data: st.DataObject, file: ModelFile, actor: str) -> list[Edit]:
        """One edit of one file, made on disk: up to three runs of lines replaced, removed or inserted."""
        path = self.root / self.state(file).name
        lines = path.read_text(encoding="utf-8").splitlines()
        new: list[str] = []
        made: list[Edit] = []
        at = 0
        for number in range(data.draw(st.sampled_from([1, 1, 2, 3]))):
            start = data.draw(st.integers(at, len(lines)))
            edit = self.edit(data, lines[start:], actor, number)
            end = start + len(edit.removed)
            new += [*lines[at:start], *edit.inserted]
            made.append(edit)
            at = end
            if end >= len(lines):
                break
            new.append(lines[end])  # what parts two hunks
            at += 1
        place, new = len(new), new + lines[at:]
        if not new or text_of(tuple(new)) in file.seen:  # a text that returns is an undo, no edit of its own
            extra = self.line(actor)
            if place and made[-1].inserted[-1:] != (new[place - 1],):
                place -= 1  # before the line that parts it from the next
            new.insert(place, extra)
            made[-1].inserted += (extra,)
        path.write_text(text_of(tuple(new)), encoding="utf-8")
        file.versions.append(tuple(new))
        return made

    def edit(self, data: st.DataObject, lines: list[str], actor: str, number: int) -> Edit:
        """A run at the beginning of `lines` that is replaced, removed or comes before them."""
        n_removed = data.draw(st.sampled_from([0, 0, 1, 1, 2, 3]))
        removed = tuple(lines[:n_removed])
        n_inserted = data.draw(st.sampled_from([0, 1, 1, 2])) if removed else 1
        inserted = tuple(self.line(actor) for _ in range(n_inserted))
        return Edit(op=0, removed=removed, inserted=inserted, hunk=number)

    @rule(data=st.data(), actor=st.sampled_from(ACTORS))
    def rename(self, data: st.DataObject, actor: str) -> None:
        """Somebody renames a file, perhaps into another folder."""
        file = self.some_file(data)
        if file is None:
            return
        folder = data.draw(st.sampled_from(["", "sub/", "new/"]))
        name = f"{folder}{self.line('moved').replace(' ', '-')}.txt"
        (self.root / name).parent.mkdir(exist_ok=True)
        (self.root / self.state(file).name).rename(self.root / name)
        self.record(actor, [(file, Edit(op=0, name=name))])

    @rule(data=st.data(), actor=st.sampled_from(ACTORS))
    def change_mode(self, data: st.DataObject, actor: str) -> None:
        """Somebody makes a file executable, or no longer so."""
        file = self.some_file(data)
        if file is None or self.state(file).target is not None:
            return
        mode = MODES[0] if self.state(file).mode == MODES[1] else MODES[1]
        (self.root / self.state(file).name).chmod(mode)
        self.record(actor, [(file, Edit(op=0, mode=mode))])

    @rule(actor=st.sampled_from(ACTORS))
    def create(self, actor: str) -> None:
        """Somebody creates a file in a new folder."""
        name = f"{self.line('folder').replace(' ', '-')}/new.txt"
        lines = (self.line(actor), self.line(actor))
        (self.root / name).parent.mkdir()
        (self.root / name).write_text(text_of(lines), encoding="utf-8")
        (self.root / name).chmod(0o644)
        file = ModelFile(base=(), name=name, exists=False, versions=[lines])
        self.files.append(file)
        self.record(actor, [(file, Edit(op=0, inserted=lines, exists=True))])

    @rule(actor=st.sampled_from(ACTORS))
    def link(self, actor: str) -> None:
        """Somebody creates a symlink that leads nowhere."""
        name, target = self.line("link").replace(" ", "-"), self.line("nowhere").replace(" ", "-")
        (self.root / name).symlink_to(target)
        file = ModelFile(base=(), name=name, exists=False)
        self.files.append(file)
        self.record(actor, [(file, Edit(op=0, target=target, exists=True))])

    @rule(data=st.data(), actor=st.sampled_from(ACTORS))
    def delete(self, data: st.DataObject, actor: str) -> None:
        """Somebody deletes a file."""
        file = self.some_file(data)
        if file is not None:
            (self.root / self.state(file).name).unlink()
            self.record(actor, [(file, Edit(op=0, exists=False))])

    def record(self, actor: str, edits: list[tuple[ModelFile, Edit]]) -> None:
        """Record what was just done, and tell the model."""
        operation = recording.record(self.workspace, actor, "")
        if operation is None:
            assert not edits, "a write was not recorded"
            return
        assert operation.actor == actor
        for file, edit in edits:
            edit.op = operation.id
            file.edits.append(edit)
        self.standing.add(operation.id)

    # -- somebody takes back ---------------------------------------------------------------------

    def operations(self) -> list[int]:
        """The operations that stand."""
        return sorted(one for one in self.standing if isinstance(one, int))

    @precondition(lambda self: self.operations())
    @rule(data=st.data(), n=st.sampled_from([1, 1, 1, 2, 3]))
    def undo(self, data: st.DataObject, n: int) -> None:
        """Any standing operations are undone: by now it is as if they had never been, or it is a conflict."""
        chosen = set(data.draw(st.permutations(self.operations()))[:n])
        before, wanted = set(self.standing), self.standing - chosen
        undone = self.take_back(wanted, chosen, lambda: self.undo_now(chosen))
        if undone is not None:
            self.undos[undone] = (before, set(wanted))

    def undo_now(self, chosen: set[int]) -> taking_back.Result:
        """Undo operations by their ids."""
        return taking_back.undo(self.workspace, Request(ops=tuple(OpId(op) for op in sorted(chosen))))

    @rule(data=st.data())
    def undo_hunk(self, data: st.DataObject) -> None:
        """One hunk of a standing operation is taken back: the rest of it stays."""
        hunks = [
            (file, edit)
            for file in self.files
            for edit in file.edits
            if edit.hunk is not None and edit.stands(self.standing)
        ]
        if not hunks:
            return
        file, edit = data.draw(st.sampled_from(hunks))
        path = WorkspacePath(file.shown)
        before, wanted = set(self.standing), self.standing | {edit}
        request = Request(ops=(OpId(edit.op),), paths=(path,), hunk=edit.hunk + 1)
        undone = self.take_back(wanted, {edit}, lambda: taking_back.undo(self.workspace, request))
        if undone is not None:
            self.undos[undone] = (before, set(wanted))

    @precondition(lambda self: self.undos)
    @rule()
    def redo(self) -> None:
        """The last undo is taken back, also after further edits."""
        last = max(self.undos)
        before, after = self.undos[last]
        wanted = (self.standing - (after - before)) | (before - after)
        redone = self.take_back(wanted, before ^ after, lambda: taking_back.redo(self.workspace, Request()))
        if redone is not None:
            del self.undos[last]

    def take_back(self, wanted: set[int], chosen: set[int], act) -> int | None:
        """Do it, and compare with the model. The operation, or None if it was refused as a conflict."""
        before = self.on_disk()
        clean = not any(self.is_contested(file, wanted, chosen) for file in self.files)
        result = act()
        if result.outcome is Outcome.CONFLICT:
            assert not clean, f"a false conflict: {result}"
            assert self.on_disk() == before, "a conflict wrote something"
            return None
        assert result.outcome in RESOLVED, result
        assert not any(file.clashes(self.standing, wanted) for file in self.files), (
            "a conflict was overlooked"
        )
        if result.operation is None:  # all of its hunks had fallen
            return None
        self.standing = wanted
        return result.operation

    def is_contested(self, file: ModelFile, wanted: set[int], chosen: set[int]) -> bool:
        """Whether a conflict would be right: lines clash, or somebody else changed the same file as a whole."""
        if file.clashes(self.standing, wanted):
            return True
        whole = any(
            (edit.name or edit.mode or edit.target or edit.exists is not None) and edit.op in chosen
            for edit in file.edits
        )
        gone = not self.state(file).exists
        return (whole or gone) and file.touched_otherwise(chosen, self.standing)

    # -- checkpoints -----------------------------------------------------------------------------

    @rule()
    def checkpoint(self) -> None:
        """Somebody makes a checkpoint."""
        made = checkpointing.create(self.workspace, Wanted(label="machine"))
        self.checkpoints[made.id] = (self.on_disk(), set(self.standing))

    @precondition(lambda self: self.checkpoints)
    @rule(data=st.data())
    def rollback(self, data: st.DataObject) -> None:
        """A rollback brings back exactly what was there, and never conflicts."""
        name = data.draw(st.sampled_from(sorted(self.checkpoints)))
        disk, standing = self.checkpoints[name]
        before = set(self.standing)
        result = taking_back.rollback(self.workspace, name, Request())
        assert result.outcome in RESOLVED, result
        assert self.on_disk() == disk
        self.standing = set(standing)
        self.undos = {op: sets for op, sets in self.undos.items() if op not in result.undone}
        if result.operation:
            self.undos.clear()  # which undos are in effect again is not what this machine is about
            self.undos[result.operation] = (before, set(standing))

    # -- somebody dies ---------------------------------------------------------------------------

    @precondition(lambda self: self.operations())
    @rule(data=st.data(), at=st.integers(1, 30))
    def die(self, data: st.DataObject, at: int) -> None:
        """The process is killed in the middle of an undo; the next one finishes or reverses it."""
        chosen = {data.draw(st.sampled_from(self.operations()))}
        wanted = self.standing - chosen
        before = self.on_disk()
        last = self.workspace.journal.last_operation()
        self.close()
        child = os.fork()
        if child == 0:
            die_at(at)
            try:
                with open_workspace(str(self.root), self.environ) as self.workspace:
                    self.undo_now(chosen)
            finally:
                os.kill(os.getpid(), signal.SIGKILL)
        os.waitpid(child, 0)
        self.open()
        undone = self.workspace.journal.last_operation() > last
        if not undone:
            now = self.on_disk()
            assert now == before, (
                f"half an undo was left {self.workspace.settled} {[(k, before.get(k), now.get(k)) for k in {*before, *now} if before.get(k) != now.get(k)]}"
            )
            return
        self.undos[self.workspace.journal.last_operation()] = (set(self.standing), set(wanted))
        self.standing = wanted

    # -- what holds always -----------------------------------------------------------------------

    @invariant()
    def files_are_what_the_standing_edits_make_of_them(self) -> None:
        """Every file holds the lines of the standing edits and no others, in an order that no version contradicts."""
        if not self.files:
            return
        expected = {
            state.name: (file, state) for file in self.files for state in [self.state(file)] if state.exists
        }
        disk = self.on_disk()
        assert set(disk) == set(expected), (set(disk) ^ set(expected), self.standing, self.story())
        for name, (file, state) in expected.items():
            file.shown = name
            kind, content, mode = disk[name]
            if state.target is not None:
                assert (kind, content) == ("link", state.target)
                continue
            file.seen.add(content)
            lines = content.splitlines()
            differing = sorted(set(lines) ^ state.lines)
            assert not differing, (name, differing, file.edits, self.standing)
            assert len(lines) == len(state.lines)
            assert file.in_order(lines), (name, lines)
            assert mode == state.mode

    @invariant()
    def a_look_finds_nothing_new(self) -> None:
        """What Takeback did itself is known to it: it is not found again as somebody's write."""
        if self.files:
            found = recording.record(self.workspace, None, "")
            assert found is None, (found, self.story())

    def story(self) -> str:
        """The log, for a failure's message."""
        lines = []
        for one in looking.log(self.workspace, looking.Wanted(n=None)):
            changes = [
                (c.seq, c.file, c.moved_from, c.path, c.status.value, dict(c.flips)) for c in one.changes
            ]
            lines.append(f"{one.id} {one.kind} {one.standing} {changes}")
        return "\n".join(lines)

    def state(self, file: ModelFile):
        """What a file should be now."""
        return file.state(self.standing)

    def some_file(self, data: st.DataObject) -> ModelFile | None:
        """A file that is there."""
        present = [file for file in self.files if self.state(file).exists]
        return data.draw(st.sampled_from(present)) if present else None

    def on_disk(self) -> dict[str, tuple[str, str, int]]:
        """Every file and link of the workspace: kind, content or target, permission bits."""
        found = {}
        for folder, _, names in os.walk(self.root):
            for name in names:
                path = Path(folder, name)
                relative = str(path.relative_to(self.root))
                if path.is_symlink():
                    found[relative] = ("link", str(path.readlink()), 0)
                else:
                    found[relative] = ("file", path.read_text(encoding="utf-8"), path.stat().st_mode & 0o7777)
        return found


def text_of(lines: tuple[str, ...]) -> str:
    """Lines as the text of a file."""
    return "".join(f"{line}\n" for line in lines)


LONG = os.environ.get("TAKEBACK_HYPOTHESIS") == "long"
N_PARTS = 4

SETTINGS = settings(
    report_multiple_bugs=False,
    derandomize=not LONG,  # `make test` judges a change by the same stories each time; the long profile finds new ones
    max_examples=10_000 // N_PARTS if LONG else 12,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)


@pytest.mark.promise(2)
@pytest.mark.promise(3)
@pytest.mark.promise(4)
@pytest.mark.timeout(7200 if LONG else 300)
@pytest.mark.parametrize("part", range(N_PARTS if LONG else 1))
def test_the_workspace_is_what_the_standing_edits_make_of_it(part):
    """Whatever at least three actors write, and whatever is taken back in whatever order, the model agrees."""
    from hypothesis import seed
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(seed(part)(UndoMachine) if LONG else UndoMachine, settings=SETTINGS)
