"""Messages that are none, come at the wrong time, or hold what a decoder could take for something else."""

from __future__ import annotations

import json

import pytest

from wire import CAPABILITIES, WAIT_S, until

pytestmark = pytest.mark.server

COMMAND = "workspace/executeCommand"


def code(answer):
    """The code of an error."""
    return answer["error"]["code"]


@pytest.fixture
def client(serve, make):
    """A client of a small project."""
    root = make()
    found = serve(root)
    found.run("status", {})
    found.path = root / "a.txt"
    return found


@pytest.mark.parametrize(
    ("method", "params", "what"),
    [
        (COMMAND, None, "params"),
        (COMMAND, {}, "command"),
        (COMMAND, {"command": 5}, "command"),
        (COMMAND, {"command": "takeback.status", "arguments": 5}, "arguments"),
        (COMMAND, [], "params"),
        (COMMAND, {"command": "takeback.nope", "arguments": []}, "'takeback.nope'"),
        ("textDocument/codeAction", {"textDocument": {"uri": "file:///a"}}, ""),
        ("no/such/method", {}, "no/such/method"),
        ("takeback/nope", {"class": 1}, "takeback/nope"),
    ],
)
def test_what_cannot_be_understood_is_answered(client, method, params, what):
    """A request with wrong or no parameters, or of an unknown name, gets an error that says what is wrong with it."""
    answer = client.request(method, params)

    assert code(answer) in {-32601, -32602}
    assert what in answer["error"]["message"]
    assert client.run("status", {})["version"] == 1
    assert client.messages() == []


@pytest.mark.parametrize(
    "message",
    [
        [],
        [{"jsonrpc": "2.0", "id": 1, "method": "shutdown"}],
        5,
        "hello",
        {"jsonrpc": "1.0", "id": 1, "method": "shutdown"},
        {"id": 1, "method": "shutdown"},
        {"jsonrpc": "2.0", "id": [1], "method": "shutdown"},
        {"jsonrpc": "2.0", "id": None, "method": "shutdown"},
        {"jsonrpc": "2.0", "id": 1.5, "method": "shutdown"},
        {"jsonrpc": "2.0", "id": True, "method": "shutdown"},
    ],
)
def test_what_is_no_message_is_answered_as_such(client, message):
    """What is no request of the protocol is refused as invalid, and the server goes on."""
    body = json.dumps(message).encode()
    client.raw(body)

    answer = until(lambda: client.lost and client.lost[0])
    assert code(answer) == -32600
    assert client.run("status", {})["version"] == 1


def test_what_is_no_json_does_no_harm(client):
    """Garbage in the place of a message is passed over."""
    for body in (b"{", b"\xff\xfe", b"[" * 100_000):
        client.raw(body)

    assert client.run("status", {})["version"] == 1


def test_a_request_before_initialize_is_refused(start):
    """Nobody is served before `initialize`, nor initialized twice."""
    client = start()

    assert code(client.request(COMMAND, {"command": "takeback.status"})) == -32002
    assert (
        "capabilities"
        in client.request("initialize", {"processId": None, "capabilities": CAPABILITIES})["result"]
    )
    assert code(client.request("initialize", {"processId": None, "capabilities": CAPABILITIES})) == -32600


def test_a_request_after_shutdown_is_answered(client):
    """After `shutdown` every request but `exit` is refused, not left."""
    client.request("shutdown", None)

    assert code(client.request(COMMAND, {"command": "takeback.status", "arguments": [{}]})) == -32600


def test_arguments_may_look_like_messages(client):
    """What a person keeps with a checkpoint may look like a message, or have keys that are words of Python."""
    context = {"jsonrpc": "2.0", "id": 5, "method": "exit", "class": {"a-b": 1, "type_name": [None]}}

    made = client.run("createCheckpoint", {"context": context})

    assert made["checkpoint"]["context"] == context


def test_an_answer_that_is_none_ends_the_question(client):
    """A client that answers a question with something else has dismissed it: the command is answered at once."""
    client.write_as_agent()
    for nonsense in ({"result": 5}, {"result": {"title": ["a"]}}, {"error": 5}, {"result": []}):
        _, answer = client.ask(COMMAND, {"command": "takeback.undoLast", "arguments": []})
        question = client.asked.get(timeout=WAIT_S)
        client.send({"id": question["id"], **nonsense})

        assert answer.get(timeout=WAIT_S)["result"]["outcome"] == "nothing"


def test_a_cancelled_question_is_answered_at_once(client):
    """Who cancels a command while its question is open has it answered as cancelled; a late answer does nothing."""
    client.write_as_agent()
    number, answer = client.ask(COMMAND, {"command": "takeback.undoLast", "arguments": []})
    question = client.asked.get(timeout=WAIT_S)

    client.notify("$/cancelRequest", {"id": number})

    assert code(answer.get(timeout=WAIT_S)) == -32800
    client.send({"id": question["id"], "result": question["params"]["actions"][0]})
    assert [one["kind"] for one in client.run("status", {})["operations"]] == ["edit"]
