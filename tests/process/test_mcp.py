"""The MCP server in a process of its own, with the official client."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
from types import SimpleNamespace

import anyio
import pytest
from mcp.shared.exceptions import MCPError

from agent import LEGACY, MODERN, connected
from editor import TEXT as EDITED
from waiting import until

pytestmark = [pytest.mark.server, pytest.mark.asyncio]
BOTH = pytest.mark.parametrize("mode", [LEGACY, MODERN])

TEXT = "one\ntwo\nthree\nfour\nfive\n"


@pytest.fixture
def told(scene):
    """A workspace with a file, which an agent has changed and a human has then changed in the same line."""
    scene.write("a.txt", TEXT)
    scene.tb("init")
    scene.write("a.txt", TEXT.replace("two", "agent"))
    scene.record("agent:some-agent")
    scene.write("a.txt", TEXT.replace("two", "human"))
    scene.record("human")
    return scene


def started(scene, *words):
    """A takeback process in the workspace that stays."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-P", "-m", "takeback", *words]
    return subprocess.Popen(command, cwd=scene.root, env=scene.env, stdin=pipe, stdout=pipe, stderr=pipe)


@BOTH
async def test_a_whole_story(scene, mode):
    """An agent records what it wrote, compares, takes it back and brings it back; what a human wrote beside it stays."""
    scene.write("a.txt", TEXT)
    async with connected(scene, mode=mode) as agent:
        turn = (await agent.call("begin_turn", label="rename"))["turn"]
        scene.write("a.txt", TEXT.replace("two", "TWO"))
        recorded = (await agent.call("record", paths=["a.txt"], label="shout"))["operation"]
        scene.write("a.txt", TEXT.replace("two", "TWO").replace("five", "by hand"))
        scene.record("human")
        assert "-two\n+TWO" in (await agent.call("diff", operation=1))["diff"]
        undone = await agent.call("undo", reason="the tests fail")
        assert scene.read("a.txt") == TEXT.replace("five", "by hand")
        redone = await agent.call("redo")
        log = (await agent.call("log"))["operations"]
        ended = (await agent.call("end_turn"))["turn"]

    assert scene.read("a.txt") == TEXT.replace("two", "TWO").replace("five", "by hand")
    assert (recorded["actor"], recorded["turn"]) == ("agent:some-agent", turn["id"])
    assert (undone["outcome"], undone["undone"], redone["undone"]) == ("applied", [1], [3])
    assert [one["actor"] for one in log] == ["takeback", "takeback", "human", "agent:some-agent"]
    assert log[1]["label"] == "operation 1: asked by agent:some-agent: the tests fail"
    assert ended["ended"]
    assert agent.asked == []


async def test_the_tools_are_listed(scene):
    """A client sees eleven tools, each with what it is for, what it takes, what it answers and what it changes."""
    async with connected(scene) as agent:
        listed = (await agent.client.list_tools()).tools

    names = "status log show diff record begin_turn end_turn undo redo checkpoint rollback"
    assert [tool.name for tool in listed] == names.split()
    assert {tool.name for tool in listed if tool.annotations.destructive_hint} == {"undo", "redo", "rollback"}
    for tool in listed:
        assert len(tool.description) > 80
        assert all(one["description"] for one in tool.input_schema["properties"].values())
        assert tool.output_schema["required"] == ["version"]  # an error has to keep it too


