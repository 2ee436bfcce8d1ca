"""Trap 14: what a path can be besides a plain file, and what becomes what."""

import os
import shutil
import stat

import pytest

from takeback.files.disk import Folder


def a_file(path):
    """A file of two lines."""
    path.write_text("one\ntwo\n")


def another_file(path):
    """Another file."""
    path.write_text("three\n")


def a_program(path):
    """The file of two lines, executable."""
    path.write_text("one\ntwo\n")
    path.chmod(0o755)


def an_empty_file(path):
    """A file without a byte."""
    path.touch()


def a_binary(path):
    """Content without lines."""
    path.write_bytes(b"\0\1\2\n\0")


def a_link_to_a_file(path):
    """A link to a file of the workspace."""
    path.symlink_to("target")


def a_link_to_a_folder(path):
    """A link to a folder outside the workspace."""
    path.symlink_to(path.parents[1] / "outside")


def a_dangling_link(path):
    """A link that leads nowhere."""
    path.symlink_to("nowhere")


def a_folder(path):
    """A folder with files in it, one of the same name."""
    (path / "sub").mkdir(parents=True)
    (path / path.name).write_text("inside\n")
    (path / "sub" / "f").write_text("deep\n")


def an_empty_folder(path):
    """A folder with nothing in it."""
    path.mkdir()


def nothing(path):
    """Nothing at all."""


KINDS = [
    a_file,
    another_file,
    a_program,
    an_empty_file,
    a_binary,
    a_link_to_a_file,
    a_link_to_a_folder,
    a_dangling_link,
    a_folder,
    an_empty_folder,
    nothing,
]


