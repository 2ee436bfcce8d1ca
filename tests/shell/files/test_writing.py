"""How files are staged, exchanged, placed and removed."""

import errno
import os
import sys

import pytest

from takeback.errors import Busy, NotFound, Refused, StorageFull, Unsupported
from takeback.files import native, staging
from takeback.files.disk import Folder
from takeback.files.faults import explained
from takeback.model.state import FileKind

MIB = 1 << 20
STAGED = ".takeback-1"
# user::rw-,user:1000:rw-,group::r--,mask::rw-,other::r-- as the kernel keeps it
ACL = bytes.fromhex(
    "0200000001000600ffffffff02000600e803000004000400ffffffff10000600ffffffff20000400ffffffff"
)


def test_a_staged_file_stands_beside_its_target(root, folder):
    """Staging writes a new file with content and mode into the target's folder and leaves the target alone."""
    (root / "d").mkdir()
    (root / "d" / "f").write_text("old")

    staged = folder.stage_file("d/f", STAGED, b"new", 0o755, like=False)

    assert staged == "d/" + STAGED
    assert (root / "d" / STAGED).read_bytes() == b"new"
    assert folder.look(staged).permissions == 0o755
    assert (root / "d" / "f").read_text() == "old"


@pytest.mark.trap(14)
def test_a_name_of_255_bytes_can_be_staged_for(root, folder):
    """The staged name does not depend on the target's, so the longest name can be replaced."""
    name = "n" * 255
    (root / name).write_text("old")

    folder.replace(folder.stage_file(name, STAGED, b"new", 0o644, like=True), name)

    assert (root / name).read_text() == "new"
    assert folder.names("") == (name,)


@pytest.mark.skipif(sys.platform != "linux", reason="Python offers xattrs only on Linux")
def test_xattrs_and_acls_are_kept(root, folder):
    """A file staged like another has its extended attributes, its ACL, and the mode that was asked for."""
    (root / "f").write_text("old")
    os.setxattr(root / "f", "user.note", b"\0kept")
    os.setxattr(root / "f", "system.posix_acl_access", ACL)

    folder.stage_file("f", STAGED, b"new", 0o664, like=True)

    assert os.getxattr(root / STAGED, "user.note") == b"\0kept"
    assert os.getxattr(root / STAGED, "system.posix_acl_access") == ACL
    assert folder.look(STAGED).permissions == 0o664


@pytest.mark.skipif(sys.platform != "linux", reason="Python offers xattrs only on Linux")
def test_a_default_acl_gives_nothing_that_the_old_file_has_not(root, folder):
    """Where the folder gives an ACL to new files, a file staged like one without is without."""
    (root / "f").write_text("old")
    os.setxattr(root, "system.posix_acl_default", ACL)

    folder.stage_file("f", STAGED, b"new", 0o644, like=True)

    assert os.listxattr(root / STAGED) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_owner_and_group_are_kept_where_permitted(root, folder):
    """Root stages a user's file as that user's, with its set-user-id bit."""
    (root / "f").write_text("old")
    os.chown(root / "f", 1234, 2345)

    folder.stage_file("f", STAGED, b"new", 0o4755, like=True)

    found = os.stat(root / STAGED)
    assert (found.st_uid, found.st_gid, found.st_mode & 0o7777) == (1234, 2345, 0o4755)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a file of another owner")
def test_rights_of_an_owner_are_not_lent_to_another(public_root, request):
    """A file whose owner cannot be kept loses the bit that runs it with its owner's rights."""
    with open(f"{public_root}/f", "wb") as file:
        file.write(b"old")
    with Folder(public_root) as folder:
        request.getfixturevalue("without_root")
        folder.stage_file("f", STAGED, b"new", 0o4755, like=True)

        assert folder.look(STAGED).permissions == 0o755


def test_a_link_is_staged_with_any_target(root, folder):
    """A staged link points at exactly the given bytes, whether they are UTF-8 or lead anywhere."""
    staged = folder.stage_link("l", STAGED, b"no\xffwhere")
    assert folder.place(staged, "l")

    assert folder.read("l", MIB).data == b"no\xffwhere"


def test_a_staged_name_that_is_taken_is_refused(root, folder):
    """Staging never writes into a file that is already there, nor through a link."""
    (root / "precious").write_text("p")
    (root / STAGED).symlink_to("precious")

    with pytest.raises(Refused, match="something is already there"):
        folder.stage_file("f", STAGED, b"new", 0o644, like=False)

    assert (root / "precious").read_text() == "p"


