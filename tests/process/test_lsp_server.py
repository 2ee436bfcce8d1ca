"""The language server as a process: which folders it records, what it refuses, and how it is reached and ended."""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
from pathlib import Path

import pytest

from takeback.service.lease import holder
from takeback.service.published import editors
from waiting import removed
from wire import TAKEBACK, TEXT, WAIT_S, Client, until


def histories(state):
    """The names of the folders that have a history."""
    return sorted(path.name.rpartition("-")[0] for path in state.iterdir() if path.is_dir())


# -- which folders are recorded ------------------------------------------------------------------


@pytest.mark.promise(9)
@pytest.mark.parametrize("argument", ["uri", "workspace"])
def test_what_nobody_opened_is_not_recorded(serve, make, state, argument):
    """A document or folder outside the open folders is refused, and nothing begins to be recorded there."""
    outside = make("outside")
    client = serve(make())
    client.run("status", {})

    wrong = ("file:///", "untitled:1", "file://[", "file:///a%00b")
    for uri in ((outside / "a.txt").as_uri(), outside.as_uri(), *wrong):
        error = client.run("undoLast", {argument: uri})["data"]["error"]
        assert (error["code"], error["message"]) == ("usage", f"no open folder holds {uri}")

    assert histories(state) == ["project"]


@pytest.mark.promise(9)
def test_without_a_folder_nothing_is_recorded(serve, make, state):
    """A client that opened no folder gets a reason, whatever it names."""
    root = make()
    client = serve()

    for argument in ({}, {"workspace": root.as_uri()}):
        assert client.run("status", argument)["data"]["error"]["code"] == "usage"

    assert not state.exists()


def test_a_folder_is_named_as_the_client_names_it(serve, make, state, tmp_path):
    """`workspace` finds its folder through a symbolic link too, with a final slash, and beside other folders."""
    first, second = make("first"), make("second")
    (tmp_path / "link").symlink_to(second)
    client = serve(first, tmp_path / "link")

    for uri in (
        second.as_uri(),
        second.as_uri() + "/",
        (tmp_path / "link").as_uri(),
        f"file://{tmp_path}/link/",
    ):
        assert client.run("status", {"workspace": uri})["workspace"] == str(second)

    assert histories(state) == ["first", "second"]


@pytest.mark.promise(8)
def test_a_document_belongs_to_every_folder_around_it(serve, make):
    """One open folder lies in another: an undo in the outer one knows the unsaved text in a document of the inner."""
    outer = make("outer")
    inner = outer / "inner"
    subprocess.run(["git", "init", "-q", inner], check=True)
    path, agents = inner / "a.txt", TEXT.replace("line 3\n", "agent\n")
    path.write_text(TEXT, encoding="utf-8")
    client = serve(outer, inner)
    client.run("status", {})
    client.open(path)
    path.write_text(agents, encoding="utf-8")
    client.recorded(1)
    for version, text in (2, agents), (3, agents + "mine\n"):  # it is reloaded, then typed in
        document = {"uri": path.as_uri(), "version": version}
        client.notify(
            "textDocument/didChange", {"textDocument": document, "contentChanges": [{"text": text}]}
        )

    client.ask("workspace/executeCommand", {"command": "takeback.undoLast", "arguments": [{"n": 1}]})

    asked = client.asked.get(timeout=WAIT_S)
    assert asked["method"] == "workspace/applyEdit"
    assert asked["params"]["edit"]["documentChanges"][0]["textDocument"]["uri"] == path.as_uri()
    assert path.read_text(encoding="utf-8") == agents


@pytest.mark.trap(14)
@pytest.mark.parametrize("name", ["with#hash", "with?mark", "with%41percent", "..dots", "a b;c"])
def test_a_folder_may_have_any_name(serve, make, name):
    """A folder whose name holds characters that mean something in a URI is the folder that is recorded."""
    root = make(name)

    assert serve(root).run("status", {})["workspace"] == str(root)


@pytest.mark.trap(14)
def test_a_file_may_have_any_name(serve, make):
    """A save of a file whose name is no UTF-8 is recorded as the human's, under that name."""
    root = make()
    client = serve(root)
    client.run("status", {})
    path = root / os.fsdecode(b"caf\xe9 #1.txt")
    path.write_text("mine\n", encoding="utf-8")
    client.recorded(1)
    client.open(path)

    path.write_text("mine too\n", encoding="utf-8")
    client.notify("textDocument/didSave", {"textDocument": {"uri": path.as_uri()}, "text": "mine too\n"})

    last = client.recorded(2)[0]
    assert (last["actor"], [one["path"] for one in last["changes"]]) == ("human", [path.name])


# -- arguments -----------------------------------------------------------------------------------


