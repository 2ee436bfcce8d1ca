"""Workspaces on the real disk, and a way to be someone without root's rights."""

import os
import shutil
import tempfile

import pytest

from takeback.files.disk import Folder

NOBODY = 65534


@pytest.fixture
def root(tmp_path):
    """An empty workspace folder."""
    folder = tmp_path / "workspace"
    folder.mkdir()
    return folder


@pytest.fixture
def folder(root):
    """The workspace, opened."""
    with Folder(str(root)) as opened:
        yield opened


@pytest.fixture
def public_root():
    """A workspace whose every parent folder any user may pass, owned by whoever `without_root` is."""
    path = tempfile.mkdtemp(prefix="takeback-test-")
    os.chmod(path, 0o755)
    if os.geteuid() == 0:
        os.chown(path, NOBODY, NOBODY)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def without_root():
    """The test runs without root's power to pass every permission; for other users nothing changes."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
