"""The command line: what it refuses, and that it answers whatever happens."""

from __future__ import annotations

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
