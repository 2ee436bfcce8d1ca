"""Cost follows the change, not the tree: counted in files opened and programs started, not in time."""

import json
import subprocess
import sys

import pytest

from scenes import make_scene

COUNTING = r"""
import json, re, sys
from collections import Counter

root, verb = sys.argv[1:]
counts, counting = Counter(), False
COUNTED = {"open": "opened", "os.scandir": "listed", "os.listdir": "listed", "subprocess.Popen": "started"}
FAN_OUT = re.compile(r"/objects/[0-9a-f]{2}$")  # synced once each: how many objects share one is the luck of their hashes

def heard(event, args):
    if counting and event in COUNTED and not FAN_OUT.search(str(args[0])):
        counts[COUNTED[event]] += 1

sys.addaudithook(heard)

from takeback.checkpoints import Circumstances, Wanted
from takeback.model.operation import OperationKind
from takeback.model.source import Source
from takeback.service import recording, taking_back
from takeback.service.opening import open_workspace
from takeback.service.requests import Request, Verb

source = Source(kind=OperationKind.EDIT, actor="agent:a")
with open_workspace(root) as workspace:
    recording.sync(workspace)
    with open(root + "/d3/f3", "a") as file:
        file.write("agent\\n")
    if verb == "undo":
        assert workspace.looker.at(["d3/f3"], source).operation
        plan = taking_back.planner(workspace, Verb(kind=OperationKind.UNDO), Request())  # looks at the tree
        counting = True
        assert taking_back.carried_out(workspace, plan()).operation
    elif verb == "checkpoint":
        assert workspace.looker.at(["d3/f3"], source).operation
        counting = True
        workspace.checkpoints.create(Wanted(label="c"), Circumstances())
    else:
        counting = True
        assert workspace.looker.at(["d3/f3"], source).operation
    counting = False
print(json.dumps(counts))
"""


def counted(scene, verb, n_files):
    """What one verb opened, listed and started in a workspace of that many committed files."""
    files = {f"d{number % 50}/f{number}": f"{number}\n" for number in range(n_files)}
    scene.committed(files)
    ended = subprocess.run(
        [sys.executable, "-P", "-c", COUNTING, str(scene.root), verb],
        env=scene.env,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@pytest.mark.parametrize("verb", ["record", "undo", "checkpoint"])
@pytest.mark.promise(6)
def test_the_same_work_in_a_small_and_a_large_workspace(tmp_path, verb):
    """Recording one path, undoing it, a checkpoint: each opens, lists and starts as much among 100 files as among 5,000."""
    small, large = tmp_path / "small", tmp_path / "large"
    small.mkdir()
    large.mkdir()

    few, many = counted(make_scene(small), verb, 100), counted(make_scene(large), verb, 5000)

    assert few == many
    assert few.get("started", 0) <= 6
    assert few.get("listed", 0) <= 2
