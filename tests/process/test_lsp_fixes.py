"""Quick fixes at failing lines, as they go over the wire."""

from __future__ import annotations

import subprocess
from urllib.parse import quote

import pytest

from wire import TAKEBACK, TEXT, until

pytestmark = pytest.mark.server


@pytest.fixture
def client(serve, make):
    """A client with an open document, line 3 of which an agent wrote."""
    root = make()
    found = serve(root)
    found.run("status", {})
    words = ("run", "--actor", "agent:claude", "--", "sed", "-i", "s/^line 3$/agent/", "a.txt")
    subprocess.run([*TAKEBACK, *words], cwd=root, check=True)
    found.recorded(1)
    found.path = root / "a.txt"
    found.open(found.path)
    return found


def fixes(client, line, uri=""):
    """The quick fixes at a line, asked for without diagnostics as some editors do."""
    at = {"line": line, "character": 0}
    params = {
        "textDocument": {"uri": uri or client.path.as_uri()},
        "range": {"start": at, "end": at},
        "context": {"diagnostics": [], "only": ["quickfix"]},
    }
    return client.request("textDocument/codeAction", params)["result"]


@pytest.mark.promise(2)
def test_what_touched_a_failing_line_is_taken_back(client):
    """A quick fix at a failing line takes back the operation that touched it; elsewhere there is none."""
    report = {"task": "test", "output": "a.txt:3:1: error: it broke\na.txt:9: error: too\n"}
    found = client.request("takeback/recordFailure", report)["result"]

    (fix,) = fixes(client, 2)

    first = {"path": "a.txt", "line": 3, "column": 1, "message": "error: it broke"}
    assert found["locations"][0] == first
    assert fix["title"].startswith("Take back operation 1 (agent:claude, ")
    assert fix["title"].endswith("ago), which touched this line") or "just now" in fix["title"]
    assert fix["kind"] == "quickfix"
    assert fix["diagnostics"][0]["message"] == "error: it broke"
    assert fixes(client, 8) == fixes(client, 5) == []
    client.ask("workspace/executeCommand", fix["command"])
    edit = client.asked.get(timeout=20)["params"]["edit"]["documentChanges"][0]
    assert [one["newText"] for one in edit["edits"]] == ["line 3\n"]


def test_a_removed_line_is_offered_too(client):
    """A failure beside lines that an operation removed offers that operation."""
    words = ("run", "--actor", "agent:codex", "--", "sed", "-i", "/^line 20$/d", "a.txt")
    subprocess.run([*TAKEBACK, *words], cwd=client.path.parent, check=True)
    client.recorded(2)
    text = client.path.read_text(encoding="utf-8")
    document = {"uri": client.path.as_uri(), "version": 2}
    client.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [{"text": text}]})
    client.request("takeback/recordFailure", {"task": "test", "output": "a.txt:20: error: it broke\n"})

    (fix,) = until(lambda: fixes(client, 19))

    assert "operation 2 (agent:codex" in fix["title"]
    assert len(text) < len(TEXT)


@pytest.mark.promise(5)
def test_a_fix_that_was_clicked_on_asks_about_a_conflict(client):
    """Whoever clicks on a fix that others are in the way of is asked what to do, and hears that nothing was changed."""
    words = ("run", "--actor", "agent:codex", "--", "sed", "-i", "s/^agent$/codex/", "a.txt")
    client.request("takeback/recordFailure", {"task": "test", "output": "a.txt:3: error: it broke\n"})
    (fix,) = fixes(client, 2)
    subprocess.run([*TAKEBACK, *words], cwd=client.path.parent, check=True)
    client.recorded(2)
    client.ask("workspace/executeCommand", fix["command"])
    question = client.asked.get(timeout=20)
    assert question["params"]["message"] == "Operation 2 stands in the way in a.txt. What now?"
    client.send({"id": question["id"], "result": None})
    until(lambda: any(one.startswith("Nothing was changed") for one in client.messages()))


def marks(client):
    """The marked lines of every file, by the URI by which the client was told."""
    told = [one["params"] for one in client.told if one["method"] == "textDocument/publishDiagnostics"]
    latest = {one["uri"]: [mark["range"]["start"]["line"] for mark in one["diagnostics"]] for one in told}
    return {uri: lines for uri, lines in latest.items() if lines}


def open_as(client, uri, text):
    """Open a document by this URI."""
    item = {"uri": uri, "languageId": "text", "version": 1, "text": text}
    client.notify("textDocument/didOpen", {"textDocument": item})


def failed_before_it_was_opened(client, name, uri):
    """A task fails in line 3 of a file, which an agent wrote; then a document is opened by `uri`, and typed into."""
    text = TEXT.replace("line 3\n", "agent\n")
    place = client.path.parent / name
    place.write_text(TEXT, encoding="utf-8")
    client.recorded(2)
    place.write_text(text, encoding="utf-8")
    client.recorded(3)
    client.request("takeback/recordFailure", {"task": "test", "output": f"{name}:3: error: it broke\n"})
    until(lambda: marks(client))
    open_as(client, uri, text)
    until(lambda: fixes(client, 2, uri))
    start = {"line": 0, "character": 0}
    change = {"range": {"start": start, "end": start}, "text": "mine\n"}
    document = {"uri": uri, "version": 2}
    client.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [change]})


@pytest.mark.parametrize("keep", ["@+é", "@", "+", ""])
def test_a_failure_is_of_the_file_however_its_uri_is_written(client, keep):
    """A failure that was told before its document was opened is fixed and followed there, whatever the URI escapes."""
    place = client.path.parent / "at@home+é.txt"
    uri = f"file://{quote(str(place), safe='/' + keep)}".replace("%C3%A9", "%c3%a9")

    failed_before_it_was_opened(client, place.name, uri)

    until(lambda: marks(client) == {uri: [3]})
    (fix,) = fixes(client, 3, uri)
    assert "operation 3" in fix["title"]
    assert fixes(client, 2, uri) == []


def test_a_failure_is_found_through_a_link(client, tmp_path):
    """A failure that was told before its document was opened by a link is fixed and followed there."""
    link = tmp_path / "link"
    link.symlink_to(client.path.parent)
    uri = (link / "b.txt").as_uri()

    failed_before_it_was_opened(client, "b.txt", uri)

    until(lambda: marks(client) == {uri: [3]})
    assert "operation 3" in fixes(client, 3, uri)[0]["title"]


def test_a_failure_is_in_every_document_of_its_file(client, tmp_path):
    """Where a file is open by its own name already, a failure stays there and is in the document that a link opens too."""
    client.request("takeback/recordFailure", {"task": "test", "output": "a.txt:3: error: it broke\n"})
    link = tmp_path / "link"
    link.symlink_to(client.path)

    open_as(client, link.as_uri(), client.path.read_text("utf-8"))

    until(lambda: marks(client) == {client.path.as_uri(): [2], link.as_uri(): [2]})