async def test_answers_are_those_of_the_command_line(told):
    """A tool's answer is the JSON of the command, as data and as text, and keeps the schema that the tool announced."""
    told.checkpoint("here")
    async with connected(told) as agent:
        for tool, arguments, words in (
            ("log", {"n": 1}, ["log", "-n", "1"]),
            ("log", {"actor": "human", "paths": ["a.txt"]}, ["log", "--actor", "human"]),
            ("log", {"actor": "anyone"}, ["log"]),
            ("show", {"operation": 2}, ["show", "2"]),
            ("diff", {}, ["diff"]),
            ("diff", {"moments": "1..1"}, ["diff", "1..1"]),
            ("undo", {"operations": [2], "dry_run": True}, ["undo", "--op", "2", "--dry-run"]),
            ("undo", {"operations": [1], "dry_run": True}, ["undo", "--op", "1", "--dry-run"]),
            ("redo", {"dry_run": True}, ["redo", "--dry-run"]),
            (
                "rollback",
                {"checkpoint": "here", "actor": "anyone", "dry_run": True},
                ["rollback", "here", "--dry-run"],
            ),
        ):
            answer = await agent.client.call_tool(tool, arguments)
            assert answer.structured_content == told.tb(*words).json, tool
            assert json.loads(answer.content[0].text) == answer.structured_content
        status = await agent.call("status")
        made = (await agent.call("checkpoint", label="cp", tags=["t"], context={"step": 3}))["checkpoint"]

    assert status.keys() == told.tb("status").json.keys()
    assert made == told.tb("checkpoint", "show", "cp").json["checkpoint"]


# -- what a person decides -----------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize(
    ("choice", "text"),
    [
        ("undo-those-too", TEXT),
        ("keep-mine", TEXT.replace("two", "human")),
        ("take-theirs", TEXT),
        (
            "markers",
            TEXT.replace(
                "two\n",
                "<<<<<<< now: operation 2 (human)\nhuman\n||||||| operation 1 (agent:some-agent)\nagent\n"
                "=======\ntwo\n>>>>>>> before operation 1\n",
            ),
        ),
    ],
)
@pytest.mark.promise(2)
async def test_a_person_decides_about_a_conflict(told, mode, choice, text):
    """Where a human rewrote what an agent takes back, a person is asked, and what they choose is done."""
    async with connected(told, mode=mode) as agent:
        agent.says = [choice]
        answer = await agent.call("undo")

    (question,) = agent.asked
    assert answer["outcome"] == "applied"
    assert told.read("a.txt") == text
    assert "operation 2 by human" in question.message
    assert choice in question.requested_schema["properties"]["choice"]["enum"]


@BOTH
@pytest.mark.promise(2)
async def test_without_a_yes_nothing_is_written(told, mode):
    """A question that is answered with no, declined, closed, or answered with something else changes nothing."""
    before = told.files()
    async with connected(told, mode=mode) as agent:
        agent.says = ["cancel", "decline", "close", "nonsense"]
        answers = [await agent.call("undo") for _ in range(4)]

    assert [one["error"]["code"] for one in answers] == ["refused"] * 4
    assert (told.files(), len(told.tb("log").json["operations"])) == (before, 2)


@BOTH
@pytest.mark.promise(2)
async def test_others_operations_need_a_yes(told, mode):
    """An agent that wants to take back what a human wrote can do so only if a person agrees."""
    async with connected(told, mode=mode) as agent:
        agent.says = ["cancel", "proceed"]
        refused = await agent.call("undo", operations=[2])
        assert told.read("a.txt") == TEXT.replace("two", "human")
        done = await agent.call("undo", actor="anyone")

    assert refused["error"]["code"] == "refused"
    assert (done["outcome"], done["undone"]) == ("applied", [2])
    assert told.read("a.txt") == TEXT.replace("two", "agent")
    assert "operation 2 by human" in agent.asked[0].message


async def test_what_changes_while_a_person_thinks_is_asked_about_again(told):
    """A yes is for what was shown: what somebody else has written meanwhile is asked about, and not taken back unasked."""
    async with connected(told) as agent:
        asked = agent.on_question

        async def meanwhile(context, params):
            if not agent.asked:
                told.write("a.txt", TEXT.replace("two", "again"))
                told.record("human")
            return await asked(context, params)

        agent.client.session._elicitation_callback = meanwhile
        agent.says = ["undo-those-too", "cancel"]
        answer = await agent.call("undo")

    assert "operation 3 by human" in agent.asked[1].message
    assert answer["error"]["code"] == "refused"
    assert told.read("a.txt") == TEXT.replace("two", "again")


