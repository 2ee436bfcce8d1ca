"""A write into an open document waits while its editor has more to say, and is then judged by what it says."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from editor import TEXT
from takeback.model.operation import OperationKind
from takeback.model.source import Source
from takeback.service import looking, sifting, sources
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


@pytest.mark.promise(5)
def test_while_the_machine_stands_still_no_doubt_grows_old(scene, story, monkeypatch):
    """A second in which nothing could be read of what the editor said is no second of waiting for it; many looks are."""
    workspace, *_ = story
    monkeypatch.setattr(sifting, "_DOUBT_S", 1.0)
    now_s = [0.0]
    monkeypatch.setattr(sifting, "_now_s", lambda: now_s[0])
    look(workspace)
    now_s[0] += 3

    assert look(workspace).deferred == ("a.txt",)
    n_looks = 0
    while look(workspace).deferred:
        n_looks, now_s[0] = n_looks + 1, now_s[0] + 3
    assert n_looks in (1, 2)
    assert actors(scene) == ["unknown"]


@pytest.mark.promise(1)
def test_who_asks_for_everything_until_now_gets_it(scene, story):
    """Nothing waits for an editor's word while somebody is about to take back what is recorded; a save claims it."""
    workspace, desk, _ = story

    look(workspace, is_patient=False)
    desk.changed("a", "a.txt", 2, FORMATTED)
    desk.saved("a", "a.txt", FORMATTED)

    assert actors(scene) == ["human"]


@pytest.mark.promise(5)
def test_a_save_that_was_seen_as_one_with_its_formatting_says_so(scene, story):
    """What was typed and formatted cannot be told apart any more: the human's operation names the formatter too."""
    workspace, desk, _ = story

    look(workspace, is_patient=False)
    save_formatted(desk)

    assert operations(scene) == [("human", "and command:format on save", ["a.txt"])]


@pytest.mark.promise(5)
def test_saves_that_were_seen_as_one_say_that_one_was_formatted(scene, story):
    """Two documents were opened and saved before either was heard of: the human's one operation names the formatter."""
    workspace, desk, _ = story
    desk.closed("a")
    (scene.root / "b.txt").write_text(TYPED, encoding="utf-8")
    look(workspace, is_patient=False)
    desk.opened("a", "a.txt", 1, TEXT)
    save_formatted(desk)
    desk.opened("b", "b.txt", 1, TEXT)
    desk.changed("b", "b.txt", 2, TYPED)
    desk.saved("b", "b.txt", TYPED)

    assert operations(scene) == [("human", "and command:format on save", ["a.txt", "b.txt"])]


@pytest.mark.promise(5)
def test_what_an_editor_may_tell_of_is_recorded_alone(scene, story):
    """Of what is seen at once, each open document is an operation of its own: its save claims it, whatever the rest is."""
    workspace, desk, _ = story
    for name in ("b.txt", "c.txt"):
        (scene.root / name).write_text(TEXT, encoding="utf-8")
    look(workspace, is_patient=False)
    desk.opened("b", "b.txt", 1, TEXT)
    for name in "abc":
        (scene.root / f"{name}.txt").write_text(TYPED, encoding="utf-8")
    (scene.root / "d.txt").write_text(TYPED, encoding="utf-8")

    look(workspace, is_patient=False)
    desk.changed("b", "b.txt", 2, TYPED)
    desk.saved("b", "b.txt", TYPED)

    assert operations(scene)[2:] == [
        ("unknown", "perhaps human", ["a.txt"]),
        ("human", "", ["b.txt"]),
        ("unknown", "", ["c.txt", "d.txt"]),
    ]


@pytest.mark.promise(5)
def test_a_renamed_document_is_not_parted_from_its_new_name(scene, story):
    """Only new content may be a save: a file that goes while another comes is still a rename."""
    workspace, *_ = story
    look(workspace, is_patient=False)
    (scene.root / "a.txt").rename(scene.root / "b.txt")

    look(workspace, is_patient=False)

    (*_, (_, _, paths)) = operations(scene)
    assert paths == ["b.txt"]


@pytest.mark.promise(5)
def test_what_a_command_wrote_is_one_operation(scene, story):
    """Also where an editor, busy with something else, has the files open."""
    workspace, desk, _ = story
    look(workspace, is_patient=False)
    desk.opened("b", "b.txt", 1, "")
    for name in "ab":
        (scene.root / f"{name}.txt").write_text(TYPED, encoding="utf-8")

    workspace.looker.everything(Source(kind=OperationKind.COMMAND, actor="agent:a", label="make"))

    assert operations(scene)[1:] == [("agent:a", "make", ["a.txt", "b.txt"])]


def operations(scene):
    """Who wrote what, with its label but for the way it was found, oldest first."""
    with scene.opened() as workspace:
        found = reversed(looking.log(workspace, looking.Wanted(n=None)))
        return [(one.actor, said(one.label), [change.path for change in one.changes]) for one in found]


def save_formatted(desk):
    """What an editor tells of a save in which a formatter changed something."""
    desk.changed("a", "a.txt", 2, TYPED)
    desk.will_save("a", "a.txt")
    desk.changed("a", "a.txt", 3, FORMATTED)
    desk.saved("a", "a.txt", FORMATTED)


def said(label):
    """A label without the way that its operation was found."""
    return "; ".join(part for part in label.split("; ") if part != sources.FOUND)


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
