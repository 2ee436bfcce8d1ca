"""What was carried out is put back from wherever it stopped, and what others write meanwhile is never lost."""

from __future__ import annotations

import errno
import os
from itertools import count

import pytest

from takeback.errors import Refused
from takeback.files import native, renaming, staging
from takeback.files.disk import Folder
from takeback.model.paths import WorkspacePath
from takeback.model.state import ABSENT, EMPTY_DIRECTORY, FileKind, FileState
from takeback.store.objects import ObjectStore
from takeback.undo.carry import Carrier
from takeback.undo.moves import Move
from takeback.undo.reversal import Reversal

STEPS = (
    "exchange",
    "make_folders",
    "move",
    "overwrite",
    "remove",
    "remove_folder",
    "replace",
    "set_mode",
    "stage_file",
    "stage_link",
    "sync_file",
    "sync_folder",
)


class Bench:
    """A workspace, a store and some moves, which can be begun again and again."""

    def __init__(self, base, monkeypatch):
        self.root = base / "workspace"
        self.root.mkdir()
        self.store = ObjectStore(str(base / "store.git"))
        self.folder = Folder(str(self.root))
        self.n_steps = 0
        self.blow = lambda n: None
        for name in STEPS:
            monkeypatch.setattr(Folder, name, self.struck(getattr(Folder, name)))
        self.ids = count()
        self.is_recorded = False

    def struck(self, step):
        """The step, before which something may happen."""

        def doing(*args, **kwargs):
            self.n_steps += 1
            self.blow(self.n_steps)
            return step(*args, **kwargs)

        return doing

    def file(self, content, mode=0o644):
        """A file's state."""
        data = content.encode()
        return FileState(kind=FileKind.FILE, blob=self.store.put(data), mode=mode, size_bytes=len(data))

    def link(self, target):
        """A link's state."""
        data = target.encode()
        return FileState(kind=FileKind.SYMLINK, blob=self.store.put(data), size_bytes=len(data))

    def move(self, path, before, after, target=None):
        """One file's way."""
        return Move(
            path=WorkspacePath(path),
            target=WorkspacePath(target or path),
            before=before,
            after=after,
            staged=f".takeback-0123456789ab-{next(self.ids)}",
        )

    def lay_out(self, moves):
        """The disk is as it is before all moves."""
        self.blow = lambda n: None
        for path in sorted(self.root.rglob("*"), reverse=True):
            if path.is_dir() and not path.is_symlink():
                path.rmdir()
            else:
                path.unlink()
        for move in sorted(moves, key=lambda m: m.path):
            self._lay(self.root / move.path, move.before)
        self.n_steps = 0
        self.is_recorded = False

    def _lay(self, path, state):
        if state.kind is FileKind.DIRECTORY:
            path.mkdir(parents=True, exist_ok=True)
        elif state.exists:
            path.parent.mkdir(parents=True, exist_ok=True)
            data = self.store.get(state.blob)
            if state.kind is FileKind.SYMLINK:
                path.symlink_to(data.decode())
            else:
                path.write_bytes(data)
                path.chmod(state.mode)

    def carrier(self, moves):
        """Whoever carries them out, new each time, as after a start."""
        kept = {move.path for move in moves if move.before.kind is FileKind.DIRECTORY}
        return Carrier(self.folder, self.store, lambda path: path in kept, moves)

    def carry(self, moves):
        """Whether all of it could be done."""
        carrier = self.carrier(moves)
        try:
            carrier.stage(moves)
            if carrier.carry_out(moves) is not None:
                return False
            self.is_recorded = True
            carrier.conclude()
        except Refused:
            return False
        return True

    def settle(self, moves):
        """Do as the next start may: put everything back, unless all is done. What is refused is tried again."""
        for _ in range(3):
            try:
                carrier = self.carrier(moves)
                if self.is_recorded or carrier.progress.is_over():
                    carrier.conclude()
                    return True
                Reversal(self.folder, self.store, carrier).put_back(moves)
            except Refused:
                continue
            return False
        raise AssertionError("it was refused more often than that")

    def left(self, moves):
        """What is not as it was."""
        return [move for move in moves if not self.carrier(moves).progress.at_start(move)]

    def tree(self):
        """What is there."""
        found = {}
        for path in sorted(self.root.rglob("*")):
            name = str(path.relative_to(self.root))
            if path.is_symlink():
                found[name] = os.readlink(path)
            elif path.is_file():
                found[name] = (path.read_bytes(), oct(path.stat().st_mode))
            elif not any(path.iterdir()):
                found[name] = "empty folder"
        return found


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """An empty workspace."""
    bench = Bench(tmp_path, monkeypatch)
    yield bench
    bench.folder.close()


