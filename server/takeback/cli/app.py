"""The program: its commands, its options, and how errors become exit statuses."""

from __future__ import annotations

import json
import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, TypeVar

import click

from takeback import __version__
from takeback.cli import render
from takeback.errors import Defect, Refused, TakebackError, UsageError, WorkspaceRefused
from takeback.model.paths import WorkspacePath
from takeback.service import answers, places
from takeback.service.opening import Workspace, find_root, open_workspace

F = TypeVar("F", bound=Callable[..., Any])

EXIT_CONFLICT = 1
EXIT_USAGE = 2

_MAY_BE_EMPTY = ("label", "argv")
"""Parameters in which nothing is something: text for people, and the words of another program."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="takeback")
def takeback() -> None:
    """Records every write in a workspace, whoever made it, and takes back exactly what you choose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """Where a command runs, and how it answers."""

    folder: str | None
    as_json: bool

    @contextmanager
    def workspace(self) -> Iterator[Workspace]:
        """The workspace of this command."""
        root = self.root()
        with open_workspace(root, progress=render.progress(quiet=self.as_json)) as workspace:
            for problem in workspace.config.problems:
                render.warn(f"{problem.file}:{problem.line}: {problem.message}. {problem.hint}")
            for settled in workspace.settled:
                render.warn(render.settled(settled))
            yield workspace

    def root(self) -> str:
        """The workspace folder: the one named, or found from the current folder."""
        if self.folder is None:
            return find_root(here(), os.environ)
        return self.folder if os.path.isabs(self.folder) else os.path.join(here(), self.folder)

    def place(self, workspace: Workspace) -> str:
        """The workspace, where a command that is typed here has to name it, so that its paths are what they are there."""
        at_top = self.folder is None and os.path.realpath(here()) == workspace.root
        return "" if at_top else workspace.root

    def path(self, workspace: Workspace, text: str) -> WorkspacePath:
        """The path below the workspace that a person named, relative to where they are."""
        return places.named(workspace.root, self._start(workspace), text)

    def paths(self, workspace: Workspace, texts: tuple[str, ...]) -> tuple[WorkspacePath, ...]:
        """The paths that a person named; the workspace itself is one too."""
        return places.all_named(workspace.root, self._start(workspace), texts) if texts else ()

    def _start(self, workspace: Workspace) -> str:
        return here() if self.folder is None else workspace.root

    def answer(self, answer: answers.Answer, show: Callable[[], None]) -> None:
        """Print the answer as JSON, or show it."""
        if self.as_json:
            _write(answer)
        else:
            show()


def here() -> str:
    """The current folder. Raises WorkspaceRefused if somebody removed it."""
    try:
        return os.getcwd()
    except FileNotFoundError as gone:
        raise WorkspaceRefused(
            "the current folder was removed",
            hint="Go to one that exists, or name the workspace with `-C DIR`.",
        ) from gone


def command(group: click.Group, name: str, *, json_too: bool = True) -> Callable[[F], F]:
    """Register a command that gets an `Invocation` first. Its docstring is its help."""

    def register(function: F) -> F:
        def run_it(folder: str | None, as_json: bool = False, **options: Any) -> None:  # noqa: FBT001, FBT002 - click names it
            invocation = Invocation(folder=folder, as_json=as_json)
            with _errors(invocation):
                _refuse_empty(click.get_current_context())
                function(invocation, **options)

        run_it.__doc__ = function.__doc__
        for parameter in getattr(function, "__click_params__", []):
            _params(run_it).append(parameter)
        shared: Any = click.option(
            "-C", "folder", metavar="DIR", help="The workspace (default: found from here)."
        )(run_it)
        if json_too:
            shared = click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object.")(
                shared
            )
        group.command(name)(shared)
        return function

    return register


def run() -> None:
    """Run the program and exit with its status. No traceback, ever."""
    logging.basicConfig(handlers=[_sentences()])
    try:
        sys.exit(_status())
    except BrokenPipeError:
        _let_go_of_output()
        sys.exit(0)
    except Exception as problem:  # noqa: BLE001 - the front end's edge: what gets here is our defect, or nowhere to write to
        full = isinstance(problem, OSError) and _report_full_output()
        sys.exit(full or _report_defect(problem))


def _sentences() -> logging.Handler:
    """Prints what is logged for people: what happened, and never a traceback."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Sentence())
    return handler


class _Sentence(logging.Formatter):
    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging names it
        return str(ei[1])


def _status() -> int:
    try:
        status = takeback.main(standalone_mode=False)
    except click.exceptions.Abort:
        return 130
    except click.ClickException as problem:
        _report_usage(problem)
        return EXIT_USAGE
    return status if isinstance(status, int) else 0


def _params(function: Any) -> list[click.Parameter]:
    if not hasattr(function, "__click_params__"):
        function.__click_params__ = []
    params: list[click.Parameter] = function.__click_params__
    return params


def _refuse_empty(context: click.Context) -> None:
    """An empty value is the unset variable of a script: taken for "not given", it would choose far more than was meant."""
    for parameter in context.command.params:
        value = context.params.get(parameter.name or "")
        if parameter.name not in _MAY_BE_EMPTY and "" in (value if isinstance(value, tuple) else (value,)):
            raise UsageError(
                f"{parameter.get_error_hint(context)} is empty", hint="Give it a value, or leave it out."
            )


@contextmanager
def _errors(invocation: Invocation) -> Iterator[None]:
    try:
        yield
    except TakebackError as problem:
        if invocation.as_json:
            _write(answers.error(problem))
        render.problem(problem)
        raise click.exceptions.Exit(problem.exit_status) from problem


def _report_usage(problem: click.ClickException) -> None:
    if _wants_json():
        _write(answers.error(UsageError(problem.format_message())))
    problem.show()


def _wants_json() -> bool:
    """Whether the answer is to be JSON, where no command came so far as to know it. After `--` another program is meant."""
    return "--json" in takewhile(lambda word: word != "--", sys.argv)


def _report_full_output() -> int:
    """The exit status if what is wrong is that nothing more can be written to standard output; else 0."""
    try:
        click.echo()  # not only a flush: of a long answer, nothing waits to be written again
    except OSError as full:
        _let_go_of_output()
        hint = "Only the answer is missing: `takeback log` shows what was done."
        problem = Refused(f"the answer could not be written: {full.strerror}", hint=hint)
        render.problem(problem)
        return problem.exit_status
    return 0


def _let_go_of_output() -> None:
    """The interpreter flushes standard output at its end, and would complain that it cannot."""
    sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - open until the end


def _report_defect(defect: Exception) -> int:
    frames = traceback.extract_tb(defect.__traceback__)
    place = next((f"{os.path.basename(frame.filename)}:{frame.lineno}" for frame in reversed(frames)), "?")
    problem = Defect(f"{__version__} failed at {place}: {type(defect).__name__}: {defect}")
    if _wants_json():
        _write(answers.error(problem))
    render.problem(problem)
    return problem.exit_status


def _write(answer: answers.Answer) -> None:
    click.echo(json.dumps(answer, allow_nan=False))
