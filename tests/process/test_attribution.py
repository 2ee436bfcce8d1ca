"""Everybody writes at once, and each write carries the name of who wrote it: the benchmark in small."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.server

PROGRAM = Path(__file__).parents[2] / "bench" / "attribution.py"
N_WRITES = 60


@pytest.mark.timeout(600)
def test_every_write_has_a_name_and_no_agent_anothers(tmp_path):
    """Three agents, a human, a formatter and git write at once: nothing is put down to a wrong agent, and no doubt left unsaid."""
    command = [sys.executable, "-P", str(PROGRAM), "--writes", str(N_WRITES), "--folder", str(tmp_path)]
    least = "0.9"  # of so few, each that only candidates are known for counts for more than one of a hundred

    ended = subprocess.run(
        [*command, "--verbose", "--least-right", least], capture_output=True, text=True, check=False
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.count("\n| ") == 7