def ring(bench):
    """Three files of the same content, each of which takes the next one's name."""
    same = bench.file("same\n")
    return [bench.move(old, same, same, new) for old, new in (("a", "b"), ("b", "c"), ("c", "a"))]


def row(bench):
    """Files of the same content that move on by one, and a new one at the first place."""
    same = bench.file("same\n")
    steps = [("a", "b"), ("b", "c"), ("c", "new/d")]
    return [bench.move("a", ABSENT, same), *(bench.move(old, same, same, new) for old, new in steps)]


def rotation(bench):
    """A row in which a file is edited on its way, and one gets another mode."""
    one, two = bench.file("one\n"), bench.file("two\n")
    return [
        bench.move("a", one, bench.file("edited\n"), "b"),
        bench.move("b", one, bench.file("one\n", 0o755), "d/c"),
        bench.move("d/c", two, two, "a"),
    ]


def kinds(bench):
    """Files, links and folders that become each other, with files inside."""
    one = bench.file("one\n")
    return [
        bench.move("p", one, EMPTY_DIRECTORY),
        bench.move("p/x", ABSENT, bench.file("x\n")),
        bench.move("q", EMPTY_DIRECTORY, one),
        bench.move("q/deep/y", bench.file("y\n"), bench.file("y\n"), "p/y"),
        bench.move("l", bench.link("p"), bench.file("was a link\n")),
        bench.move("m", bench.file("will be a link\n"), bench.link("q")),
        bench.move("e", EMPTY_DIRECTORY, EMPTY_DIRECTORY, "f"),
    ]


def edits(bench):
    """Files that change, appear and go, in their folders."""
    return [
        bench.move("a", bench.file("a\n"), bench.file("A\n", 0o755)),
        bench.move("b", bench.file("b\n"), bench.file("b\n", 0o755)),
        bench.move("d/c", bench.file("c\n"), ABSENT),
        bench.move("n/e", ABSENT, bench.file("e\n")),
    ]


ALL = (ring, row, rotation, kinds, edits)


def cannot_exchange(monkeypatch):
    """A file system that can neither swap names nor rename without replacing."""
    monkeypatch.setattr(native, "exchange_at", lambda *names: False)
    monkeypatch.setattr(native, "rename_new_at", lambda *names: False)


@pytest.mark.promise(4)
@pytest.mark.parametrize("exchanges", [True, False])
@pytest.mark.parametrize("what", ALL)
def test_from_each_step_there_is_a_way_back(bench, what, exchanges, monkeypatch):
    """Whichever step is refused, also the steps back, everything can be put back to where it was, nothing left over."""
    if not exchanges:
        cannot_exchange(monkeypatch)
    moves = what(bench)
    bench.lay_out(moves)
    start = bench.tree()
    assert bench.carry(moves)
    end, n_steps = bench.tree(), bench.n_steps
    for n in range(1, n_steps + 1):
        for again in (None, 1, 2, 3, 5, 8, 11):
            bench.lay_out(moves)
            bench.blow = refusing(n, again)
            bench.carry(moves)
            done = bench.settle(moves)
            assert bench.tree() == (end if done else start), (n, again)


def refusing(n, again):
    """Refuses the `n`-th step, and another one, `again` steps later."""

    def blow(step):
        if step == n or (again and step == n + again):
            raise Refused("the disk reports an error", hint="")

    return blow