@BOTH
@pytest.mark.promise(2)
async def test_where_nobody_can_be_asked_it_is_refused(told, mode):
    """Without a person a conflict is told with its way out, and nothing of others' is replaced or taken back."""
    before = told.files()
    checkpoint = told.checkpoint()
    told.write("b.txt", "by hand\n")
    told.record("human")
    told.tb("undo", "--op", "3")
    async with connected(told, mode=mode, person=False) as agent:
        conflict = await agent.call("undo")
        refused = [
            await agent.call("undo", on_conflict="take-theirs"),
            await agent.call("undo", operations=[2]),
            await agent.call("redo"),
            await agent.call("undo", operations=[4]),
        ]
        kept = await agent.call("rollback", checkpoint=checkpoint)
        skipped = await agent.call("undo", on_conflict="skip-file")

    assert conflict["outcome"] == "conflict"
    assert conflict["conflicts"][0]["in_the_way"] == [2]
    assert conflict["hint"].endswith("--op 1 --op 2")
    assert {one["error"]["code"] for one in refused} == {"refused"}
    assert all(one["error"]["hint"] for one in refused)
    assert kept["outcome"] == "nothing"
    assert skipped["files"][0]["outcome"] == "skipped"
    assert told.files() == before


async def test_a_question_does_not_wait_for_ever(told):
    """When nobody answers, the call is refused after a while, nothing is written, and the server serves on."""
    async with connected(told, "--patience", "0.2") as agent:
        answer = await agent.call("undo")
        meanwhile = await agent.call("log")
    async with connected(told) as agent:
        agent.says = ["undo-those-too"]
        done = await agent.call("undo")

    assert len(meanwhile["operations"]) == 2
    assert "nobody answered" in answer["error"]["message"]
    assert done["outcome"] == "applied"


async def test_a_cancelled_call_writes_nothing(told):
    """While a person is asked other calls are answered; a call that is cancelled meanwhile changes nothing."""
    before = told.files()
    async with connected(told) as agent, anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: agent.call("undo"))
        await agent.is_asked.wait()
        meanwhile = (await agent.call("log"))["operations"]
        tasks.cancel_scope.cancel()
    async with connected(told) as agent:
        log = (await agent.call("log"))["operations"]

    assert (told.files(), log) == (before, meanwhile)
    assert len(log) == 2


# -- what was taken back meanwhile ---------------------------------------------------------------


async def test_an_agent_is_told_once_what_was_taken_back(scene):
    """What somebody took back of an agent's is in its next answer, with the reason, and then no more; also after a restart."""
    scene.write("a.txt", TEXT)
    async with connected(scene, mode=MODERN) as agent:
        await agent.call("status")
        scene.write("a.txt", "mine\n")
        await agent.call("record", paths=["a.txt"])
        scene.write("b.txt", "mine too\n")
        await agent.call("record", paths=["b.txt"])
        own = await agent.call("undo")
        after_own = await agent.call("status")
        scene.tb("undo", "--op", "1", "--reason", "not like this")
        first = await agent.call("begin_turn")
        second = await agent.call("end_turn")
        scene.write("c.txt", "three\n")
        await agent.call("record", paths=["c.txt"])
    scene.tb("undo", "--reason", "nor this")
    async with connected(scene) as agent:
        again = await agent.call("show", operation=99)
        last = await agent.call("status")
    async with connected(scene) as agent:
        later = await agent.call("status")

    (news,) = first["undone_since"]
    assert (news["operation"], news["kind"], news["undone_by"]) == (1, "undo", 4)
    assert (news["reason"], news["files"]) == ("operation 1: not like this", ["a.txt"])
    assert [one["reason"] for one in again["undone_since"]] == ["operation 5: nor this"]
    assert again["error"]["code"] == "not_found"
    assert all("undone_since" not in one for one in (own, after_own, second, last, later))


