"""What happens in a workspace becomes events; what cannot be seen is said."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
import threading
import time

import pytest

from takeback.watch.events import GitMoved, Lost, LostReason, Moved, Removed, Touched
from takeback.watch.notify import Notifier, PlainWatcher
from waiting import WAIT_S, until

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")


class Seen:
    """A workspace under watch, and the events it gave."""

    def __init__(self, root, left_out=(), clock=time.monotonic_ns):
        self.root = os.fspath(root)
        self.left_out = set(left_out)
        self.asked = []
        self.events = []
        self.notifier = Notifier(self.root, self.leave_out, self.events.append, clock=clock)

    def leave_out(self, folders):
        """The folders with an ignored name."""
        self.asked.append(list(folders))
        return {folder for folder in folders if folder.rstrip("/").rpartition("/")[2] in self.left_out}

    def after(self, command):
        """The events of a shell command run in the workspace, all of them and no others."""
        self.caught_up()
        self.events.clear()
        subprocess.run(["sh", "-euc", command], cwd=self.root, check=True, capture_output=True)
        return self.caught_up()

    def caught_up(self):
        """Every event so far."""
        assert self.notifier.sync(WAIT_S)
        return list(self.events)


@pytest.fixture(autouse=True)
def _no_repository_around(tmp_path):
    """Keeps a repository around the temporary folders of this machine from being heard."""
    (tmp_path / ".git").mkdir()


@pytest.fixture
def watching():
    """Begins to watch a folder; ends with the test."""
    begun = []

    def watch(root, **options):
        seen = Seen(root, **options)
        begun.append(seen)
        seen.notifier.start()
        return seen

    yield watch
    for seen in begun:
        seen.notifier.stop()


def paths(events, kind=Touched):
    """The distinct paths of the events of one kind."""
    return sorted({event.path for event in events if isinstance(event, kind)})


@linux_only
class TestFiles:
    """Every way to change a file is seen."""

    @pytest.mark.parametrize(
        "command",
        [
            "echo new >> file",
            "> file",
            "truncate -s 1 file",
            "chmod +x file",
            "touch file",
            "cp file /dev/null; ln file x",
        ],
    )
    def test_a_change_is_seen(self, tmp_path, watching, command):
        """Content, length, mode, time and links are all told."""
        (tmp_path / "file").write_text("some text", encoding="utf-8")
        assert "file" in paths(watching(tmp_path).after(command)) or "ln " in command

    def test_reading_is_no_event(self, tmp_path, watching):
        """Opening, reading and listing tell nothing, however often they happen."""
        (tmp_path / "file").write_text("some text", encoding="utf-8")
        assert watching(tmp_path).after("cat file; ls; stat file") == []

    def test_a_new_file_is_told_as_new(self, tmp_path, watching):
        """The first event of a file that appeared says so."""
        first, *rest = watching(tmp_path).after("echo a > a")
        assert (first.path, first.is_new, first.is_folder) == ("a", True, False)
        assert all((event.path, event.is_new) == ("a", False) for event in rest)

    def test_an_append_through_an_open_descriptor_is_seen(self, tmp_path, watching):
        """A log that is never closed is seen with each write, and so is a truncation by name."""
        with open(tmp_path / "log", "wb", buffering=0) as log:
            seen = watching(tmp_path)
            log.write(b"line\n")
            assert paths(seen.caught_up()) == ["log"]
            seen.events.clear()
            os.truncate(tmp_path / "log", 2)
            assert paths(seen.caught_up()) == ["log"]

    def test_an_atomic_save_is_a_move_of_a_new_file(self, tmp_path, watching):
        """`sed -i` writes a new file and moves it over the old one."""
        (tmp_path / "a").write_text("x\n", encoding="utf-8")
        events = watching(tmp_path).after("echo y > .tmp; mv .tmp a")
        assert Moved(source=".tmp", target="a", is_folder=False) in events
        assert events[0].is_new

    def test_a_deletion_is_seen(self, tmp_path, watching):
        """A file that is gone is told at once."""
        (tmp_path / "a").touch()
        assert watching(tmp_path).after("rm a") == [Removed(path="a", is_folder=False)]

    def test_symlinks_are_not_followed(self, tmp_path, watching):
        """A link to a folder outside is an entry like a file; what happens behind it is not ours."""
        outside = tmp_path / "outside"
        outside.mkdir()
        root = tmp_path / "root"
        root.mkdir()
        seen = watching(root)
        assert paths(seen.after(f"ln -s {outside} link")) == ["link"]
        assert seen.after("echo a > link/a") == []

    def test_any_name_is_kept(self, tmp_path, watching):
        """Names with bytes outside UTF-8, newlines and quotes arrive as the file system has them."""
        seen = watching(tmp_path)
        folder = os.fsencode(tmp_path) + b"/\xff d"
        os.mkdir(folder)
        seen.caught_up()
        for name in (b"\xfe\n'\"", b"-f", b"x" * 255):
            with open(folder + b"/" + name, "wb"):
                pass
        found = paths(seen.caught_up())
        assert found == sorted(["\udcff d", "\udcff d/\udcfe\n'\"", "\udcff d/-f", "\udcff d/" + "x" * 255])

    def test_our_own_unfinished_files_are_not_told(self, tmp_path, watching):
        """A staged file is nothing until it is moved to its place, and then the place was touched."""
        seen = watching(tmp_path)
        one, two, three = (f".takeback-0123456789ab-{end}" for end in ("1", "2", "3-old"))
        assert seen.after(f"echo a > {one}; chmod +x {one}; echo b > {two}; rm {two}") == []
        (event,) = seen.after(f"mv {one} a")
        assert (event.path, event.is_new) == ("a", True)
        assert seen.after(f"mv a {three}; rm {three}") == [Removed(path="a", is_folder=False)]

    def test_what_a_user_calls_almost_so_is_told(self, tmp_path, watching):
        """Only the names that Takeback makes are passed over."""
        names = [".takeback-0123456789ab-1.md", ".takeback-0123456789AB-1", ".takeback-notes"]
        assert paths(watching(tmp_path).after(f"touch {' '.join(names)}")) == sorted(names)


@linux_only
class TestFolders:
    """Folders come, go and move with all they hold."""

    def test_a_folder_filled_at_once_yields_its_files(self, tmp_path, watching):
        """`mkdir -p` and files right after it: nothing is missed, though no watch was there yet."""
        found = paths(
            watching(tmp_path).after(
                "for i in 1 2 3 4 5 6 7 8 9; do mkdir -p $i/b/c; echo x > $i/b/c/f; done"
            )
        )
        assert found == sorted(
            path for i in range(1, 10) for path in (f"{i}", f"{i}/b", f"{i}/b/c", f"{i}/b/c/f")
        )

    def test_new_folders_are_watched(self, tmp_path, watching):
        """What happens in a folder that appeared later is seen."""
        seen = watching(tmp_path)
        seen.after("mkdir -p a/b")
        assert paths(seen.after("echo x > a/b/f")) == ["a/b/f"]

    def test_a_moved_tree_is_one_event_and_stays_watched(self, tmp_path, watching):
        """`mv` of a folder is one rename; writes below it are told under the new name."""
        seen = watching(tmp_path)
        seen.after("mkdir -p a/b/c; echo x > a/b/c/f")
        assert seen.after("mv a z") == [Moved(source="a", target="z", is_folder=True)]
        assert paths(seen.after("echo y > z/b/c/f; echo n > z/b/c/n")) == ["z/b/c/f", "z/b/c/n"]

    def test_a_folder_moved_out_is_removed_and_no_longer_watched(self, tmp_path, watching):
        """What goes on in a folder that left the workspace is not told under its old name."""
        root = tmp_path / "root"
        root.mkdir()
        seen = watching(root)
        seen.after("mkdir -p a/b")
        assert seen.after("mv a ../gone") == [Removed(path="a", is_folder=True)]
        assert seen.after("echo x > ../gone/b/f; echo x > ../gone/f") == []

    def test_an_unpaired_move_is_a_removal_soon(self, tmp_path, watching):
        """A file moved out is told as removed after 50 ms, though nothing else happens."""
        root = tmp_path / "root"
        root.mkdir()
        (root / "a").touch()
        seen = watching(root)
        os.rename(root / "a", tmp_path / "a")
        until(lambda: seen.events == [Removed(path="a", is_folder=False)])

    def test_a_folder_made_anew_after_a_move_is_watched(self, tmp_path, watching):
        """`mv a ../old; mkdir a` within an instant: the new folder is seen, the old one is not."""
        root = tmp_path / "root"
        root.mkdir()
        seen = watching(root)
        seen.after("mkdir a")
        events = seen.after("mv a ../old; mkdir a; echo x > a/f; echo x > ../old/g")
        assert Removed(path="a", is_folder=True) in events
        assert paths(events) == ["a", "a/f"]
        assert paths(seen.after("echo x > a/h; echo x > ../old/i")) == ["a/h"]

    def test_a_folder_moved_in_yields_its_files(self, tmp_path, watching):
        """A tree that comes from outside is told file by file, and watched."""
        root, outside = tmp_path / "root", tmp_path / "in" / "sub"
        root.mkdir()
        outside.mkdir(parents=True)
        (outside / "f").touch()
        seen = watching(root)
        assert paths(seen.after("mv ../in .")) == ["in", "in/sub", "in/sub/f"]
        assert paths(seen.after("echo x > in/sub/g")) == ["in/sub/g"]

    def test_rm_r_is_told_folder_by_folder(self, tmp_path, watching):
        """Every file and folder of a removed tree is told, the outermost last."""
        seen = watching(tmp_path)
        seen.after("mkdir -p a/b; touch a/f a/b/g")
        events = seen.after("rm -r a")
        assert paths(events, Removed) == ["a", "a/b", "a/b/g", "a/f"]
        assert events[-1] == Removed(path="a", is_folder=True)
        assert paths(seen.after("mkdir a; echo x > a/f")) == ["a", "a/f"]


@linux_only
class TestLeftOut:
    """Folders that are not recorded cost nothing."""

    @pytest.mark.trap(16)
    def test_an_ignored_folder_is_not_watched(self, tmp_path, watching):
        """Nothing that happens below `node_modules` is told, whether it was there before or came later."""
        (tmp_path / "node_modules" / "x").mkdir(parents=True)
        seen = watching(tmp_path, left_out={"node_modules"})
        assert seen.after("echo x > node_modules/f; echo x > node_modules/x/f") == []
        assert paths(seen.after("mkdir -p sub/node_modules/y; echo x > sub/node_modules/y/f")) == [
            "sub",
            "sub/node_modules",
        ]

    def test_folders_are_asked_about_level_by_level(self, tmp_path, watching):
        """One question names all folders of a level, ending in a slash; what is below an ignored one is not asked."""
        for folder in ("a/b/c", "d/b", "ignored/e", ".git/f"):
            (tmp_path / folder).mkdir(parents=True)
        seen = watching(tmp_path, left_out={"ignored"})
        assert [sorted(level) for level in seen.asked] == [
            ["a/", "d/", "ignored/"],
            ["a/b/", "d/b/"],
            ["a/b/c/"],
        ]

    def test_ignored_files_beside_recorded_ones_are_told(self, tmp_path, watching):
        """Only folders are left out: what to do with a file is the recorder's decision."""
        assert paths(watching(tmp_path, left_out={".env"}).after("echo x > .env")) == [".env"]

    @pytest.mark.trap(4)
    def test_a_folder_that_is_no_longer_ignored_can_be_watched(self, tmp_path, watching):
        """After ignore rules changed, what was left out is watched, and its files are told."""
        (tmp_path / "build").mkdir()
        (tmp_path / "build" / "f").touch()
        seen = watching(tmp_path, left_out={"build"})
        seen.left_out.clear()
        seen.notifier.widen()
        until(lambda: paths(seen.events) == ["build/f"])
        assert paths(seen.after("echo x > build/g")) == ["build/g"]

    def test_a_folder_is_asked_about_anew_when_the_index_moves(self, tmp_path, watching):
        """Git may track something in an ignored folder from then on; what stands in there is told."""
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "old").touch()
        seen = watching(tmp_path, left_out={"out"})
        seen.left_out.clear()
        told = seen.after("mv .git/index.lock .git/index || touch .git/index")
        assert paths(told) == ["out/old"]
        assert paths(seen.after("touch out/new")) == ["out/new"]