@pytest.fixture
def client(serve, make):
    """A client of a project with one operation, and the file it changed."""
    root = make()
    found = serve(root)
    found.run("status", {})
    found.path = root / "a.txt"
    found.path.write_text(TEXT.replace("line 3\n", "agent\n"), encoding="utf-8")
    found.recorded(1)
    return found


WRONG = [
    ("undoLast", 5, "5"),
    ("undoLast", "2", "'2'"),
    ("undoLast", [3], "[3]"),
    ("undoLast", {"actor": 5}, "actor is 5"),
    ("undoLast", {"actor": ""}, "no actor"),
    ("undoLast", {"uris": 5}, "uris is 5"),
    ("undoLast", {"uris": "file:///a"}, "uris is 'file:///a'"),
    ("undoLast", {"n": True}, "n is True"),
    ("undoLast", {"n": 10**30}, "n is 1000"),
    ("undoLast", {"dryRun": "no"}, "dryRun is 'no'"),
    ("undoLast", {"dryrun": True}, "'dryrun'"),
    ("undoLast", {"onConflict": 5}, "onConflict is 5"),
    ("undoOperations", {"ids": 5}, "ids is 5"),
    ("undoOperations", {"ids": [10**30]}, "ids is 1000"),
    ("undoOperations", {"ids": [1.0]}, "ids is 1.0"),
    ("undoOperations", {"ids": None}, "ids are missing"),
    ("redo", {"n": "two"}, "n is 'two'"),
    ("redo", {"ids": []}, "ids is empty"),
    ("rollback", {"checkpoint": 5}, "checkpoint is 5"),
    ("createCheckpoint", {"kind": "bogus"}, "kind is 'bogus'"),
    ("createCheckpoint", {"context": 5}, "context is 5"),
    ("createCheckpoint", {"tags": "abc"}, "tags is 'abc'"),
    ("createCheckpoint", {"label": 5}, "label is 5"),
    ("status", {"workspace": 5}, "workspace is 5"),
    ("undoLast", {"workspace": ""}, "workspace is ''"),
    ("undoLast", {"uri": "/a.txt"}, "uri is '/a.txt'"),
    ("undoLast", {"uris": [""]}, "uris is ''"),
    ("status", {"n": 1}, "'n'"),
]


@pytest.mark.promise(2)
def test_what_a_command_does_not_take_is_refused(client, tmp_path):
    """An argument of a wrong kind or name is a usage error that names it and says what it takes; nothing is done."""
    for command, argument, what in WRONG:
        answer = client.run(command, argument)
        error = answer["data"]["error"]
        assert (answer["code"], error["code"]) == (-32803, "usage"), (command, argument)
        assert what in error["message"]
        assert error["hint"]

    assert "Traceback" not in (tmp_path / "server.log").read_text(encoding="utf-8")
    assert "agent\n" in client.path.read_text(encoding="utf-8")
    assert [one["id"] for one in client.run("status", {})["operations"]] == [1]


def test_null_is_no_value(client):
    """An argument that is `null` counts as not given."""
    assert client.run("undoLast", {"n": None, "actor": None, "uris": None})["outcome"] == "applied"


# -- cancelling ----------------------------------------------------------------------------------


@pytest.fixture
def undoing(client):
    """A client that was asked to change a document for an undo: the number and answer of its request, and the edit."""
    client.open(client.path)
    number, answer = client.ask(
        "workspace/executeCommand", {"command": "takeback.undoLast", "arguments": [{"n": 1}]}
    )
    return number, answer, client.asked.get(timeout=WAIT_S)


def show(client, text, version):
    """Let the document have this text, and tell the server so."""
    document = {"uri": client.path.as_uri(), "version": version}
    client.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [{"text": text}]})


@pytest.mark.promise(5)
def test_a_cancelled_undo_is_not_carried_out(client, undoing):
    """Who cancels an undo before files are written gets the document's text back, and no file changes."""
    number, answer, edit = undoing
    changed = client.path.read_text(encoding="utf-8")
    client.notify("$/cancelRequest", {"id": number})
    show(client, TEXT, 2)
    client.send({"id": edit["id"], "result": {"applied": True}})
    back = client.asked.get(timeout=WAIT_S)
    show(client, changed, 3)
    client.send({"id": back["id"], "result": {"applied": True}})

    assert answer.get(timeout=WAIT_S)["error"]["code"] == -32800
    assert [one["newText"] for one in back["params"]["edit"]["documentChanges"][0]["edits"]] == ["agent\n"]
    assert client.path.read_text(encoding="utf-8") == changed
    assert [one["id"] for one in client.run("status", {})["operations"]] == [1]