@pytest.mark.trap(17)
def test_a_full_disk_leaves_no_staged_file(root, folder, monkeypatch):
    """When there is no room for all of a staged file, there is none of it, and the error says so."""
    (root / "f").write_text("old")

    def write_some(fd, data):
        os.write(fd, data[:2])
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(staging, "write_all", write_some)

    with pytest.raises(StorageFull, match="cannot write beside f: no space is left"):
        folder.stage_file("f", STAGED, b"new new", 0o644, like=True)
    assert folder.names("") == ("f",)
    assert (root / "f").read_text() == "old"


def test_an_exchange_swaps_two_files(root, folder):
    """After an exchange each name has what the other had, file for file."""
    (root / "f").write_text("old")
    old_inode = folder.look("f").inode
    staged = folder.stage_file("f", STAGED, b"new", 0o644, like=False)

    if not folder.exchange(staged, "f"):
        pytest.skip("this file system cannot exchange")

    assert (root / "f").read_text() == "new"
    assert (root / STAGED).read_text() == "old"
    assert folder.look(STAGED).inode == old_inode


def test_an_exchange_swaps_kinds_too(root, folder):
    """A link and a folder can change places; nothing is followed."""
    (root / "d").mkdir()
    (root / "d" / "f").write_text("x")
    staged = folder.stage_link("d", STAGED, b"elsewhere")

    if not folder.exchange(staged, "d"):
        pytest.skip("this file system cannot exchange")

    assert folder.look("d").kind is FileKind.SYMLINK
    assert (root / STAGED / "f").read_text() == "x"


def test_an_exchange_with_nothing_is_an_error(root, folder):
    """When the target is gone, the exchange says so and the staged file stays."""
    staged = folder.stage_file("f", STAGED, b"new", 0o644, like=False)

    with pytest.raises(NotFound, match="cannot replace f"):
        folder.exchange(staged, "f")
    assert folder.names("") == (STAGED,)


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP])
def test_a_system_without_exchange_says_so(root, folder, monkeypatch, number):
    """Where the kernel or the file system cannot exchange, nothing is done and the answer is False."""
    (root / "f").write_text("old")
    staged = folder.stage_file("f", STAGED, b"new", 0o644, like=False)
    _without_renameat2(monkeypatch, number)

    assert folder.exchange(staged, "f") is False
    assert (root / "f").read_text() == "old"


@pytest.mark.parametrize("kernel", ["new", "old", "old, no hard links"])
@pytest.mark.parametrize("kind", ["file", "link", "folder"])
def test_a_move_never_replaces(root, folder, monkeypatch, kernel, kind):
    """Files, links and folders move to free names only, whatever the system offers."""
    _without_some(monkeypatch, kernel)
    _make(root / "a", kind)
    (root / "taken").write_text("theirs")
    (root / "d").mkdir()
    inode = folder.look("a").inode

    assert folder.move("a", "taken") is False
    assert (root / "taken").read_text() == "theirs"
    assert folder.move("a", "d/b") is True
    assert folder.look("d/b").inode == inode
    assert sorted(folder.names("")) == ["d", "taken"]


@pytest.mark.parametrize("kernel", ["new", "old", "old, no hard links"])
def test_a_dangling_link_takes_a_name_too(root, folder, monkeypatch, kernel):
    """A staged file is not placed over a link that leads nowhere, nor through it."""
    _without_some(monkeypatch, kernel)
    (root / "f").symlink_to("nowhere")
    staged = folder.stage_file("f", STAGED, b"new", 0o644, like=False)

    assert folder.place(staged, "f") is False
    assert os.readlink(root / "f") == "nowhere"
    assert sorted(folder.names("")) == [STAGED, "f"]


