"""Workspaces that are no plain folder: inside a repository, none at all, at home, gone and back, open twice."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from takeback.service.lease import holder
from wire import CAPABILITIES, TAKEBACK, TEXT, until

pytestmark = pytest.mark.server


@pytest.fixture
def repository(make):
    """A project folder that is a git work tree, with a folder inside."""
    root = make("repository")
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    (root / "sub").mkdir()
    (root / "sub" / "b.txt").write_text(TEXT, encoding="utf-8")
    return root


def histories(state):
    """The names of the folders that have a history."""
    return sorted(path.name.rpartition("-")[0] for path in state.iterdir()) if state.exists() else []


def close(client, path):
    """Close a document."""
    client.notify("textDocument/didClose", {"textDocument": {"uri": path.as_uri()}})


def save(client, path, text):
    """Save a document as this text, and tell of it."""
    path.write_text(text, encoding="utf-8")
    client.notify("textDocument/didSave", {"textDocument": {"uri": path.as_uri()}, "text": text})


def refusal(client, argument):
    """Why a command is refused."""
    return client.run("status", argument)["data"]["error"]


# -- where a folder lies -------------------------------------------------------------------------


def test_a_folder_inside_a_repository_is_the_repositorys(serve, repository):
    """A folder that lies in a git work tree opens the whole work tree: a branch switch does not stop at its edge."""
    client = serve(repository / "sub")

    assert client.run("status", {})["workspace"] == str(repository)
    (repository / "a.txt").write_text("other\n", encoding="utf-8")
    assert client.recorded(1)[0]["changes"][0]["path"] == "a.txt"


@pytest.mark.promise(9)
def test_home_is_refused_with_a_way_on(serve, tmp_path, monkeypatch, state):
    """The home folder is not recorded: the person hears why and what to do, and so does every command."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    client = serve(home)

    error = refusal(client, {})

    (message,) = until(client.messages)
    assert error["code"] == "workspace_refused"
    assert error["hint"] in message
    assert "Open a folder in it" in error["hint"]
    assert histories(state) == []


@pytest.mark.promise(9)
def test_a_repository_at_home_takes_nothing_in(serve, tmp_path, monkeypatch):
    """Where the home folder is a git work tree, a folder in it is a workspace of its own."""
    home, notes = tmp_path / "home", tmp_path / "home" / "notes"
    notes.mkdir(parents=True)
    subprocess.run(["git", "init", "-q"], cwd=home, check=True)
    monkeypatch.setenv("HOME", str(home))

    assert serve(notes).run("status", {})["workspace"] == str(notes)


# -- no folder -----------------------------------------------------------------------------------


def test_a_single_file_opens_its_work_tree(serve, repository):
    """In an editor without folders, a document in a git work tree is recorded there, until the last one is closed."""
    client = serve()
    one, other = repository / "a.txt", repository / "sub" / "b.txt"
    client.open(one)
    client.open(other)
    status = client.run("status", {"uri": one.as_uri()})
    assert status["workspace"] == str(repository)

    save(client, one, "mine\n")
    assert client.recorded(1)[0]["actor"] == "human"
    close(client, one)
    assert client.run("status", {"uri": other.as_uri()})["workspace"] == str(repository)
    until(lambda: holder(status["state"]) is not None)
    close(client, other)
    until(lambda: holder(status["state"]) is None)
    assert refusal(client, {})["code"] == "usage"


@pytest.mark.promise(9)
def test_a_single_file_anywhere_else_is_not_recorded(serve, make, state):
    """A document that lies in no work tree and no folder with history begins none, and commands say so."""
    path = make("plain") / "a.txt"
    client = serve()
    client.open(path)

    assert refusal(client, {"uri": path.as_uri()})["message"] == f"no open folder holds {path.as_uri()}"
    assert histories(state) == []


@pytest.mark.promise(9)
def test_a_document_beside_the_folders_needs_a_history(serve, make, repository, state):
    """Beside open folders, a document elsewhere is recorded only where there is a history already."""
    client = serve(make())
    client.run("status", {})
    path = repository / "a.txt"
    client.open(path)
    assert refusal(client, {"uri": path.as_uri()})["code"] == "usage"
    assert histories(state) == ["project"]
    close(client, path)
    subprocess.run([*TAKEBACK, "init"], cwd=repository, check=True, capture_output=True)

    client.open(path)

    assert client.run("status", {"uri": path.as_uri()})["workspace"] == str(repository)


# -- gone and back -------------------------------------------------------------------------------


@pytest.mark.trap(22)
@pytest.mark.promise(7)
@pytest.mark.parametrize("way", ["removed", "moved"])
def test_a_folder_may_go_and_come_back(serve, make, tmp_path, way):
    """A folder that goes while it is open is said to be gone; when it is back it is recorded again, with its past."""
    root = make()
    client = serve(root)
    client.run("status", {})
    client.path = root / "a.txt"
    client.write_as_agent()
    client.open(client.path)

    if way == "moved":
        root.rename(tmp_path / "elsewhere")
    else:
        shutil.rmtree(root)
    until(lambda: [one for one in client.messages() if f"the folder {root} was moved or removed" in one])
    error = refusal(client, {})
    assert (error["code"], bool(error["hint"])) == ("workspace_refused", True)
    if way == "moved":
        (tmp_path / "elsewhere").rename(root)
    else:
        root.mkdir()

    until(lambda: client.messages()[-1] == f"Takeback records {root} again.")
    save(client, client.path, "mine\n")
    found = until(lambda: [one for one in client.run("status", {})["operations"] if one["actor"] == "human"])
    assert found[0]["changes"][0]["path"] == "a.txt"
    assert client.run("status", {})["operations"][-1]["id"] == 1


