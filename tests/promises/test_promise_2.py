"""Undo takes back only what the chosen operations wrote; what cannot be separated is shown, and decided by somebody."""

import json
import shlex
import subprocess
import sys
from contextlib import closing

import pytest

from takeback.model.operation import OperationKind
from takeback.model.state import FileKind
from takeback.service import recording, requests, taking_back
from takeback.service.channel import Listener, address
from takeback.service.published import Editor
from takeback.service.requests import Outcome, Request
from takeback.undo import apply

BASE = "top\n1\n2\n3\nend\n"
NOW = "TOP\n1\nformatted\n3\nend\n"


def contested(scene):
    """Operation 1 of an agent wrote two places, and operation 2 of a formatter rewrote one of them."""
    scene.write("f", BASE)
    scene.write("g", "g\n")
    scene.tb("status")
    scene.write("f", "TOP\n1\nagent\n3\nend\n")
    scene.write("g", "agent\n")
    scene.record("agent:claude")
    scene.write("f", NOW)
    scene.record("command:black")
    return scene.files()


MARKED = """\
top
1
<<<<<<< now: operation 2 (command:black)
formatted
||||||| operation 1 (agent:claude)
agent
=======
2
>>>>>>> before operation 1
3
end
"""

MODES = {
    "markers": (1, "conflict", MARKED, "g\n"),
    "keep-mine": (0, "merged", "top\n1\nformatted\n3\nend\n", "g\n"),
    "take-theirs": (0, "merged", BASE, "g\n"),
    "skip-file": (0, "skipped", NOW, "g\n"),
}


@pytest.mark.promise(2)
def test_without_a_word_nothing_is_written(scene):
    """A conflict names who stands in the way and the way out; no file, also no other one, is touched."""
    before = contested(scene)

    undone = scene.cli("undo", "--op", "1")

    assert (undone.status, undone.json["outcome"], undone.json["operation"]) == (1, "conflict", None)
    assert undone.json["conflicts"] == [{"path": "f", "what": "lines", "chosen": [1], "in_the_way": [2]}]
    assert undone.json["hint"] == "takeback undo --op 1 --op 2"
    assert scene.files() == before


@pytest.mark.promise(2)
def test_the_hint_works_when_it_is_run(scene):
    """The command that a conflict hints at, run as it stands, takes back the later operation too."""
    contested(scene)
    program, *words = shlex.split(scene.tb("undo", "--op", "1").json["hint"])

    assert program == "takeback"
    assert scene.process(*words).returncode == 0

    assert (scene.read("f"), scene.read("g")) == (BASE, "g\n")


def run_as_typed(scene, hint, at):
    """What the command that was hinted at says when a shell runs it in this folder."""
    typed = hint.replace("takeback ", f"{shlex.quote(sys.executable)} -P -m takeback ")
    return subprocess.run(
        typed, shell=True, cwd=at, env=scene.env, capture_output=True, text=True, check=False
    )


@pytest.mark.promise(2)
def test_the_hint_stays_within_the_paths_that_were_asked_for(scene):
    """Asked for in a subfolder and for one file with a difficult name, the hint takes back nothing elsewhere."""
    path = "sub folder/it's"
    for content, actor in (("1\n2\n", None), ("1\nagent\n", "agent:a"), ("1\nhuman\n", "human")):
        scene.write(path, content)
        scene.write("g", f"{actor}\n")
        scene.record(actor) if actor else scene.tb("status")
    folder = scene.root / "sub folder"

    words = ("undo", "--json", "--op", "1", "--path", "it's")
    command = [sys.executable, "-P", "-m", "takeback", *words]
    said = subprocess.run(command, cwd=folder, env=scene.env, capture_output=True, text=True, check=False)
    assert said.returncode == 1
    ended = run_as_typed(scene, json.loads(said.stdout)["hint"], folder)

    assert ended.returncode == 0, ended.stderr
    assert (scene.read(path), scene.read("g")) == ("1\n2\n", "human\n")


@pytest.mark.promise(2)
def test_the_hint_names_all_that_follows(scene):
    """What rewrote the lines of what is in the way is in the way too, also in another place of the file."""
    for content, actor in (
        ("a\nb\nc\nd\n", None),
        ("a\nb1\nc\nd\n", "agent:x"),
        ("a\nb2\nc2\nd\n", "agent:y"),
        ("a\nb2\nc3\nd\n", "agent:z"),
        ("a\nb2\nc3\nD\n", "human"),
    ):
        scene.write("f", content)
        scene.record(actor) if actor else scene.tb("status")

    undone = scene.cli("undo", "--op", "1")

    assert undone.json["hint"] == "takeback undo --op 1 --op 2 --op 3"
    assert run_as_typed(scene, undone.json["hint"], scene.root).returncode == 0
    assert scene.read("f") == "a\nb\nc\nD\n"


