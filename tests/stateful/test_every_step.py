"""An undo that dies, or is refused, at each single change it makes: all of it is done, or none."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from stateful.dying import count_changes, die_after, die_before, no_room_for_ends, refuse_at
from takeback.errors import Refused, TakebackError
from takeback.files.disk import Folder
from takeback.model.ids import OpId
from takeback.service import recording, taking_back
from takeback.service.opening import open_workspace
from takeback.service.taking_back import Outcome, Request

MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
"""A file system in memory, where there is one: what is synced here need not survive a power cut."""

LINES = "".join(f"line {n}\n" for n in range(20))
REFUSED = 3


@dataclass(frozen=True)
class Story:
    """What was there, and what somebody did to it, as one operation each."""

    first: Callable[[Path], object]
    then: tuple[Callable[[Path], object], ...]


def _files(root: Path, **contents: str) -> None:
    for name, content in contents.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


def _moved(root: Path, *pairs: tuple[str, str]) -> None:
    """Rename files all at once, so that they may follow each other."""
    for old, _ in pairs:
        (root / old).rename(root / f"{old}.away")
    for old, new in pairs:
        (root / new).parent.mkdir(parents=True, exist_ok=True)
        (root / f"{old}.away").rename(root / new)


def _many_kinds(root: Path) -> None:
    _files(root, d__a=LINES, d__b="b\n", d__sub__c="c\n", x=LINES)
    (root / "x").chmod(0o755)
    (root / "link").symlink_to("x")
    (root / "empty").mkdir()


def _all_changed(root: Path) -> None:
    (root / "d").rename(root / "e")
    _files(root, e__a=LINES + "more\n", x=LINES + "z\n", d="now a file", new__deep__f="n")
    (root / "x").chmod(0o644)
    (root / "link").unlink()
    (root / "empty").rmdir()
    _files(root, link="a file now", empty="was a folder")


def _folder_to_file(root: Path) -> None:
    _moved(root, ("p/q/s", "s"))
    (root / "p/q/r").unlink()
    (root / "p/q").rmdir()
    (root / "p").rmdir()
    _files(root, s=LINES.replace("line 3", "THREE"), p="file", k="kkk\n")


def _file_to_folder(root: Path) -> None:
    (root / "p").rename(root / "away")
    _files(root, p__q__r="1\n", k="kkk\n")
    (root / "away").rename(root / "p/q/old")


def _linked(root: Path) -> None:
    _files(root, a=LINES, z="1\n")
    os.link(root / "a", root / "b")


def _kinds_swapped(root: Path) -> None:
    (root / "f").unlink()
    (root / "f").mkdir()
    (root / "l").unlink()
    _files(root, l="was a link\n", k="kkk\n")
    (root / "e").rmdir()
    (root / "e").symlink_to("nowhere")


def _kinds(root: Path) -> None:
    _files(root, f=LINES, k="kk\n")
    (root / "l").symlink_to("f")
    (root / "e").mkdir()


def _modes(root: Path) -> None:
    (root / "a").chmod(0o755)
    _files(root, b="B\n")
    (root / "b").chmod(0o755)
    (root / "c").rename(root / "cc")
    (root / "cc").chmod(0o755)


def _linked_elsewhere(root: Path) -> None:
    _files(root, k="k\n")
    (root / "near").symlink_to("k")
    (root / "far").symlink_to("nowhere")


STORIES = {
    "a rename, then an edit": Story(
        lambda root: _files(root, a__one=LINES, b="x\n"),
        (
            lambda root: (_moved(root, ("a/one", "two")), (root / "a").rmdir()),
            lambda root: _files(root, two=LINES.replace("line 5", "FIVE"), b="y\n"),
        ),
    ),
    "three files that take each other's names": Story(
        lambda root: _files(root, a=LINES, b="other\n" * 9, c="three\n" * 7),
        (
            lambda root: (
                _moved(root, ("a", "c"), ("b", "a"), ("c", "b")),
                _files(root, c=LINES + "q\n"),
            ),
        ),
    ),
    "a row of names": Story(
        lambda root: _files(root, log1="one\n", log2="two\n", log3="three\n", k="k\n"),
        (
            lambda root: (
                _moved(root, ("log1", "log2"), ("log2", "log3"), ("log3", "old/log4")),
                _files(root, log1="zero\n", k="kk\n"),
            ),
        ),
    ),
    "names with many links": Story(_linked, (lambda root: _files(root, a=LINES + "more\n", z="2\n"),)),
    "links that change names": Story(
        _linked_elsewhere,
        (lambda root: (_moved(root, ("near", "moved"), ("far", "new/link")), _files(root, k="kk\n")),),
    ),
    "a folder that becomes a file": Story(
        lambda root: _files(root, p__q__r="1\n", p__q__s=LINES, k="kk\n"), (_folder_to_file,)
    ),
    "a file that becomes a folder": Story(
        lambda root: _files(root, p="file " + LINES, k="kk\n"), (_file_to_folder,)
    ),
    "modes and names": Story(lambda root: _files(root, a=LINES, b="b\n", c="c"), (_modes,)),
    "kinds": Story(_kinds, (_kinds_swapped,)),
    "files in new folders": Story(
        lambda root: _files(root, k="k\n", gone__deep__f="f\n"),
        (
            lambda root: (
                shutil.rmtree(root / "gone"),
                _files(root, new__deep__g="g\n", k="kk\n"),
                (root / "bare").mkdir(),
            ),
        ),
    ),
    "all at once": Story(_many_kinds, (_all_changed,)),
}


class Stage:
    """One story in a workspace of its own, which can be played again from just before the undo."""

    def __init__(self, base: Path, story: Story) -> None:
        self.live, self.saved = base / "live", base / "saved"
        self.root = self.live / "workspace"
        self.environ = {**os.environ, "TAKEBACK_STATE_DIR": str(self.live / "state")}
        self.root.mkdir(parents=True)
        story.first(self.root)
        with open_workspace(str(self.root), self.environ) as workspace:
            for act in story.then:
                act(self.root)
                assert recording.record(workspace, "agent:a", "") is not None
        self.request = Request(n=len(story.then))
        self.linked = _same_files(self.root)
        shutil.copytree(self.live, self.saved, symlinks=True)
        self.rewind()
        self.start = tree(self.root)

    def rewind(self) -> None:
        """Everything is as it was before the undo; a copy knows no hard links, so they are made again."""
        shutil.rmtree(self.live)
        shutil.copytree(self.saved, self.live, symlinks=True)
        for first, *others in self.linked:
            for name in others:
                (self.root / name).unlink()
                os.link(self.root / first, self.root / name)

    def undo(self) -> Outcome:
        """Take the story back."""
        with open_workspace(str(self.root), self.environ) as workspace:
            return taking_back.undo(workspace, self.request).outcome

    def look(self) -> object:
        """What a start finds: it settles what was interrupted, and sees nobody's writes."""
        with open_workspace(str(self.root), self.environ) as workspace:
            assert not [left for settled in workspace.settled for left in settled.left]
            return recording.record(workspace, None, "")

    def in_child(self, prepare: Callable[[], object], act: Callable[[], object]) -> int:
        """How a process ended that did it."""
        child = os.fork()
        if child == 0:
            status = 99
            try:
                prepare()
                act()
                status = 0
            except TakebackError:
                status = REFUSED
            finally:
                os._exit(status)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def n_changes(self, act: Callable[[], object]) -> int:
        """How often it changes a file."""
        read, write = os.pipe()

        def counted() -> None:
            made = count_changes()
            act()
            os.write(write, str(made()).encode())

        assert self.in_child(lambda: None, counted) == 0
        os.close(write)
        with open(read, encoding="ascii") as pipe:
            return int(pipe.read())


