"""Errors: one tree, one code and one exit status each, and always a way to go on."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from takeback import errors
from takeback.errors import TakebackError

PROJECT = Path(__file__).parents[2]
PACKAGE = PROJECT / "server" / "takeback"
_BRANCH = re.compile(r"^    (?P<bars>[│├└─ ]*)(?P<name>[A-Z]\w+)(?: .*?)?(?:exit (?P<status>\d+))?$")

CLASSES = tuple(
    found
    for _, found in inspect.getmembers(errors, inspect.isclass)
    if issubclass(found, Exception) and found.__module__ == errors.__name__
)


def drawn() -> Iterator[tuple[str, str | None, int | None]]:
    """Each class of the tree in the module's docstring: its name, its parent, its exit status if drawn."""
    above: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        branch = _BRANCH.match(line)
        if branch:
            depth = len(branch["bars"]) // 4
            above[depth:] = [branch["name"]]
            yield branch["name"], above[depth - 1] if depth else None, int(branch["status"] or 0) or None


def raised() -> Iterator[tuple[str, str, bool]]:
    """Each error that the code makes: where, which class, and whether it brings a hint."""
    names = {found.__name__ for found in CLASSES}
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
                hinted = any(word.arg == "hint" for word in node.keywords)
                yield f"{path.relative_to(PROJECT)}:{node.lineno}", node.func.id, hinted


def test_the_tree_in_the_docstring_is_the_tree_of_classes():
    """The docstring of `errors` draws every class once, below the class that it derives from."""
    expected = {
        (found.__name__, found.__bases__[0].__name__) for found in CLASSES if found is not TakebackError
    }

    actual = {(name, parent) for name, parent, _ in drawn() if parent is not None}

    assert actual == expected


def test_the_drawn_exit_statuses_are_the_real_ones():
    """Where the tree names an exit status, the class and all below it have that one."""
    for name, _, status in drawn():
        if status is not None:
            top = getattr(errors, name)
            below = [found for found in CLASSES if issubclass(found, top)]
            assert {found.exit_status for found in below} == {status}, name


def test_codes_are_unique():
    """No two errors share the code that they have on the wire."""
    codes = [found.code for found in CLASSES]

    assert sorted(codes) == sorted(set(codes))


@pytest.mark.parametrize("found", CLASSES, ids=lambda found: found.__name__)
def test_every_error_explains_itself(found):
    """Each class is one failure with one sentence, and ends the program with 2 or 3; a defect with 70."""
    assert (found.__doc__ or "").splitlines()[0].endswith(".")
    assert found.exit_status in ({70} if found is errors.Defect else {2, 3})


def test_every_error_that_is_raised_has_a_hint():
    """Whatever is refused comes with what to do next: the class's own hint, or one given where it is raised."""
    without = [where for where, name, hinted in raised() if not hinted and not getattr(errors, name).hint]

    assert without == []


def test_every_code_is_documented():
    """`docs/cli.md` names the code of every error that can reach a user."""
    page = (PROJECT / "docs" / "cli.md").read_text(encoding="utf-8")

    assert [
        found.code for found in CLASSES if found is not TakebackError and f"`{found.code}`" not in page
    ] == []
