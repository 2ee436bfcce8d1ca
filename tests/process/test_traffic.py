"""What real editors once said is said again, and the server answers as it did, to the same end."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from replaying import Replay

pytestmark = pytest.mark.server

TRAFFIC = sorted((Path(__file__).parents[1] / "traffic").glob("*.jsonl"))
TEXT = "".join(f"line {number}\n" for number in range(1, 41))


@pytest.fixture
def base(tmp_path):
    """The repository in which everything was recorded."""
    root = tmp_path / "project"
    root.mkdir()
    for name in ("a.py", "b.py"):
        (root / name).write_text(TEXT, encoding="utf-8")
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        subprocess.run(["git", *identity, *words], cwd=root, check=True)
    return tmp_path


def environment(base):
    """An environment with a state folder of the test's own."""
    return {**os.environ, "TAKEBACK_STATE_DIR": str(base / "state")}


@pytest.mark.parametrize("recording", TRAFFIC, ids=lambda path: path.stem)
def test_the_server_answers_an_editor_as_it_did(recording, base):
    """Every answer, every edit and every question is what the editor was sent when it was recorded, and so are the files."""
    lines = recording.read_text(encoding="utf-8").splitlines()

    assert Replay(lines, base, environment(base)).play() == []


def test_every_editor_was_recorded():
    """There is a recording of Neovim, old and new, of Emacs with Eglot and with lsp-mode, and of Vim with ALE."""
    assert {path.stem for path in TRAFFIC} == {"neovim", "neovim-0.7", "eglot", "lsp-mode", "ale"}


# -- a recording that says something else --------------------------------------------------------


def undone(line):
    """The answer to a command took something else back."""
    found = line.get("message", {}).get("result")
    if isinstance(found, dict) and found.get("undone"):
        found["undone"] = [99]
        return True
    return False


def asked(line):
    """The person had another choice."""
    if line.get("message", {}).get("method") == "window/showMessageRequest":
        line["message"]["params"]["actions"][0]["title"] = "something else"
        return True
    return False


def edited(line):
    """A document was to become something else."""
    if line.get("message", {}).get("method") == "workspace/applyEdit":
        line["message"]["params"]["edit"]["documentChanges"][0]["edits"][0]["newText"] = "else\n"
        return True
    return False


def ended(line):
    """The document showed something else at the end."""
    if line["from"] == "end":
        line["shown"]["a.py"] += "else\n"
    return line["from"] == "end"


def left(line):
    """Another file was there at the end."""
    if line["from"] == "end":
        line["files"]["b.py"] += "else\n"
    return line["from"] == "end"


def altered(alter):
    """The lines of a recording of which one is another."""
    recording = next(path for path in TRAFFIC if path.stem == "eglot")
    lines = [json.loads(line) for line in recording.read_text(encoding="utf-8").splitlines()]
    assert any(map(alter, lines)), "the recording has one of these"
    return map(json.dumps, lines)


@pytest.mark.parametrize(
    ("alter", "what"),
    [
        (undone, "answer"),
        (asked, "window/showMessageRequest"),
        (edited, "workspace/applyEdit"),
        (ended, "document a.py"),
        (left, "file b.py"),
    ],
)
def test_a_replay_finds_what_is_another(alter, what, base):
    """Where one answer, question, edit, document or file was another one in the recording, just that is found."""
    ((name, _),) = Replay(altered(alter), base, environment(base)).play()

    assert name.startswith(what)


def test_a_replay_finds_that_a_look_is_answered_otherwise(base):
    """A hover that names somebody else than it did is found, although an editor asks for it again and again."""

    def hovered(line):
        found = line.get("message", {}).get("result")
        if not (isinstance(found, dict) and "contents" in found):
            return False
        found["contents"]["value"] = found["contents"]["value"].replace("agent:claude", "agent:codex")
        return True

    found = Replay(altered(hovered), base, environment(base), look_s=0).play()

    said = [(str(one["now"]), str(one["then"])) for _, one in found if "agent:codex" in str(one["then"])]
    assert [("agent:claude" in now, "agent:codex" in now) for now, _ in said] == [(True, False)]