@pytest.mark.promise(2)
def test_the_hint_of_a_redo_takes_back_what_is_in_the_way_and_asks_again(scene):
    """Where somebody rewrote the lines that a redo would bring back, theirs go first."""
    scene.write("f", BASE)
    scene.tb("status")
    scene.write("f", BASE.replace("2\n", "agent\n"))
    scene.record("agent:a")
    scene.tb("undo")
    scene.write("f", BASE.replace("2\n", "human\n"))
    scene.record("human")

    redone = scene.cli("redo")

    assert redone.json["hint"] == "takeback undo --op 3 && takeback redo --op 2"
    assert run_as_typed(scene, redone.json["hint"], scene.root).returncode == 0
    assert scene.read("f") == BASE.replace("2\n", "agent\n")


@pytest.mark.parametrize("mode", ["markers", "keep-mine", "take-theirs"])
@pytest.mark.promise(2)
@pytest.mark.promise(3)
def test_the_hint_works_after_somebody_decided_otherwise(scene, mode):
    """What was done about the conflict is taken back first; then everything goes as the hint says."""
    contested(scene)
    undone = scene.cli("undo", "--op", "1", "--on-conflict", mode)

    assert undone.json["hint"] == "takeback undo --op 3 && takeback undo --op 1 --op 2"
    assert run_as_typed(scene, undone.json["hint"], scene.root).returncode == 0
    assert (scene.read("f"), scene.read("g")) == (BASE, "g\n")


def put(scene, path, content):
    """A binary file, or a link, with this content."""
    (scene.root / path).unlink(missing_ok=True)
    if path == "link":
        (scene.root / path).symlink_to(content)
    else:
        scene.write(path, b"\0" + content.encode())


@pytest.mark.parametrize("path", ["binary", "link"])
@pytest.mark.promise(2)
@pytest.mark.promise(5)
def test_markers_cannot_show_what_has_no_lines(scene, path):
    """A conflict of a binary file or a link stays one, with the way out; another file gets its markers."""
    put(scene, path, "base")
    scene.write("t", "base\n")
    scene.tb("status")
    for text in "one", "two":
        put(scene, path, text)
        scene.record()
    alone = scene.tb("undo", "--op", "1", "--on-conflict", "markers")
    assert (alone.status, alone.json["outcome"]) == (1, "conflict")
    assert alone.json["hint"] == f"takeback undo -C {scene.root} --op 1 --op 2"
    for text in "three", "four":
        put(scene, path, text)
        scene.write("t", f"{text}\n")
        scene.record()
    before = scene.files()[path]

    both = scene.tb("undo", "--op", "3", "--on-conflict", "markers")

    assert (both.status, both.json["outcome"]) == (1, "applied")
    assert [one["path"] for one in both.json["conflicts"]] == [path, "t"]
    assert both.json["conflicts"][0]["in_the_way"] == [4]
    outcome, note = both.outcome_of(path)
    assert (outcome, "no lines" in note) == ("conflict", True)
    assert scene.files()[path] == before
    assert "<<<<<<<" in scene.read("t")


@pytest.mark.promise(2)
def test_a_conflict_is_named_once(scene):
    """In how many places two operations meet: it is one conflict."""
    for who in "ab", "ac", "ad":
        scene.write("f", "".join(f"{n}\n" if n % 2 else f"{who}{n}\n" for n in range(100)))
        scene.tb("record")

    refused = scene.tb("undo", "--op", "1")

    assert refused.json["conflicts"] == [{"path": "f", "what": "lines", "chosen": [1], "in_the_way": [2]}]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.promise(2)
@pytest.mark.promise(3)
def test_somebody_decides(scene, mode):
    """Markers, keep-mine, take-theirs and skip-file do what they say, to the byte; undo of that undo is exact."""
    before = contested(scene)
    status, outcome, content, other = MODES[mode]

    undone = scene.cli("undo", "--op", "1", "--on-conflict", mode)

    assert (undone.status, undone.json["outcome"]) == (status, "applied")
    assert undone.outcome_of("f")[0] == outcome
    assert (scene.read("f"), scene.read("g")) == (content, other)
    assert scene.cli("undo", "--op", str(undone.json["operation"])).status == 0
    assert scene.files() == before


