"""News for clients that declare them, and questions to clients that cannot be asked."""

from __future__ import annotations

import subprocess

import pytest

from wire import CAPABILITIES, TAKEBACK, until

pytestmark = pytest.mark.server

WANTS = {**CAPABILITIES, "experimental": {"takeback": {"status": True, "timelineChanged": True}}}


@pytest.fixture
def client(start, make):
    """A client of a small project that wants to hear all news."""
    root = make()
    found = start()
    found.path = root / "a.txt"
    found.initialize(root, capabilities=WANTS)
    return found


def news(client, method):
    """What was told by this method."""
    return [one["params"] for one in client.told if one["method"] == f"takeback/{method}"]


def states(client):
    """Every state that was told, in order."""
    return [one["state"] for one in news(client, "status")]


def test_the_status_is_told_when_it_changes(client):
    """A client that declares it hears of states, of the last operations, and how many there are since a checkpoint."""
    root = client.path.parent
    until(lambda: "recording" in states(client))
    client.write_as_agent()
    until(lambda: news(client, "status")[-1]["since_checkpoint"] == 1)
    client.run("createCheckpoint", {})
    until(lambda: news(client, "status")[-1]["since_checkpoint"] == 0)
    subprocess.run([*TAKEBACK, "pause"], cwd=root, check=True, capture_output=True)
    until(lambda: states(client)[-1] == "paused")
    client.run("resumeRecording")
    until(lambda: states(client)[-1] == "recording")

    last = news(client, "status")[-1]
    assert (last["workspace"], last["checkpoint"]) == (root.as_uri(), "cp-1")
    assert (last["operations"][0]["id"], last["operations"][0]["files"]) == (1, 1)


def test_a_burst_of_operations_is_told_with_its_ends(client):
    """`timelineChanged` names the first and last new operation of a workspace."""
    client.run("status", {})
    client.write_as_agent()

    told = until(lambda: news(client, "timelineChanged"))

    assert told[0] == {"version": 1, "workspace": client.path.parent.as_uri(), "first": 1, "last": 1}


def test_who_declares_nothing_hears_no_news(serve, make):
    """Some editors warn of notifications that they do not know: they get none of ours."""
    root = make()
    client = serve(root)
    client.path = root / "a.txt"
    client.run("status", {})
    client.write_as_agent()
    client.run("undoLast", {})

    assert {one["method"] for one in client.told if one["method"].startswith("takeback/")} == set()


def test_another_process_that_records_is_followed(start, serve, make):
    """Of two servers of one folder the second says that it follows, and records when the first is gone."""
    root = make()
    first = serve(root)
    first.run("status", {})
    second = start()
    second.initialize(root, capabilities=WANTS)
    until(lambda: "following" in states(second))

    first.process.kill()

    until(lambda: states(second)[-1] == "recording")


# -- who cannot be asked -------------------------------------------------------------------------


def test_an_editor_that_cannot_ask_says_how_to_go_on(start, make):
    """A client that neither asks nor edits is told what would be taken back, and by which call; nothing is done."""
    root = make()
    client = start()
    client.path = root / "a.txt"
    client.initialize(root, capabilities={})
    client.run("status", {})
    client.write_as_agent()

    answer = client.run("undoLast")

    (said,) = client.messages()
    assert answer["outcome"] == "nothing"
    assert said.startswith("Take back which operation? The newest is unknown: a.txt, just now, operation 1.")
    assert said.endswith('call takeback.undoLast with [{"n": 1}].')
    for command in (
        "redo",
        "rollback",
        "restore",
        "undoTurn",
        "undoSince",
        "keep",
        "createCheckpoint",
        "showTimeline",
    ):
        client.run(command)
    assert client.asked.empty()
    assert "agent\n" in client.path.read_text(encoding="utf-8")


def test_a_question_that_nobody_answers_ends(start, make):
    """A question that is not answered in time is given up: the command is answered, and it is said how to go on."""
    root = make()
    code = "import takeback.lsp.server as s; s.ASK_S = 0.2; from takeback.lsp.program import serve; serve()"
    client = start(program=[TAKEBACK[0], "-P", "-c", code])
    client.path = root / "a.txt"
    client.initialize(root)
    client.run("status", {})
    client.write_as_agent()

    answer = client.run("undoLast")

    assert answer["outcome"] == "nothing"
    assert "call takeback.undoLast" in client.messages()[0]
    late = client.asked.get_nowait()
    client.send({"id": late["id"], "result": late["params"]["actions"][0]})
    assert [one["kind"] for one in client.run("status", {})["operations"]] == ["edit"]


# -- work that takes long ------------------------------------------------------------------------


def begun_as(client, title):
    """How works of this title began to be shown."""
    told = (one["params"] for one in client.told if one["method"] == "$/progress")
    return [one for one in told if one["value"].get("title") == title]


def shown(client, token):
    """What was shown of a work, in order."""
    told = (one["params"] for one in client.told if one["method"] == "$/progress")
    return [one["value"]["kind"] for one in told if one["token"] == token]


@pytest.mark.promise(5)
@pytest.mark.parametrize("is_given", [True, False])
def test_long_work_is_shown_and_can_be_cancelled(start, make, is_given):
    """An undo that waits for its editor is shown where the client wants it; cancelled there, nothing was written."""
    root = make()
    client = start()
    client.path = root / "a.txt"
    able = {**CAPABILITIES, "window": {"showMessage": {}, "workDoneProgress": True}}
    client.initialize(root, capabilities=able)
    client.answers["window/workDoneProgress/create"] = lambda _: None
    client.run("status", {})
    client.write_as_agent()
    client.open(client.path)
    changed = client.path.read_text(encoding="utf-8")
    token = {"workDoneToken": "work"} if is_given else {}
    call = {"command": "takeback.undoLast", "arguments": [{"n": 1}], **token}
    _, answer = client.ask("workspace/executeCommand", call)
    edit = client.asked.get(timeout=20)
    (begun,) = until(lambda: begun_as(client, "Takeback: undo"))

    client.notify("window/workDoneProgress/cancel", {"token": begun["token"]})
    client.send({"id": edit["id"], "result": {"applied": False}})

    assert (begun["token"] == "work") == is_given
    assert begun["value"]["cancellable"]
    assert answer.get(timeout=20)["error"]["code"] == -32800
    assert shown(client, begun["token"])[-1] == "end"
    assert client.path.read_text(encoding="utf-8") == changed
    assert [one["kind"] for one in client.run("status", {})["operations"]] == ["edit"]