async def test_two_agents_at_once(scene):
    """Two agents work in one workspace, each with its own name, turn and news; none may take back the other's alone."""
    scene.write("a.txt", TEXT)
    async with (
        connected(scene, name="one", person=False) as one,
        connected(scene, mode=MODERN, name="Two (beta)", person=False) as two,
    ):
        first = (await one.call("begin_turn"))["turn"]
        other = (await two.call("begin_turn"))["turn"]
        scene.write("a.txt", TEXT.replace("one", "ONE"))
        await one.call("record", paths=["a.txt"])
        scene.write("a.txt", TEXT.replace("one", "ONE").replace("five", "FIVE"))
        await two.call("record", paths=["a.txt"])
        refused = await one.call("undo", turn=other["id"])
        theirs = await one.call("end_turn", turn=other["id"])
        scene.tb("undo", "--turn", first["id"])
        told_two = await two.call("status")
        told_one = await one.call("status")

    log = scene.tb("log").json["operations"]
    assert [(one["actor"], one["turn"]) for one in log[1:]] == [
        ("agent:two-beta", other["id"]),
        ("agent:one", first["id"]),
    ]
    assert refused["error"]["code"] == "refused"
    assert theirs["error"]["code"] == "usage"
    assert "undone_since" not in told_two
    assert [one["operation"] for one in told_one["undone_since"]] == [1]
    assert scene.read("a.txt") == TEXT.replace("five", "FIVE")


async def test_what_a_recorder_saw_first_is_the_agents(scene):
    """An agent's write that a recorder has recorded as unknown becomes the agent's when it names the path."""
    scene.write("a.txt", TEXT)
    scene.tb("init")
    watching = started(scene, "watch")
    try:
        assert watching.stderr.readline()
        async with connected(scene) as agent:
            scene.write("a.txt", "seen\n")
            until(lambda: scene.tb("log").json["operations"])
            before = (await agent.call("log"))["operations"]
            recorded = (await agent.call("record", paths=["a.txt"]))["operation"]
    finally:
        watching.send_signal(signal.SIGINT)
        watching.communicate()

    assert [one["actor"] for one in before] == ["unknown"]
    assert (recorded["id"], recorded["actor"]) == (before[0]["id"], "agent:some-agent")


@pytest.mark.promise(8)
async def test_unsaved_text_stays(client):
    """Where an editor holds unsaved text over the file, it takes back what the agent asks for, and keeps the text."""
    editor = client.editor
    await editor.opened_after_agent("a.txt")
    editor.replace("a.txt", "line 50\n", "typed\n")
    await editor.run("takeback.status", {})  # the server has heard it
    async with connected(SimpleNamespace(env=dict(os.environ), root=editor.root)) as agent:
        agent.says = ["proceed"]
        answer = await agent.call("undo", operations=[1])

    assert answer["outcome"] == "applied"
    assert "typed\n" in editor.texts["a.txt"]
    assert "line 3\n" in editor.texts["a.txt"]
    assert (editor.root / "a.txt").read_text(encoding="utf-8") == EDITED


# -- turns end with the connection ---------------------------------------------------------------


async def test_a_turn_ends_with_its_connection(scene):
    """A turn that its agent has not ended is ended when the agent leaves, and what it wrote last is recorded in it."""
    scene.write("a.txt", TEXT)
    async with connected(scene) as agent:
        turn = (await agent.call("begin_turn"))["turn"]
        scene.write("a.txt", "last\n")

    until(lambda: scene.tb("status").json["turns"] == [])
    (operation,) = scene.tb("log").json["operations"]
    assert (operation["turn"], operation["inferred"]) == (turn["id"], True)


async def test_a_turn_ends_with_a_killed_server(scene):
    """After `kill -9` of the server nothing more is put down to the turn that it began."""
    scene.write("a.txt", TEXT)
    server = started(scene, "mcp")

    def ask(number, method, **params):
        line = json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        server.stdin.write(line.encode() + b"\n")
        server.stdin.flush()
        return json.loads(server.stdout.readline())

    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
    ask(1, "initialize", **hello)
    begun = ask(2, "tools/call", name="begin_turn", arguments={})["result"]["structuredContent"]
    open_before = scene.tb("status").json["turns"]
    server.kill()
    server.communicate()
    scene.write("a.txt", "later\n")
    after = scene.tb("status").json

    assert [one["id"] for one in open_before] == [begun["turn"]["id"]]
    assert (after["turns"], after["operations"][0]["actor"]) == ([], "unknown")


