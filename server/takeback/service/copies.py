"""Copies to read, for editors that can show nothing but files.

They lie beside what this server publishes, readable by their owner alone and writable by nobody, and go with it.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress

from takeback.files.faults import explained
from takeback.service import contents
from takeback.service.opening import Workspace
from takeback.service.published import SHOWN, own_file

_STRANGE = re.compile(r"[^A-Za-z0-9_.-]+")


def copy_of(workspace: Workspace, wanted: contents.Content) -> str:
    """The full path of a read-only file that holds a document. Raises what `contents.text` raises."""
    text = contents.text(workspace, wanted)
    folder = own_file(workspace.state, SHOWN)
    place = os.path.join(folder, _name(workspace, wanted))
    with explained("write the copy", place):
        os.makedirs(folder, mode=0o700, exist_ok=True)
        new = f"{place}.new"
        with suppress(FileNotFoundError):
            os.unlink(new)  # a full disk may have left it
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), "wb") as file:
            file.write(text.encode("utf-8", "surrogateescape"))
        os.replace(new, place)
    return place


def _name(workspace: Workspace, wanted: contents.Content) -> str:
    """A name that tells people what it is, and ends as the file does, so that editors choose its colours."""
    match wanted:
        case contents.OperationDiff():
            return f"operation-{wanted.op}.diff"
        case contents.CheckpointDiff():
            return f"since-{wanted.checkpoint}.diff"
        case contents.OperationFile():
            what = f"operation-{wanted.op}-{wanted.moment}-{wanted.file}"
        case contents.CheckpointFile():
            what = f"{wanted.checkpoint}-{wanted.file}"
    path = contents.path_of(workspace, wanted) or ""
    return f"{what}-{_STRANGE.sub('-', os.path.basename(path))[-80:]}"