def removed(path):
    """Nothing is at `path` any more."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)


def everything(scene):
    """All that is in the workspace, empty folders too."""
    folders = {str(path.relative_to(scene.root)) for path in scene.root.rglob("*") if path.is_dir()}
    return scene.files(), folders


@pytest.mark.parametrize("after", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("before", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.trap(14)
def test_any_kind_becomes_any_other_and_is_it_again(scene, before, after):
    """Whatever is replaced by whatever else, undo puts it back and redo brings the other, through no link."""
    (scene.base / "outside").mkdir()
    (scene.base / "outside" / "x").write_text("outside\n")
    scene.write("target", "target\n")
    before(scene.root / "x")
    scene.tb("status")
    first = everything(scene)
    removed(scene.root / "x")
    after(scene.root / "x")
    second = everything(scene)
    if scene.record() is None:
        assert first == second
        return

    for verb, expected in (("undo", first), ("redo", second), ("undo", first)):
        answer = scene.tb(verb)
        assert (answer.status, answer.json.get("outcome")) == (0, "applied"), answer
        assert everything(scene) == expected

    assert scene.record() is None
    assert (scene.base / "outside" / "x").read_text() == "outside\n"
    assert scene.read("target") == "target\n"


@pytest.mark.trap(14)
def test_a_link_is_never_written_through(scene):
    """Undo of a replacement by a link removes the link, and leaves what it pointed at as it is."""
    scene.write("notes", "mine\n")
    scene.write("precious", "precious\n")
    scene.cli("status")
    (scene.root / "notes").unlink()
    (scene.root / "notes").symlink_to("precious")
    changes = scene.cli("record", "--actor", "agent:a").json["operation"]["changes"]
    precious = (scene.root / "precious").stat()

    assert [change["status"] for change in changes] == ["type"]
    assert scene.cli("undo").status == 0

    assert not (scene.root / "notes").is_symlink()
    assert (scene.read("notes"), scene.read("precious")) == ("mine\n", "precious\n")
    assert (scene.root / "precious").stat() == precious


@pytest.mark.trap(14)
def test_a_file_in_a_folder_that_became_a_link_stays_where_it_is(scene):
    """A folder on the way was replaced by a link: what it leads to is neither written nor removed."""
    outside = scene.base / "outside"
    scene.write("d/f", "one\n")
    scene.write("d/g", "one\n")
    scene.tb("status")
    scene.write("d/f", "agent\n")
    (scene.root / "d" / "g").unlink()
    op = scene.record()
    (scene.root / "d").rename(outside)
    (scene.root / "d").symlink_to(outside)
    scene.record("human")

    undone = scene.tb("undo", "--op", str(op))

    assert undone.json["outcome"] == "conflict"
    assert {path.name for path in outside.iterdir()} == {"f"}
    assert (outside / "f").read_text() == "agent\n"


@pytest.mark.parametrize("mode", [0o755, 0o600, 0o444, 0o4755, 0o2755, 0o000])
@pytest.mark.trap(14)
def test_permission_bits_alone(scene, mode):
    """A change of permission bits, set-user-id too, is an operation; content, inode and mtime stay as they are."""
    path = scene.root / "f"
    scene.write("f", "one\n")
    path.chmod(0o644)
    scene.tb("status")
    path.chmod(mode)
    op = scene.record()
    before = path.stat()

    assert scene.tb("show", str(op)).json["operations"][0]["changes"][0]["status"] == "mode"
    assert scene.tb("undo").status == 0
    after = path.stat()
    assert stat.S_IMODE(after.st_mode) == 0o644
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert scene.tb("redo").status == 0
    assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.trap(14)
def test_what_belongs_to_a_file_besides_its_content_is_kept(scene):
    """Undo of an edit keeps mode, owner and extended attributes, and gives the file the present mtime."""
    path = scene.root / "f"
    scene.write("f", "one\n")
    path.chmod(0o4750)
    os.setxattr(path, "user.note", b"kept")
    scene.tb("status")
    with path.open("w") as file:
        file.write("agent\n")
    path.chmod(0o4750)
    os.utime(path, ns=(0, 10**18))
    scene.record()

    assert scene.tb("undo").status == 0

    after = path.stat()
    assert path.read_text() == "one\n"
    assert os.getxattr(path, "user.note") == b"kept"
    assert stat.S_IMODE(after.st_mode) == 0o4750
    assert (after.st_uid, after.st_gid) == (os.getuid(), os.getgid())
    assert after.st_mtime_ns > 10**18


@pytest.mark.parametrize("names", [["x", "y"], ["x", "y", "d/z"]])
@pytest.mark.trap(14)
def test_a_file_with_several_names_stays_one_file(scene, names):
    """Undo of a write to a file with several hard links shows under all of them, and they stay links."""
    scene.write(names[0], "one\n")
    for name in names[1:]:
        (scene.root / name).parent.mkdir(exist_ok=True)
        os.link(scene.root / names[0], scene.root / name)
    scene.tb("status")
    with (scene.root / names[0]).open("w") as file:
        file.write("agent\n")
    scene.record()

    for verb, content in (("undo", "one\n"), ("redo", "agent\n")):
        assert scene.tb(verb).status == 0
        assert {scene.read(name) for name in names} == {content}
        assert len({(scene.root / name).stat().st_ino for name in names}) == 1
    assert scene.record() is None


@pytest.mark.trap(14)
@pytest.mark.promise(5)
def test_what_a_pipe_replaced_is_not_claimed_to_be_back(scene):
    """A file replaced by a pipe: its undo says that what is there now was not captured, and leaves it."""
    scene.write("f", "one\n")
    scene.tb("status")
    (scene.root / "f").unlink()
    os.mkfifo(scene.root / "f")
    scene.record()

    undone = scene.tb("undo")

    assert (undone.status, undone.json["outcome"]) == (3, "refused")
    assert undone.outcome_of("f") == ("not_captured", "what is there now was not captured: special")
    assert stat.S_ISFIFO((scene.root / "f").lstat().st_mode)


@pytest.mark.trap(14)
def test_empty_folders_come_and_go(scene):
    """Empty folders, one in another too, are created, removed and brought back like files."""
    (scene.root / "old").mkdir()
    scene.tb("status")
    (scene.root / "old").rmdir()
    (scene.root / "a" / "b" / "c").mkdir(parents=True)
    scene.record()

    assert scene.tb("undo").status == 0
    assert os.listdir(scene.root) == ["old"]
    assert scene.tb("redo").status == 0
    assert (scene.root / "a" / "b" / "c").is_dir()
    assert os.listdir(scene.root) == ["a"]


@pytest.mark.trap(14)
def test_a_folder_that_lost_its_last_file_stays(scene):
    """The last file of a folder is deleted, not the folder: redo of that leaves the folder, undo fills it again."""
    scene.write("d/f", "one\n")
    scene.tb("status")
    (scene.root / "d" / "f").unlink()
    scene.record()

    for verb, there in (("undo", ["f"]), ("redo", []), ("undo", ["f"])):
        assert scene.tb(verb).status == 0
        assert os.listdir(scene.root / "d") == there


@pytest.mark.trap(14)
@pytest.mark.promise(3)
def test_a_file_that_became_a_folder_with_content_comes_back_step_by_step(scene):
    """A file becomes a folder and then gets a file: both steps are undone one by one, and redone together."""
    scene.write("p", "file\n")
    scene.tb("status")
    (scene.root / "p").unlink()
    (scene.root / "p").mkdir()
    scene.record()
    scene.write("p/x", "x\n")
    scene.record()

    assert [scene.tb("undo").status for _ in range(2)] == [0, 0]
    assert scene.read("p") == "file\n"
    assert scene.tb("redo", "2").json["outcome"] == "applied"
    assert scene.read("p/x") == "x\n"


@pytest.mark.trap(14)
@pytest.mark.promise(5)
def test_an_empty_folder_that_was_filled_goes_with_what_is_in_it(scene):
    """A folder is made empty and filled later: undoing both leaves no folder, and says so rightly."""
    scene.write("k", "k\n")
    scene.tb("status")
    (scene.root / "e").mkdir()
    scene.record()
    scene.write("e/f/x", "x\n")
    scene.record()

    undone = scene.tb("undo", "2")

    assert undone.outcome_of("e")[0] == "removed"
    assert os.listdir(scene.root) == ["k"]
    assert scene.record() is None


@pytest.mark.trap(14)
@pytest.mark.promise(4)
@pytest.mark.parametrize("verb", ["undo", "rollback"])
def test_a_folder_that_became_a_file_elsewhere_leaves_nothing_behind(scene, verb):
    """An empty folder becomes a file, which is renamed: what is taken back leaves the folder and nothing else."""
    (scene.root / "x").mkdir()
    checkpoint = scene.checkpoint()
    (scene.root / "x").rmdir()
    scene.write("x", "hi\n")
    scene.record()
    (scene.root / "x").rename(scene.root / "c")
    scene.record()

    assert scene.tb(*{"undo": ("undo", "2"), "rollback": ("rollback", checkpoint)}[verb]).status == 0
    assert os.listdir(scene.root) == ["x"]
    assert (scene.root / "x").is_dir()


@pytest.mark.trap(14)
@pytest.mark.promise(2)
def test_what_an_editor_saves_over_a_linked_file_in_the_last_moment_stays(scene, monkeypatch):
    """A save by rename, right before a file with several names is written in place, is never written over."""
    scene.write("a", "one\n")
    os.link(scene.root / "a", scene.root / "b")
    scene.tb("status")
    with (scene.root / "a").open("a") as file:
        file.write("agent\n")
    scene.record()
    overwrite, saves = Folder.overwrite, ["human\n"]

    def overwrite_late(*args):
        if saves:
            scene.write("editor", saves.pop())
            (scene.root / "editor").rename(scene.root / "a")
        return overwrite(*args)

    monkeypatch.setattr(Folder, "overwrite", overwrite_late)
    scene.tb("undo", "--op", "1")

    assert scene.read("a") == "human\n"
    assert "human" not in scene.read("b")
