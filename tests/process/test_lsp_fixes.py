"""Quick fixes at failing lines, as they go over the wire."""

from __future__ import annotations

import subprocess

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


def fixes(client, line):
    """The quick fixes at a line, asked for without diagnostics as some editors do."""
    at = {"line": line, "character": 0}
    params = {
        "textDocument": {"uri": client.path.as_uri()},
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
