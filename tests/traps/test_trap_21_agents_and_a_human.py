"""Two agents with hooks and a human write at once, and each write is of who made it."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from hooks import Agent, operations, recorder_of

N_EDITS, N_FILES = 30, 3
N_HUMAN = 140


@pytest.fixture
def recorded(scene):
    """A workspace that a process of its own records."""
    scene.write("start", "x\n")
    scene.tb("init")
    process = recorder_of(scene)
    yield scene
    process.kill()
    process.wait()


def edits(agent):
    """The agent rewrites its files again and again, each time in a line of its own."""
    for number in range(N_EDITS):
        path = f"{agent.name}{number % N_FILES}"
        agent.edit(path, "".join(f"{agent.name} {n}\n" for n in range(number % N_FILES, number + 1, N_FILES)))


def scribbles(scene):
    """A human writes other files all the time."""
    for number in range(N_HUMAN):
        scene.write(f"human{number % 7}", f"{number}\n")


@pytest.mark.trap(21)
@pytest.mark.timeout(240)
def test_two_agents_and_a_human(recorded):
    """Of 200 writes by two agents' tools and a human at once, none is lost and none is put down to the wrong one."""
    agents = [Agent(recorded, name, is_patient=False) for name in ("claude", "codex")]
    with ThreadPoolExecutor() as pool:
        at_work = [pool.submit(edits, agent) for agent in agents] + [pool.submit(scribbles, recorded)]
        for one in at_work:
            one.result()
    found = operations(recorded)

    for agent in agents:
        mine = [paths for actor, paths in found if actor == f"agent:{agent.name}"]
        assert mine == [[f"{agent.name}{number % N_FILES}"] for number in range(N_EDITS)]
    log = recorded.tb("log", "-n", "100000").json["operations"]
    others = [one for one in log if not one["actor"].startswith("agent:")]
    half = [one for one in others if not one["changes"][0]["path"].startswith("human")]
    assert {one["path"] for other in others if other not in half for one in other["changes"]} == {
        f"human{number}" for number in range(7)
    }
    for one in half:  # seen while it was written: nobody's, with the agent as the one who it may be
        (change,) = one["changes"]
        assert (one["actor"], one["label"]) == ("unknown", f"perhaps agent:{change['path'].rstrip('012')}")
    ids = [one["id"] for one in log]
    assert ids == list(range(len(ids), 0, -1))
    assert recorded.tb("undo", "1", "--actor", "agent:claude").json["outcome"] == "applied"
