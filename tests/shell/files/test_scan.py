"""How a whole tree is looked at."""

import os
import shutil
import stat
import time

import pytest

from takeback.errors import WorkspaceRefused
from takeback.files.cache import StatCache, load_cache, save_cache
from takeback.files.scan import scan

LATER_NS = 60_000_000_000


class Looks:
    """One look after another at a workspace, each with the cache of the last."""

    def __init__(self, root):
        self.root = root
        self.cache = StatCache()
        self.ignored = set()
        self.asked = []

    def leave_out(self, paths):
        """Answer for the names in `ignored`, wherever they are."""
        self.asked.append(sorted(paths))
        return {path for path in paths if path.rstrip("/").rpartition("/")[2] in self.ignored}

    def look(self, *, after_ns=LATER_NS, started_ns=None, max_files=1000, recheck=False, ask_in=frozenset()):
        """A look that starts `after_ns` from now, so that what the test wrote is old by then, or at `started_ns`."""
        self.asked.clear()
        found = scan(
            str(self.root),
            self.cache,
            self.leave_out,
            started_ns=started_ns or time.time_ns() + after_ns,
            max_files=max_files,
            recheck=recheck,
            ask_in=ask_in,
        )
        self.cache = found.cache
        return found


@pytest.fixture
def looks(root):
    """Looks at a small tree: `a`, `d/b` and `d/e/c`."""
    (root / "d" / "e").mkdir(parents=True)
    for path in ("a", "d/b", "d/e/c"):
        (root / path).write_text(path)
    return Looks(root)


def test_the_first_look_finds_everything_and_asks_once_for_each_level(looks):
    """With nothing known, every file is changed, and names are asked about level by level."""
    found = looks.look()

    assert found.changed == ("a", "d/b", "d/e/c")
    assert (found.vanished, found.empty_folders, found.n_files) == ((), (), 3)
    assert looks.asked == [["a", "d/"], ["d/b", "d/e/"], ["d/e/c"]]


def test_a_look_in_which_nothing_changed_asks_nothing(looks):
    """The second look at an unchanged tree finds nothing, asks nothing, and needs no new cache."""
    cache = looks.look().cache

    found = looks.look()

    assert (found.changed, found.vanished, found.n_files) == ((), (), 3)
    assert looks.asked == []
    assert found.cache is cache


def test_a_change_is_found_with_what_was_seen(looks, root):
    """A written file is reported alone, with its inode, mode, size and times."""
    looks.look()
    (root / "d" / "b").write_text("longer than before")

    found = looks.look()

    assert found.changed == ("d/b",)
    assert looks.asked == []
    seen, real = found.stat("d/b"), os.lstat(root / "d" / "b")
    assert (seen.inode, seen.mode, seen.size_bytes) == (real.st_ino, real.st_mode, real.st_size)
    assert (seen.mtime_ns, seen.ctime_ns) == (real.st_mtime_ns, real.st_ctime_ns)
    assert looks.look().changed == ()


@pytest.mark.trap(20)
def test_a_write_that_hides_its_mtime_is_found(looks, root):
    """The same size and the same mtime are no proof: the time of the inode tells."""
    looks.look()
    before = os.stat(root / "a")
    # The system's clock moves in ticks; a write in the tick of the last one is what the racy rule is for.
    while True:
        (root / "a").write_text("X")
        os.utime(root / "a", ns=(before.st_atime_ns, before.st_mtime_ns))
        if os.stat(root / "a").st_ctime_ns != before.st_ctime_ns:
            break

    assert looks.look().changed == ("a",)


def test_only_the_mode_changed(looks, root):
    """A changed exec bit is a change."""
    looks.look()
    os.chmod(root / "a", 0o755)

    found = looks.look()

    assert found.changed == ("a",)
    assert found.stat("a").permissions == 0o755


@pytest.mark.trap(20)
def test_a_file_written_during_or_just_before_the_look_is_reported_again(looks, root):
    """What is not older than the start of the look that saw it proves nothing, until a later look has seen it."""
    assert looks.look(started_ns=os.lstat(root / "a").st_ctime_ns).changed == ("a", "d/b", "d/e/c")
    assert looks.look(after_ns=-LATER_NS).changed == ("a", "d/b", "d/e/c")
    assert looks.look().changed == ("a", "d/b", "d/e/c")
    assert looks.look().changed == ()