@pytest.mark.trap(22)
def test_a_folder_in_the_place_of_another_is_taken_up(serve, make, tmp_path):
    """A folder that was replaced by a fresh clone of the same name is recorded without a restart."""
    root, fresh = make(), make("fresh")
    client = serve(root)
    client.run("status", {})

    root.rename(tmp_path / "old")
    fresh.rename(root)
    until(lambda: client.messages() and client.messages()[-1] == f"Takeback records {root} again.")

    (root / "a.txt").write_text("other\n", encoding="utf-8")
    until(lambda: [one for one in client.run("status", {}).get("operations", ()) if one["changes"]])


def test_a_folder_that_is_not_there_yet_is_waited_for(serve, tmp_path):
    """A folder that the editor names before it exists is recorded once it does."""
    root = tmp_path / "later"
    client = serve(root)
    assert refusal(client, {})["code"] == "workspace_refused"

    root.mkdir()

    until(lambda: client.run("status", {}).get("workspace") == str(root))


# -- open twice ----------------------------------------------------------------------------------


@pytest.mark.promise(10)
def test_two_editors_of_one_folder(serve, make):
    """Of two editors on one folder one records, both are told of each operation, and the other takes over."""
    root = make()
    hearing = {**CAPABILITIES, "experimental": {"takeback": {"timelineChanged": True}}}
    first = serve(root, capabilities=hearing)
    state = first.run("status", {})["state"]
    second = serve(root, capabilities=hearing)
    second.run("status", {})
    assert holder(state) == first.process.pid

    (root / "a.txt").write_text("other\n", encoding="utf-8")

    for client in (first, second):
        until(lambda told=client.told: [one for one in told if one["method"] == "takeback/timelineChanged"])
    os.kill(first.process.pid, 9)
    until(lambda: holder(state) == second.process.pid)
    (root / "a.txt").write_text("another\n", encoding="utf-8")
    assert second.recorded(2)[0]["changes"][0]["path"] == "a.txt"


# -- two folders in one editor -------------------------------------------------------------------


def agent_turn(client, root):
    """An agent says what it does, replaces line 3 of a file there, and makes another file."""
    workspace = {"workspace": root.as_uri()}
    n = client.run("status", workspace)["counters"].get("operations", 0)
    client.request("takeback/beginTurn", {"actor": "agent:claude", "label": "a step", **workspace})
    (root / "a.txt").write_text(TEXT.replace("line 3\n", "agent\n"), encoding="utf-8")
    (root / "new.txt").write_text("new\n", encoding="utf-8")
    edit = {"uris": [(root / name).as_uri() for name in ("a.txt", "new.txt")], "actor": "agent:claude"}
    client.request("takeback/recordEdit", edit)
    client.request("takeback/endTurn", workspace)
    until(lambda: client.run("status", workspace)["counters"]["operations"] > n)


def clicks(client, path, line):
    """What there is to click on at a line: actions and lenses, by title."""
    document = {"textDocument": {"uri": path.as_uri()}}
    at = {"line": line, "character": 0}
    asked = {**document, "range": {"start": at, "end": at}, "context": {"diagnostics": []}}
    actions = client.request("textDocument/codeAction", asked)["result"] or []
    lenses = client.request("textDocument/codeLens", document)["result"] or []
    return {one["command"]["title"]: one["command"] for one in actions + lenses}


@pytest.mark.promise(2)
@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("a.txt", "Take back this change"),
        ("a.txt", "Take back all of operation"),
        ("a.txt", "Take back the turn"),
        ("a.txt", "Take back in this file"),
        ("new.txt", "Undo"),
    ],
)
def test_what_is_clicked_on_is_taken_back_in_its_own_folder(serve, make, name, title):
    """Of two open folders with operations of the same numbers, a click takes back the one that it is over."""
    first, second = make("first"), make("second")
    client = serve(first, second, capabilities={**CAPABILITIES, "workspace": {}})
    for root in (first, second):
        agent_turn(client, root)
    texts = {path: path.read_text(encoding="utf-8") for path in sorted(first.iterdir())}
    client.open(second / name)
    line = 2 if name == "a.txt" else 0

    def found():
        return next((one for said, one in clicks(client, second / name, line).items() if title in said), None)

    click = until(found)
    client.request("workspace/executeCommand", click)

    assert {path: path.read_text(encoding="utf-8") for path in sorted(first.iterdir())} == texts
    kinds = [client.run("showTimeline", {"workspace": one.as_uri()}) for one in (first, second)]
    assert [one["operations"][0]["kind"] for one in kinds] == ["edit", "undo"]


@pytest.mark.parametrize("answer", ["second", None])
def test_a_bare_command_asks_in_which_folder(serve, make, answer):
    """With several folders open a command without arguments asks which is meant; unanswered, nothing is done."""
    first, second = make("first"), make("second")
    questions = []

    def said(params):
        questions.append(params["message"])
        return next((one for one in params["actions"] if answer and one["title"].endswith(answer)), None)

    client = serve(first, second, answers={"window/showMessageRequest": said})
    found = client.run("pauseRecording")

    assert questions == ["In which folder?"]
    assert ("message" in found) == (answer is None)
    paused = [client.run("status", {"workspace": one.as_uri()})["paused"] for one in (first, second)]
    assert paused == [False, answer is not None]
