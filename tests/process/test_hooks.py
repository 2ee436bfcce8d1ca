"""What agents' hooks tell becomes their operations, exactly, whether somebody records or not."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from hooks import HOOK, Agent, operations, turns
from takeback.service import calls, hooking
from waiting import until

AFTER = {
    "version": 1,
    "id": "1",
    "at": 1,
    "actor": "agent:x",
    "doing": "after_edit",
    "session": "s",
    "call": "c",
    "process": None,
}


def test_an_edit_is_the_agents(either):
    """What an agent's tool writes is one operation by the agent, and an undo takes it back."""
    Agent(either).edit("f", "two\n")

    assert operations(either) == [("agent:claude", ["f"])]
    assert either.tb("undo").status == 0
    assert either.read("f") == "one\n"


@pytest.mark.promise(2)
def test_what_was_there_before_is_not_the_agents(either):
    """What somebody wrote in a file before the agent's tool call, and nobody saw, is recorded first."""
    either.write("f", "human\n")
    Agent(either).edit("f", "human\nagent\n")

    assert operations(either) == [("unknown", ["f"]), ("agent:claude", ["f"])]
    either.tb("undo", "--actor", "agent:claude")
    assert either.read("f") == "human\n"


def test_what_others_write_meanwhile_is_not_the_agents(either):
    """During an agent's tool call only what the call names is the agent's."""
    agent = Agent(either)
    call = agent.before_edit("f")
    either.write("g", "human\n")
    either.write("f", "agent\n")
    agent.after(call)

    assert sorted(operations(either)) == [("agent:claude", ["f"]), ("unknown", ["g"])]


def test_every_step_of_a_file_is_kept_without_a_recorder(workspace):
    """An agent that edits one file again and again leaves one operation for each edit, though nobody watched."""
    agent = Agent(workspace)
    for text in ("two\n", "three\n", "four\n"):
        agent.edit("f", text)

    assert operations(workspace) == [("agent:claude", ["f"])] * 3
    workspace.tb("undo", "2")
    assert workspace.read("f") == "two\n"


def test_a_file_that_was_made_and_one_that_was_deleted(either):
    """Creating and deleting by a tool are the agent's too, in new folders as well."""
    agent = Agent(either)
    agent.edit("new/deep/file", "made\n")
    call = agent.before_edit("g")
    (either.root / "g").unlink()
    agent.after(call)

    assert operations(either) == [("agent:claude", ["new/deep/file"]), ("agent:claude", ["g"])]
    either.tb("undo", "2")
    assert sorted(either.files()) == ["f", "g"]


def test_a_call_that_failed_takes_nothing(either):
    """A tool call that wrote nothing does not make the agent's what somebody else wrote just before it."""
    either.write("f", "human\n")
    until(lambda: operations(either) == [("unknown", ["f"])])
    agent = Agent(either)
    agent.after(agent.before_edit("f"))

    assert operations(either) == [("unknown", ["f"])]


def test_a_watcher_may_be_quicker(workspace, recorder):
    """What the recorder saw before the agent's tool call ended is the agent's all the same."""
    recorder()
    agent = Agent(workspace)
    call = agent.before_edit("f")
    workspace.write("f", "agent\n")
    workspace.write("g", "human\n")
    until(lambda: len(operations(workspace)) >= 2)
    assert {actor for actor, _ in operations(workspace)} == {"unknown"}
    agent.after(call)

    until(lambda: sorted(operations(workspace)) == [("agent:claude", ["f"]), ("unknown", ["g"])])
    (told,) = workspace.tb("log", "--actor", "agent:claude").json["operations"]
    assert told["label"] == ""  # not "perhaps agent:claude" any more


# -- commands ------------------------------------------------------------------------------------


def test_a_command_is_one_operation(either):
    """What an agent's shell tool wrote is one operation by the agent, labelled with the command."""
    agent = Agent(either)
    call = agent.before_command("make all")
    either.write("out/one", "1\n")
    either.write("f", "built\n")
    agent.after(call)
    either.write("g", "human\n")

    assert operations(either) == [("agent:claude", ["f", "out/one"]), ("unknown", ["g"])]
    command = either.tb("show", "1").json["operations"][0]
    assert (command["kind"], command["label"]) == ("command", "make all")
    either.tb("undo", "--op", "1")
    assert either.files().keys() == {"f", "g"}


