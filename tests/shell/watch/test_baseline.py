"""The first look, with git asked beside it."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path

from takeback.service.opening import open_workspace
from takeback.watch import baseline


def test_a_file_written_after_git_was_asked_is_read(tmp_path, monkeypatch):
    """What is written while git says that the index is right is still known as it is, not as the index has it."""
    monkeypatch.setenv("TAKEBACK_STATE_DIR", str(tmp_path / "states"))
    monkeypatch.setenv("HOME", str(tmp_path))
    root = tmp_path / "workspace"
    git(tmp_path, "init", "-q", str(root))
    (root / "file.txt").write_text("committed\n", encoding="utf-8")
    git(root, "add", "-A")
    git(root, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "first")
    written = threading.Event()
    ask, link = baseline.dirty_paths, baseline._index_leaves

    def ask_then_write(repository):
        answer = ask(repository)
        Path(root / "file.txt").write_text("later\n", encoding="utf-8")
        written.set()
        return answer

    def link_after_that(store, folder):
        found = link(store, folder)
        assert written.wait(30)
        return found

    monkeypatch.setattr(baseline, "dirty_paths", ask_then_write)
    monkeypatch.setattr(baseline, "_index_leaves", link_after_that)

    with open_workspace(str(root)) as workspace:
        state = workspace.recorder.state_of("file.txt")[1]

        assert workspace.store.get(state.blob) == b"later\n"


def git(folder, *arguments):
    """Run git."""
    subprocess.run(["git", *arguments], cwd=folder, check=True)
