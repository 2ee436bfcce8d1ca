"""Takeback is honest: what could not be recorded is said when it happens, and again when an undo needs it."""

import os
import shutil
import socket

import pytest

BIG = b"x" * (11 << 20)
"""More than `record.max_file_bytes` allows."""


@pytest.mark.promise(5)
def test_a_file_too_large_is_noted(scene):
    """A large file's deletion is recorded without its content, and its undo says that it was too large."""
    scene.write("small", "s\n")
    scene.write("big", BIG)
    scene.tb("status")
    os.remove(scene.root / "big")
    op = scene.record()

    changes = scene.tb("show", str(op)).json["operations"][0]["changes"]
    assert [(one["path"], one["captured"], one["reason"]) for one in changes] == [("big", False, "too_large")]
    undone = scene.tb("undo")
    assert (undone.status, undone.json["outcome"]) == (3, "refused")
    assert undone.outcome_of("big") == ("not_captured", "not captured: too_large")
    assert not (scene.root / "big").exists()


@pytest.mark.promise(5)
def test_success_is_not_claimed_for_the_rest(scene):
    """An undo that could put back one file of two says partial, names the other, and exits with 1."""
    scene.write("small", "s\n")
    scene.write("big", BIG)
    scene.tb("status")
    os.remove(scene.root / "big")
    scene.write("small", "agent\n")
    scene.record()

    undone = scene.tb("undo")

    assert (undone.status, undone.json["outcome"]) == (1, "partial")
    assert scene.read("small") == "s\n"
    assert undone.outcome_of("big")[0] == "not_captured"


@pytest.mark.promise(5)
def test_status_lists_what_is_not_captured(scene):
    """`status` names each file whose content is not in the store, with the reason."""
    scene.write("big", BIG)

    assert "big: too_large" in scene.tb("status").json["not_captured"]


@pytest.mark.promise(5)
def test_a_folder_that_is_too_deep_to_look_into_is_listed(scene):
    """Where a path is longer than the system takes, nothing below is recorded, and `status` says so while it is there."""
    scene.write("f", "one\n")
    names = ["n" * 250] * 17
    folder = os.open(scene.root, os.O_RDONLY)
    for name in names:
        os.mkdir(name, dir_fd=folder)
        above, folder = folder, os.open(name, os.O_RDONLY, dir_fd=folder)
        os.close(above)
    os.close(folder)

    assert scene.tb("status").json["not_captured"] == [f"{'/'.join(names)}/: path_too_long"]
    shutil.rmtree(scene.root / names[0])
    assert scene.tb("status").json["not_captured"] == []


@pytest.mark.promise(5)
def test_a_socket_is_no_content(scene):
    """A socket or pipe is never opened, and what it is does not stop the recording of others."""
    scene.write("f", "one\n")
    scene.tb("status")
    here = os.getcwd()
    os.chdir(scene.root)
    try:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind("s")
            os.mkfifo("p")
            scene.write("f", "agent\n")

            assert scene.record() is not None
            assert scene.tb("undo").json["outcome"] in ("applied", "partial")
    finally:
        os.chdir(here)
    assert scene.read("f") == "one\n"


@pytest.mark.promise(5)
def test_content_lost_by_damage_is_said_once_and_then_known(scene):
    """A content that vanished from the store is broken when the doctor finds it; from then on states say so."""
    scene.write("f", "one\n")
    scene.tb("status")
    scene.write("f", "two\n")
    scene.record()
    with scene.opened() as workspace:
        os.remove(workspace.store.loose_path(workspace.store.id_of(b"one\n")))

    found = scene.tb("doctor")

    assert found.status == 3
    assert any("f" in one["text"] for one in found.json["findings"] if one["health"] == "broken")
    assert scene.tb("doctor").status == 0
    assert scene.tb("status").status == 0
    assert scene.tb("diff").status == 0
    undone = scene.tb("undo")
    assert undone.outcome_of("f") == ("not_captured", "not captured: damaged")


@pytest.mark.promise(5)
def test_content_that_still_stands_is_taken_in_again(scene):
    """A content that vanished from the store and is still what the file holds is put back by the doctor."""
    scene.write("f", "one\n")
    scene.tb("status")
    with scene.opened() as workspace:
        os.remove(workspace.store.loose_path(workspace.store.id_of(b"one\n")))

    assert scene.tb("doctor").status == 0
    scene.write("f", "agent\n")
    scene.record()
    assert scene.tb("undo").status == 0
    assert scene.read("f") == "one\n"
