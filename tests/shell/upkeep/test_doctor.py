"""The doctor looks at everything, mends what can be mended, and says each in one line."""

import fcntl
import os
import shutil
from dataclasses import replace

import pytest

from takeback.model.operation import OperationKind
from takeback.model.source import Source
from takeback.record import Entry
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
        claim = workspace.claims.claim
        states = {path: workspace.recorder.state_of(path)[1] for path in ("f", "g")}

        assert claim(by_hand, "f", states["f"]) is None
        assert claim(by_hand, "f", states["f"]) is None
        assert claim(replace(by_hand, actor="agent:a"), "g", states["g"]) is None
        assert claim(by_hand, "f", states["f"]) is None
        assert claim(by_hand, "g", states["g"]) == 1
    assert [one["actor"] for one in scene.tb("log").json["operations"]] == ["human"]


def test_what_is_claimed_is_called_as_the_last_to_claim_it_said(scene):
    """A label goes with who says it: with the next one's name it is the next one's, or none; a rebuilt journal has it too."""
    scene.write("f", "one\n")
    scene.tb("status")
    scene.write("f", "two\n")
    scene.tb("log")

    def claim(actor, label):
        with scene.opened() as workspace:
            state = workspace.recorder.state_of("f")[1]
            source = Source(kind=OperationKind.EDIT, actor=actor, label=label)
            workspace.claims.claim(source, "f", state, over=frozenset({1}))

    def labels():
        (logged,) = scene.tb("log").json["operations"]
        (listed,) = scene.tb("status").json["operations"]
        assert logged["label"] == listed["label"]
        return logged["actor"], logged["label"]

    claim("agent:a", "rename \udce9")
    assert labels() == ("agent:a", "rename \\udce9")
    (scene.state / "journal.db").unlink()
    assert scene.tb("doctor").json["well"]
    assert labels() == ("agent:a", "rename \\udce9")
    claim("agent:b", "")
    assert labels() == ("agent:b", "found by looking")


def test_a_claimed_operation_is_counted_once(scene):
    """Counters follow who an operation was put down to last: the doctor finds nothing to mend."""
    scene.write("f", "one\n")
    scene.tb("status")
    scene.write("f", "two\n")
    assert scene.tb("log").json["operations"][0]["actor"] == "unknown"
    with scene.opened() as workspace:
        state = workspace.recorder.state_of("f")[1]
        claimed = workspace.claims.claim(Source(kind=OperationKind.EDIT, actor="agent:a"), "f", state)
    assert claimed == 1

    found = scene.tb("doctor")

    assert lines(found, "mended") == []
    assert scene.tb("log").json["operations"][0]["actor"] == "agent:a"
    before = scene.tb("status").json["counters"]
    (scene.state / "journal.db").unlink()
    assert scene.tb("doctor").status == 0
    assert scene.tb("status").json["counters"] == before


@pytest.mark.promise(7)
def test_the_names_in_the_store_are_gone(scene):
    """A store that lost its `refs` loses nothing else: every command goes on, and the doctor says what it made anew."""
    scene.write("f", "one\n")
    scene.checkpoint()
    shutil.rmtree(scene.state / "store.git" / "refs")

    found = scene.tb("doctor")

    assert found.json["well"]
    assert any("refs" in text for text in lines(found, "mended"))
    shutil.rmtree(scene.state / "store.git" / "refs")
    scene.write("f", "two\n")
    scene.record()
    assert scene.tb("undo").status == 0
    assert scene.tb("rollback", "cp-1").status == 0
    assert scene.tb("checkpoint", "create").status == 0


@pytest.mark.promise(5)
@pytest.mark.promise(7)
def test_all_content_in_the_store_is_gone(scene):
    """What a repository or the workspace still has is taken from there; the rest is named, and does not stand in the way."""
    scene.committed({"f": "one\n", "kept": "one\n"})
    scene.tb("status")
    for text in "two\n", "three\n":
        scene.write("f", text)
        scene.record()
    scene.checkpoint()
    shutil.rmtree(scene.state / "store.git" / "objects")

    found = scene.tb("doctor")

    assert found.status == 3
    gone, checkpoint = lines(found, "broken")
    assert gone == "1 contents are gone and cannot be put back: f"
    assert "`takeback checkpoint delete cp-1`" in checkpoint
    assert scene.tb("undo").status == 0
    assert scene.read("f") == "two\n", "the journal has its lines"
    assert scene.tb("checkpoint", "delete", "cp-1").status == 0
    assert scene.tb("doctor").json["well"]
    assert (scene.tb("checkpoint", "create").status, scene.tb("gc").status) == (0, 0)


@pytest.mark.promise(5)
def test_a_baseline_that_is_gone_is_told_with_the_way_on(scene):
    """In a folder without a repository nobody else has it: the doctor says how a new history begins."""
    scene.write("f", "one\n")
    scene.tb("status")
    shutil.rmtree(scene.state / "store.git" / "objects")

    told = [text for text in lines(scene.tb("doctor"), "broken") if "baseline" in text]

    assert told
    assert all(f"move {scene.state} away" in text for text in told)
