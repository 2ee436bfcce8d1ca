"""Takeback in a real Neovim, without any client code of ours."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
SOURCE = PROJECT / "server" / "takeback" / "undo" / "weave.py"
SCENARIO = Path(__file__).with_name("nvim") / "scenario.lua"
TAKEBACK = Path(sys.executable).with_name("takeback")

pytestmark = pytest.mark.editor


@pytest.fixture
def nvim():
    """The Neovim that `run.sh` names."""
    path = os.environ.get("TAKEBACK_NVIM") or shutil.which("nvim")
    if path is None:
        pytest.skip("no Neovim: run tests/editors/run.sh")
    return path


@pytest.fixture
def workspace(tmp_path):
    """A git repository with one of our own source files in it."""
    root = tmp_path / "project"
    root.mkdir()
    shutil.copy(SOURCE, root / "weave.py")
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        subprocess.run(["git", *identity, *arguments], cwd=root, check=True)
    return root


@pytest.fixture
def drive(nvim, workspace, tmp_path):
    """Runs one scenario; what Neovim said is shown if it fails."""

    def run(scenario):
        folders = {f"XDG_{name}_HOME": str(tmp_path / name) for name in ("CONFIG", "DATA", "STATE", "CACHE")}
        environment = {**os.environ, **folders, "TAKEBACK_STATE_DIR": str(tmp_path / "history")}
        line = "# an agent wrote this"
        words = ["--headless", "-u", "NONE", "-i", "NONE", "-n", "-l", str(SCENARIO)]
        done = subprocess.run(
            [nvim, *words, str(TAKEBACK), str(workspace / "weave.py"), scenario, line],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            timeout=90,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    return run


@pytest.mark.promise(8)
@pytest.mark.trap(13)
@pytest.mark.trap(1)
def test_a_line_is_taken_back_beside_unsaved_text(drive):
    """An agent's line 3 goes from buffer and disk, the human's line 39 stays unsaved, and `:w` makes both agree."""
    drive("reloaded")


@pytest.mark.promise(8)
@pytest.mark.trap(13)
def test_a_buffer_that_was_not_reloaded_is_not_touched(drive):
    """When the agent's line was never loaded, the disk gets its former bytes, and the buffer stays as it is."""
    drive("not_reloaded")


@pytest.mark.trap(13)
def test_a_clean_buffer_follows_and_the_editors_own_undo_works(drive):
    """A buffer without unsaved text is edited like by a person: `u` brings the agent's line back."""
    drive("clean")


@pytest.mark.promise(8)
@pytest.mark.trap(13)
def test_text_that_was_not_sent_yet_is_not_lost(drive):
    """A line that Neovim had not told of when the undo came is put back, and the undo is a conflict."""
    drive("clash")
