"""Trap 9: the user's own gc, an expired reflog, a deleted branch, no repository any more."""

import os
import shutil
import subprocess

import pytest


def collect_all(scene):
    """Everything that nothing names is gone from the repository."""
    scene.git("checkout", "-q", "main")
    scene.git("branch", "-D", "side")
    scene.git("reflog", "expire", "--expire=now", "--all")
    scene.git("gc", "-q", "--prune=now")


def remove_repository(scene):
    """The repository is gone."""
    shutil.rmtree(scene.root / ".git")


def clean(scene):
    """What is not tracked is gone, ignored or not."""
    scene.git("clean", "-fdxq")


@pytest.mark.parametrize("disaster", [collect_all, remove_repository, clean])
@pytest.mark.trap(9)
@pytest.mark.promise(7)
def test_every_checkpoint_still_restores(scene, disaster):
    """A checkpoint brings every byte back that was there, whatever the user's git has thrown away since."""
    scene.committed({"f": "one\n", "d/g": "two\n", ".gitignore": "*.log\n.env\n"})
    scene.git("checkout", "-qb", "side")
    scene.write("only-here", "side\n")
    scene.git("add", "-A")
    scene.git("commit", "-qm", "side")
    scene.write("untracked", "u\n")
    scene.write(".env", "TOKEN\n")
    checkpoint = scene.checkpoint()
    before = scene.files()

    disaster(scene)
    for name in ("f", "only-here", ".env"):
        (scene.root / name).unlink(missing_ok=True)
    rolled = scene.tb("rollback", checkpoint)

    assert rolled.status == 0, rolled.err
    assert scene.files() == before


@pytest.mark.trap(9)
@pytest.mark.promise(7)
def test_old_operations_can_be_undone_without_the_repository(scene):
    """What an operation replaced comes back from the store alone, also content that only git had packed."""
    scene.committed({"f": "".join(f"{n}\n" for n in range(50))})
    scene.git("gc", "-q")
    scene.tb("status")
    scene.write("f", "all is lost\n")
    op = scene.record()
    remove_repository(scene)

    assert scene.tb("undo", "--op", str(op)).status == 0
    assert scene.read("f") == "".join(f"{n}\n" for n in range(50))


@pytest.mark.trap(9)
def test_the_store_stands_alone_after_detach(scene):
    """`doctor --detach` leaves no file that the user's repository shares, and every content readable."""
    scene.committed({"f": "one\n", "g": "two\n"})
    scene.tb("status")
    store = scene.state / "store.git"
    assert any(os.lstat(path).st_nlink > 1 for path in _files(store))

    assert scene.tb("doctor", "--detach").status == 0

    assert all(os.lstat(path).st_nlink == 1 for path in _files(store))
    subprocess.run(["git", "--git-dir", store, "fsck", "--full"], check=True, capture_output=True)


def _files(folder):
    return [os.path.join(place, name) for place, _, names in os.walk(folder) for name in names]
