"""Private: the history is its owner's, and never inside the workspace."""

import os
import stat

import pytest


@pytest.mark.promise(9)
def test_the_state_folder_is_its_owners_alone(scene):
    """Nobody else can enter the folder of a history, whatever the umask."""
    old = os.umask(0)
    try:
        scene.committed()
        scene.tb("status")
    finally:
        os.umask(old)

    assert stat.S_IMODE(scene.state.stat().st_mode) == 0o700


@pytest.mark.promise(9)
def test_doctor_closes_a_folder_that_was_opened(scene):
    """A state folder that others can read is closed, and that is said."""
    scene.committed()
    scene.tb("status")
    scene.state.chmod(0o755)

    healed = scene.tb("doctor")

    assert healed.status == 0
    assert ("folder", "mended") in {(one["what"], one["health"]) for one in healed.json["findings"]}
    assert stat.S_IMODE(scene.state.stat().st_mode) == 0o700


@pytest.mark.promise(9)
def test_a_state_folder_inside_the_workspace_is_refused(scene):
    """A history that `rm -rf` of the workspace would reach is not begun."""
    inside = str(scene.root / "states")

    refused = scene.tb("status", env={"TAKEBACK_STATE_DIR": inside})

    assert (refused.status, refused.code) == (3, "workspace_refused")
    assert not os.path.exists(inside)


@pytest.mark.parametrize("place", ["/", "home"])
@pytest.mark.promise(9)
def test_home_and_root_are_refused(scene, place):
    """Everything you have is no project: `$HOME` and `/` are refused with a hint how to go on."""
    folder = scene.base / place

    refused = scene.tb("status", at=folder)

    assert (refused.status, refused.code) == (3, "workspace_refused")
    assert "-C DIR" in refused.json["error"]["hint"]
    assert list(scene.states.iterdir()) == []


@pytest.mark.promise(9)
def test_a_network_file_system_is_refused(scene, monkeypatch):
    """A state folder on a network file system, where the journal is not safe, is refused with the way out."""
    monkeypatch.setattr("takeback.service.opening.is_network", lambda _: True)

    refused = scene.tb("status")

    assert (refused.status, refused.code) == (3, "workspace_refused")
    assert "TAKEBACK_STATE_DIR" in refused.json["error"]["hint"]


@pytest.mark.promise(9)
def test_a_forgotten_secret_is_in_no_file(scene):
    """After `forget`, no file of the history holds the secret, packed, loose, in the journal or in its log."""
    secret = "correct horse battery staple"
    scene.committed({"f": "one\n", ".gitignore": ".env\n"})
    scene.write(".env", "A=1\n")
    scene.tb("status")
    scene.write(".env", f"A=1\nTOKEN={secret}\n")
    scene.record()
    scene.write(".env", "A=2\n")
    scene.record("human")

    forgotten = scene.tb("forget", ".env")

    assert forgotten.status == 0, forgotten.err
    assert secret not in _everything(scene)
    undone = scene.tb("undo", "--op", "1")
    assert scene.read(".env") == "A=2\n"
    assert undone.status == 3
    assert undone.outcome_of(".env") == ("not_captured", "not captured: forgotten")


def _everything(scene):
    """All that the state folder holds, objects unpacked by git, as text."""
    raw = b"".join(path.read_bytes() for path in scene.state.rglob("*") if path.is_file())
    objects = scene.git(
        "--git-dir", str(scene.state / "store.git"), "cat-file", "--batch-all-objects", "--batch"
    )
    return raw.decode("latin-1") + objects