@pytest.mark.promise(5)
def test_the_answer_to_a_cancelled_undo_says_what_happened(client):
    """Whenever it is cancelled, an undo is either answered as cancelled or carried out, never both."""
    number, answer = client.ask(
        "workspace/executeCommand", {"command": "takeback.undoLast", "arguments": [{"n": 1}]}
    )
    client.notify("$/cancelRequest", {"id": number})
    is_undone = "result" in answer.get(timeout=WAIT_S)

    assert (client.path.read_text(encoding="utf-8") == TEXT) == is_undone
    assert (client.run("status", {})["operations"][0]["kind"] == "undo") == is_undone


@pytest.mark.promise(5)
def test_an_undo_that_waits_for_another_is_given_up_at_once(client, undoing):
    """Who cancels an undo that waits until another one has changed its documents is answered while that goes on."""
    _, answer, edit = undoing
    number, waiting = client.ask(
        "workspace/executeCommand", {"command": "takeback.undoOperations", "arguments": [{"ids": [1]}]}
    )
    client.notify("$/cancelRequest", {"id": number})

    assert waiting.get(timeout=WAIT_S)["error"]["code"] == -32800
    assert answer.empty()
    show(client, TEXT, 2)
    client.send({"id": edit["id"], "result": {"applied": True}})
    assert answer.get(timeout=WAIT_S)["result"]["outcome"] == "applied"
    assert client.run("redo", {"n": 1, "dryRun": True})["outcome"] == "planned"


# -- the end -------------------------------------------------------------------------------------


def test_a_server_ends_while_a_question_is_open(client, tmp_path):
    """A question that the person has not answered is given up at the end: all is recorded, closed and answered."""
    state = Path(client.run("status", {})["state"])
    dirty(client, TEXT)
    _, pending = client.ask("workspace/executeCommand", {"command": "takeback.undoLast", "arguments": []})
    assert client.asked.get(timeout=WAIT_S)["method"] == "window/showMessageRequest"

    answer = client.request("shutdown", None)
    client.notify("exit", None)

    assert answer["result"] is None
    assert pending.get(timeout=WAIT_S)["error"]["code"] == -32800
    assert client.process.wait(WAIT_S) == 0
    assert list((state / "editors").iterdir()) == []
    assert "Traceback" not in (tmp_path / "server.log").read_text(encoding="utf-8")


# -- folders that come and go --------------------------------------------------------------------


def change_folders(client, added=(), removed=()):
    """Tell the server of folders."""

    def named(roots):
        return [{"uri": root.as_uri(), "name": "folder"} for root in roots]

    event = {"added": named(added), "removed": named(removed)}
    client.notify("workspace/didChangeWorkspaceFolders", {"event": event})


def test_a_folder_that_is_added_is_recorded(serve, make):
    """What is saved in a folder that the editor added later is recorded as the human's."""
    first, second = make("first"), make("second 2")
    client = serve(first)
    change_folders(client, added=[second])
    path = second / "a.txt"
    client.open(path)
    until(lambda: "result" in client.request(*status_of(second)))

    path.write_text("mine\n", encoding="utf-8")
    document = {"uri": path.as_uri()}
    client.notify("textDocument/didSave", {"textDocument": document, "text": "mine\n"})

    found = until(lambda: client.request(*status_of(second))["result"]["operations"])
    assert [one["actor"] for one in found] == ["human"]


def test_a_folder_can_be_asked_for_as_soon_as_it_is_added(serve, make):
    """A command about a folder that the editor has just added is done, and not refused because it came too soon."""
    first, second = make("first"), make("second")
    client = serve(first)
    for _ in range(5):
        change_folders(client, added=[second])
        change_folders(client, removed=[second])
    change_folders(client, added=[second])

    assert "result" in client.request(*status_of(second))


def test_a_folder_that_is_removed_is_let_go(serve, make):
    """A folder that the editor removed is no longer recorded by it; the other one is."""
    first, second = make("first"), make("second")
    client = serve(first, second)
    state = client.run("status", {"workspace": second.as_uri()})["state"]
    until(lambda: holder(state) is not None)

    change_folders(client, removed=[second])

    until(lambda: holder(state) is None)
    assert client.run("status", {"workspace": second.as_uri()})["data"]["error"]["code"] == "usage"
    assert client.run("status", {"workspace": first.as_uri()})["workspace"] == str(first)


def status_of(root):
    """The request for the status of a folder."""
    argument = {"workspace": root.as_uri()}
    return "workspace/executeCommand", {"command": "takeback.status", "arguments": [argument]}


# -- a port --------------------------------------------------------------------------------------


def free_port():
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


def connected(port):
    """A connection, once somebody listens."""

    def attempt():
        try:
            return socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            return None

    return until(attempt)