@pytest.mark.trap(20)
def test_a_file_from_the_future_is_reported_until_its_time_has_passed(looks, root):
    """An mtime that lies ahead of the clock is never taken for a proof."""
    future_ns = time.time_ns() + 3600 * 10**9
    os.utime(root / "a", ns=(future_ns, future_ns))
    looks.look()

    assert looks.look().changed == ("a",)
    assert looks.look(after_ns=2 * 3600 * 10**9).changed == ("a",)
    assert looks.look().changed == ()


@pytest.mark.trap(20)
def test_whole_seconds_prove_less(looks, root):
    """Where times are whole seconds, a file written in the second of the look, or the one before, is racy."""
    start_ns = time.time_ns() // 10**9 * 10**9 + LATER_NS
    for ago_s in (1, 3):
        looks.cache = StatCache()
        os.utime(root / "a", ns=(0, start_ns - ago_s * 10**9))
        for _ in range(2):
            found = scan(str(root), looks.cache, looks.leave_out, started_ns=start_ns, max_files=9)
            looks.cache = found.cache

        assert found.changed == (("a",) if ago_s == 1 else ())


def test_what_is_gone_vanished_with_all_below_it(looks, root):
    """A removed folder takes its files along, deep ones too."""
    looks.look()
    shutil.rmtree(root / "d")

    found = looks.look()

    assert (found.changed, found.vanished, found.n_files) == ((), ("d/b", "d/e/c"), 1)
    assert looks.look().vanished == ()


def test_a_renamed_folder_vanishes_and_appears(looks, root):
    """A rename is seen as files gone and files come, with the inodes that pair them."""
    inode = os.stat(root / "d" / "b").st_ino
    looks.look()
    (root / "d").rename(root / "z")

    found = looks.look()

    assert (found.changed, found.vanished) == (("z/b", "z/e/c"), ("d/b", "d/e/c"))
    assert found.stat("z/b").inode == inode


@pytest.mark.trap(14)
def test_a_file_and_a_folder_take_each_others_place(looks, root):
    """Where a file became a folder the file vanished; where a folder became a link, all below it did."""
    looks.look()
    (root / "a").unlink()
    (root / "a").mkdir()
    (root / "d").rename(root / "elsewhere")
    (root / "d").symlink_to("elsewhere")

    found = looks.look()

    assert found.changed == ("d", "elsewhere/b", "elsewhere/e/c")
    assert found.vanished == ("a", "d/b", "d/e/c")
    assert found.empty_folders == ("a",)
    assert stat.S_ISLNK(found.stat("d").mode)


@pytest.mark.trap(14)
def test_links_are_entries_and_are_never_followed(looks, root):
    """A link to a folder, to its own parent or to nothing is one entry."""
    (root / "d" / "up").symlink_to("..")
    (root / "nowhere").symlink_to("no/where")

    assert looks.look().changed == ("a", "d/b", "d/e/c", "d/up", "nowhere")


def test_empty_folders_are_those_with_nothing_in_them(looks, root):
    """An empty folder is listed at every look, one that holds something left out is not."""
    looks.ignored = {"junk"}
    (root / "d" / "empty").mkdir()
    (root / "full").mkdir()
    (root / "full" / "junk").touch()
    assert looks.look().empty_folders == ("d/empty",)
    assert looks.look().empty_folders == ("d/empty",)

    (root / "full" / "junk").unlink()
    (root / "d" / "empty" / "f").touch()
    assert looks.look().empty_folders == ("full",)


def test_what_is_left_out_is_asked_about_once(looks, root):
    """A folder that is left out is not walked, a file that is left out may change: neither is asked about again."""
    looks.ignored = {"e", "log"}
    (root / "log").write_text("1")
    assert looks.look().changed == ("a", "d/b")

    (root / "log").write_text("22")
    (root / "d" / "e" / "new").touch()
    found = looks.look()

    assert (found.changed, found.vanished, found.n_files) == ((), (), 2)
    assert looks.asked == []