@pytest.fixture(params=STORIES)
def stage(request):
    """One story, recorded and ready to be taken back."""
    base = Path(tempfile.mkdtemp(prefix="takeback-steps-", dir=MEMORY))
    yield Stage(base, STORIES[request.param])
    shutil.rmtree(base)


@pytest.mark.promise(4)
@pytest.mark.trap(8)
def test_an_undo_that_is_killed_at_any_change_is_finished_or_reversed(stage):
    """Whichever change the process dies at, the next start leaves all files at one end, and a retry goes through.

    Dying a second time, while that is settled, changes nothing about it.
    """
    n_changes = stage.n_changes(stage.undo)
    end = tree(stage.root)
    assert end != stage.start
    deaths = [partial(die_before, n) for n in range(1, n_changes + 1)]
    for n, die in enumerate((*deaths, partial(die_after, n_changes))):
        stage.rewind()
        stage.in_child(die, stage.undo)
        stage.in_child(partial(die_before, 1 + 5 * n % 23), stage.look)
        assert stage.look() is None, die
        assert tree(stage.root) in (stage.start, end), die
        if tree(stage.root) == stage.start:
            assert stage.undo() is Outcome.APPLIED
            assert tree(stage.root) == end, die


@pytest.mark.promise(4)
@pytest.mark.promise(5)
@pytest.mark.trap(17)
def test_an_undo_that_is_refused_any_change_has_done_all_or_nothing(stage):
    """Whichever change the system refuses, an undo that says so changed nothing, and one that does not did it all."""
    n_changes = stage.n_changes(stage.undo)
    end = tree(stage.root)
    for n in range(1, n_changes + 1):
        stage.rewind()
        status = stage.in_child(partial(refuse_at, n), stage.undo)
        assert tree(stage.root) == {0: end, REFUSED: stage.start}[status], n
        assert stage.look() is None, n
        assert tree(stage.root) == {0: end, REFUSED: stage.start}[status], n


