"""One core: every front end sees the same operations, and any of them takes back what another recorded."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from takeback.service import looking, recording, taking_back
from takeback.service.requests import Outcome, Request


@pytest.mark.promise(10)
def test_what_a_process_recorded_another_takes_back(scene):
    """The command line undoes what the service recorded, and the service redoes it; both list the same."""
    scene.write("f", "one\n")
    with scene.opened() as workspace:
        scene.write("f", "agent\n")
        found = recording.record(workspace, "agent:a", "by the service")

        assert scene.cli("undo", "--op", str(found.id)).status == 0
        assert scene.read("f") == "one\n"
        assert taking_back.redo(workspace, Request()).outcome is Outcome.APPLIED
        assert scene.read("f") == "agent\n"

        seen = [(one.id, one.kind.value, one.actor) for one in looking.log(workspace, looking.Wanted())]
        told = [(one["id"], one["kind"], one["actor"]) for one in scene.cli("log").json["operations"]]
        assert seen == told == [(3, "redo", "takeback"), (2, "undo", "takeback"), (1, "edit", "agent:a")]


@pytest.mark.promise(10)
def test_a_turn_of_one_is_ended_and_undone_by_another(scene):
    """A turn begun by the command line is seen by the service, which undoes it; a checkpoint likewise."""
    scene.write("f", "one\n")
    checkpoint = scene.checkpoint()
    turn = scene.cli("turn", "begin", "--actor", "agent:a").json["turn"]["id"]
    scene.write("f", "agent\n")
    with scene.opened() as workspace:
        assert recording.record(workspace, None, "").turn == turn
        assert recording.end_turn(workspace, None).id == turn
        assert taking_back.undo(workspace, Request(turn=turn)).outcome is Outcome.APPLIED
        scene.write("f", "more\n")
        assert taking_back.rollback(workspace, checkpoint, Request()).outcome is Outcome.APPLIED
    assert scene.read("f") == "one\n"


@pytest.mark.promise(10)
def test_processes_and_a_service_at_once(scene):
    """Commands and a service record and undo at once: ids are dense, each write is recorded once, all come back."""
    n_files, n_rounds = 4, 3
    for number in range(n_files):
        scene.write(f"f{number}", "one\n")
    scene.tb("status")

    def command(number):
        for round_ in range(n_rounds):
            scene.write(f"f{number}", f"{number} {round_}\n")
            words = [sys.executable, "-P", "-m", "takeback", "record", "--actor", f"agent:{number}"]
            subprocess.run(words, cwd=scene.root, env=scene.env, check=True, capture_output=True, timeout=60)

    with scene.opened() as workspace, ThreadPoolExecutor(n_files) as pool:
        jobs = [pool.submit(command, number) for number in range(n_files - 1)]
        for round_ in range(n_rounds):
            scene.write(f"f{n_files - 1}", f"service {round_}\n")
            recording.record(workspace, "human", "")
        for job in jobs:
            job.result()
        found = looking.log(workspace, looking.Wanted(n=None))

    assert [one.id for one in found] == list(range(len(found), 0, -1))
    changes = [change for one in found for change in one.changes]
    assert len({(change.path, change.after.blob) for change in changes}) == len(changes)
    assert scene.tb("undo", str(len(found))).status == 0
    assert {content for content, _ in scene.files().values()} == {b"one\n"}