def test_only_new_names_are_asked_about(looks, root):
    """In a folder that changed, known names keep their answers; a removed and forgotten one is asked about anew."""
    looks.ignored = {"log"}
    (root / "log").touch()
    looks.look()
    (root / "log").unlink()
    (root / "new").touch()
    assert looks.look().changed == ("new",)
    assert looks.asked == [["new"]]

    (root / "log").touch()
    assert looks.look().changed == ()
    assert looks.asked == [["log"]]


def test_a_left_out_name_that_changes_its_kind_is_asked_about(looks, root):
    """An answer about a folder is no answer about a file of the same name."""
    looks.ignored = {"x"}
    (root / "x").mkdir()
    looks.look()
    (root / "x").rmdir()
    (root / "x").touch()
    looks.ignored = set()

    assert looks.look().changed == ("x",)
    assert looks.asked == [["x"]]


@pytest.mark.trap(4)
def test_what_is_left_out_is_remembered_until_rules_uncover_it(looks, root):
    """A look says what it left out, so that the next one can tell what rules uncover from what is new."""
    looks.ignored = {"d", "log"}
    (root / "log").touch()
    looks.look()
    assert set(looks.cache.left_out()) == {"d/", "log"}
    looks.ignored = set()

    assert looks.look(recheck=True).changed == ("d/b", "d/e/c", "log")
    assert set(looks.cache.left_out()) == set()


@pytest.mark.trap(4)
def test_single_folders_are_asked_about_anew(looks, root):
    """Where it is known what rules uncover, nothing else is asked about; what is below is."""
    looks.ignored = {"e", "a"}
    looks.look()
    looks.ignored = {"a"}

    assert looks.look(ask_in={"d"}).changed == ("d/e/c",)
    assert looks.asked == [["d/b", "d/e/"], ["d/e/c"]]


@pytest.mark.trap(4)
def test_what_rules_leave_out_now_has_not_vanished(looks, root):
    """When rules change, every name is asked about; what is left out then is neither changed nor gone."""
    looks.look()
    looks.ignored = {"a", "e"}

    found = looks.look(recheck=True)

    assert looks.asked == [["a", "d/"], ["d/b", "d/e/"]]
    assert (found.changed, found.vanished, found.n_files) == ((), (), 1)
    (root / "a").unlink()
    assert looks.look().vanished == ()


def test_a_recheck_with_the_same_rules_changes_nothing(looks):
    """Asking again costs time and nothing else."""
    looks.ignored = {"e"}
    cache = looks.look().cache

    found = looks.look(recheck=True)

    assert (found.changed, found.vanished, found.cache is cache) == ((), (), True)


@pytest.mark.trap(12)
def test_git_folders_are_passed_over_everywhere(looks, root):
    """A `.git`, folder or file, at the root or nested, is neither walked nor asked about; what is beside it is."""
    for folder in (".git", "d/.git"):
        (root / folder).mkdir()
        (root / folder / "HEAD").touch()
    (root / "d" / "e" / ".git").write_text("gitdir: elsewhere")
    (root / ".gitignore").touch()

    assert looks.look().changed == (".gitignore", "a", "d/b", "d/e/c")
    assert not any(".git" in path.split("/") for asked in looks.asked for path in asked)
    (root / ".git" / "index").touch()
    (root / "d" / "e" / ".git").unlink()
    found = looks.look()
    assert (found.changed, found.vanished) == ((), ())


def test_staged_files_are_passed_over(looks, root):
    """What Takeback is about to exchange is not part of the workspace, neither when it comes nor when it goes."""
    looks.look()
    (root / "d" / ".takeback-0123456789ab-7").touch()
    assert looks.look().changed == ()
    assert looks.asked == []
    (root / "d" / ".takeback-0123456789ab-7").unlink()
    assert looks.look().vanished == ()


@pytest.mark.promise(5)
def test_what_a_user_calls_almost_so_is_not_passed_over(looks, root):
    """Only the names that Takeback makes are passed over, of files and of folders."""
    looks.look()
    (root / ".takeback-notes").touch()
    (root / ".takeback-d").mkdir()
    (root / ".takeback-d" / "f").touch()

    assert looks.look().changed == (".takeback-d/f", ".takeback-notes")


