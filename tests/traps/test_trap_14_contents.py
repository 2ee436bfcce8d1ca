"""Trap 14: contents that tools change on the way, and contents too large to keep."""

import pytest

CONTENTS = [
    b"",
    b"\n",
    b"\n\n",
    b"\r",
    b"\r\n",
    b"a",
    b"a\n",
    b"a\r\n",
    b"a\r",
    b"a\n\n",
    b"a\r\nb\r\nc\r\n",
    b"a\nb\r\nc\n",
    b"a\r\nb",
    b"a\r\r\nb\n",
    b"a\rb\rc\r",
    b"a\rX\rc\r",
    b"\xef\xbb\xbfa\nb\n",
    b"\xff\xfea\x00\n\x00",
    b"\xff\n\xfe\n",
    b"a\x0cb\xe2\x80\xa8c\n",
    b"text\n\0\n",
    b"\0",
]


@pytest.mark.parametrize("before", CONTENTS, ids=repr)
@pytest.mark.trap(14)
def test_contents_are_exact_to_the_byte(scene, before):
    """Line endings of any kind, byte order marks, NUL, no final newline: what is taken back is the same bytes."""
    path = scene.root / "f"
    steps = [before]
    scene.write("f", before)
    scene.tb("status")
    for after in CONTENTS:
        if after not in steps:
            scene.write("f", after)
            assert scene.record() == len(steps)
            steps.append(after)

    for n_undone in range(1, len(steps)):
        assert scene.tb("undo").status == 0
        assert path.read_bytes() == steps[-1 - n_undone]
    for content in steps[1:]:
        assert scene.tb("redo").status == 0
        assert path.read_bytes() == content
    path.unlink()
    scene.record()
    assert scene.tb("undo").status == 0
    assert path.read_bytes() == steps[-1]


@pytest.mark.trap(14)
@pytest.mark.promise(5)
def test_a_file_of_100_megabytes_is_not_captured(scene):
    """Its rename, and its folder's, is found and undone; its deletion is recorded, cannot be undone, and that is said."""
    big = scene.root / "big"
    with big.open("wb") as file:
        file.truncate(100 << 20)
    scene.cli("status")
    (scene.root / "d").mkdir()
    big.rename(scene.root / "d" / "other")
    changes = scene.cli("record", "--actor", "agent:a").json["operation"]["changes"]

    assert [(one["status"], one["from"], one["captured"], one["reason"]) for one in changes] == [
        ("renamed", "big", False, "too_large")
    ]
    assert scene.cli("undo").status == 0
    assert big.stat().st_size == 100 << 20
    big.unlink()
    scene.cli("record", "--actor", "agent:a")
    undone = scene.cli("undo")
    assert (undone.status, undone.json["outcome"]) == (3, "refused")
    assert undone.outcome_of("big") == ("not_captured", "not captured: too_large")
    assert "not captured: too_large" in undone.err


@pytest.mark.trap(14)
@pytest.mark.promise(5)
def test_what_happened_while_a_file_was_too_large_is_not_guessed(scene):
    """A file grew too large and shrank again: neither step is undone alone, for nobody knows what was in between."""
    scene.write("f", "one\n")
    scene.tb("status")
    scene.write("f", b"x" * (11 << 20))
    scene.record("agent:a")
    grown = scene.tb("undo")
    scene.write("f", "one\ntwo\n")
    scene.record("human")

    assert grown.outcome_of("f") == ("not_captured", "what is there now was not captured: too_large")
    for op in "1", "2":
        undone = scene.tb("undo", "--op", op)
        assert (undone.status, undone.json["outcome"]) == (3, "refused")
        assert undone.outcome_of("f") == ("not_captured", "not captured: too_large")
        assert scene.read("f") == "one\ntwo\n"
    assert scene.tb("undo", "--op", "1", "--op", "2").status == 0
    assert scene.read("f") == "one\n"


@pytest.mark.trap(14)
@pytest.mark.promise(5)
def test_a_file_that_was_too_large_at_first_is_not_guessed(scene):
    """A file was made too large and shrank: only together with its making can that be undone, and it says why."""
    few = {"TAKEBACK_RECORD_MAX_FILE_BYTES": "100"}
    scene.tb("status", env=few)
    for content in "x" * 200, "small\n", "other\n":
        scene.write("f", content)
        scene.tb("record", env=few)

    for op in "1", "2":
        undone = scene.tb("undo", "--op", op, env=few)
        assert (undone.status, undone.json["outcome"]) == (3, "refused")
        assert undone.outcome_of("f") == ("not_captured", "not captured: too_large")
    assert scene.tb("undo", "--op", "3", env=few).json["outcome"] == "applied"
    assert scene.read("f") == "small\n"
    assert scene.tb("undo", "--op", "1", "--op", "2", env=few).outcome_of("f")[0] == "removed"
    assert scene.tb("redo", env=few).outcome_of("f")[0] == "recreated"
    assert scene.read("f") == "small\n"


@pytest.mark.trap(14)
def test_one_line_of_10_megabytes(scene):
    """A file of a single enormous line is recorded, and taken back to the byte."""
    before = b"a" * ((10 << 20) - 10) + b"\n"
    scene.write("f", before)
    scene.tb("status")
    scene.write("f", before.replace(b"aa\n", b"ab\n"))
    scene.record()

    assert scene.tb("undo").status == 0

    assert (scene.root / "f").read_bytes() == before
