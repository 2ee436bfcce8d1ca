"""Documents that are no files: before and after an operation, without it, at a checkpoint; and for whom they are files."""

from __future__ import annotations

import os
import queue
import subprocess
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from takeback.config import workspace_id
from takeback.journal import views
from takeback.lsp import virtual
from takeback.service.opening import open_workspace
from wire import CAPABILITIES, TAKEBACK, TEXT, WAIT_S

pytestmark = pytest.mark.server

MODERN = {
    **CAPABILITIES,
    "workspace": {**CAPABILITIES["workspace"], "textDocumentContent": {"dynamicRegistration": True}},
    "window": {"showMessage": {}, "showDocument": {"support": True}},
}
PLAIN = {**CAPABILITIES, "window": {"showMessage": {}, "showDocument": {"support": True}}}
AGENT = TEXT.replace("line 3\n", "agent\n")


@pytest.fixture
def opened(serve, make):
    """Opens a project with one operation in an editor with these abilities; its answers are kept."""

    def start(capabilities=MODERN, content=AGENT):
        root = make()
        heard = {
            "client/registerCapability": queue.Queue(),
            "workspace/textDocumentContent/refresh": queue.Queue(),
        }
        answers = {method: (lambda params, told=told: told.put(params)) for method, told in heard.items()}
        client = serve(root, capabilities=capabilities, answers=answers)
        client.heard = heard
        client.root = root
        client.path = root / "a.txt"
        client.run("status", {})
        put(client.path, content if isinstance(content, bytes) else content.encode())
        client.recorded(1)
        return client

    return start


def put(path, content):
    """Let a file have this content in one step, so that nobody sees it half written."""
    new = path.parent.parent / "new"
    new.write_bytes(content)
    new.replace(path)


def file_of(client, op=1):
    """The id of the one file that an operation changed, as a front end of the service gets it."""
    with open_workspace(str(client.root)) as workspace:
        return views.operation(workspace.journal, op).changes[0].file


def read(client, uri):
    """What the server says a document holds, or its error."""
    answer = client.request("workspace/textDocumentContent", {"uri": uri})
    return answer["result"]["text"] if "result" in answer else answer["error"]


def of(client, moment, op=1):
    """What the file of an operation is at a moment."""
    return read(client, virtual.operation_uri(str(client.root), op, moment, file_of(client), "a.txt"))


def test_a_client_that_can_is_told_of_the_scheme(opened):
    """The scheme `takeback` is registered with a client that takes it; no other is asked to register anything."""
    told = opened().heard["client/registerCapability"].get(timeout=WAIT_S)

    (registration,) = told["registrations"]
    assert registration["method"] == "workspace/textDocumentContent"
    assert registration["registerOptions"]["schemes"] == ["takeback"]


def test_before_and_after_an_operation(opened):
    """An operation's file can be read as it was before and after, and as it is now, whatever came later."""
    client = opened()
    put(client.path, (AGENT + "mine\n").encode())
    client.recorded(2)

    assert of(client, "before") == TEXT
    assert of(client, "after") == AGENT
    assert of(client, "now") == AGENT + "mine\n"


@pytest.mark.promise(2)
def test_a_file_without_an_operation(opened):
    """The file without an operation has what everybody else wrote, later too."""
    client = opened()
    put(client.path, (AGENT + "mine\n").encode())
    client.recorded(2)

    assert of(client, "without") == TEXT + "mine\n"


def test_a_file_without_an_operation_that_cannot_be_separated(opened):
    """Where somebody rewrote the operation's lines, the file without it shows both, marked as a conflict."""
    client = opened()
    client.path.write_text(TEXT.replace("line 3\n", "human\n"), encoding="utf-8")
    client.recorded(2)

    text = of(client, "without")

    assert "<<<<<<< now: operation 2" in text
    assert ">>>>>>> before operation 1" in text


def test_a_document_is_refreshed_when_it_changes(opened):
    """An undo makes the file without an operation another text: an editor that read it is told, of that one alone."""
    client = opened()
    of(client, "before")
    put(client.path, (AGENT + "mine\n").encode())
    client.recorded(2)
    assert of(client, "without", op=1) == TEXT + "mine\n"

    assert client.run("undoOperations", {"ids": [2]})["outcome"] == "applied"

    told = client.heard["workspace/textDocumentContent/refresh"].get(timeout=WAIT_S)
    assert "/operation/1/without/" in told["uri"]
    assert read(client, told["uri"]) == TEXT
    assert client.heard["workspace/textDocumentContent/refresh"].empty()