def test_what_was_written_before_a_command_is_not_the_agents(either):
    """What somebody wrote just before a command began is recorded as nobody's."""
    either.write("g", "human\n")
    agent = Agent(either)
    call = agent.before_command()
    either.write("f", "built\n")
    agent.after(call)

    assert operations(either) == [("unknown", ["g"]), ("agent:claude", ["f"])]


def test_reading_leaves_a_command_whole(either):
    """Whoever asks for the log while an agent's command runs takes nothing from it, and status names the agent."""
    agent = Agent(either)
    call = agent.before_command()
    either.write("one", "1\n")
    assert operations(either) == []
    notices = either.tb("status").json["notices"]
    either.write("two", "2\n")
    agent.after(call)

    assert operations(either) == [("agent:claude", ["one", "two"])]
    assert notices == ["agent:claude is at work: what it writes is recorded at its end"]


def test_two_agents_commands_at_once_share_the_doubt(either):
    """What was written while the commands of two agents ran is of one or the other, and never the wrong one's."""
    one, other = Agent(either), Agent(either, "codex")
    first = one.before_command()
    either.write("one", "1\n")
    second = other.before_command()
    either.write("doubt", "?\n")
    one.after(first)
    either.write("two", "2\n")
    other.after(second)

    found = {path: actor for actor, paths in operations(either) for path in paths}
    assert found == {"one": "agent:claude", "doubt": "unknown", "two": "agent:codex"}
    doubtful = next(one for one in either.tb("log").json["operations"] if one["actor"] == "unknown")
    assert doubtful["label"] == "perhaps agent:claude or agent:codex"


def test_an_edit_during_another_agents_command(either):
    """A tool call that names its file is exact, whoever runs a command meanwhile."""
    one, other = Agent(either), Agent(either, "codex")
    command = one.before_command()
    other.edit("f", "codex\n")
    either.write("out", "claude\n")
    one.after(command)

    assert sorted(operations(either)) == [("agent:claude", ["out"]), ("agent:codex", ["f"])]


def test_two_agents_at_one_file(either):
    """Where two agents' tool calls on one file overlap, nobody can tell: it is unknown, with both as candidates."""
    one, other = Agent(either), Agent(either, "codex")
    first, second = one.before_edit("f"), other.before_edit("f")
    either.write("f", "claude\n")
    either.write("f", "codex\n")
    one.after(first)
    other.after(second)

    (found,) = either.tb("log").json["operations"]
    assert (found["actor"], found["label"]) == ("unknown", "perhaps agent:claude or agent:codex")


# -- turns ---------------------------------------------------------------------------------------


@pytest.mark.promise(2)
def test_two_sessions_of_one_agent_at_one_file(either):
    """Where two sessions of one agent overlap at one file, it is the agent's and of no turn: undo of a turn takes neither."""
    one, two = Agent(either, session="one"), Agent(either, session="two")
    one.prompt("one")
    two.prompt("two")
    calls = one.before_edit("f"), two.before_edit("f")
    either.write("f", "of two\none\nof one\n")
    one.after(calls[0])
    two.after(calls[1])

    assert {actor for actor, _ in operations(either)} == {"agent:claude"}
    assert set(turns(either)) == {None}
    either.tb("undo", "--turn", "turn-1")
    assert either.read("f") == "of two\none\nof one\n"


def test_a_turn_for_each_prompt(either):
    """Each prompt begins a turn with its first words as label, and the next one, or the answer, ends it."""
    agent = Agent(either)
    agent.prompt("make it\nbetter")
    agent.edit("f", "two\n")
    call = agent.before_command()
    either.write("out", "1\n")
    agent.after(call)
    agent.prompt("and now the other")
    agent.edit("g", "two\n")
    agent.stop()
    agent.edit("f", "three\n")

    assert turns(either) == {"turn-1": [["f"], ["out"]], "turn-2": [["g"]], None: [["f"]]}
    assert either.tb("status").json["turns"] == []
    assert either.tb("undo", "--turn", "turn-1", "--dry-run").json["outcome"] in ("planned", "conflict")