@linux_only
class TestGit:
    """The user's repository is watched for moves, and for nothing else."""

    def commit(self, seen):
        """Commits everything."""
        return seen.after("git add -A; git -c user.name=n -c user.email=e commit -qm m")

    def test_a_commit_and_a_checkout_move_git(self, tmp_path, watching):
        """Index and HEAD are told as one kind of event, and no path inside `.git` ever is."""
        subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
        seen = watching(tmp_path)
        seen.after("echo x > f")
        assert set(self.commit(seen)) == {GitMoved()}
        assert GitMoved() in seen.after("git checkout -qb other")

    def test_a_new_repository_is_noticed(self, tmp_path, watching):
        """After `git init` in a watched folder its moves are seen."""
        (tmp_path / ".git").rmdir()
        seen = watching(tmp_path)
        assert set(seen.after("git init -q; echo x > f")) >= {GitMoved()}
        assert GitMoved() in self.commit(seen)

    def test_the_repository_around_the_workspace_counts(self, tmp_path, watching):
        """A workspace that is a subfolder of a repository hears when that repository moves."""
        subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
        (tmp_path / "sub").mkdir()
        seen = watching(tmp_path / "sub")
        seen.after("echo x > f")
        assert set(self.commit(seen)) == {GitMoved()}

    def test_a_linked_worktree_has_its_own_head(self, tmp_path, watching):
        """In a linked worktree the folder that its `.git` file names is watched."""
        subprocess.run(["git", "init", "-q", str(tmp_path / "main")], check=True)
        seen = watching(tmp_path / "main")
        seen.after("echo x > f")
        self.commit(seen)
        seen.after("git worktree add -q ../linked")
        linked = watching(tmp_path / "linked")
        assert GitMoved() in linked.after("git checkout -qb third")

    def test_a_pointer_to_the_workspace_itself_blinds_nobody(self, tmp_path, watching):
        """A hostile `.git` file that names the workspace does not turn its events into git's."""
        (tmp_path / ".git").rmdir()
        (tmp_path / ".git").write_text("gitdir: .\n", encoding="utf-8")
        assert paths(watching(tmp_path).after("echo x > f")) == ["f"]

    @pytest.mark.trap(12)
    def test_nested_repositories_are_watched_without_their_git(self, tmp_path, watching):
        """Files of a repository inside the workspace are told, its `.git` is not."""
        seen = watching(tmp_path)
        assert paths(seen.after("git init -q sub; echo x > sub/f; mkdir sub/.git/x")) == ["sub", "sub/f"]


