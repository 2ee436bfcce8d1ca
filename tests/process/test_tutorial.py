"""The tutorial: every command on the page is run, and prints what the page says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
_BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")

pytestmark = pytest.mark.skipif(sys.platform == "darwin", reason="the page uses GNU sed")


def transcript_of(page: str) -> list[tuple[str, str]]:
    """The commands of a page; a dollar sign inside a command does not begin another."""
    found: list[tuple[str, str]] = []
    for block in _BLOCK.findall(page):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], ""))
            else:
                command, printed = found.pop()
                found.append((command, f"{printed}{line}\n"))
    return found


class Terminal:
    """A shell that remembers its folder between commands."""

    def __init__(self, home: Path) -> None:
        self._cwd = home
        self._home = home
        tools = home / "bin"
        tools.mkdir()
        program = tools / "takeback"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m takeback "$@"\n', encoding="utf-8")
        program.chmod(0o755)
        kept = {name: os.environ[name] for name in ("TMPDIR", "PYTHONPATH") if name in os.environ}
        self._environ = kept | {
            "PATH": f"{tools}:{os.path.dirname(shutil.which('git') or '')}:/usr/bin:/bin",
            "HOME": str(home),
            "LC_ALL": "C.UTF-8",
            "TAKEBACK_STATE_DIR": str(home / "state"),
            "GIT_CONFIG_COUNT": "2",
            "GIT_CONFIG_KEY_0": "user.name",
            "GIT_CONFIG_VALUE_0": "Ann",
            "GIT_CONFIG_KEY_1": "user.email",
            "GIT_CONFIG_VALUE_1": "ann@example.invalid",
        }

    def run(self, command: str) -> str:
        """What a command prints, as the page writes it."""
        done = subprocess.run(
            ["bash", "-c", f'{command}\nstatus=$?\npwd > "$HOME/cwd"\nexit $status'],
            cwd=self._cwd,
            env=self._environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            check=False,
        )
        self._cwd = Path((self._home / "cwd").read_text(encoding="utf-8").strip())
        status = f"[exit status {done.returncode}]\n" if done.returncode else ""
        return self._plain(done.stdout) + status

    def _plain(self, text: str) -> str:
        text = re.sub(rf"{re.escape(str(self._home))}/state/\S+", "STATE", _TIME.sub("TIME", text))
        return text.replace(str(self._home / "project"), "PROJECT")


def test_the_tutorial_does_what_it_says(tmp_path):
    """Typed in order, every command of the tutorial prints exactly what the page shows."""
    page = (DOCS / "tutorial.md").read_text(encoding="utf-8")
    terminal = Terminal(tmp_path)
    transcript = transcript_of(page)

    real = [(command, terminal.run(command)) for command, _ in transcript]

    assert real == transcript
