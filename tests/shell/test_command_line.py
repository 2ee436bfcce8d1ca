"""The command line: what it refuses, and that it answers whatever happens."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from takeback.cli.app import takeback

NEEDED = {"actor": "human", "branch": "b", "checkpoint": "cp-1", "label": "c", "op": "1", "what": "f"}
FREE = ("label", "argv")
"""Text for people may be empty, and so may the words of another program."""


def commands(group=takeback, *above):
    """Every command, with the words that name it."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, *above, name)
        else:
            yield (*above, name), command


def line(command, emptied):
    """The words after a command's name: what it needs, and nothing where `emptied` is given."""
    options, arguments = [], []
    for one in command.params:
        if one is emptied or one.required:
            value = "" if one is emptied else NEEDED.get(one.name, "true")
            is_option = isinstance(one, click.Option)
            (options if is_option else arguments).extend([one.opts[0], value] if is_option else [value])
    return [*options, "--", *arguments]


def emptied():
    """Every command line in which one value is empty."""
    for verb, command in commands():
        for one in command.params:
            if (
                not getattr(one, "is_flag", False)
                and not getattr(one, "hidden", False)
                and one.name not in FREE
            ):
                yield pytest.param([*verb, *line(command, one)], id=f"{' '.join(verb)} {one.name}")


@pytest.mark.parametrize("words", tuple(emptied()))
@pytest.mark.promise(2)
def test_an_empty_value_is_never_taken_for_none(scene, monkeypatch, words):
    """The unset variable of a script names nothing: exit 2, and no file is touched, whichever value it is."""
    scene.write("f", "one\n")
    scene.checkpoint("")
    scene.tb("turn", "begin", "--actor", "agent:a")
    scene.write("f", "two\n")
    scene.record("human")
    before = scene.files()
    monkeypatch.chdir(scene.root)

    ended = CliRunner().invoke(takeback, words, env=scene.env)

    assert ended.exit_code == 2, ended.output
    assert scene.files() == before
    assert len(scene.tb("log").json["operations"]) == 1
    assert scene.tb("status").json["turns"]


def test_an_empty_value_is_named(scene):
    """The refusal says which value is empty, and how to go on."""
    refused = scene.tb("undo", "--turn", "")

    assert (refused.status, refused.code) == (2, "usage")
    assert "--turn" in refused.json["error"]["message"]
    assert refused.json["error"]["hint"]


def test_a_label_may_be_empty(scene):
    """Text for people may say nothing."""
    assert scene.tb("checkpoint", "create", "-m", "").status == 0
    assert scene.tb("record", "--label", "").status == 0


@pytest.mark.parametrize("name", [".", "whole", "linked", "above"])
@pytest.mark.parametrize("verb", ["undo", "rollback", "restore"])
def test_the_workspace_itself_is_a_path_too(scene, monkeypatch, verb, name):
    """`.` at its top, its absolute path, one through a link, and `..` just below it are all of the workspace."""
    scene.write("d/f", "one\n")
    checkpoint = scene.checkpoint()
    scene.write("d/f", "two\n")
    scene.write("..g", "two\n")
    scene.record()
    (scene.base / "link").symlink_to(scene.root)
    monkeypatch.chdir(scene.root / "d" if name == "above" else scene.root)
    path = {".": ".", "whole": str(scene.root), "linked": str(scene.base / "link"), "above": ".."}[name]

    words = [verb, *([checkpoint] if verb != "undo" else []), "--path", path]
    ended = CliRunner().invoke(takeback, words, env=scene.env)

    assert ended.exit_code == 0, ended.output
    assert (scene.read("d/f"), [*scene.files()]) == ("one\n", ["d/f"])


def test_the_whole_workspace_is_never_forgotten_at_once(scene):
    """What cannot be undone needs a path below."""
    scene.tb("status")
    scene.write("f", "one\n")
    scene.record()

    assert scene.tb("forget", ".").code == "usage"
    assert scene.tb("log", "--path", ".").json["operations"]
    assert scene.tb("diff", "1..1", ".").json["diff"]


def test_a_name_that_begins_with_dots_lies_inside(scene):
    """`..g` is a file like any other; what really lies outside is refused."""
    scene.tb("status")
    scene.write("..g", "one\n")
    scene.record()

    assert scene.tb("undo", "--path", "../elsewhere").code == "usage"
    assert scene.tb("undo", "--path", "/").code == "usage"
    assert scene.tb("undo", "--path", "..g").json["outcome"] == "applied"


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999"])
def test_a_context_holds_only_what_json_has(scene, number):
    """A number that JSON does not have is refused, so that every answer stays JSON."""
    refused = scene.tb("checkpoint", "create", "--context", f'{{"a": [{number}]}}')

    assert (refused.status, refused.code) == (2, "usage")
    assert scene.tb("checkpoint", "list").json["checkpoints"] == []


HUGE = "99999999999999999999"


