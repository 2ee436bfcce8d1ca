"""The pages: what they say of commands, answers, configuration, journal and traps is what the code does."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from rules import pages
from takeback.cli.app import EXIT_CONFLICT, EXIT_USAGE, takeback
from takeback.errors import Defect, TakebackError
from takeback.journal.log import Journal

PROJECT = Path(__file__).parents[2]
DOCS = PROJECT / "docs"


_ANSWER = re.compile(r"<!-- answer: (?P<names>.*?) -->\n```json\n(?P<sample>.*?)```", re.DOTALL)


# -- generated parts -----------------------------------------------------------------------------


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_generated_parts_are_up_to_date(page):
    """Commands, options, configuration and tables stand in the pages as the code has them; `make docs` renews them."""
    text = page.read_text(encoding="utf-8")

    assert text == pages.renewed(text)


def test_every_option_says_what_it_is():
    """Every command and every option has a help text."""
    bare = [
        f"{name} {parameter.name}"
        for name, one in pages.leaves(takeback, "takeback")
        for parameter in one.params
        if isinstance(parameter, click.Option) and not parameter.help
    ]
    silent = [name for name, one in pages.leaves(takeback, "takeback") if not one.help]

    assert (bare, silent) == ([], [])


def test_every_command_names_its_workspace():
    """`-C DIR` belongs to every command."""
    without = [
        name
        for name, one in pages.leaves(takeback, "takeback")
        if not any(parameter.name == "folder" for parameter in one.params)
    ]

    assert without == []


# -- answers -------------------------------------------------------------------------------------


class Shell:
    """A workspace and the program, as a person uses them."""

    def __init__(self, home: Path) -> None:
        self.root = home / "workspace"
        self.root.mkdir()
        self._environ = os.environ | {"TAKEBACK_STATE_DIR": str(home / "state"), "HOME": str(home)}

    def write(self, name: str, text: str) -> None:
        """Somebody writes a file."""
        (self.root / name).write_text(text, encoding="utf-8")

    def git(self, *arguments: str) -> None:
        """Somebody uses git."""
        name = ("-c", "user.name=Ann", "-c", "user.email=ann@example.invalid")
        subprocess.run(["git", *name, *arguments], cwd=self.root, check=True, capture_output=True)

    def run(self, *arguments: str) -> tuple[int, Any]:
        """The exit status of a command and its JSON answer."""
        done = subprocess.run(
            [sys.executable, "-P", "-m", "takeback", *arguments],
            cwd=self.root,
            env=self._environ,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        return done.returncode, json.loads(done.stdout) if done.stdout.startswith("{") else None

    def answer(self, *arguments: str) -> Any:
        """The JSON answer of a command."""
        return self.run(*arguments, "--json")[1]


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """A real answer of every command, by the name that it has in `docs/cli.md`."""
    shell = Shell(tmp_path_factory.mktemp("answers"))
    found: dict[str, list[Any]] = {}

    def keep(name: str, answer: Any) -> Any:
        found.setdefault(name, []).append(answer)
        return answer

    shell.write("app.py", "one\ntwo\nthree\n")
    shell.git("init", "--quiet")
    shell.git("add", "--all")
    shell.git("commit", "--quiet", "--message", "One file")
    keep("init", shell.answer("init"))
    keep("turn", shell.answer("turn", "begin", "--actor", "agent:a", "--label", "a turn"))
    shell.write("app.py", "one\nTWO\nthree\n")
    keep("record", shell.answer("record"))
    keep("turn", shell.answer("turn", "end"))
    keep(
        "checkpoint",
        shell.answer("checkpoint", "create", "-m", "first", "--tag", "t", "--context", '{"step": 3}'),
    )
    keep("checkpoint", shell.answer("checkpoint", "pin", "first"))
    keep("checkpoint", shell.answer("checkpoint", "show", "cp-1"))
    keep("exported", shell.answer("checkpoint", "export", "cp-1", "--branch", "exported"))
    keep("checkpoints", shell.answer("checkpoint", "list"))
    shell.write("app.py", "one\n2\nthree\n")
    shell.answer("record", "--actor", "human")
    keep("undo with a conflict", shell.answer("undo", "--op", "1"))
    keep("diff", shell.answer("diff"))
    keep("undo", shell.answer("undo"))
    keep("redo", shell.answer("redo"))
    keep("rollback", shell.answer("rollback", "cp-1"))
    shell.write("app.py", "one\n")
    keep("restore", shell.answer("restore", "cp-1", "--path", "app.py"))
    shell.write("told.py", "by agent:b\n")
    shell.answer("record", "--actor", "agent:b")
    keep("turn", shell.answer("turn", "begin", "--actor", "agent:b"))
    shell.write("seen.py", "by whom?\n")
    keep("log", shell.answer("log"))
    keep("undo with operations passed over", shell.answer("undo", "--actor", "agent:b"))
    keep("show", shell.answer("show", "1"))
    keep("keep", shell.answer("keep"))
    keep("pause", shell.answer("pause"))
    keep("resume", shell.answer("resume"))
    keep("status", shell.answer("status"))
    keep("doctor", shell.answer("doctor"))
    keep("gc", shell.answer("gc"))
    keep("forget", shell.answer("forget", "told.py"))
    keep("error", shell.answer("show", "99"))
    return found


def documented() -> Iterator[tuple[str, Any]]:
    """Every sample answer in `docs/cli.md` with its name."""
    page = (DOCS / "cli.md").read_text(encoding="utf-8")
    for found in _ANSWER.finditer(page):
        for name in found["names"].split(", "):
            yield name, json.loads(found["sample"])


def keys(value: Any, above: str = "") -> set[str]:
    """Every key in an answer, with the keys above it. What a user chose (`context`) and counters have none."""
    if isinstance(value, list):
        return {key for item in value for key in keys(item, above)}
    if not isinstance(value, dict) or above.endswith((".context", ".counters")):
        return set()
    return {f"{above}.{key}" for key in value} | {
        deeper for key, item in value.items() for deeper in keys(item, f"{above}.{key}")
    }


def test_every_kind_of_answer_is_documented(answers):
    """Each answer has its sample in `docs/cli.md`, and each sample is an answer."""
    assert {name for name, _ in documented()} == answers.keys()


def test_every_command_that_answers_in_json_is_documented():
    """The headings of the JSON part of `docs/cli.md` name every command that has `--json`, and no other."""
    page = (DOCS / "cli.md").read_text(encoding="utf-8").partition("\n## JSON\n")[2]
    named = [
        name
        for line in re.findall(r"^### (`.*)$", page, re.MULTILINE)
        for name in re.findall(r"`(.*?)`", line)
    ]
    real = [
        name.removeprefix("takeback ")
        for name, one in pages.leaves(takeback, "takeback")
        if any(parameter.name == "as_json" for parameter in one.params)
    ]

    assert sorted(named) == sorted(real)


@pytest.mark.parametrize(("name", "sample"), list(documented()), ids=[name for name, _ in documented()])
def test_answers_have_the_documented_keys(answers, name, sample):
    """Every documented key is in a real answer, and every key of a real answer is documented."""
    actual = set().union(*(keys(answer) for answer in answers[name]))
    # Lists that are shown elsewhere on the page are left empty in some samples.
    empty = tuple(f".{key}." for key, value in sample.items() if value in ([], None))

    assert keys(sample) == {key for key in actual if not key.startswith(empty)}


def test_exit_statuses_are_the_documented_ones(tmp_path):
    """0 for done or nothing to do, 1 for a conflict, 2 for a wrong request, 3 for what is refused, `run`'s own."""
    shell = Shell(tmp_path)
    shell.write("app.py", "one\ntwo\n")
    assert shell.run("undo")[0] == 0
    shell.write("app.py", "one\nTWO\n")
    shell.run("record", "--actor", "agent:a")
    shell.write("app.py", "one\n2\n")
    shell.run("record", "--actor", "human")

    statuses = {
        "conflict": shell.run("undo", "--op", "1")[0],
        "usage": shell.run("undo", "1", "--op", "1")[0],
        "option": shell.run("undo", "--no-such-option")[0],
        "refused": shell.run("show", "99")[0],
        "command": shell.run("run", "--", "sh", "-c", "exit 7")[0],
        "not found": shell.run("run", "--", "no-such-program-here")[0],
        "killed": shell.run("run", "--", "sh", "-c", "kill -9 $$")[0],
        "own failure": shell.run("run", "-C", "/no/such/folder", "--", "true")[0],
    }

    assert statuses == {
        "conflict": 1,
        "usage": 2,
        "option": 2,
        "refused": 3,
        "command": 7,
        "not found": 127,
        "killed": 137,
        "own failure": 125,
    }


