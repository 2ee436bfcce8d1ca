"""The pages as such: traps and promises have their tests, links lead somewhere, and nothing foreign is named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rules import pages

PROJECT = Path(__file__).parents[2]
DOCS = PROJECT / "docs"
PAGES = [PROJECT / "README.md", PROJECT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]

N_TRAPS, N_PROMISES = 22, 10
NOT_YET_TRAPS: set[int] = set()
NOT_YET_PROMISES: set[int] = set()
"""Numbers that no test carries yet: take one out as soon as a test carries it, and never put one in."""


# -- traps and promises --------------------------------------------------------------------------


def test_every_trap_has_a_test():
    """Each of the traps is shown by a test that carries its number, apart from a list that only shrinks."""
    shown = pages.marked("trap").keys()

    assert set(range(1, N_TRAPS + 1)) - shown == NOT_YET_TRAPS
    assert shown <= set(range(1, N_TRAPS + 1))


def test_every_promise_has_a_test():
    """Each of the promises is held by a test that carries its number, apart from a list that only shrinks."""
    held = pages.marked("promise").keys()

    assert set(range(1, N_PROMISES + 1)) - held == NOT_YET_PROMISES
    assert held <= set(range(1, N_PROMISES + 1))


def test_the_page_of_traps_names_tests_that_show_them():
    """`docs/traps.md` has every trap once, and each file that it names for one carries that trap's number."""
    page = (DOCS / "traps.md").read_text(encoding="utf-8")
    sections = re.findall(r"^## (\d+)\. .*?^Shown by: (.*?)\.$", page, re.MULTILINE | re.DOTALL)

    assert [int(number) for number, _ in sections] == list(range(1, N_TRAPS + 1))
    for number, files in sections:
        named = set(re.findall(r"`(.*?)`", files))
        assert named <= pages.marked("trap").get(int(number), set()), number


# -- the project speaks of itself alone ----------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_links_lead_somewhere(page):
    """Every relative link in a page leads to a file of the project, and every image is there."""
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", text)

    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_pages_have_one_sentence_per_line(page):
    """No line of prose holds two sentences, so that a change of one is a change of one line."""
    text = re.sub(
        r"```.*?```|<!-- generated.*?/generated -->", "", page.read_text(encoding="utf-8"), flags=re.DOTALL
    )
    prose = [line for line in text.splitlines() if not line.startswith(("|", "#", "<!--"))]

    assert [line for line in prose if re.search(r"[a-z`)][.!?] [A-Z]", line)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_named_files_are_there(page):
    """Every test file or folder, and every module with its folder, that a page names exists."""
    text = page.read_text(encoding="utf-8")
    tests = re.findall(r"`(tests/[\w/.]+)`", text)
    modules = re.findall(r"`((?:cli|service|undo|watch|journal|store|files|repository|demo)/\w+\.py)`", text)

    missing = [name for name in tests if not (PROJECT / name).exists()]
    assert missing + [name for name in modules if not (PROJECT / "server" / "takeback" / name).exists()] == []


def test_every_invariant_names_its_test():
    """Each invariant of `docs/architecture.md` says which test or contract holds it."""
    page = (DOCS / "architecture.md").read_text(encoding="utf-8")
    paragraphs = [part for part in page.split("\n\n") if part.startswith("**Invariant:**")]

    assert len(paragraphs) > 10
    assert [part.splitlines()[0] for part in paragraphs if "\nHeld by " not in part] == []


_FOREIGN = (
    r"/work/|/root/|/home/(?!ann/)|localhost|https?://(?!keepachangelog\.com|semver\.org)|\B#\d+\b|shared/"
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_pages_speak_of_the_project_alone(page):
    """No page names a tracker, a host, or a path of the machine that it was written on."""
    assert re.findall(_FOREIGN, page.read_text(encoding="utf-8")) == []


def test_the_code_map_has_every_part():
    """Each package and module on the first level is in the code map of `docs/architecture.md`."""
    page = (DOCS / "architecture.md").read_text(encoding="utf-8")
    headings = " ".join(re.findall(r"^### (.*)$", page, re.MULTILINE))
    parts = {path.stem for path in (PROJECT / "server" / "takeback").iterdir() if path.suffix in {"", ".py"}}

    assert {part for part in parts if not part.startswith("__") and f"`{part}`" not in headings} == set()
