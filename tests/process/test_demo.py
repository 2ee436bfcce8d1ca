"""The demo: it tells the main job as a story, and it would notice if Takeback did not do it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from takeback.demo import story
from takeback.journal import views
from takeback.service import taking_back
from takeback.service.requests import Outcome, Result
from takeback.undo.apply import Applier

_TAKEBACK = (sys.executable, "-P", "-m", "takeback")


def tell() -> tuple[bool, str]:
    """Whether the demo says that all was as promised, and all it says."""
    said: list[str] = []
    return story.tell(None, said.append), "\n".join(said)


def naive_undo(workspace, request):
    """What many tools do: write back each file as it was before the operation."""
    for op in request.ops:
        for change in views.operation(workspace.journal, op).changes:
            path = os.path.join(workspace.root, change.path)
            if change.before.blob is None:
                os.unlink(path)
                continue
            with open(path, "wb") as stream:
                stream.write(workspace.store.get(change.before.blob))
    return Result(outcome=Outcome.APPLIED, operation=None, undone=request.ops, files=())


@pytest.mark.promise(2)
@pytest.mark.trap(1)
@pytest.mark.trap(3)
def test_an_undo_that_restores_whole_files_is_found_out(monkeypatch):
    """An undo that writes back whole files loses the lines that others wrote since, and the demo says which."""
    monkeypatch.setattr(taking_back, "undo", naive_undo)

    as_promised, said = tell()

    assert not as_promised
    assert "NOT AS PROMISED" in said
    assert " of human" in said.partition(" lost ")[2]


@pytest.mark.promise(4)
@pytest.mark.trap(8)
def test_a_start_that_mends_nothing_is_found_out(monkeypatch):
    """Without the recovery at the start, the files that a killed undo left half done stay so, and the demo says so."""
    monkeypatch.setattr(Applier, "settle", lambda _: ())

    as_promised, said = tell()

    assert not as_promised
    assert "SIGKILL with" in said
    assert "NOT AS PROMISED" in said.partition("SIGKILL with")[2]


def test_outside_a_repository_the_demo_makes_one(tmp_path):
    """Outside any repository, without a terminal, the demo plays on a repository that it makes, and succeeds."""
    environ = os.environ | {"TMPDIR": str(tmp_path), "PYTHONWARNINGS": "error"}
    code = (
        "import os; from takeback.demo import workshop; workshop.default_repository = lambda: None;"
        "import sys; sys.argv = ['takeback', 'demo']; from takeback.__main__ import main; main()"
    )

    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=tmp_path,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert "a repository made for this" in done.stdout
    assert os.listdir(tmp_path) == []


@pytest.mark.promise(1)
def test_the_demo_plays_on_a_copy_of_the_repository_it_is_given(tmp_path):
    """`takeback demo REPO` tells its story in under 60 lines, and REPO stays as it is."""
    repository = tmp_path / "repository"
    repository.mkdir()
    for folder in range(3):
        (repository / f"folder{folder}").mkdir()
        for number in range(4):
            lines = [f"line {n} of file {folder}.{number}, with a value\n" for n in range(30)]
            lines += [f"number {n} of {folder}.{number}\n" for n in range(30)]
            (repository / f"folder{folder}" / f"file{number}.txt").write_text(
                "".join(lines), encoding="utf-8"
            )
    git = ("git", "-C", str(repository), "-c", "user.name=A", "-c", "user.email=a@example.invalid")
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "add", "--all"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--message", "All"], check=True)
    before = {path: path.read_bytes() for path in repository.rglob("*") if path.is_file()}

    done = subprocess.run(
        [*_TAKEBACK, "demo", str(repository)],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "AS PROMISED" in done.stdout
    assert "a copy of repository" in done.stdout
    assert len(done.stdout.splitlines()) < 60
    assert {path: path.read_bytes() for path in repository.rglob("*") if path.is_file()} == before