@pytest.mark.promise(9)
def test_a_port_serves_one_client(make):
    """While one client is served on a port, nobody else is: another connection is refused and hears nothing."""
    root, port = make(), free_port()
    with (
        subprocess.Popen([*TAKEBACK, "lsp", "--tcp", f"127.0.0.1:{port}"]) as process,
        connected(port) as connection,
        connection.makefile("rwb") as lines,
    ):
        client = Client(lines, lines)
        client.initialize(root)
        assert client.run("status", {})["workspace"] == str(root)

        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))

        assert client.run("status", {})["workspace"] == str(root)
        client.request("shutdown", None)
        client.notify("exit", None)
        assert process.wait(WAIT_S) == 0


@pytest.mark.parametrize(("shuts_down", "status"), [(True, 0), (False, 1)])
def test_the_end_says_whether_it_was_expected(start, shuts_down, status):
    """The exit status is 0 after a shutdown, and 1 where an editor ends its server without one."""
    client = start()
    client.initialize()
    if shuts_down:
        client.request("shutdown", None)
    client.notify("exit", None)

    assert client.process.wait(WAIT_S) == status


@pytest.mark.parametrize("closed", ["<&-", ">&-"])
def test_without_input_or_output_it_says_so(closed):
    """A server that nobody can talk to ends with a sentence."""
    command = f"{shlex.join([*TAKEBACK, 'lsp'])} {closed}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (1, "")
    assert "standard input and output" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_cannot_be_had_is_said(make):
    """A port that is taken, or that cannot be, is a usage error in a sentence and no defect."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for address in (f"127.0.0.1:{port}", "127.0.0.1:99999", "192.0.2.1:8765"):
            words = [*TAKEBACK, "lsp", "--tcp", address]
            done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=WAIT_S)
            assert done.returncode == 2
            assert address in done.stderr
            assert "defect" not in done.stderr


# -- when nothing can be recorded ----------------------------------------------------------------


@pytest.mark.promise(5)
def test_a_history_that_was_removed_is_said(client):
    """When the state folder is removed under a server, the person hears it once, and every command says it."""
    state = client.run("status", {})["state"]
    removed(Path(state))
    client.path.write_text("unseen\n", encoding="utf-8")

    (message,) = until(client.messages)
    assert f"the history in {state} was removed" in message
    for command in ("status", "undoLast"):
        error = client.run(command, {})["data"]["error"]
        assert error["code"] == "workspace_refused"
        assert state in error["message"]
    assert len(client.messages()) == 1


# -- several servers -----------------------------------------------------------------------------


def dirty(client, text):
    """Let the client have unsaved text in its file."""
    client.open(client.path)
    show(client, text, 2)
    client.run("status", {})


@pytest.mark.promise(8)
def test_servers_with_one_process_id_know_each_other(serve, client):
    """Two servers in two containers may have the same process id: both answer, and see each other's unsaved text."""
    root, state = client.path.parent, client.run("status", {})["state"]
    alone = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child"]
    if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("no containers here")
    client.process.kill()
    first, second = serve(root, words=alone), serve(root, words=alone)
    for one in (first, second):
        one.path = client.path
        assert one.run("status", {})["workspace"] == str(root)
    dirty(first, client.path.read_text(encoding="utf-8") + "mine\n")

    (published,) = editors(state)
    error = second.run("undoLast", {})["data"]["error"]

    assert published.dirty == {"a.txt"}
    assert "has unsaved text in a.txt" in error["message"]


def test_what_a_killed_server_left_is_cleared_away(serve, client):
    """The next server of a workspace removes what a killed one had published."""
    root, state = client.path.parent, client.run("status", {})["state"]
    dirty(client, TEXT)
    left = {path.name for path in (Path(state) / "editors").iterdir()}
    client.process.kill()
    client.process.wait(WAIT_S)

    other = serve(root)
    other.run("status", {})

    names = {path.name for path in (Path(state) / "editors").iterdir()}
    assert len(left) == 2
    assert not names & left
    assert editors(state) == ()


@pytest.mark.promise(5)
def test_the_person_hears_that_nothing_can_be_recorded(client):
    """While the store cannot be written the editor says so, once, and what happened is recorded as soon as it can."""
    state = Path(client.run("status", {})["state"])
    (state / "store.git").rename(state / "elsewhere")
    client.path.write_text("unseen\n", encoding="utf-8")
    (message,) = until(client.messages)
    (state / "elsewhere").rename(state / "store.git")

    assert message.startswith(f"Takeback cannot record {client.path.parent}, and tries again: ")
    assert client.recorded(2)[0]["changes"][0]["path"] == "a.txt"