def test_several_sessions_have_their_own_turns(either):
    """Two sessions of one agent, and another agent, work at once, each in its own turn."""
    agents = [Agent(either), Agent(either, session="s2"), Agent(either, "gemini", session="s1")]
    for agent in agents:
        agent.prompt(f"for {agent.name} {agent.session}")
    for number, agent in enumerate(agents):
        agent.edit(f"new{number}", "x\n")
    opened = either.tb("status").json["turns"]
    agents[1].stop()

    assert [turn["label"] for turn in opened] == ["for claude s1", "for claude s2", "for gemini s1"]
    assert turns(either) == {"turn-1": [["new0"]], "turn-2": [["new1"]], "turn-3": [["new2"]]}
    assert len(either.tb("status").json["turns"]) == 2


def test_what_nobody_announces_in_a_turn_is_not_the_agents(either):
    """An agent with hooks says what it writes; a human's edit during its turn stays a human's, or nobody's."""
    agent = Agent(either)
    agent.prompt("do it")
    either.write("g", "human\n")

    (found,) = either.tb("log").json["operations"]
    assert (found["actor"], found["inferred"], found["turn"]) == ("unknown", False, None)
    assert "perhaps agent:claude" in found["label"]


# -- what goes wrong -----------------------------------------------------------------------------


def test_a_workspace_without_history_is_left_alone(scene):
    """A hook begins no history: that would keep the agent waiting."""
    agent = Agent(scene)
    scene.write("f", "one\n")
    agent.edit("f", "two\n")

    assert list(scene.states.iterdir()) == []


def test_a_file_elsewhere_is_no_business_of_the_workspace(workspace, tmp_path):
    """Files outside the workspace, inside a `.git`, and ignored ones are passed over without a word."""
    workspace.git("init", "-q")
    workspace.write(".gitignore", "ignored\n")
    workspace.record("human")
    agent = Agent(workspace)
    for path in (tmp_path / "elsewhere", workspace.root / ".git" / "x", workspace.root / "ignored"):
        call = agent.before_edit(path)
        path.write_text("x\n")
        agent.after(call)

    assert operations(workspace) == [("human", [".gitignore"])]
    assert not (workspace.state / "hooks.log").exists()


@pytest.mark.parametrize("said", [b"", b"garbage", b"[]", b"\xff\xfe", b'{"hook_event_name": 7}', b"{}" * 9])
def test_garbage_stops_nobody(workspace, said):
    """Whatever stands on standard input, the hook ends well; what is no event is noted where a person finds it."""
    told = Agent(workspace).say_raw(said)

    if told:
        assert told.count("\n") == 1
        assert "Traceback" not in told
        assert any("hook claude" in notice for notice in workspace.tb("status").json["notices"])


def test_an_agent_that_nobody_knows_is_not_refused(workspace):
    """Exit status 2 would stop the agent's tool, so a wrong name in its settings ends well too, and is said."""
    assert "no agent is called 'nobody'" in Agent(workspace, "nobody").say_raw(b"{}")