# -- which workspace, and who --------------------------------------------------------------------


@BOTH
async def test_the_clients_folders(scene, mode):
    """The workspace is what the client has open; of several one has to be named, and no other one may be."""
    folders = [scene.base / "first", scene.base / "se cond"]
    for folder in (*folders, scene.base / "third"):
        folder.mkdir()
        (folder / "f").write_text("x\n", encoding="utf-8")
    async with connected(scene, mode=mode, roots=folders[:1]) as agent:
        alone = (await agent.call("status"))["workspace"]
    async with connected(scene, mode=mode, roots=folders) as agent:
        unnamed = await agent.call("status")
        named = [
            (await agent.call("status", workspace=name))["workspace"]
            for name in (str(folders[0]), folders[1].as_uri())
        ]
        outside = await agent.call("status", workspace=str(scene.base / "third"))
    async with connected(scene, "-C", str(scene.base / "third"), mode=mode, roots=folders) as agent:
        started_for = (await agent.call("status"))["workspace"]

    assert alone == str(folders[0])
    assert unnamed["error"]["code"] == "usage"
    assert named == list(map(str, folders))
    assert outside["error"]["code"] == "usage"
    assert started_for == str(scene.base / "third")


async def test_who_an_agent_is_may_be_said(scene):
    """`--actor` and `TAKEBACK_ACTOR` name the agent, whatever its client calls itself; nobody is a human by it."""
    scene.write("f", "x\n")
    async with connected(scene, "--actor", "agent:claude") as agent:
        by_option = (await agent.call("begin_turn"))["turn"]["actor"]
    async with connected(scene, env={"TAKEBACK_ACTOR": "agent:codex"}) as agent:
        by_environment = (await agent.call("begin_turn"))["turn"]["actor"]

    assert (by_option, by_environment) == ("agent:claude", "agent:codex")
    assert scene.process("mcp", "--actor", "human").returncode == 2


# -- what goes wrong -----------------------------------------------------------------------------


BAD = [
    ("undo", {"nonsense": 1}),
    ("undo", {"n": 0}),
    ("undo", {"n": True}),
    ("undo", {"n": "1"}),
    ("undo", {"n": 2**64}),
    ("undo", {"operations": []}),
    ("undo", {"operations": [1], "n": 1}),
    ("undo", {"paths": [""]}),
    ("undo", {"paths": ["/etc/passwd"]}),
    ("undo", {"paths": [".git/config"]}),
    ("undo", {"actor": "nobody"}),
    ("undo", {"since": "whenever"}),
    ("undo", {"on_conflict": "force"}),
    ("rollback", {}),
    ("show", {"operation": None}),
    ("record", {"paths": []}),
    ("diff", {"operation": 1, "moments": "1..2"}),
    ("checkpoint", {"kind": "nice"}),
    ("end_turn", {}),
    ("status", {"workspace": "/"}),
    ("status", {"workspace": "\0"}),
]


async def test_bad_arguments_are_explained(told):
    """What a tool does not take is refused with what it takes, before anything is done."""
    before = told.files()
    async with connected(told) as agent:
        answers = [(tool, arguments, await agent.call(tool, **arguments)) for tool, arguments in BAD]

    for tool, arguments, answer in answers:
        assert answer["error"]["code"] == "usage", (tool, arguments)
        assert answer["error"]["hint"], (tool, arguments)
    assert (told.files(), agent.asked) == (before, [])


DEEP = "[" * 250 + "]" * 250


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (f'{{"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {{"arguments": {DEEP}}}}}', -32700),
        ('{"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "half \\ud83d"}}', -32700),
        ('{"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "log"', -32700),
        ('{"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": [1]}', -32600),
    ],
    ids=["deep", "half a character", "cut", "no object"],
)
async def test_what_cannot_be_read_is_answered(scene, message, code):
    """A call that is too deep to be read, or broken, is answered with an error of the protocol, and the next one is served."""
    server = started(scene, "mcp")
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
    begin = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello})
    said = [begin, '{"jsonrpc": "2.0", "method": "notifications/initialized"}', "garbage", message]
    said.append('{"jsonrpc": "2.0", "id": 8, "method": "tools/list"}')
    server.stdin.write("".join(f"{one}\n" for one in said).encode())
    server.stdin.flush()
    lines = [json.loads(await asyncio.to_thread(server.stdout.readline)) for _ in range(3)]
    rest, _ = await asyncio.to_thread(server.communicate, timeout=60)

    answers = {one["id"]: one for one in lines}
    assert (answers.keys(), rest) == ({1, 7, 8}, b"")
    assert answers[7]["error"]["code"] == code
    assert "cannot be read" in answers[7]["error"]["message"]