@pytest.mark.parametrize("mode", ["stop", *MODES])
@pytest.mark.promise(2)
def test_a_plan_writes_nothing_and_says_what_would_be(scene, mode):
    """`--dry-run` answers with the outcome of each file, and no byte, mtime or operation is another."""
    before = contested(scene)
    times = (scene.root / "f").stat().st_mtime_ns

    planned = scene.tb("undo", "--op", "1", "--dry-run", "--on-conflict", mode)
    expected = "conflict" if mode == "stop" else MODES[mode][1]

    assert planned.outcome_of("f")[0] == expected
    assert (scene.files(), (scene.root / "f").stat().st_mtime_ns) == (before, times)
    assert len(scene.tb("log").json["operations"]) == 2


@pytest.mark.promise(2)
def test_binary_content_that_moved_on_is_never_guessed(scene):
    """An agent and a person rewrote a binary file: undo of the agent is a conflict; take-theirs brings the old one."""
    scene.write("f", b"\0one")
    scene.tb("status")
    scene.write("f", b"\0agent")
    scene.record("agent:a")
    scene.write("f", b"\0human")
    scene.record("human")

    assert scene.tb("undo", "--op", "1").json["outcome"] == "conflict"
    assert (scene.root / "f").read_bytes() == b"\0human"
    assert scene.tb("undo", "--op", "1", "--on-conflict", "take-theirs").status == 0
    assert (scene.root / "f").read_bytes() == b"\0one"


@pytest.mark.parametrize("what", ["mode", "name"])
@pytest.mark.promise(2)
def test_modes_and_names_that_somebody_else_changed(scene, what):
    """Where somebody changed a mode or name since, theirs stays until the one before is asked for."""
    path = scene.root / "f"
    scene.write("f", "one\n")
    path.chmod(0o644)
    scene.tb("status")
    for mode, name in (0o755, "g"), (0o600, "h"):
        if what == "mode":
            path.chmod(mode)
        else:
            path = path.rename(scene.root / name)
        scene.record("agent:a" if mode == 0o755 else "human")
    before = scene.files()

    undone = scene.tb("undo", "--op", "1")
    assert undone.json["conflicts"][0]["what"] == what
    assert scene.files() == before
    assert scene.tb("undo", "--op", "1", "--on-conflict", "keep-mine").status == 0
    assert scene.files() == before
    assert scene.tb("redo", "--op", "1").status in {0, 1}
    assert scene.tb("rollback", scene.checkpoint()).status == 0
    assert scene.tb("undo", "--op", "1", "--on-conflict", "take-theirs").status in {0, 1}


@pytest.mark.promise(2)
def test_a_plan_that_went_stale_is_made_anew(scene):
    """A file was written after the plan was made and before it was applied: that write is recorded, and stays."""
    scene.write("f", BASE)
    scene.tb("status")
    scene.write("f", BASE.replace("2\n", "agent\n"))
    scene.record("agent:a")
    with scene.opened() as workspace:
        make = taking_back.planner(workspace, taking_back.Verb(kind=OperationKind.UNDO), Request())
        draft = make()
        scene.write("f", scene.read("f") + "human\n")

        assert taking_back.carried_out(workspace, draft) is None
        assert scene.read("f") == BASE.replace("2\n", "agent\n") + "human\n"
        assert taking_back.carried_out(workspace, make_again(workspace)).outcome is Outcome.APPLIED

    assert scene.read("f") == BASE + "human\n"


def make_again(workspace):
    """A new plan for the agent's operation."""
    request = Request(ops=(1,))
    return taking_back.planner(workspace, taking_back.Verb(kind=OperationKind.UNDO), request)()


def between_plan_and_files(monkeypatch, act):
    """`act` happens once: after the next plan was made, before it is compared with the files."""
    locked, waiting = apply.locked, [act]

    def acting(*arguments):
        while waiting:
            waiting.pop()()
        return locked(*arguments)

    monkeypatch.setattr(apply, "locked", acting)