@pytest.mark.promise(3)
@pytest.mark.promise(5)
@pytest.mark.trap(17)
def test_an_undo_that_cannot_be_recorded_has_done_nothing(stage):
    """Where the journal has no room for an undo, nor for its reversal, nothing is changed, and a retry takes it back once."""
    status = stage.in_child(no_room_for_ends, stage.undo)

    assert (status, tree(stage.root)) == (REFUSED, stage.start)
    assert stage.look() is None
    assert tree(stage.root) == stage.start
    assert stage.undo() is Outcome.APPLIED
    with open_workspace(str(stage.root), stage.environ) as workspace:
        assert workspace.journal.last_operation() == stage.request.n + 1


@pytest.fixture
def interrupted(stage):
    """A story whose undo died half-way."""
    stage.in_child(partial(die_before, 3), stage.undo)
    return stage


@pytest.mark.promise(4)
@pytest.mark.promise(5)
@pytest.mark.parametrize("stage", ["a rename, then an edit"], indirect=True)
def test_what_cannot_be_settled_yet_stands_in_nobodys_way(interrupted, monkeypatch):
    """While the system refuses to settle an interrupted undo, that is said, its files are left, and the rest goes on."""
    live = partial(open_workspace, str(interrupted.root), interrupted.environ)
    with monkeypatch.context() as patched:
        for name in ("move", "remove", "exchange", "stage_file"):
            patched.setattr(Folder, name, _refused)
        with live() as workspace:
            assert [one.problem for one in workspace.settled] == ["no"]
            (interrupted.root / "elsewhere").write_text("new\n", encoding="utf-8")
            assert recording.record(workspace, "agent:b", "") is not None
            with pytest.raises(Refused, match="interrupted"):
                taking_back.undo(workspace, Request(ops=(OpId(2),)))

    with live() as workspace:
        assert [one.problem for one in workspace.settled] == [""]
        assert recording.record(workspace, None, "") is None


@pytest.mark.promise(4)
@pytest.mark.promise(10)
@pytest.mark.parametrize("stage", ["a rename, then an edit"], indirect=True)
def test_a_process_that_stays_open_settles_what_another_left(stage):
    """An undo first finishes or reverses what died in another process since this one was opened."""
    with open_workspace(str(stage.root), stage.environ) as workspace:
        stage.in_child(partial(die_before, 3), stage.undo)
        assert workspace.journal.claimed()
        taking_back.undo(workspace, stage.request)

        assert not workspace.journal.claimed()
        assert recording.record(workspace, None, "") is None


def _refused(*args: object, **kwargs: object) -> None:
    raise Refused("no")


def tree(root: Path) -> dict[str, object]:
    """Every file, link and empty folder with content and mode, and which names are one file."""
    found: dict[str, object] = {"same": sorted(_same_files(root))}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if path.is_symlink():
            found[name] = ("link", str(path.readlink()))
        elif path.is_file():
            found[name] = ("file", path.read_text(encoding="utf-8"), oct(path.stat().st_mode))
        elif not any(path.iterdir()):
            found[name] = ("empty folder",)
    return found


def _same_files(root: Path) -> list[list[str]]:
    """The names of each file that has several."""
    by_inode: dict[int, list[str]] = {}
    for path in sorted(root.rglob("*")):
        if path.is_file() and not path.is_symlink() and path.stat().st_nlink > 1:
            by_inode.setdefault(path.stat().st_ino, []).append(str(path.relative_to(root)))
    return list(by_inode.values())
