"""However names change hands between files, links and folders, taking back in order leads through every former state.

The model is a list of pictures of the workspace: nothing it could get wrong. What is written is never repeated, apart
from a file that somebody puts back as it was, or a restore: each is an edit that can be taken back like any other.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from takeback.checkpoints import Wanted
from takeback.model.ids import OpId
from takeback.model.paths import ROOT
from takeback.service import checkpointing, looking, recording, taking_back
from takeback.service.opening import open_workspace
from takeback.service.taking_back import Outcome, Request

LONG = os.environ.get("TAKEBACK_HYPOTHESIS") == "long"
PLACES = ("a", "b", "d", "d/a", "d/b", "d/e", "d/e/a")
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
Picture = dict[str, tuple[str, bytes, int]]

steps = st.lists(
    st.tuples(
        st.sampled_from(
            ["write", "write", "edit", "return", "link", "folder", "remove", "move", "move", "mode"]
        ),
        st.sampled_from(PLACES),
        st.sampled_from(PLACES),
    ),
    min_size=1,
    max_size=4,
)


class Moment(NamedTuple):
    """What the workspace was, and which operations stood."""

    picture: Picture
    done: tuple[tuple[int, Picture], ...]
    """Standing operations, oldest first, each with the picture before it."""


class PlacesMachine(RuleBasedStateMachine):
    """Somebody shuffles a few names; what is taken back is the newest, or everything since a checkpoint."""

    def __init__(self) -> None:
        super().__init__()
        self.temp = tempfile.mkdtemp(prefix="takeback-places-", dir=MEMORY)
        self.root = Path(self.temp, "workspace")
        self.environ = {**os.environ, "TAKEBACK_STATE_DIR": str(Path(self.temp, "state"))}
        self.stack = ExitStack()
        self.fresh = 0
        self.done: tuple[tuple[int, Picture], ...] = ()
        self.expected: Picture = {}
        self.taken_back: dict[int, tuple[Moment, Moment]] = {}
        """By undo or rollback: the moments before and after it."""
        self.checkpoints: dict[str, Moment] = {}

    def teardown(self) -> None:
        """Leave nothing behind."""
        self.stack.close()
        shutil.rmtree(self.temp)

    @initialize()
    def begin(self) -> None:
        """A folder with a file and a folder."""
        self.root.mkdir()
        Path(self.temp, "state").mkdir(mode=0o700)
        self.act("write", "a", "a")
        self.act("write", "d/a", "a")
        self.workspace = self.stack.enter_context(open_workspace(str(self.root), self.environ))
        self.expected = self.picture()
        self.checkpoint()

    @rule(chosen=steps)
    def write(self, chosen: list[tuple[str, str, str]]) -> None:
        """Somebody does a few things at once, and they are one operation."""
        self.written(chosen)

    @rule(several=st.lists(steps, min_size=2, max_size=4), checkpoint=st.booleans())
    def write_on(self, several: list[list[tuple[str, str, str]]], *, checkpoint: bool) -> None:
        """Several operations, perhaps after a checkpoint."""
        if checkpoint:
            self.checkpoint()
        for chosen in several:
            self.written(chosen)

    def written(self, chosen: list[tuple[str, str, str]]) -> None:
        """These steps are one operation."""
        before = self.picture()
        for what, place, other in chosen:
            self.act(what, place, other)
        self.expected = self.picture()
        found = recording.record(self.workspace, "agent:a", "")
        assert (found is None) == (before == self.expected)
        if found is not None:
            self.done = (*self.done, (found.id, before))

    @precondition(lambda self: self.done)
    @rule(n=st.integers(1, 6), named=st.booleans())
    def undo(self, n: int, *, named: bool) -> None:
        """The newest standing operations are taken back at once."""
        newest = self.done[-n:]
        ops = tuple(OpId(op) for op, _ in newest)
        request = Request(ops=ops) if named else Request(n=len(newest))
        self.take_back(request, Moment(newest[0][1], self.done[:-n]))

    def checkpoint(self) -> None:
        """A checkpoint of this moment."""
        made = checkpointing.create(self.workspace, Wanted())
        self.checkpoints[made.id] = Moment(self.expected, self.done)

    @precondition(lambda self: self.done)
    @rule(data=st.data())
    def rollback(self, data: st.DataObject) -> None:
        """Somebody goes back to a checkpoint."""
        name = data.draw(st.sampled_from(sorted(self.checkpoints)))
        before = self.moment()
        result = taking_back.rollback(self.workspace, name, Request())
        self.settle(result, before, self.checkpoints[name])

    @precondition(lambda self: self.done)
    @rule(data=st.data())
    def restore(self, data: st.DataObject) -> None:
        """Somebody puts everything back as an operation of its own."""
        name = data.draw(st.sampled_from(sorted(self.checkpoints)))
        before, after = self.expected, self.checkpoints[name].picture
        result = taking_back.restore(self.workspace, name, Request(paths=(ROOT,)))
        done = (*self.done, (result.operation, before)) if result.operation else self.done
        self.settle(result, self.moment(), Moment(after, done))
        self.taken_back.pop(result.operation or 0, None)

    @precondition(lambda self: self.newest in self.taken_back)
    @rule()
    def back_again(self) -> None:
        """The newest operation, which took something back, is taken back itself."""
        former, latter = self.taken_back[self.newest]
        assert self.moment() == latter
        self.take_back(Request(ops=(self.newest,)), former)

    @property
    def newest(self) -> OpId:
        """The newest operation."""
        return self.workspace.journal.last_operation()

    @invariant()
    def the_workspace_is_as_in_the_picture(self) -> None:
        """Bytes, modes, links and empty folders are what they were, and nothing else lies about."""
        assert self.picture() == self.expected, self.story()

    @invariant()
    def a_look_finds_nothing_new(self) -> None:
        """What Takeback did itself is known to it."""
        if self.expected:
            assert recording.record(self.workspace, None, "") is None, self.story()

    def take_back(self, request: Request, after: Moment) -> None:
        """The request leads to that moment."""
        before = self.moment()
        self.settle(taking_back.undo(self.workspace, request), before, after)

    def settle(self, result: taking_back.Result, before: Moment, after: Moment) -> None:
        """What was asked for is done, or there was nothing to do."""
        assert result.outcome in (Outcome.APPLIED, Outcome.NOTHING), (result, self.story())
        self.expected, self.done = after
        if result.operation is not None:
            self.taken_back[result.operation] = (before, after)

    def moment(self) -> Moment:
        """Now."""
        return Moment(self.expected, self.done)

    def act(self, what: str, place: str, other: str) -> None:
        """One thing that a shell could do; nothing if the shell would refuse."""
        path, target = self.root / place, self.root / other
        self.fresh += 1
        if what == "write":
            clear(path)
            path.parent.mkdir(parents=True, exist_ok=True) if is_free(path.parent, self.root) else None
            if path.parent.is_dir() and not path.parent.is_symlink():
                path.write_text(f"file {self.fresh}\nof its own\n")
        elif what in ("edit", "return") and path.is_file() and not path.is_symlink():
            more = path.read_bytes() + f"line {self.fresh}\n".encode()
            path.write_bytes(more if what == "edit" else self.former(place) or more)
        elif what == "link" and path.parent.is_dir() and not path.parent.is_symlink():
            clear(path)
            path.symlink_to(f"nowhere-{self.fresh}")
        elif what == "folder" and path.parent.is_dir() and not path.parent.is_symlink():
            clear(path)
            path.mkdir()
        elif what == "remove":
            clear(path)
        elif what == "mode" and path.is_file() and not path.is_symlink():
            path.chmod(0o644 if path.stat().st_mode & 0o111 else 0o755)
        elif what == "move" and os.path.lexists(path) and target.parent.is_dir():
            is_inside = target == path or path in target.parents or target in path.parents
            if not is_inside and not target.parent.is_symlink():
                clear(target)
                path.rename(target)

    def former(self, place: str) -> bytes | None:
        """The first content that a file at this place had, as far as its changes stand."""
        were = (picture[place] for _, picture in self.done if place in picture)
        return next((content for kind, content, _ in were if kind == "file"), None)

    def picture(self) -> Picture:
        """Every file, link and empty folder."""
        found: Picture = {}
        for folder, folders, names in os.walk(self.root):
            for name in [*names, *(one for one in folders if os.path.islink(os.path.join(folder, one)))]:
                path = os.path.join(folder, name)
                relative = os.path.relpath(path, self.root)
                if os.path.islink(path):
                    found[relative] = ("link", os.readlink(path).encode(), 0)
                else:
                    found[relative] = ("file", Path(path).read_bytes(), os.stat(path).st_mode & 0o111)
            if not folders and not names and folder != str(self.root):
                found[os.path.relpath(folder, self.root)] = ("folder", b"", 0)
        return found

    def story(self) -> str:
        """The log, for a failure's message."""
        lines = []
        for one in looking.log(self.workspace, looking.Wanted(n=None)):
            changes = [
                (c.seq, c.file, c.moved_from, c.path, c.before.kind, c.after.kind, dict(c.flips))
                for c in one.changes
            ]
            lines.append(f"{one.id} {one.kind} {one.standing} {changes}")
        return "\n".join(lines)


def clear(path: Path) -> None:
    """Nothing is at `path`."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif os.path.lexists(path):
        path.unlink()


def is_free(folder: Path, root: Path) -> bool:
    """Whether folders can be made up to `folder`: no file or link is in the way."""
    while folder != root:
        if os.path.lexists(folder) and (folder.is_symlink() or not folder.is_dir()):
            return False
        folder = folder.parent
    return True


SETTINGS = settings(
    report_multiple_bugs=False,
    derandomize=not LONG,  # `make test` judges a change by the same stories each time; the long profile finds new ones
    max_examples=2_000 if LONG else 40,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)


@pytest.mark.promise(3)
@pytest.mark.trap(14)
@pytest.mark.timeout(7200 if LONG else 300)
def test_taking_back_in_order_leads_through_every_former_state():
    """Whatever becomes of a few names, undo, rollback and undo of those lead to what was, and leave nothing else."""
    run_state_machine_as_test(PlacesMachine, settings=SETTINGS)