@pytest.mark.trap(14)
def test_names_of_all_sorts_are_remembered(looks, root):
    """Newlines, 255 bytes, and bytes outside UTF-8 come back from a saved cache as they were."""
    names = {"a\nb", "n" * 255, os.fsdecode(b"\xff\xfe"), "-x", "é"}
    for name in names:
        (root / "d" / "e" / name).touch()
    found = looks.look()
    assert {path.removeprefix("d/e/") for path in found.changed} >= names

    save_cache(found.cache, str(root.parent / "cache"))
    looks.cache = load_cache(str(root.parent / "cache"))

    assert looks.look().changed == ()


def test_pipes_are_entries(looks, root):
    """A pipe is reported like a file; whoever reads it finds that it is special."""
    os.mkfifo(root / "pipe")

    found = looks.look()

    assert "pipe" in found.changed
    assert found.stat("pipe").kind is None


@pytest.mark.trap(18)
def test_what_lies_in_an_unreadable_folder_has_not_vanished(public_root, without_root):
    """A folder that cannot be listed or searched is reported, and what is known below it is kept."""
    os.makedirs(f"{public_root}/d/e/empty")
    for name in ("d/f", "d/e/g"):
        with open(f"{public_root}/{name}", "wb"):
            pass
    looks = Looks(public_root)
    looks.look()

    for mode in (0, 0o600):  # neither list nor search; list and not search
        os.chmod(f"{public_root}/d", mode)
        found = looks.look()
        os.chmod(f"{public_root}/d", 0o700)
        assert (found.changed, found.vanished, found.unreadable_folders) == ((), (), ("d",))
        assert (found.n_files, found.empty_folders) == (2, ("d/e/empty",))

    assert looks.look().changed == ()


def test_an_unreadable_folder_is_walked_once_it_can_be(public_root, without_root):
    """A folder that was never readable is found as new when it becomes so."""
    os.mkdir(f"{public_root}/d", 0)
    looks = Looks(public_root)
    assert looks.look().unreadable_folders == ("d",)
    os.chmod(f"{public_root}/d", 0o700)
    with open(f"{public_root}/d/f", "wb"):
        pass

    assert looks.look().changed == ("d/f",)


def test_a_folder_removed_during_the_walk_is_gone(looks, root):
    """What is there when its parent is listed, and not any more when it is opened, has vanished."""
    looks.look()

    def remove_meanwhile(_paths):
        shutil.rmtree(root / "d" / "e")
        return set()

    (root / "d" / "new").touch()
    found = scan(
        str(root),
        looks.cache,
        remove_meanwhile,
        started_ns=time.time_ns() + LATER_NS,
        max_files=9,
        recheck=False,
    )
    looks.cache = found.cache

    assert (found.changed, found.vanished) == (("d/new",), ("d/e/c",))
    assert looks.look().vanished == ()


def test_a_folder_that_becomes_a_link_during_the_walk_is_not_followed(looks, root, tmp_path):
    """A folder that is replaced by a link after its parent was listed is gone; the link is found next time."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").touch()

    def replace_meanwhile(paths):
        if "d/" in paths:
            shutil.rmtree(root / "d")
            (root / "d").symlink_to(tmp_path / "outside")
        return set()

    found = scan(
        str(root),
        StatCache(),
        replace_meanwhile,
        started_ns=time.time_ns() + LATER_NS,
        max_files=9,
        recheck=False,
    )
    looks.cache = found.cache

    assert found.changed == ("a",)
    assert looks.look().changed == ("d",)


def test_too_many_files_are_refused_with_a_way_on(looks):
    """A workspace over the limit is refused, and the hint names the setting; at the limit it is not."""
    assert looks.look(max_files=3).n_files == 3
    for cache in (looks.cache, StatCache()):
        looks.cache = cache
        with pytest.raises(WorkspaceRefused, match="more than 2 files") as caught:
            looks.look(max_files=2)
        assert "record.max_files" in caught.value.hint


def test_a_root_that_is_gone_is_refused(looks, root):
    """That the whole workspace is gone is not taken for the deletion of every file."""
    looks.look()
    shutil.rmtree(root)

    with pytest.raises(WorkspaceRefused):
        looks.look()