def test_a_checkpoint_can_be_read(opened):
    """A file can be read as a checkpoint has it, and what changed since as one diff."""
    client = opened()
    checkpoint = client.run("createCheckpoint", {"label": "c"})["checkpoint"]["id"]
    put(client.path, (AGENT + "mine\n").encode())
    client.recorded(2)
    root = str(client.root)

    assert read(client, virtual.checkpoint_uri(root, checkpoint, file_of(client), "a.txt")) == AGENT
    changed = read(client, virtual.checkpoint_diff_uri(root, checkpoint))
    assert [line for line in changed.splitlines() if line.startswith(("+m", "-l", "+a"))] == ["+mine"]


def test_an_operation_can_be_read_as_one_diff(opened):
    """What an operation changed in all its files is one document."""
    client = opened()

    text = read(client, virtual.operation_diff_uri(str(client.root), 1))

    assert "-line 3\n+agent\n" in text


@pytest.mark.promise(9)
@pytest.mark.trap(14)
def test_a_uri_tells_nothing(make):
    """A URI holds ids and the ending of the file alone: neither content, nor a name, nor a folder."""
    root = make("secret-project")

    uri = virtual.operation_uri(str(root), 12, "before", 3, os.fsdecode(b"caf\xe9/pass\xffword.py"))

    assert uri == f"takeback:/operation/12/before/3.py?workspace={workspace_id(str(root))}"


def test_a_uri_may_be_written_in_other_ways(opened):
    """An editor that writes the URI's query with %3D means the same document."""
    client = opened()
    uri = virtual.operation_uri(str(client.root), 1, "before", file_of(client), "a.txt")

    assert read(client, uri.replace("=", "%3D")) == TEXT


def test_what_does_not_exist_is_an_error(opened):
    """A document of an operation, file, checkpoint or workspace that does not exist is refused with a way on."""
    client = opened()
    known = workspace_id(str(client.root))
    wrong = [
        (f"takeback:/operation/99/before/1?workspace={known}", "not_found"),
        (f"takeback:/operation/1/before/99?workspace={known}", "not_found"),
        (f"takeback:/operation/99.diff?workspace={known}", "not_found"),
        (f"takeback:/checkpoint/cp-9.diff?workspace={known}", "not_found"),
        (f"takeback:/operation/1/during/1?workspace={known}", "usage"),
        (f"takeback:/operation/{'9' * 40}/before/1?workspace={known}", "usage"),
        ("takeback:/operation/1/before/1", "usage"),
        ("takeback:/operation/1/before/1?workspace=other", "usage"),
        ("file:///etc/passwd", "usage"),
        ("takeback://[", "usage"),
    ]

    for uri, code in wrong:
        error = read(client, uri)["data"]["error"]
        assert (uri, error["code"]) == (uri, code)
        assert error["hint"]


@pytest.mark.promise(5)
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\0\1\2" * 10, "This content is binary: 30 bytes.\n"),
        (b"x" * (9 << 20), "This content is too long to be shown: 9,437,184 bytes.\n"),
        (
            b"x" * (11 << 20),
            "This content is not in the history: it is larger than `record.max_file_bytes`.\n",
        ),
        ("caf\xe9\n".encode("latin-1"), "caf\xe9\n"),
        ("caf\xe9\n".encode("utf-16"), "caf\xe9\n"),
        (b"\xef\xbb\xbfone\r\ntwo\r\n", "one\r\ntwo\r\n"),
    ],
    ids=["binary", "long", "not captured", "latin-1", "utf-16", "mark"],
)
def test_content_of_any_kind(opened, content, said):
    """Content that is no text, too long or not captured is said to be so; text in any encoding is shown as text."""
    assert of(opened(content=content), "after") == said


@pytest.mark.promise(5)
def test_forgotten_content_is_said_to_be_so(opened):
    """Of content that somebody had forgotten, the document says that, and not that it was empty."""
    client = opened()
    client.path.write_text("other\n", encoding="utf-8")
    client.recorded(2)
    subprocess.run([*TAKEBACK, "forget", "1"], cwd=client.root, check=True, capture_output=True)

    assert "somebody had it forgotten" in of(client, "after")