@BOTH
async def test_unknown_tools_are_named(scene, mode):
    """A tool that does not exist is an error of the protocol that names those that do."""
    async with connected(scene, mode=mode) as agent:
        with pytest.raises(MCPError, match="there is no tool 'rewrite', only status, log"):
            await agent.client.call_tool("rewrite", {})
        assert (await agent.call("status"))["operations"] == []


async def test_a_workspace_that_is_gone_is_said(scene):
    """When the folder is removed a call says so, and when it is back the next one works."""
    scene.write("a.txt", TEXT)
    async with connected(scene, "-C", str(scene.root), at=scene.base) as agent:
        await agent.call("status")
        scene.root.rename(scene.base / "elsewhere")
        gone = await agent.call("undo")
        (scene.base / "elsewhere").rename(scene.root)
        back = await agent.call("undo")

    assert gone["error"]["code"] == "workspace_refused"
    assert back["outcome"] == "nothing"


@pytest.mark.long
@pytest.mark.promise(4)
async def test_a_locked_journal_is_waited_for_and_then_said(told, monkeypatch):
    """While another process holds the journal a call ends with `busy`, and nothing is changed; later it works."""
    before = told.files()
    async with connected(told, person=False) as agent:
        await agent.call("status")
        holding = sqlite3.connect(told.state / "journal.db", isolation_level=None)
        holding.execute("BEGIN IMMEDIATE")
        busy = await agent.call("undo", on_conflict="keep-mine")
        holding.execute("ROLLBACK")
        holding.close()
        done = await agent.call("undo", on_conflict="keep-mine")

    assert busy["error"]["code"] == "busy"
    assert (done["outcome"], told.files()) == ("applied", before)


async def test_bytes_that_are_no_text_are_written_out(scene):
    """A path outside UTF-8 is shown as it can be, and neither breaks the protocol nor the undo."""
    scene.write("f", "x\n")
    async with connected(scene) as agent:
        await agent.call("status")
        os.close(os.open(os.fsencode(scene.root) + b"/caf\xe9", os.O_CREAT))
        recorded = (await agent.call("record"))["operation"]
        undone = await agent.call("undo")

    assert recorded["changes"][0]["path"] == "caf\\udce9"
    assert undone["outcome"] == "applied"
    assert os.listdir(scene.root) == ["f"]


@BOTH
async def test_a_question_about_bytes_that_are_no_text_is_asked(scene, mode):
    """A person is asked about a file whose name is no text, as about any other one."""
    name = os.fsdecode(b"caf\xe9")
    scene.write(name, "one\n")
    scene.tb("init")
    for actor in ("agent:some-agent", "human"):
        scene.write(name, f"{actor}\n")
        scene.record(actor)
    async with connected(scene, mode=mode) as agent:
        agent.says = ["undo-those-too"]
        with anyio.fail_after(60):
            undone = await agent.call("undo")

    assert "caf\\udce9" in agent.asked[0].message
    assert (undone["outcome"], scene.read(name)) == ("applied", "one\n")


async def test_an_error_about_bytes_that_are_no_text_is_told(scene):
    """In a folder whose name is no text, an error that names it is answered like any other one."""
    folder = scene.root / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    async with connected(scene, "-C", str(folder)) as agent:
        with anyio.fail_after(60):
            refused = await agent.call("status", workspace="/elsewhere")

    assert "caf\\udce9" in refused["error"]["hint"]