@linux_only
@pytest.mark.trap(19)
class TestLosses:
    """What cannot be seen is said."""

    def test_a_burst_of_ten_thousand_files_arrives_whole(self, tmp_path, watching):
        """No event of a large burst is lost, with other work going on in the same process."""
        seen = watching(tmp_path)
        seen.after("mkdir d")
        program = (
            "import sys\nfor i in range(10_000):\n    with open(f'd/{i}', 'w') as f:\n        f.write('x')"
        )
        subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
        events = seen.caught_up()
        assert not any(isinstance(event, Lost) for event in events)
        assert len(paths(events)) == 10_001

    def test_an_overflow_is_told_and_repaired(self, tmp_path, watching):
        """While our reader stands still the kernel drops events: that is said, and afterwards all is watched."""
        running = threading.Event()
        running.set()

        def clock():
            running.wait(WAIT_S)
            return time.monotonic_ns()

        (tmp_path / "old").mkdir()
        seen = watching(tmp_path, clock=clock)
        seen.caught_up()
        running.clear()
        with open("/proc/sys/fs/inotify/max_queued_events", encoding="ascii") as limit:
            enough = int(limit.read()) + 5_000
        for number in range(enough):
            os.mknod(tmp_path / "old" / str(number))
        (tmp_path / "old").rename(tmp_path / "renamed")
        (tmp_path / "new").mkdir()
        running.set()
        until(lambda: Lost(reason=LostReason.OVERFLOW, path="") in seen.events)
        assert paths(seen.after("echo x > new/f; echo x > renamed/f")) == ["new/f", "renamed/f"]

    @pytest.mark.trap(18)
    def test_a_folder_that_may_not_be_read_is_told(self, watching, unprivileged):
        """The rest is watched, and once the folder can be read, it is too."""
        with tempfile.TemporaryDirectory() as root:
            os.chmod(root, 0o755)
            os.mkdir(os.path.join(root, ".git"))
            locked = os.path.join(root, "locked")
            os.mkdir(locked, 0o000)
            with unprivileged():
                seen = watching(root)
            assert seen.events == [Lost(reason=LostReason.UNREADABLE, path="locked")]
            assert paths(seen.after("chmod 755 locked; echo x > f")) == ["f", "locked"]
            assert paths(seen.after("echo x > locked/f")) == ["locked/f"]

    def test_the_limit_of_watches_is_told(self, tmp_path):
        """Where the system allows no more watches, each folder without one is named.

        Of ten, two are for the workspace itself and its repository.
        """
        for number in range(40):
            (tmp_path / str(number)).mkdir()
        program = (
            "import sys; from takeback.watch.notify import Notifier; seen = []\n"
            "notifier = Notifier(sys.argv[1], lambda folders: set(), seen.append); notifier.start(); notifier.stop()\n"
            "print(sorted({event.reason.value for event in seen}), len({event.path for event in seen}))"
        )
        script = 'echo 10 > /proc/sys/user/max_inotify_watches && exec "$0" -W error -c "$1" "$2"'
        ran = subprocess.run(
            ["unshare", "-Ur", "sh", "-c", script, sys.executable, program, str(tmp_path)],
            env={**os.environ, "PYTHONPATH": os.path.join(os.path.dirname(__file__), "../../../server")},
            capture_output=True,
            text=True,
            check=False,
        )
        if "unshare" in ran.stderr or "max_inotify_watches" in ran.stderr:
            pytest.skip("this system lets no one lower the limit for one process")
        assert ran.stdout == "['limit'] 32\n", ran.stderr

    @pytest.mark.trap(22)
    @pytest.mark.parametrize("command", ["mv root moved", "rm -r root"])
    def test_the_end_of_the_workspace_is_told(self, tmp_path, watching, command):
        """When the workspace folder itself is moved or removed, no events follow, and that is said."""
        (tmp_path / "root").mkdir()
        seen = watching(tmp_path / "root")
        subprocess.run(["sh", "-c", command], cwd=tmp_path, check=True)
        until(lambda: Lost(reason=LostReason.ROOT_GONE, path="") in seen.events)

    def test_a_workspace_that_is_not_there_is_told(self, tmp_path, watching):
        """Starting never fails: what cannot be watched is an event."""
        seen = watching(tmp_path / "none")
        assert seen.events == [Lost(reason=LostReason.UNWATCHED, path="")]

    def test_a_defect_is_told_and_survived(self, tmp_path, watching, caplog):
        """An exception while handling events is logged and told; events after it arrive."""
        seen = watching(tmp_path)
        seen.left_out = None
        with caplog.at_level(logging.CRITICAL, logger="takeback"):
            os.mkdir(tmp_path / "a")
            until(lambda: Lost(reason=LostReason.FAILED, path="") in seen.events)
        seen.left_out = set()
        assert paths(seen.after("echo x > f")) == ["f"]
        assert paths(seen.after("echo x > a/f")) == ["a/f"]


