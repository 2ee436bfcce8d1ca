"""Which file system a path lies on, as far as it matters: a network one has no safe WAL and no events."""

from __future__ import annotations

import os
import re

_NETWORK = frozenset(
    {
        "9p", "acfs", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "drvfs", "glusterfs", "gpfs", "lustre",
        "ncpfs", "nfs", "nfs4", "orangefs", "prl_fs", "smb3", "smbfs", "vboxsf", "vmhgfs",
        "fuse.ceph", "fuse.davfs", "fuse.davfs2", "fuse.gcsfuse", "fuse.glusterfs", "fuse.gvfsd-fuse", "fuse.juicefs",
        "fuse.mfs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs", "fuse.vmhgfs-fuse", "fuse.wsfs",
    }
)  # fmt: skip
_ESCAPE = re.compile(r"\\([0-7]{3})")


def is_network(path: str) -> bool:
    """Whether `path` (existing or not) lies on a network file system or a folder shared by a virtual machine's host.

    False where the system has no `/proc/self/mountinfo` to ask.
    """
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as mounts:
            table = mounts.read()
    except OSError:
        return False
    return file_system_type(os.path.realpath(path), table) in _NETWORK


def file_system_type(path: str, mountinfo: str) -> str:
    """The type of the file system that holds the real path `path`, by a `mountinfo` table; empty when unknown.

    Source: proc_pid_mountinfo(5).
    """
    found, kind = "", ""
    for line in mountinfo.splitlines():
        mount, _, source = line.partition(" - ")
        point = _ESCAPE.sub(lambda match: chr(int(match[1], 8)), mount.split(" ")[4])
        # A later mount on the same point hides the earlier one.
        if len(point) >= len(found) and (path + "/").startswith(point.rstrip("/") + "/"):
            found, kind = point, source.split(" ")[0]
    return kind