@pytest.mark.promise(5)
@pytest.mark.promise(9)
def test_what_was_forgotten_is_read_again(opened):
    """When content is forgotten, an editor that shows it in any document is told to read that again, and gets none of it."""
    client = opened()
    client.path.write_text("other\n", encoding="utf-8")
    client.recorded(2)
    root, file = str(client.root), file_of(client)
    before = virtual.operation_uri(root, 2, "before", file, "a.txt")
    whole = virtual.operation_diff_uri(root, 2)
    assert all("agent\n" in read(client, uri) for uri in (before, whole))

    subprocess.run([*TAKEBACK, "forget", "1"], cwd=client.root, check=True, capture_output=True)

    told = client.heard["workspace/textDocumentContent/refresh"]
    assert {told.get(timeout=WAIT_S)["uri"] for _ in range(2)} == {before, whole}
    assert not any("agent\n" in read(client, uri) for uri in (before, whole))


# -- showing -------------------------------------------------------------------------------------


@pytest.fixture
def shown(serve, make):
    """Opens a project in an editor that shows documents and gives these answers; what it showed is kept."""

    def start(capabilities, *answers, success=True):
        root, waiting, seen = make(), list(answers), []

        def choose(params):
            wanted = waiting.pop(0) if waiting else None
            return next((one for one in params["actions"] if wanted and wanted in one["title"]), None)

        def show(params):
            seen.append(params["uri"])
            return {"success": success}

        given = {"window/showMessageRequest": choose, "window/showDocument": show}
        client = serve(
            root, capabilities=capabilities, answers={**given, "client/registerCapability": lambda _: None}
        )
        client.path, client.root, client.shown = root / "a.txt", root, seen
        client.run("status", {})
        put(client.path, AGENT.encode())
        client.recorded(1)
        return client

    return start


def test_an_operation_is_shown_by_its_uri(shown):
    """An editor that can read our documents is asked to show one of them."""
    client = shown(MODERN, "unknown", "Show what it changed")

    client.run("showOperation")

    assert client.shown == [virtual.operation_diff_uri(str(client.root), 1)]


@pytest.mark.promise(9)
def test_an_operation_is_shown_as_a_file(shown):
    """Any other editor is asked to show a copy: in the state folder, not to be written, gone with the server."""
    client = shown(PLAIN, "unknown", "Show what it changed")

    client.run("showOperation")

    (place,) = (Path(unquote(urlsplit(uri).path)) for uri in client.shown)
    assert "-line 3\n+agent\n" in place.read_text()
    assert place.stat().st_mode & 0o777 == 0o400
    client.request("shutdown", None)
    assert not place.exists()


@pytest.mark.promise(9)
def test_forgotten_content_is_in_no_copy(shown):
    """Copies that a running server has shown go when content is forgotten, and whoever forgets it is told so."""
    client = shown(PLAIN, "unknown", "Show what it changed")
    client.run("showOperation")
    (place,) = (Path(unquote(urlsplit(uri).path)) for uri in client.shown)

    said = subprocess.run(
        [*TAKEBACK, "forget", "a.txt"], cwd=client.root, check=True, capture_output=True, text=True
    )

    assert not place.exists()
    assert "removed 1 copy that an editor showed" in said.stdout + said.stderr


def test_an_editor_that_shows_nothing_is_told_where_it_is(shown):
    """An editor that cannot show a document has its person told the path of the copy."""
    client = shown(CAPABILITIES, "unknown", "Show what it changed")

    client.run("showOperation")

    (message,) = client.messages()
    assert message.endswith("operation-1.diff")


def test_an_editor_that_fails_to_show_is_told_where_it_is(shown):
    """An editor that says that it did not show a document has its person told the path, too."""
    client = shown(PLAIN, "unknown", "Show what it changed", success=False)

    client.run("showOperation")

    assert client.messages()[-1].endswith("operation-1.diff")


def test_a_conflict_is_shown_as_three_documents(shown):
    """Who is asked about a conflict can look at base, mine and theirs, and is asked again after that."""
    client = shown(MODERN, ", operation 1", "Show what is in conflict", "Bring back the lines")
    put(client.path, TEXT.replace("line 3\n", "human\n").encode())
    client.recorded(2)

    assert client.run("undoOperations")["outcome"] == "applied"

    assert [read(client, uri) for uri in client.shown] == [AGENT, TEXT, TEXT]
    assert ["/after/" in client.shown[0], "/now/" in client.shown[1], "/before/" in client.shown[2]] == [
        True
    ] * 3
