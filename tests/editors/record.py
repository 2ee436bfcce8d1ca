"""Records what every editor and the server say to each other in one small scenario, into `tests/traffic`.

`tests/editors/run.sh --record` runs it; `tests/process/test_traffic.py` plays the editors' side again.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from editors.clients import CLIENTS
from editors.stage import Stage, agent, human, survivors
from editors.tee import note
from replaying import normal
from waiting import until

TRAFFIC = Path(__file__).parents[1] / "traffic"


def play(stage):
    """An agent writes twice, a person looks who it was, types and saves; the first operation goes and comes back."""
    stage.start()
    stage.run("sed -i 's/^line 3$/agent 3/' a.py", "rename the third")
    stage.run("sed -i 's/^line 20$/agent 20/' a.py", "rename the twentieth")
    stage.follow("a.py")
    until(lambda: stage.do("hover", "a.py", line=3))
    stage.do("actions", "a.py", line=3)
    if stage.client.lenses:
        stage.do("lenses", "a.py")
    if stage.client.asks:
        stage.asks("undoLast", ["rename the third"])
        stage.wait_for("a.py", disk=agent(20), shown=agent(20))
        stage.command("status")  # it is answered when the file has the time that the editor knows
    else:
        stage.command("undoOperations", {"ids": [1]})
        stage.follow("a.py")
    stage.types("a.py", "line 30", "human 30")
    stage.do("save", "a.py")
    stage.wait_recorded("human")
    stage.command("redo", {"n": 1})
    stage.expect("a.py", disk=human(30, text=agent(3, 20)), shown=human(30, text=agent(3, 20)))


def record(client, base):
    """The lines of one editor, with the folders' names taken out."""
    log = base / "log"
    stage = Stage(client, base, log=log)
    try:
        play(stage)
        shown = stage.shows("a.py")
        stage.quit()
    finally:
        stage.end()
    until(lambda: survivors(base / "state") == [])
    note(log, {"from": "end", "files": stage.files(), "shown": {"a.py": shown}})
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    return "".join(json.dumps(normal(line, base), ensure_ascii=False) + "\n" for line in lines)


def main(*names):
    """Record some editors anew, or all."""
    for name in names or CLIENTS:
        with tempfile.TemporaryDirectory(prefix="tb") as folder:
            text = record(CLIENTS[name], Path(folder))
        (TRAFFIC / f"{name}.jsonl").write_text(text, encoding="utf-8")
        sys.stdout.write(f"{name}: {len(text.splitlines())} lines\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
