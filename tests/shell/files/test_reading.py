"""How the workspace is looked at and read."""

import os
import socket
import sys

import pytest

from takeback.errors import Refused, WorkspaceRefused
from takeback.files import reading
from takeback.files.disk import Folder
from takeback.files.reading import Reading
from takeback.model.state import FileKind, Reason

MIB = 1 << 20


def test_a_file_is_read_whole(root, folder):
    """A reading holds every byte of a file, its kind, and the stat that belongs to them."""
    (root / "a").mkdir()
    (root / "a" / "b.bin").write_bytes(b"\0\r\n\xff" * 700_000)

    found = folder.read("a/b.bin", 10 * MIB)

    assert (found.kind, found.data, found.reason) == (FileKind.FILE, b"\0\r\n\xff" * 700_000, None)
    assert found.stat == folder.look("a/b.bin")
    assert found.stat.inode == os.stat(root / "a" / "b.bin").st_ino


def test_an_empty_file_is_not_an_absent_one(root, folder):
    """An empty file has empty content; an absent one has no kind."""
    (root / "empty").touch()

    assert folder.read("empty", MIB).data == b""
    assert folder.read("absent", MIB) == Reading()
    assert folder.look("absent") is None


@pytest.mark.parametrize("size", [9, 10, 11])
def test_files_over_the_limit_are_not_read(root, folder, size):
    """A file of exactly the limit is read, one byte more is too large."""
    (root / "f").write_bytes(b"x" * size)

    found = folder.read("f", 10)

    assert found.reason == (Reason.TOO_LARGE if size > 10 else None)
    assert found.data == (None if size > 10 else b"x" * size)
    assert found.stat.size_bytes == size


def test_a_file_without_a_size_is_read_to_its_end():
    """Files that say they are empty and are not, as under /proc, are read as far as they go."""
    if sys.platform != "linux":
        pytest.skip("only Linux has /proc")
    with Folder("/proc/self") as process:
        assert b"Name:" in process.read("status", MIB).data
        assert process.read("status", 10).reason is Reason.TOO_LARGE


@pytest.mark.trap(14)
@pytest.mark.parametrize("target", ["file", "folder", "nowhere"])
def test_a_symlink_is_read_as_its_target_bytes(root, folder, target):
    """A link to a file, to a folder or to nothing is a link, and what it points at is not looked at."""
    (root / "file").write_text("content")
    (root / "folder").mkdir()
    (root / "link").symlink_to(target)

    found = folder.read("link", MIB)

    assert (found.kind, found.data) == (FileKind.SYMLINK, target.encode())
    assert folder.look("link").kind is FileKind.SYMLINK


def test_a_folder_has_no_content(root, folder):
    """A folder is read as a folder, without data and without a reason to miss it."""
    (root / "d").mkdir()

    found = folder.read("d", MIB)

    assert (found.kind, found.data, found.reason) == (FileKind.DIRECTORY, None, None)


@pytest.mark.trap(14)
def test_nothing_is_seen_through_a_symlinked_parent(root, folder, tmp_path):
    """A path below a link to a folder does not exist, even though the system would find it."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("s")
    (root / "link").symlink_to(outside)

    assert folder.look("link/secret") is None
    assert folder.read("link/secret", MIB) == Reading()
    assert folder.names("link") == ()


def test_nothing_is_below_a_file(root, folder):
    """A path below a file, or with a name that no file can have, does not exist."""
    (root / "f").write_text("x")

    assert folder.look("f/g") is None
    assert folder.read("f/g", MIB) == Reading()
    assert folder.look("n" * 256) is None
    assert folder.read("n" * 256 + "/x", MIB) == Reading()


def test_pipes_and_sockets_are_special_and_never_waited_for(root, folder):
    """A pipe without a writer and a socket are noted as special at once."""
    os.mkfifo(root / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        here = os.getcwd()
        os.chdir(root)  # a socket's name must be short
        listener.bind("socket")
        os.chdir(here)

        for name in ("pipe", "socket"):
            found = folder.read(name, MIB)
            assert (found.kind, found.data, found.reason) == (FileKind.FILE, None, Reason.SPECIAL)
            assert folder.look(name).kind is None


@pytest.mark.trap(18)
def test_what_cannot_be_read_is_listed_as_such(public_root, without_root):
    """A file without read permission is unreadable, not absent; so is one in a folder that cannot be searched."""
    with Folder(public_root) as folder:
        os.mkdir(f"{public_root}/closed")
        for name in ("file", "closed/file"):
            with open(f"{public_root}/{name}", "wb") as file:
                file.write(b"x")
        os.chmod(f"{public_root}/file", 0)
        os.chmod(f"{public_root}/closed", 0)

        found = folder.read("file", MIB)
        assert (found.kind, found.reason, found.stat.size_bytes) == (FileKind.FILE, Reason.UNREADABLE, 1)
        assert folder.read("closed/file", MIB).reason is Reason.UNREADABLE
        with pytest.raises(Refused, match="closed/file: permission denied"):
            folder.look("closed/file")
        with pytest.raises(Refused, match="cannot list closed: permission denied"):
            folder.names("closed")
        os.chmod(f"{public_root}/closed", 0o700)


def test_a_folder_that_may_only_be_passed_is_passed(public_root, without_root):
    """Files in a folder that can be searched but not listed are read by name."""
    with Folder(public_root) as folder:
        os.mkdir(f"{public_root}/dark")
        with open(f"{public_root}/dark/file", "wb") as file:
            file.write(b"x")
        os.chmod(f"{public_root}/dark", 0o300)

        assert folder.read("dark/file", MIB).data == b"x"
        os.chmod(f"{public_root}/dark", 0o700)


@pytest.mark.trap(14)
@pytest.mark.parametrize(
    "name", ["a\nb", "-rf", "'\"", "n" * 255, os.fsdecode(b"caf\xe9"), " ", "e\u0301", "\\", "..."], ids=ascii
)
def test_every_name_is_kept(root, folder, name):
    """Newlines, quotes, dashes, 255 bytes and bytes outside UTF-8 are names like any other."""
    with open(os.path.join(os.fsencode(root), os.fsencode(name)), "wb") as file:
        file.write(b"x")

    assert folder.names("") == (name,)
    assert folder.read(name, MIB).data == b"x"


def test_paths_may_be_longer_than_the_system_takes_at_once(folder):
    """A path of more than 4,096 bytes is reached folder by folder."""
    deep = "/".join(["d" * 250] * 20)
    folder.make_folders(deep)
    staged = folder.stage_file(f"{deep}/f", ".takeback-1", b"deep", 0o644, like=False)
    assert folder.place(staged, f"{deep}/f")

    assert folder.read(f"{deep}/f", MIB).data == b"deep"


def test_a_file_that_changes_while_it_is_read_is_read_again(root, folder, monkeypatch):
    """The data of a reading is what the file held at one moment, not parts of two."""
    (root / "f").write_bytes(b"old old old")
    real_read = os.read
    n_writes = 0

    def write_after_first_read(fd, n_bytes):
        nonlocal n_writes
        data = real_read(fd, n_bytes)
        if n_writes == 0:
            n_writes += 1
            (root / "f").write_bytes(b"new")
        return data

    monkeypatch.setattr(reading.os, "read", write_after_first_read)

    assert folder.read("f", MIB).data == b"new"


def test_a_workspace_that_is_no_folder_is_refused(tmp_path):
    """Opening a file, or nothing, as a workspace is refused with the path in the message."""
    (tmp_path / "f").touch()

    for name in ("f", "absent"):
        with pytest.raises(WorkspaceRefused, match=name):
            Folder(str(tmp_path / name))