def test_the_page_has_every_exit_status():
    """The table of exit statuses in `docs/cli.md` has those that the program ends with, and no other."""
    page = (
        (DOCS / "cli.md").read_text(encoding="utf-8").partition("\n## Exit status\n")[2].partition("\n## ")[0]
    )
    named = {int(number) for number in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)}
    errors = {error.exit_status for error in (TakebackError, *TakebackError.__subclasses__())}

    assert named == {0, EXIT_CONFLICT, EXIT_USAGE} | errors


def test_a_defect_ends_with_70_and_one_line(tmp_path):
    """A defect of Takeback's own is one line to report and one JSON object, never a traceback."""
    code = (
        "import sys; from takeback.service import looking;"
        "looking.status = lambda _: 1 / 0; sys.argv = ['takeback', 'status', '--json'];"
        "from takeback.__main__ import main; main()"
    )
    environ = os.environ | {"TAKEBACK_STATE_DIR": str(tmp_path / "state")}
    (tmp_path / "workspace").mkdir()

    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=tmp_path / "workspace",
        env=environ,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )

    assert done.returncode == Defect.exit_status
    assert json.loads(done.stdout)["error"]["code"] == Defect.code
    assert "ZeroDivisionError" in done.stderr
    assert "This is a defect of Takeback" in done.stderr
    assert "Traceback" not in done.stderr


# -- the journal ---------------------------------------------------------------------------------


def test_every_table_is_documented(tmp_path):
    """`docs/journal-format.md` names exactly the tables of a journal, and the generated part their columns."""
    page = (DOCS / "journal-format.md").read_text(encoding="utf-8")
    journal = Journal(str(tmp_path))
    tables = {row[0] for row in journal.query("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    journal.close()

    assert set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == tables
