"""The layers: imports point downwards, and each foreign library has one place that knows it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[2]
LINT = (os.path.join(os.path.dirname(sys.executable), "lint-imports"), "--no-cache")


def lint(*options: str) -> subprocess.CompletedProcess[str]:
    """What import-linter says about the project."""
    return subprocess.run(
        [*LINT, *options], cwd=PROJECT, capture_output=True, text=True, encoding="utf-8", check=False
    )


def test_imports_keep_the_contracts():
    """Every contract on imports in `pyproject.toml` is kept."""
    done = lint()

    assert done.returncode == 0, done.stdout
    assert ", 0 broken" in done.stdout


def test_a_start_of_the_program_imports_nothing_of_the_editor_side():
    """The command line starts without the libraries of the servers, without cattrs and without watchdog."""
    heavy = {"lsprotocol", "pygls", "mcp", "pydantic", "watchdog", "cattrs", "tree_sitter", "asyncio", "git"}
    code = f"import sys, takeback.cli.program; print(*({heavy!r} & sys.modules.keys()))"

    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, encoding="utf-8", check=True
    )

    assert done.stdout.split() == []
