"""A write into an open document waits while its editor has more to say, and is then judged by what it says."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from editor import TEXT
from takeback.service import sifting, sources
from takeback.service.desk import Desk

TYPED = TEXT.replace("line 3\n", "typed\n")
FORMATTED = TYPED.replace("line 5\n", "formatted\n")


@pytest.fixture
def story(scene, monkeypatch):
    """A document that was opened, and then saved with more text than is known of it yet; no doubt lasts too long."""
    monkeypatch.setattr(sifting, "_DOUBT_S", 60)
    (scene.root / "a.txt").write_text(TEXT, encoding="utf-8")
    behind = [True]
    with scene.opened() as workspace, Desk(workspace, "Testing", str, lambda: behind[0]) as desk:
        desk.opened("a", "a.txt", 1, TEXT)
        (scene.root / "a.txt").write_text(FORMATTED, encoding="utf-8")
        yield workspace, desk, behind


def look(workspace, *, is_patient=True):
    """What a recorder does when it finds something."""
    with workspace.recorder.patient() if is_patient else nullcontext():
        return workspace.looker.everything(sources.unannounced(workspace))


def actors(scene):
    """Who wrote each operation, oldest first."""
    return [one["actor"] for one in reversed(scene.tb("log").json["operations"])]


@pytest.mark.promise(5)
def test_a_write_waits_for_what_its_editor_may_say(scene, story):
    """It is looked at again when everything was heard; then typing and formatting are told apart."""
    workspace, desk, behind = story
    looked = look(workspace)
    assert (looked.operation, looked.deferred) == (None, ("a.txt",))
    desk.changed("a", "a.txt", 2, TYPED)
    desk.will_save("a", "a.txt")
    desk.changed("a", "a.txt", 3, FORMATTED)
    behind[0] = False

    assert not look(workspace).deferred

    assert actors(scene) == ["human", "command:format"]


@pytest.mark.promise(5)
def test_a_write_that_its_editor_says_nothing_of_is_nobodys(scene, story):
    """When everything was heard and the document shows something else, the write was not its editor's."""
    workspace, _, behind = story
    behind[0] = False

    look(workspace)

    assert actors(scene) == ["unknown"]


@pytest.mark.promise(1)
def test_a_write_does_not_wait_for_ever(scene, story, monkeypatch):
    """However much an editor says, after a moment the write is recorded."""
    workspace, *_ = story
    monkeypatch.setattr(sifting, "_DOUBT_S", 0)

    look(workspace)

    assert actors(scene) == ["unknown"]


@pytest.mark.promise(1)
def test_who_asks_for_everything_until_now_gets_it(scene, story):
    """Nothing waits for what an editor may say while somebody is about to take back what is recorded; a save claims it."""
    workspace, desk, _ = story

    look(workspace, is_patient=False)
    desk.changed("a", "a.txt", 2, FORMATTED)
    desk.saved("a", "a.txt", FORMATTED)

    assert actors(scene) == ["human"]


@pytest.mark.promise(5)
def test_a_save_that_never_came_makes_nobodys_write_the_humans(scene, story):
    """After a save that was announced and failed, what the editor reloads is not taken for what was typed."""
    workspace, desk, behind = story
    behind[0] = False
    desk.changed("a", "a.txt", 2, TYPED)
    desk.will_save("a", "a.txt")
    look(workspace)
    desk.changed("a", "a.txt", 3, FORMATTED)  # reverted to what somebody else wrote
    again = FORMATTED.replace("line 9\n", "agent\n")
    (scene.root / "a.txt").write_text(again, encoding="utf-8")
    desk.changed("a", "a.txt", 4, again)

    look(workspace)

    assert actors(scene) == ["unknown", "unknown"]


@pytest.mark.promise(5)
def test_a_save_that_was_given_up_makes_nobodys_write_the_humans(scene, story):
    """What was typed is taken back after its save was announced: what is reloaded then was not typed."""
    workspace, desk, behind = story
    behind[0] = False
    look(workspace)
    desk.changed("a", "a.txt", 2, FORMATTED)
    desk.changed("a", "a.txt", 3, TYPED)
    desk.will_save("a", "a.txt")
    desk.changed("a", "a.txt", 4, FORMATTED)
    again = FORMATTED.replace("line 9\n", "agent\n")
    (scene.root / "a.txt").write_text(again, encoding="utf-8")
    desk.changed("a", "a.txt", 5, again)

    look(workspace)

    assert actors(scene) == ["unknown", "unknown"]


@pytest.mark.promise(1)
def test_what_came_after_a_save_is_recorded_whoever_saw_it_first(story):
    """A write over a save is known when the save was told, also where the editor has said more and nobody looks again."""
    workspace, desk, behind = story
    desk.changed("a", "a.txt", 2, TYPED)
    look(workspace, is_patient=False)  # the watcher saw only what came after the save
    desk.saved("a", "a.txt", TYPED)

    assert behind == [True]
    known = workspace.recorder.state_of("a.txt")[1]
    assert workspace.store.get(known.blob).decode() == FORMATTED


@pytest.mark.promise(5)
def test_each_write_has_its_own_doubt(scene, story, monkeypatch):
    """A write that waited in vain does not make the next one wait shorter."""
    workspace, _, _ = story
    with monkeypatch.context() as patched:
        patched.setattr(sifting, "_DOUBT_S", 0)
        assert not look(workspace).deferred
    (scene.root / "a.txt").write_text(TYPED, encoding="utf-8")

    assert look(workspace).deferred == ("a.txt",)
