"""Pages of a timeline: the same operations as a look at all of them would give, however they are found."""

from __future__ import annotations

import pytest

from scenes import make_scene
from takeback.model.ids import OpId, TurnId
from takeback.service import looking
from takeback.timeline import pages


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """A history of two actors in files and folders, with a rename and a turn."""
    scene = make_scene(tmp_path_factory.mktemp("pages"))
    scene.write("old.py", "one\ntwo\n")
    scene.tb("init")
    for number in range(1, 13):
        if number == 6:
            (scene.root / "old.py").rename(scene.root / "new.py")
        if number == 9:
            scene.tb("turn", "begin", "--actor", "agent:a")
        path = ("new.py" if number >= 6 else "old.py") if number % 3 == 0 else f"lib/{number % 2}.py"
        scene.write(path, f"{number}\n")
        scene.tb("record", "--actor", "agent:a" if number % 4 else "agent:b", "--label", f"Step {number}")
    with scene.opened() as found:
        yield found


FILTERS = [
    {},
    {"actor": "agent:a"},
    {"actor": "agent:nobody"},
    {"paths": ("lib",)},
    {"paths": ("old.py",)},
    {"paths": ("new.py",), "actor": "agent:b"},
    {"paths": ("lib", "new.py")},
    {"turn": TurnId("turn-1")},
    {"turn": TurnId("turn-1"), "actor": "agent:b"},
    {"text": "step 1"},
    {"text": "LIB/1"},
    {"after": OpId(4), "actor": "agent:a"},
]


@pytest.mark.parametrize("narrowed", FILTERS, ids=str)
@pytest.mark.parametrize("n", [1, 2, 50])
def test_pages_hold_what_matches(workspace, narrowed, n):
    """Page after page gives every operation that matches, newest first, each once."""
    every = pages.page(workspace.journal, pages.Filter(), None)
    expected = [
        one.id
        for one in every
        if pages._passes(one, pages.Filter(**narrowed)) and one.id > narrowed.get("after", 0)
    ]
    found, before = [], None
    for _ in range(20):
        page = pages.bounded(workspace.journal, pages.Filter(**narrowed, before=before), n)
        found += [one.id for one in page.operations]
        before = page.before
        if before is None:
            break

    assert (found, before) == (expected, None)


def test_a_page_of_what_is_rare_takes_few_steps(workspace, monkeypatch):
    """Where no index helps, a page may be empty and says where to go on: it never reads the whole journal."""
    monkeypatch.setattr("takeback.journal.finding._WINDOW", 2)
    monkeypatch.setattr("takeback.timeline.pages._STEPS", 2)

    page = looking.page(workspace, looking.Wanted(text="step 2"), 5)

    assert page.operations == ()
    assert page.before == workspace.journal.last_operation() - 3