async def test_the_first_look_tells_how_far_it_is(scene):
    """While the first look goes on the client is told how far it is, and standard output has nothing but the protocol."""
    for number in range(300):
        scene.write(f"f{number}", f"{number}\n")
    async with connected(scene, mode=MODERN) as agent:
        await agent.call("status")

    assert agent.progress
    assert all(done <= total for done, total in agent.progress)


async def test_without_the_extra_it_says_how_to_install_it(scene):
    """Where the protocol's library is missing, the command says what to install, and ends with 3."""
    code = (
        "import sys; sys.modules['mcp'] = None; sys.argv = ['takeback', 'mcp'];"
        "from takeback.__main__ import main; main()"
    )

    ended = await anyio.run_process(
        [sys.executable, "-P", "-c", code], cwd=scene.root, env=scene.env, check=False
    )

    assert (ended.returncode, ended.stdout) == (3, b"")
    assert b'pip install "takeback[mcp]"' in ended.stderr


# -- what others wrote at the same time -----------------------------------------------------------


async def test_what_an_agent_wrote_during_anothers_command_is_its_own(scene):
    """A command's effects are known by time; who names its own write among them, after it has ended, gets that one."""
    scene.write("a.txt", TEXT)
    scene.write("b.txt", TEXT)
    scene.tb("init")
    async with connected(scene) as agent:
        command = started(scene, "run", "--actor", "agent:x", "--", "sh", "-c", "echo x >> b.txt; read line")
        until(lambda: scene.read("b.txt") != TEXT)
        scene.write("a.txt", TEXT.replace("two", "mine"))
        command.communicate(b"go on\n")
        told = await agent.call("record", paths=["a.txt"])
        log = (await agent.call("log"))["operations"]
        undone = await agent.call("undo", actor="agent:x", operations=[1], dry_run=True)

    assert told["operation"]["actor"] == "agent:some-agent"
    assert [(one["actor"], one["standing"]) for one in log if one["kind"] != "undo"] == [
        ("agent:some-agent", "all"),
        ("agent:x", "part"),
    ]
    assert [one["path"] for one in undone["files"]] == ["b.txt"]
    assert scene.tb("redo").json["outcome"] == "nothing"
    assert scene.tb("undo", "--actor", "agent:x").status == 0
    assert (scene.read("a.txt"), scene.read("b.txt")) == (TEXT.replace("two", "mine"), TEXT)
    assert scene.tb("undo", "--actor", "agent:some-agent").status == 0
    assert scene.read("a.txt") == TEXT


async def test_what_a_command_made_of_an_agents_write_stays_the_commands(scene):
    """An agent that names a file which a command has rewritten since gets its own write, and not the command's."""
    scene.write("a.txt", TEXT)
    scene.tb("init")
    async with connected(scene) as agent:
        scene.write("a.txt", TEXT.replace("two", "mine"))
        started(scene, "run", "--", "sed", "-i", "s/four/FOUR/", "a.txt").communicate()
        await agent.call("record", paths=["a.txt"])
        log = (await agent.call("log"))["operations"]

    assert [one["actor"] for one in log] == ["command:sed", "agent:some-agent"]


async def test_what_an_agent_or_a_command_wrote_is_neithers(scene):
    """A file that an agent has named before, and names again after a command has changed it, may be either's."""
    scene.write("a.txt", TEXT)
    scene.tb("init")
    async with connected(scene) as agent:
        scene.write("a.txt", TEXT.replace("two", "mine"))
        await agent.call("record", paths=["a.txt"])
        started(scene, "run", "--actor", "agent:x", "--", "sed", "-i", "s/four/FOUR/", "a.txt").communicate()
        await agent.call("record", paths=["a.txt"])
        log = (await agent.call("log"))["operations"]

    doubtful, _, command, first = log
    assert (doubtful["actor"], doubtful["label"]) == ("unknown", "perhaps agent:some-agent or agent:x")
    assert (command["actor"], command["standing"]) == ("agent:x", "none")
    assert first["actor"] == "agent:some-agent"
    assert scene.tb("undo").status == 0
    assert scene.read("a.txt") == TEXT.replace("two", "mine")
