"""The doctor looks at everything, mends what can be mended, and says each in one line."""

import fcntl
import os
from dataclasses import replace

from takeback.model.operation import OperationKind
from takeback.record import Entry, Source
from takeback.service import recording
from takeback.undo.intents import Intent, to_bytes


def lines(answer, health):
    """What is in this state of health."""
    return [one["text"] for one in answer.json["findings"] if one["health"] == health]


def test_all_is_well(scene):
    """In a sound history everything is well, and nothing is written."""
    scene.committed()
    scene.tb("status")

    found = scene.tb("doctor")

    assert (found.status, found.json["well"]) == (0, True)
    assert lines(found, "mended") == lines(found, "broken") == []


def test_without_a_history_none_is_begun(scene):
    """In a folder that was never recorded the doctor says so and makes nothing."""
    assert scene.tb("doctor").status == 0
    assert list(scene.states.iterdir()) == []


def test_leftover_staged_files(scene):
    """A staged file that nobody owns goes if its content is in the store; else it stays and is named."""
    scene.write("f", "one\n")
    scene.tb("status")
    scene.write(".takeback-0123456789ab-0", "one\n")
    scene.write("d/.takeback-0123456789ab-1-old", "precious\n")

    found = scene.tb("doctor")

    assert found.status == 0
    assert any(".takeback-0123456789ab-0" in text for text in lines(found, "mended"))
    assert any("d/.takeback-0123456789ab-1-old" in text for text in lines(found, "well"))
    assert not (scene.root / ".takeback-0123456789ab-0").exists()
    assert scene.read("d/.takeback-0123456789ab-1-old") == "precious\n"


def test_a_damaged_stat_cache(scene):
    """A stat cache that cannot be read is removed, which costs one look."""
    scene.committed()
    scene.tb("status")
    (scene.state / "stat.cache").write_bytes(b"scribble")

    assert any("removed" in text for text in lines(scene.tb("doctor"), "mended"))
    assert scene.record() is None


def test_who_holds_the_lock(scene):
    """A process that records or changes files is named by its number."""
    scene.committed()
    scene.tb("status")
    with open(scene.state / "lease", "w", encoding="utf-8") as lease:
        fcntl.flock(lease, fcntl.LOCK_EX)

        found = scene.tb("doctor")

    assert any(f"process {os.getpid()} records" in text for text in lines(found, "well"))


def test_an_interrupted_operation(scene):
    """An operation that died after its intent was written is finished or reversed, and said so."""
    scene.write("f", "one\n")
    scene.tb("status")
    with scene.opened() as workspace:
        file, state = workspace.recorder.state_of("f")
        after = state.__class__(
            kind=state.kind, blob=workspace.store.put(b"two\n"), mode=state.mode, size_bytes=4
        )
        entry = Entry(file=file, path="f", before=state, after=after)
        source = Source(kind=OperationKind.RESTORE, actor="takeback")
        body = workspace.store.put(to_bytes(Intent(source=source, entries=(entry,), token="0123456789ab")))
        workspace.store.make_durable()
        with workspace.journal.transaction():
            workspace.journal.begin_intent(body, ["f"], workspace.clock())

    found = scene.tb("doctor")

    assert found.status == 0
    assert any("interrupted operation was" in text for text in lines(found, "mended"))
    assert scene.read("f") in ("one\n", "two\n")
    assert scene.tb("doctor").json["well"]


def test_an_operation_is_claimed_by_all_of_its_writes(scene):
    """Two saves that a watcher put into one operation are the human's once both are told; one alone is not enough."""
    by_hand = Source(kind=OperationKind.EDIT, actor="human")
    scene.tb("status")
    for path in "f", "g":
        scene.write(path, "one\n")
    with scene.opened() as workspace:
        recording.sync(workspace)
        claim = workspace.recorder.claim
        states = {path: workspace.recorder.state_of(path)[1] for path in ("f", "g")}

        assert claim(by_hand, "f", states["f"]) is None
        assert claim(by_hand, "f", states["f"]) is None
        assert claim(replace(by_hand, actor="agent:a"), "g", states["g"]) is None
        assert claim(by_hand, "f", states["f"]) is None
        assert claim(by_hand, "g", states["g"]) == 1
    assert [one["actor"] for one in scene.tb("log").json["operations"]] == ["human"]


def test_a_claimed_operation_is_counted_once(scene):
    """Counters follow who an operation was put down to last: the doctor finds nothing to mend."""
    scene.write("f", "one\n")
    scene.tb("status")
    scene.write("f", "two\n")
    assert scene.tb("log").json["operations"][0]["actor"] == "unknown"
    with scene.opened() as workspace:
        state = workspace.recorder.state_of("f")[1]
        claimed = workspace.recorder.claim(Source(kind=OperationKind.EDIT, actor="agent:a"), "f", state)
    assert claimed == 1

    found = scene.tb("doctor")

    assert lines(found, "mended") == []
    assert scene.tb("log").json["operations"][0]["actor"] == "agent:a"
    before = scene.tb("status").json["counters"]
    (scene.state / "journal.db").unlink()
    assert scene.tb("doctor").status == 0
    assert scene.tb("status").json["counters"] == before
