"""Which file systems count as network file systems."""

import pytest

from takeback.files.mounts import file_system_type, is_network

TABLE = r"""
21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
22 21 0:20 / /proc rw - proc proc rw
30 21 0:40 / /home/me rw shared:9 master:2 - nfs4 server:/me rw,vers=4.2
31 30 8:2 / /home/me/local rw - xfs /dev/sdb1 rw
32 21 0:41 / /mnt/with\040space rw - fuse.sshfs me@server: rw
33 21 8:3 / /over rw - ext4 /dev/sdc1 rw
34 33 0:42 / /over rw - cifs //server/share rw
""".strip()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", "ext4"),
        ("/srv/project", "ext4"),
        ("/home/me", "nfs4"),
        ("/home/me/project", "nfs4"),
        ("/home/meadow", "ext4"),
        ("/home/me/local/project", "xfs"),
        ("/mnt/with space/x", "fuse.sshfs"),
        ("/over/x", "cifs"),
    ],
)
def test_the_nearest_and_last_mount_holds_a_path(path, expected):
    """A path lies on the mount nearest above it, and of two on one point on the one mounted last."""
    assert file_system_type(path, TABLE) == expected


def test_an_unknown_table_says_nothing():
    """Without a mount that holds the path its type is unknown."""
    assert file_system_type("/x", "") == ""


def test_a_local_folder_is_not_on_a_network(root):
    """The kernel's own file systems and the folder of this test are local, whether the path exists or not."""
    assert is_network("/proc/self") is False
    assert is_network(str(root / "not" / "there")) is False