def say_from_nowhere(scene, event, path, **more):
    """An agent tells of an edit from a folder that is gone; what the hook says on standard error."""
    (scene.root / "gone").mkdir()
    body = {
        "session_id": "s1",
        "hook_event_name": event,
        "tool_name": "Write",
        "tool_input": {"file_path": path},
    }
    ended = subprocess.run(
        ["sh", "-c", 'rmdir "$PWD" && exec "$@"', "sh", *HOOK, "claude"],
        input=json.dumps({**body, **more}).encode(),
        cwd=scene.root / "gone",
        env=scene.env,
        capture_output=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (0, b"")
    return ended.stderr.decode()


@pytest.mark.parametrize("named", [True, False], ids=["folder named", "no folder named"])
def test_the_folder_that_an_agent_works_in_is_gone(workspace, named):
    """An agent whose working folder was removed is recorded all the same where it names its files in full."""
    more = {"cwd": str(workspace.root / "gone")} if named else {}
    path = str(workspace.root / "f")
    told = say_from_nowhere(workspace, "PreToolUse", path, **more)
    workspace.write("f", "two\n")
    told += say_from_nowhere(workspace, "PostToolUse", path, **more)

    assert (told, operations(workspace)) == ("", [("agent:claude", ["f"])])


def test_a_name_that_leads_nowhere_is_noted(workspace):
    """A file that is named from a folder that was removed cannot be found: the hook says so, also in its log."""
    told = say_from_nowhere(workspace, "PostToolUse", "f")

    assert "takeback hook claude: FileNotFoundError" in told
    assert "takeback hook claude: FileNotFoundError" in (workspace.states / "hooks.log").read_text()


def test_a_state_folder_that_cannot_be_written(workspace):
    """A full or read-only disk costs the agent nothing; the line on standard error says what was not kept."""
    spool = workspace.state / "spool"
    spool.write_text("in the way")

    told = Agent(workspace).say("UserPromptSubmit", prompt="x")

    assert "takeback hook claude: NotADirectoryError" in told


def test_a_setting_that_cannot_be_followed_is_said(workspace):
    """Where the environment names no folder of histories that can be found, the hook ends well and says so."""
    ended = subprocess.run(
        [*HOOK, "claude"],
        input=b'{"hook_event_name": "Stop"}',
        cwd=workspace.root,
        env={**workspace.env, "TAKEBACK_STATE_DIR": "here"},
        capture_output=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (0, b"")
    assert b"TAKEBACK_STATE_DIR is 'here'" in ended.stderr


def test_a_recorder_that_does_not_answer_is_not_waited_for(workspace, recorder):
    """A recorder that hangs costs an agent a moment; what was told is taken in when it goes on."""
    process = recorder()
    os.kill(process.pid, signal.SIGSTOP)
    Agent(workspace, is_patient=False).edit("f", "two\n")
    os.kill(process.pid, signal.SIGCONT)

    assert operations(workspace) == [("agent:claude", ["f"])]


def test_what_is_no_hooks_in_the_spool_is_passed_over(workspace):
    """Half a file in the spool, left by a full disk, is noted and stops nothing behind it."""
    agent = Agent(workspace)
    agent.prompt("one")
    (workspace.state / "spool" / "000000000002").write_bytes(b'{"sizes": [7]}\nhalf')
    (workspace.state / "spool" / "000000000003").write_bytes(b"\xff")
    agent.edit("f", "two\n")

    assert operations(workspace) == [("agent:claude", ["f"])]
    assert "cannot be understood" in (workspace.state / "hooks.log").read_text()


@pytest.mark.parametrize(
    "said",
    [
        {"version": 2, "doing": ["x"], "sizes": []},
        {"version": 2, "doing": "end", "actor": "agent:x", "session": ["a"], "sizes": []},
        {"version": 1, "doing": "end", "actor": "agent:x", "session": "\ud83d", "call": None, "sizes": []},
        {**AFTER, "files": [{"path": "../x", "kind": None, "mode": 0, "look": False}], "sizes": [0]},
    ],
)
def test_what_another_version_left_in_the_spool_stops_no_verb(workspace, said):
    """What the hook of another version left, and this one cannot understand, is noted; every verb goes on."""
    Agent(workspace).prompt("one")
    (workspace.state / "spool" / "000000000002").write_text(json.dumps(said) + "\n")
    Agent(workspace).edit("f", "two\n")

    assert operations(workspace) == [("agent:claude", ["f"])]
    assert "000000000002 in the spool cannot be understood" in (workspace.state / "hooks.log").read_text()


def a_folder(path):
    """A folder with something in it."""
    path.mkdir(parents=True)
    (path / "mine").write_text("kept")


def a_pipe(path):
    """A pipe that nobody writes to."""
    path.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(path)


def a_link(path):
    """A link that leads nowhere."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to("nowhere")


OF_THE_CALL = calls.name_of("agent:claude", "s1", "s1-0")


@pytest.mark.parametrize("other", [a_folder, a_pipe, a_link])
@pytest.mark.parametrize(
    "place",
    [
        "spool/000000000001",
        "spool/\N{SUPERSCRIPT TWO}",
        f"calls/{OF_THE_CALL}",
        "calls/a\n b\udcff",
        "commands/1-a",
    ],
)
def test_what_is_no_file_in_the_state_folder_is_passed_over(workspace, place, other):
    """Whatever stands in the place of what hooks and commands keep, every verb goes on, and says so once in the log."""
    other(workspace.state / place)
    Agent(workspace).edit("f", "two\n")

    assert operations(workspace) == [("agent:claude", ["f"])]
    ended = workspace.process("run", "--", "true")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert workspace.tb("doctor").status == 0
    assert other is not a_folder or (workspace.state / place / "mine").exists()
    shown = place.replace("\n", "").replace("\udcff", "\\udcff")
    assert (workspace.state / "hooks.log").read_text().count(f"{shown} is no file") == 1


@pytest.mark.parametrize("place", ["spool", "calls", "commands"])
def test_a_file_in_the_place_of_a_folder_stops_no_verb(workspace, place):
    """A file where hooks or commands keep what they tell costs what they would have told, and nothing else."""
    shutil.rmtree(workspace.state / place, ignore_errors=True)
    (workspace.state / place).write_text("in the way")
    Agent(workspace).edit("f", "two\n")

    ((_, paths),) = operations(workspace)
    assert paths == ["f"]
    assert workspace.tb("doctor").status == 0
    assert (workspace.state / "hooks.log").read_text().count(f"{place} is no folder") == 1


@pytest.mark.parametrize("call", ["[]", '{"version": 2}', "null"])
def test_what_another_version_left_of_a_call_stops_no_verb(workspace, call):
    """A call under way of which another version wrote something else is none; every verb goes on."""
    folder = workspace.state / "calls"
    folder.mkdir(exist_ok=True)
    (folder / "abc").write_text(call)
    Agent(workspace).edit("f", "two\n")

    assert operations(workspace) == [("agent:claude", ["f"])]


def test_half_a_character_names_a_session_like_any_other(either):
    """A session, a call and a prompt may hold half of a character, as agents cut texts: all of it counts."""
    agent = Agent(either, session="s\ud83d")
    agent.prompt("go \ud83d")
    call = agent.before_command()
    either.write("f", "two\n")
    agent.after(call)

    assert operations(either) == [("agent:claude", ["f"])]
    assert turns(either) == {"turn-1": [["f"]]}


DYING = """
import builtins, os, signal, sys
left = int(sys.argv.pop(1))

def dying(act):
    def step(*words, **named):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return act(*words, **named)
    return step

for name in ("open", "link", "unlink", "mkdir", "listdir", "readlink"):
    setattr(os, name, dying(getattr(os, name)))
builtins.open = dying(builtins.open)
from takeback.__main__ import main
main()
"""


@pytest.mark.timeout(240)
def test_a_hook_that_is_killed_at_any_step(workspace):
    """A hook that dies between any two of its steps leaves nothing broken, and nothing that is put down wrongly."""
    agent, ended = Agent(workspace), -signal.SIGKILL
    steps = 0
    while ended == -signal.SIGKILL:
        steps += 1
        call = agent.before_edit("f")
        workspace.write("f", f"{steps}\n")
        said = {"session_id": "s1", "cwd": str(workspace.root), "hook_event_name": "PostToolUse", **call}
        ended = subprocess.run(
            [sys.executable, "-P", "-c", DYING, str(steps), "hook", "claude"],
            input=json.dumps(said).encode(),
            cwd=workspace.root,
            env=workspace.env,
            check=False,
        ).returncode

    assert (ended, steps > 5) == (0, True)
    found = operations(workspace)
    assert found[-1] == ("agent:claude", ["f"])
    assert {actor for actor, _ in found} <= {"agent:claude", "unknown"}
    assert len(found) == steps
    left = [one.name for one in (workspace.state / "spool").iterdir()]
    assert [name for name in left if name.isdigit()] == []
    assert workspace.tb("doctor").status == 0


def test_a_hook_imports_nothing_heavy():
    """What stands between an agent and its work loads no libgit2, no SQLite and nothing of the command line."""
    code = "import sys, takeback.cli.hooked, takeback.service.hooking; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()

    heavy = {"pygit2", "sqlite3", "click", "rich", "cattrs", "attr", "pygls", "lsprotocol", "git", "watchdog"}
    assert heavy & {name.partition(".")[0] for name in loaded} == set()
    assert not {"takeback.journal", "takeback.store", "takeback.config", "asyncio", "subprocess"} & {*loaded}


AGENT_THAT_WAITS = (
    "import subprocess, sys\n"
    "subprocess.run(sys.argv[1:], input=sys.stdin.buffer.read(), check=True)\n"
    "print('told', flush=True)\n"
    "import time; time.sleep(600)\n"
)


def agent_process(scene, said):
    """An agent's process that has told this, and goes on."""
    process = subprocess.Popen(
        [sys.executable, "-c", AGENT_THAT_WAITS, *HOOK, "claude"],
        cwd=scene.root,
        env=scene.env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    process.stdin.write(said)
    process.stdin.close()
    process.stdout.readline()
    return process


@pytest.mark.parametrize(
    "said",
    [
        b'{"hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": {"command": "x"}, "session_id": "s"}',
        b'{"hook_event_name": "UserPromptSubmit", "prompt": "x", "session_id": "s"}',
    ],
    ids=["command", "turn"],
)
def test_an_agent_that_is_killed_is_at_work_no_longer(either, said):
    """An agent that dies between the two hooks of a call leaves neither a command at work nor a turn open."""
    process = agent_process(either, said)
    before = either.tb("status").json
    process.kill()
    process.wait()
    process.stdout.close()
    either.write("g", "human\n")

    assert before["turns"] or before["notices"]
    until(lambda: operations(either) == [("unknown", ["g"])])
    after = either.tb("status").json
    assert (after["turns"], after["notices"]) == ([], [])


def test_an_agent_that_has_ended_since(workspace):
    """What an agent told before it ended counts, also where nobody took it in meanwhile."""
    said = [
        b'{"hook_event_name": "UserPromptSubmit", "prompt": "x", "session_id": "s"}',
        b'{"hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": {"command": "x"}, "session_id": "s"}',
        b'{"hook_event_name": "PostToolUse", "tool_name": "Bash", "tool_input": {"command": "x"}, "session_id": "s"}',
    ]
    for number, one in enumerate(said):
        process = agent_process(workspace, one)
        process.kill()
        process.wait()
        process.stdout.close()
        workspace.write(f"after {number}", "x\n")

    assert operations(workspace) == [
        ("unknown", ["after 0"]),
        ("agent:claude", ["after 1"]),
        ("unknown", ["after 2"]),
    ]
    assert turns(workspace)["turn-1"] == [["after 1"]]
    assert workspace.tb("status").json["turns"] == []


def test_a_call_that_nobody_says_the_end_of(either):
    """A command that was refused, or of which the agent says no end, ended with the answer: its writes are in doubt."""
    agent = Agent(either)
    agent.prompt("x")
    agent.before_command()
    either.write("out", "1\n")
    agent.stop()
    either.write("g", "human\n")

    assert operations(either) == [("unknown", ["out"]), ("unknown", ["g"])]
    assert either.tb("show", "1").json["operations"][0]["label"] == "perhaps agent:claude"
    assert either.tb("status").json["notices"] == []


def test_what_is_written_while_a_person_is_asked(either):
    """A command that waited for a person's leave has not written what was written meanwhile, where the agent says so."""
    agent = Agent(either)
    call = agent.before_command()
    either.write("g", "human\n")
    changed_s = (either.root / "g").stat().st_ctime
    until(lambda: time.time() - changed_s > 2)
    either.write("out", "1\n")
    said = {"session_id": agent.session, "hook_event_name": "PostToolUse", **call, "duration_ms": 1}
    # told from here: a process of its own may take a second to start, and that much counts as the call's
    hooking.told("claude", json.dumps(said).encode(), "", str(either.root), either.env)
    agent.be_taken_in()

    found = {path: actor for actor, paths in operations(either) for path in paths}
    assert found == {"g": "unknown", "out": "agent:claude"}