@linux_only
def test_sync_knows_nothing_of_a_watcher_that_ended(tmp_path, watching):
    """After the end nobody claims to have seen everything; ending twice is fine."""
    seen = watching(tmp_path)
    seen.notifier.stop()
    assert not seen.notifier.sync(WAIT_S)


def test_the_end_leaves_nothing_behind(tmp_path):
    """After `stop` no thread and no descriptor of ours is left."""
    before = set(threading.enumerate()), len(os.listdir("/dev/fd"))
    for _ in range(5):
        seen = Seen(tmp_path)
        seen.notifier.start()
        seen.notifier.stop()
    assert (set(threading.enumerate()), len(os.listdir("/dev/fd"))) == before


def test_other_systems_see_the_same(tmp_path):
    """The plain observer of the system at hand tells writes, modes, moves, deletions and git's moves."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "a").write_text("x", encoding="utf-8")
    (tmp_path / "b").write_text("x", encoding="utf-8")
    events = []
    watcher = PlainWatcher(os.path.realpath(tmp_path), events.append, time.monotonic_ns)
    watcher.start()
    try:
        subprocess.run(
            ["sh", "-euc", "echo y >> a; mv a c; rm b; mkdir d; touch .takeback-0123456789ab-1; git add c"],
            cwd=tmp_path,
            check=True,
        )
        until(lambda: GitMoved() in events)
    finally:
        watcher.stop()
    assert paths(events) == ["a", "d"]
    assert Moved(source="a", target="c", is_folder=False) in events
    assert Removed(path="b", is_folder=False) in events
    assert not watcher.sync(0)


@pytest.fixture
def unprivileged():
    """A context in which folders without permission cannot be read, also when root runs the tests."""

    class _Unprivileged:
        def __enter__(self):
            if self.is_root:
                os.seteuid(65534)

        def __exit__(self, *_):
            if self.is_root:
                os.seteuid(0)

        is_root = os.geteuid() == 0

    return _Unprivileged