@pytest.mark.promise(2)
def test_what_is_saved_during_an_undo_is_not_what_it_takes_back(scene, monkeypatch):
    """Somebody saves a file of the last operation while that is taken back: it goes, and what was saved stays."""
    scene.write("f", BASE)
    scene.write("g", BASE)
    scene.tb("status")
    scene.write("f", BASE.replace("2\n", "agent\n"))
    scene.write("g", "agent\n")
    scene.record("agent:a")
    between_plan_and_files(monkeypatch, lambda: scene.write("f", scene.read("f") + "human\n"))

    undone = scene.tb("undo")

    assert (undone.json["outcome"], undone.json["undone"]) == ("applied", [1])
    assert (scene.read("f"), scene.read("g")) == (BASE + "human\n", BASE)


@pytest.mark.parametrize("words", [("undo",), ("undo", "--turn", "turn-1"), ("undo", "--since", "cp-1")])
@pytest.mark.promise(2)
def test_what_is_recorded_during_an_undo_is_not_chosen(scene, monkeypatch, words):
    """However operations were chosen, one that is recorded after that is none of them, although it would match."""
    check_that_what_comes_later_stays(scene, monkeypatch, words)


@pytest.mark.promise(2)
def test_what_is_recorded_during_a_rollback_of_one_actor_is_not_chosen(scene, monkeypatch):
    """What the actor writes after its operations were chosen stays."""
    check_that_what_comes_later_stays(scene, monkeypatch, ("rollback", "cp-1", "--actor", "agent:a"))


def check_that_what_comes_later_stays(scene, monkeypatch, words):
    """Of one actor's turn, the command takes back what is there, and leaves what is recorded meanwhile."""
    scene.write("f", BASE)
    scene.checkpoint()
    scene.tb("turn", "begin", "--actor", "agent:a")
    scene.write("f", BASE.replace("2\n", "agent\n"))
    scene.record("agent:a")

    def go_on():
        scene.write("f", scene.read("f") + "later\n")
        scene.process("record", "--actor", "agent:a")

    between_plan_and_files(monkeypatch, go_on)
    undone = scene.tb(*words)

    assert (undone.json["outcome"], undone.json["undone"]) == ("applied", [1])
    assert scene.read("f") == BASE + "later\n"


@pytest.mark.promise(2)
def test_an_editor_is_asked_for_the_operations_that_were_chosen(scene, monkeypatch):
    """Where an editor has to do it, it is told which operations: what is recorded until then is none of them."""
    scene.write("f", BASE)
    scene.tb("status")
    scene.write("f", BASE.replace("2\n", "agent\n"))
    scene.record("agent:a")
    asked = []

    def answer(_number, message):
        asked.append(requests.request_in(message["request"])[1])
        return {"outcome": "nothing", "operation": None, "undone": [], "files": []}

    with scene.opened() as workspace, closing(Listener(address(workspace.state, "editor"), answer)):
        place = address(workspace.state, "editor")
        editor = Editor(name="an editor", address=place, pid=0, dirty=frozenset({"f"}))
        monkeypatch.setattr(taking_back, "editors", lambda _: (editor,))
        taking_back.undo(workspace, Request())

    assert [(request.n, request.ops) for request in asked] == [(None, (1,))]


@pytest.mark.promise(2)
def test_a_redo_during_which_somebody_undoes_brings_back_what_was_undone_before(scene, monkeypatch):
    """What another process takes back while a redo is planned anew is not what the redo brings back."""
    scene.write("f", BASE)
    scene.write("g", BASE)
    scene.tb("status")
    for path in "f", "g":
        scene.write(path, BASE.replace("2\n", "agent\n"))
        scene.record("agent:a")
    scene.tb("undo", "--op", "1")

    def undo_the_other():
        scene.write("f", scene.read("f") + "later\n")
        scene.process("undo", "--op", "2")

    between_plan_and_files(monkeypatch, undo_the_other)
    redone = scene.tb("redo")

    assert (redone.json["outcome"], redone.json["undone"]) == ("applied", [3])
    assert (scene.read("f"), scene.read("g")) == (BASE.replace("2\n", "agent\n") + "later\n", BASE)


@pytest.mark.promise(2)
def test_an_empty_file_is_a_state_like_any_other(scene):
    """A file emptied by an agent and written in by a person: undo brings the lines back before the person's."""
    scene.write("f", "1\n2\n")
    with scene.opened() as workspace:
        for actor, content in ("agent:a", ""), ("human", "mine\n"):
            scene.write("f", content)
            assert recording.record(workspace, actor, "").changes[0].after.kind is FileKind.FILE
        assert taking_back.undo(workspace, Request(ops=(1,))).outcome is Outcome.APPLIED

    assert scene.read("f") == "1\n2\nmine\n"