@pytest.mark.promise(4)
@pytest.mark.parametrize("what", ALL)
def test_a_file_that_was_left_with_two_names_has_one_again(bench, what, monkeypatch):
    """Where a name is claimed by a link, a death before the old name is gone leaves nothing behind."""
    cannot_exchange(monkeypatch)
    moves = what(bench)
    bench.lay_out(moves)
    start, link, n_left = bench.tree(), renaming._link, [0]

    def link_and_fail(*names):
        linked = link(*names)
        n_left[0] -= 1
        if n_left[0] == 0:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return linked

    monkeypatch.setattr(renaming, "_link", link_and_fail)
    for n in range(1, 10):
        bench.lay_out(moves)
        n_left[0] = n
        assert bench.carry(moves) or bench.settle(moves) or bench.tree() == start, n


@pytest.mark.promise(4)
@pytest.mark.parametrize("new", ["two\n", "one and more\n", "on"])
@pytest.mark.parametrize("old", ["one\n", "one of many\n", ""])
def test_a_file_with_several_names_is_put_back_from_any_byte(bench, old, new, monkeypatch):
    """Wherever writing in place stopped, the file is put back under all its names, be it shorter or longer."""
    moves = [bench.move(name, bench.file(old), bench.file(new, 0o755)) for name in "ab"]
    write_over, n_written = staging._write_over, [0]

    def write_some(fd, data):
        if n_written[0] is None:
            return write_over(fd, data)
        n, n_written[0] = n_written[0], None
        os.pwrite(fd, data[:n], 0)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(staging, "_write_over", write_some)
    for n in range(len(new) + 1):
        bench.lay_out(moves)
        (bench.root / "b").unlink()
        os.link(bench.root / "a", bench.root / "b")
        start, n_written[0] = bench.tree(), n
        assert not bench.carry(moves)
        assert not bench.settle(moves)
        assert bench.tree() == start, n
        assert (bench.root / "a").samefile(bench.root / "b")


def test_what_somebody_did_already_is_not_taken_for_the_end(bench):
    """One file is what it was to become, and nothing has begun: the others are still to be done."""
    moves = edits(bench)
    bench.lay_out(moves)
    (bench.root / "a").write_text("A\n", encoding="utf-8")
    (bench.root / "a").chmod(0o755)

    assert bench.carrier(moves).progress.is_done(moves[0])
    assert not bench.carrier(moves).progress.is_over()


@pytest.mark.promise(2)
@pytest.mark.promise(4)
@pytest.mark.parametrize("what", ALL)
def test_what_somebody_saves_in_between_is_still_there(bench, what):
    """Whoever saves a file before any step, under whichever of the names, finds those bytes in the workspace."""
    moves = what(bench)
    names = sorted({str(path) for move in moves for path in (move.path, move.target)})
    bench.lay_out(moves)
    bench.carry(moves)
    n_steps = bench.n_steps
    for n in range(1, n_steps + 1):
        for name in names:
            for refused in (False, True):
                bench.lay_out(moves)
                saved = []
                bench.blow = saving(bench, n, name, saved, refused=refused)
                done = bench.carry(moves) or bench.settle(moves)
                assert done or not saved or bench.left(moves)
                found = bench.tree()
                assert not [one for one in found if ".takeback-" in one], (n, name, refused)
                assert not saved or b"saved\n" in {one[0] for one in found.values()}, (n, name, refused)


def saving(bench, n, name, saved, *, refused):
    """Somebody saves `name` before the `n`-th step, as editors do: by a rename, where there is a folder for it."""

    def blow(step):
        path = bench.root / name
        if step == n and path.parent.is_dir() and not path.is_dir():
            (bench.root / "editor").write_bytes(b"saved\n")
            os.replace(bench.root / "editor", path)
            saved.append(name)
        if refused and step == n + 1:
            raise Refused("the disk reports an error", hint="")

    return blow
