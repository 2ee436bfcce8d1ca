"""What real editors once said is said again, and the server answers as it did, to the same end."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from replaying import Replay

pytestmark = pytest.mark.server

TRAFFIC = sorted((Path(__file__).parents[1] / "traffic").glob("*.jsonl"))
TEXT = "".join(f"line {number}\n" for number in range(1, 41))


@pytest.fixture
def base(tmp_path):
    """The repository in which everything was recorded."""
    root = tmp_path / "project"
    root.mkdir()
    for name in ("a.py", "b.py"):
        (root / name).write_text(TEXT, encoding="utf-8")
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        subprocess.run(["git", *identity, *words], cwd=root, check=True)
    return tmp_path


@pytest.mark.parametrize("recording", TRAFFIC, ids=lambda path: path.stem)
def test_the_server_answers_an_editor_as_it_did(recording, base):
    """Every answer, every edit and every question is what the editor was sent when it was recorded, and so are the files."""
    environment = {**os.environ, "TAKEBACK_STATE_DIR": str(base / "state")}
    lines = recording.read_text(encoding="utf-8").splitlines()

    assert Replay(lines, base, environment).play() == []


def test_every_editor_was_recorded():
    """There is a recording of Neovim, old and new, of Emacs with Eglot and with lsp-mode, and of Vim with ALE."""
    assert {path.stem for path in TRAFFIC} == {"neovim", "neovim-0.7", "eglot", "lsp-mode", "ale"}
