"""Makes `docs/images/terminal.svg`: a real session in a temporary workspace, as a terminal shows it.

Run it with `python docs/picture.py`. Every line of output is what the program printed on a pseudo-terminal.
"""

# ruff: noqa: INP001 - a script beside the pages, no module of a package
from __future__ import annotations

import io
import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

PICTURE = Path(__file__).parent / "images" / "terminal.svg"
WIDTH = 88
_BEFORE = "def total(prices):\n    return sum(prices)\n\n\ndef mean(prices):\n    return total(prices) / 2\n"
_SILENT = (
    ("sed -i 's/sum(prices)/math.fsum(prices)/; 1i import math' cart.py", "agent:claude", "exact sums"),
    ("sed -i 's|/ 2|/ len(prices)|' cart.py", "human", ""),
    ("printf '# test\\n' > test_cart.py", "agent:claude", "add a test"),
)
_SHOWN = (
    "takeback log",
    "takeback diff 1..3 -- cart.py",
    "takeback undo --op 1",
    "takeback diff 1..4 -- cart.py",
)


def main() -> None:
    """Play the session and draw it."""
    home = tempfile.mkdtemp(prefix="takeback-picture-")
    try:
        console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
        for text in _session(home):
            console.print(text, soft_wrap=True)
        svg = console.export_svg(title="takeback")
    finally:
        shutil.rmtree(home)
    # The fonts that rich names are on a server; a picture must not ask one.
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL).replace(
        "Fira Code, monospace", "monospace"
    )
    PICTURE.write_text(svg, encoding="utf-8")


def _session(home: str) -> list[Text]:
    root = os.path.join(home, "shop")
    os.mkdir(root)
    environ = os.environ | {
        "TAKEBACK_STATE_DIR": os.path.join(home, "state"),
        "TERM": "xterm-256color",
        "PATH": f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}",
    }
    Path(root, "cart.py").write_text(_BEFORE, encoding="utf-8")
    _run("takeback init", root, environ)
    for command, actor, label in _SILENT:
        _run(command, root, environ)
        _run(f"takeback record --actor {actor} --label '{label}'", root, environ)
    shown: list[Text] = []
    for command in _SHOWN:
        shown += [Text(f"$ {command}", style="bold"), Text.from_ansi(_run(command, root, environ)), Text("")]
    return shown[:-1]


def _run(command: str, folder: str, environ: dict[str, str]) -> str:
    """What a command prints on a terminal."""
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        ["/bin/bash", "-c", command], cwd=folder, env=environ, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    printed = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:  # Linux: the other end is closed
            break
        if not part:
            break
        printed += part
    child.wait()
    os.close(ours)
    return printed.decode().replace("\r\n", "\n").rstrip("\n")


if __name__ == "__main__":
    main()
