"""The pages of the editors quote the very files with which the editors are tested."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGES = Path(__file__).parents[2] / "docs" / "editors"
_QUOTED = re.compile(r"<!-- file: (?P<name>[\w.-]+) -->\n```\w+\n(?P<text>.*?)```\n", re.DOTALL)


def quoted():
    """Every quoted file with its text, by page."""
    for page in sorted(PAGES.glob("*.md")):
        for found in _QUOTED.finditer(page.read_text(encoding="utf-8")):
            yield page.name, found["name"], found["text"]


@pytest.mark.parametrize(("page", "name", "text"), list(quoted()), ids=[name for _, name, _ in quoted()])
def test_a_page_quotes_its_file(page, name, text):
    """The configuration on a page is the file that the tests give to the editor."""
    assert text == (PAGES / name).read_text(encoding="utf-8")


def test_every_configuration_is_on_a_page():
    """No file is tested that no page shows."""
    files = {path.name for path in PAGES.iterdir() if path.suffix != ".md"}

    assert {name for _, name, _ in quoted()} == files


def test_the_first_page_leads_to_every_other():
    """`docs/editors/index.md` links every page of an editor."""
    text = (PAGES / "index.md").read_text(encoding="utf-8")
    pages = {path.name for path in PAGES.glob("*.md")} - {"index.md"}

    assert {name for name in pages if f"({name})" not in text} == set()