@pytest.mark.trap(14)
def test_nothing_is_written_through_a_symlinked_parent(root, folder, tmp_path):
    """Every way of writing below a link is refused, and what the link points at stays as it is."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "f").write_text("theirs")
    (root / "link").symlink_to(outside)
    (root / "mine").write_text("mine")
    attempts = [
        lambda: folder.stage_file("link/f", STAGED, b"x", 0o644, like=True),
        lambda: folder.stage_link("link/f", STAGED, b"x"),
        lambda: folder.exchange("mine", "link/f"),
        lambda: folder.replace("mine", "link/f"),
        lambda: folder.move("mine", "link/g"),
        lambda: folder.move("link/f", "g"),
        lambda: folder.remove("link/f"),
        lambda: folder.remove_folder("link/d"),
        lambda: folder.make_folders("link/d"),
        lambda: folder.make_folders("link"),
        lambda: folder.set_mode("link/f", 0o777),
        lambda: folder.overwrite("link/f", b"x", lambda _: True),
        lambda: folder.sync_file("link/f"),
        lambda: folder.sync_folder("link"),
    ]
    for attempt in attempts:
        with pytest.raises(Refused, match="a symbolic link, or something that is no folder"):
            attempt()

    assert [path.name for path in outside.iterdir()] == ["f"]
    assert (outside / "f").read_text() == "theirs"
    assert folder.can_write("link") is False


def test_a_link_itself_is_not_written_through(root, folder):
    """Overwriting a link or changing its mode is refused; removing it removes the link alone."""
    (root / "f").write_text("theirs")
    os.chmod(root / "f", 0o640)
    (root / "link").symlink_to("f")

    with pytest.raises(Refused):
        folder.overwrite("link", b"x", lambda _: True)
    with pytest.raises(Unsupported):
        folder.set_mode("link", 0o777)
    assert folder.remove("link")
    assert (root / "f").read_text() == "theirs"
    assert folder.look("f").permissions == 0o640


@pytest.mark.parametrize("data", [b"", b"new", b"much longer than before"])
def test_a_file_with_several_names_is_overwritten_in_place(root, folder, data):
    """After an overwrite all names of a file still name one file, and show the new content, longer or shorter."""
    (root / "f").write_bytes(b"old content")
    os.link(root / "f", root / "g")
    before = folder.look("f")

    folder.overwrite("f", data, lambda _: True)

    assert (root / "g").read_bytes() == data
    assert (folder.look("g").inode, folder.look("g").n_links) == (before.inode, 2)


@pytest.mark.promise(2)
def test_what_does_not_fit_is_not_overwritten(root, folder):
    """An overwrite looks at the very file that it would write, and leaves it where that is not the expected one."""
    (root / "f").write_bytes(b"theirs")

    assert folder.overwrite("f", b"new", lambda found: found.data == b"old") is False
    assert (root / "f").read_bytes() == b"theirs"


@pytest.mark.promise(2)
def test_a_name_that_is_given_to_another_file_meanwhile_is_not_overwritten(root, folder):
    """A save by rename between look and write stays, and the other names of the old file show what they did."""
    (root / "f").write_bytes(b"old content")
    os.link(root / "f", root / "g")

    def saved_meanwhile(found):
        (root / "h").write_bytes(b"theirs")
        os.replace(root / "h", root / "f")
        return found.data == b"old content"

    assert folder.overwrite("f", b"new", saved_meanwhile) is False
    assert ((root / "f").read_bytes(), (root / "g").read_bytes()) == (b"theirs", b"old content")


def test_a_pipe_is_never_written_into(root, folder):
    """Overwriting a pipe is refused, with a reader waiting at it and without."""
    os.mkfifo(root / "pipe")
    with pytest.raises(Refused, match="pipe, socket or device"):
        folder.overwrite("pipe", b"x", lambda _: True)

    reader = os.open(root / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(Refused, match="pipe, socket or device"):
        folder.overwrite("pipe", b"x", lambda _: True)
    assert os.read(reader, 1) == b""
    os.close(reader)


@pytest.mark.trap(8)
def test_an_interrupted_overwrite_is_new_up_to_a_byte_and_old_after_it(root, folder, monkeypatch):
    """Nothing is cut off before the new content is written."""
    (root / "f").write_bytes(b"old content")

    def write_some(fd, data):
        os.write(fd, data[:3])
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(staging, "write_all", write_some)

    with pytest.raises(StorageFull):
        folder.overwrite("f", b"NEW CONTENT", lambda _: True)
    assert (root / "f").read_bytes() == b"NEW content"


def test_folders_are_made_and_removed(root, folder):
    """Making a folder tells which had to be made, outermost first; only an empty one is removed."""
    (root / "a").mkdir()

    assert folder.make_folders("a/b/c") == ("a/b", "a/b/c")
    assert folder.make_folders("a/b/c") == ()
    assert folder.make_folders("") == ()
    assert folder.remove_folder("a/b") is False
    assert folder.remove_folder("a/b/c") is True
    assert folder.remove_folder("a/b/c") is False


def test_folders_are_made_all_or_none(root, folder):
    """When a folder on the way cannot be made, those made before it are gone again."""
    with pytest.raises(Refused, match="too long"):
        folder.make_folders("a/b/" + "n" * 256)

    assert folder.names("") == ()


def test_removing_says_whether_something_was_there(root, folder):
    """Removing what is not there is no error; a folder is never removed as a file."""
    (root / "f").touch()
    (root / "d").mkdir()

    assert folder.remove("f") is True
    assert folder.remove("f") is False
    with pytest.raises(Refused):
        folder.remove("d")


def test_a_mode_can_be_set_on_what_cannot_be_read(public_root, without_root):
    """The owner of a file with no permissions at all can give it some."""
    with Folder(public_root) as folder:
        folder.place(folder.stage_file("f", STAGED, b"x", 0, like=False), "f")
        folder.set_mode("f", 0o755)

        assert folder.look("f").permissions == 0o755


@pytest.mark.trap(18)
def test_a_folder_that_cannot_be_written_is_known_before_and_refused(public_root, without_root):
    """Whether a folder can be written is asked without writing; a write there is refused with the path."""
    os.mkdir(f"{public_root}/closed")
    os.chmod(f"{public_root}/closed", 0o555)
    with Folder(public_root) as folder:
        assert folder.can_write("")
        assert folder.can_write("new/folders")
        assert not folder.can_write("closed")
        assert not folder.can_write("closed/new")
        with pytest.raises(Refused, match="closed/f: permission denied"):
            folder.stage_file("closed/f", STAGED, b"x", 0o644, like=False)
        with pytest.raises(Refused, match="cannot make the folder closed/new"):
            folder.make_folders("closed/new")


def test_everything_can_be_synced(root, folder):
    """Files, links, folders, the root and the whole file system can be synced."""
    folder.make_folders("d")
    folder.stage_file("d/f", STAGED, b"x", 0o644, like=False)
    folder.stage_link("d/f", STAGED + "l", b"x")

    folder.sync_file("d/" + STAGED)
    folder.sync_file("d/" + STAGED + "l")
    folder.sync_folder("d")
    folder.sync_folder("")
    folder.sync_all()


def test_a_staged_file_that_shuts_out_its_owner_is_synced(public_root, without_root):
    """A file staged without permissions is synced as well."""
    with Folder(public_root) as folder:
        folder.sync_file(folder.stage_file("f", STAGED, b"x", 0, like=False))


@pytest.mark.parametrize(
    ("number", "error"),
    [
        (errno.ENOSPC, StorageFull),
        (errno.EDQUOT, StorageFull),
        (errno.EROFS, Refused),
        (errno.ETXTBSY, Busy),
        (errno.EMFILE, Busy),
        (errno.EXDEV, Unsupported),
        (errno.EBADF, OSError),
    ],
)
def test_what_the_system_refuses_is_said_in_words(number, error):
    """Each refusal names what was tried and where, and what to do; what can only be a bug stays an OSError."""
    with pytest.raises(error) as caught, explained("write", "d/f\n"):
        raise OSError(number, os.strerror(number))

    if error is not OSError:
        assert caught.value.message.startswith(r"cannot write 'd/f\n': ")
        assert caught.value.hint


def _make(path, kind):
    if kind == "file":
        path.write_text("x")
    elif kind == "link":
        path.symlink_to("nowhere")
    else:
        path.mkdir()
        (path / "inside").touch()


def _without_some(monkeypatch, kernel):
    if kernel != "new":
        _without_renameat2(monkeypatch, errno.ENOSYS)
    if "no hard links" in kernel:

        def refuse(*_args, **_named):
            raise PermissionError(errno.EPERM, "no hard links here")

        monkeypatch.setattr(os, "link", refuse)


def _without_renameat2(monkeypatch, number):
    class Lacking:
        @staticmethod
        def renameat2(*_args):
            native.ctypes.set_errno(number)
            return -1

        renameatx_np = renameat2

    monkeypatch.setattr(native, "_LIBC", Lacking)