@pytest.mark.parametrize("digits", [HUGE, "9" * 5000], ids=["twenty", "thousands"])
@pytest.mark.parametrize(
    "words",
    [
        ("undo", "--op"),
        ("redo", "--op"),
        ("undo", "--turn", "turn-"),
        ("undo", "--since"),
        ("undo", "--since", "turn-"),
        ("log", "--since"),
        ("log", "--turn", "turn-"),
        ("turn", "end", "turn-"),
        ("show",),
        ("diff",),
        ("keep",),
        ("forget",),
        ("rollback", "cp-"),
        ("checkpoint", "show", "cp-"),
    ],
    ids=" ".join,
)
def test_a_number_that_is_too_large_names_nothing(scene, words, digits):
    """Numbers beyond those of any history are said not to exist, as one JSON object."""
    scene.tb("status")
    (*verb, last) = words if words[-1].endswith("-") else (*words, "")

    said = scene.cli(*verb, f"{last}{digits}")

    assert said.status in {2, 3}
    assert said.code in {"usage", "not_found"}


def test_a_count_may_be_larger_than_all_there_is(scene):
    """More operations than there are, and a time before the first one, mean all of them."""
    scene.tb("status")
    scene.write("f", "one\n")
    scene.record()

    assert len(scene.tb("log", "-n", HUGE).json["operations"]) == 1
    for moment in "99999999999m", "0001-01-01T00:00:00Z":
        assert len(scene.tb("log", "--since", moment).json["operations"]) == 1
    assert scene.tb("log", "--since", "9999-12-31T23:59:59Z").json["operations"] == []
    assert scene.tb("log", "--since", "0001-01-01T00:00:00+14:00").code == "usage"
    assert scene.tb("undo", HUGE).json["undone"] == [1]


COMMAND = (sys.executable, "-P", "-m", "takeback")


def test_a_current_folder_that_is_gone_is_said(scene):
    """Whose folder was removed under them is told so; with `-C` the workspace is found from anywhere."""
    scene.tb("status")
    (scene.root / "gone").mkdir()
    start = f"cd gone && rmdir ../gone && exec {' '.join(COMMAND)}"

    for words, status in ("log --json", 3), ("log -C . --json", 3), (f"log -C {scene.root} --json", 0):
        (scene.root / "gone").mkdir(exist_ok=True)
        said = subprocess.run(
            ["sh", "-c", f"{start} {words}"], cwd=scene.root, env=scene.env, capture_output=True, check=False
        )
        assert said.returncode == status, said.stderr
        assert json.loads(said.stdout)["version"] == 1
        assert (b"removed" in said.stdout) == (status == 3)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no full device")
@pytest.mark.parametrize(
    "words",
    [("log", "--json"), ("undo",), ("show", "99", "--json"), ("undo", "--no", "--json")],
    ids=" ".join,
)
def test_an_answer_that_cannot_be_written_is_no_defect(scene, words):
    """Where standard output is full, that is what is said, and nothing else."""
    scene.tb("status")
    for number in range(200):  # more than a buffer holds
        scene.write(f"{number:0100}", "one\n")
    scene.record()

    with open("/dev/full", "w", encoding="utf-8") as full:
        said = subprocess.run(
            [*COMMAND, *words],
            cwd=scene.root,
            env=scene.env,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )

    assert said.returncode == 3, said.stderr
    assert (
        said.stderr.decode().splitlines()[0]
        == "takeback: the answer could not be written: No space left on device"
    )
    assert len(said.stderr.splitlines()) == 2


@pytest.mark.promise(5)
def test_what_cannot_be_settled_is_said_in_sentences(scene):
    """While an interrupted undo can be neither finished nor reversed, each command says why, and `status` names its files."""
    scene.write("f", "one\n")
    with scene.opened() as workspace, workspace.journal.transaction():
        workspace.journal.begin_intent(workspace.store.id_of(b"a body that is gone"), ["f"], 0)

    said = scene.cli("status")

    assert (said.status, said.err.count("\n")) == (0, 1)
    assert "neither finished nor reversed yet: object" in said.err
    (notice,) = said.json["notices"]
    assert notice.endswith("until then nothing of f is recorded or taken back")


@pytest.mark.promise(5)
def test_what_is_logged_is_a_sentence(scene):
    """A second copy of the journal that cannot be written is said without a traceback, and the command goes on."""
    scene.write("f", "one\n")
    scene.tb("status")
    (scene.state / "journal.log").unlink()
    (scene.state / "journal.log").mkdir()
    scene.write("f", "two\n")

    recorded = scene.process("record", "--actor", "human")

    assert recorded.returncode == 0
    assert "second copy could not be written" in recorded.stderr
    assert "Traceback" not in recorded.stderr


def test_a_reason_is_kept_with_the_operation(scene):
    """What `--reason` says stands in the label of the undo, redo or rollback, behind what it is about."""
    scene.write("f", "one\n")
    scene.tb("init")
    checkpoint = scene.checkpoint()
    scene.write("f", "two\n")
    scene.record()

    scene.tb("undo", "--reason", "the tests failed")
    scene.tb("redo", "--reason", "they were wrong")
    scene.tb("rollback", checkpoint, "--reason", "caf\udce9")

    labels = [one["label"] for one in scene.tb("log").json["operations"]]
    assert labels[:3] == [
        f"to {checkpoint}: caf\\udce9",
        "operation 2: they were wrong",
        "operation 1: the tests failed",
    ]
