"""An agent's settings get what calls Takeback, and nothing else in them changes."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from hooks import Agent, operations
from takeback.agents.decoding import AGENTS
from takeback.agents.settings import SETTINGS, place, snippet
from takeback.errors import Refused
from takeback.service import hook_settings

PROJECT = Path(__file__).parents[2]
OURS = ("opencode", "copilot")
"""Agents for which a whole file is Takeback's."""
SHARED = tuple(agent for agent in AGENTS if agent not in OURS)

KEPT = """{
    // mine
    "model": "best",   "env": {"KEY": "caf\u00e9 \\u00e9"},
    "hooks": {
        "PreToolUse": [{"matcher": "Bash", "hooks": [{"type": "command", "command": "mine"}]}],
        "preToolUse": [
            {"command": "takeback hook-like"}
        ]
    },
    "last": [1, 2.50, true]
}
"""


@pytest.fixture
def environ(scene):
    """The user's environment."""
    return scene.env


def settings_file(environ, agent, text=None):
    """The file of the agent's settings, with this text."""
    path = Path(place(agent, environ))
    if text is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    return path


def install(environ, agent):
    """Install without a question."""
    edit = hook_settings.installing(agent, environ)
    hook_settings.write(edit)
    return edit


def uninstall(environ, agent):
    """Uninstall without a question."""
    hook_settings.write(hook_settings.uninstalling(agent, environ))


def test_every_agent_has_settings():
    """Each agent whose words are known can be set up."""
    assert tuple(SETTINGS) == AGENTS


@pytest.mark.parametrize("agent", AGENTS)
def test_the_page_of_an_agent_shows_its_settings(environ, agent):
    """What the page of an agent shows is what `install` writes, and is known as ours where it was put there by hand."""
    shown = snippet(agent, ("takeback", "hook", agent))
    page = PROJECT / "docs" / "agents" / f"{agent}.md"
    assert f"\n{shown}```" in page.read_text(encoding="utf-8")

    path = settings_file(environ, agent, shown)
    uninstall(environ, agent)
    assert not path.exists()


@pytest.mark.parametrize("agent", AGENTS)
def test_settings_that_are_not_there_are_made_and_removed(environ, agent):
    """Where an agent has no settings yet, they are made for its owner alone, and are gone after an uninstall."""
    path = settings_file(environ, agent)
    install(environ, agent)
    assert path.stat().st_mode & 0o777 == 0o600
    assert not hook_settings.installing(agent, environ).changes_something

    uninstall(environ, agent)
    assert not path.exists()
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("agent", SHARED)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(
    "text",
    [
        KEPT,
        "{}",
        '{"a":1}',
        '\ufeff{\n\t"a": {}\n}\n',
        '// mine\n{"hooks": {"x": 3}}',
        "{\n  // mine, and nothing else\n}\n",
        '{"hooks": {/* later */}, "a": 1}',
    ],
)
def test_everything_else_stays(environ, agent, text, newline):
    """What is in the settings stays byte for byte, comments too; what is added is gone after an uninstall."""
    text = text.replace("\n", newline)
    path = settings_file(environ, agent, text)
    path.chmod(0o640)
    install(environ, agent)
    added = path.read_bytes().decode()

    rest = iter(added)
    assert all(char in rest for char in text)
    assert added.count("hook " + agent) == len(SETTINGS[agent].events)
    assert path.stat().st_mode & 0o777 == 0o640
    assert not hook_settings.installing(agent, environ).changes_something
    uninstall(environ, agent)
    assert path.read_bytes().decode() == text


@pytest.mark.parametrize(
    ("around", "left"),
    [
        ('{\n "a": 1, // mine\n "hooks": {HOOKS}\n}\n', '{\n "a": 1 // mine\n}\n'),
        ('{\n "a": 1, // mine\n "hooks": {HOOKS} }\n', '{\n "a": 1 // mine\n }\n'),
        ('{\n // mine\n "hooks": {HOOKS} // too\n}\n', "{\n // mine // too\n}\n"),
        ('{"hooks": {HOOKS}, // mine\n "a": 1}', '{// mine\n "a": 1}'),
        ('{"a": 1 /* , */ , /* mine */ "hooks": {HOOKS}, "b": 2}', '{"a": 1 /* , */  /* mine */, "b": 2}'),
    ],
)
def test_a_comment_that_was_added_since_stays(environ, around, left):
    """What somebody wrote around our hooks after an install is there after an uninstall, comments too."""
    hooks = '"Stop": [{"hooks": [{"type": "command", "command": "takeback hook claude"}]}]'
    path = settings_file(environ, "claude", around.replace("HOOKS", hooks))
    uninstall(environ, "claude")

    assert path.read_text() == left


def test_a_command_that_was_added_to_our_hook_stays(environ):
    """A user's own command beside ours, in one group, stays when ours goes, and ours is not called twice after an install."""
    path = settings_file(environ, "claude")
    install(environ, "claude")
    found = json.loads(path.read_text())
    mine = {"type": "command", "command": "mine"}
    found["hooks"]["Stop"][0]["hooks"].append(mine)
    path.write_text(json.dumps(found))
    install(environ, "claude")
    assert path.read_text().count("hook claude") == len(SETTINGS["claude"].events)
    assert not hook_settings.installing("claude", environ).changes_something

    uninstall(environ, "claude")
    assert json.loads(path.read_text()) == {"hooks": {"Stop": [{"hooks": [mine]}]}}


@pytest.mark.parametrize("agent", SHARED)
@pytest.mark.parametrize(
    ("ours", "changed"), [("hook AGENT", "hook AGENT || true"), ('{"command"', '{/* mine */ "command"')]
)
def test_a_hook_that_was_changed_by_hand_is_said(environ, agent, ours, changed):
    """Where Takeback's own hook cannot be told any more, nobody is told that it is gone, and no second one is added."""
    hook = {"command": f"takeback hook {agent}"}
    text = json.dumps({"hooks": {"x": [hook]}}).replace(
        ours.replace("AGENT", agent), changed.replace("AGENT", agent)
    )
    path = settings_file(environ, agent, text)
    for change in (install, uninstall):
        with pytest.raises(Refused, match="changed by hand"):
            change(environ, agent)

    assert path.read_text() == text
    path.write_text(f'{{"hooks": {{}} /* takeback hook {agent} */}}')
    assert not hook_settings.uninstalling(agent, environ).changes_something


def test_a_key_that_stands_twice_is_refused(environ):
    """Where `hooks` stands twice, which one counts is the agent's business: nothing of either is removed."""
    text = (
        '{"hooks": {"Stop": [{"command": "mine"}]}, "hooks": {"Stop": [{"command": "takeback hook claude"}]}}'
    )
    path = settings_file(environ, "claude", text)
    with pytest.raises(Refused, match="'hooks' stands twice"):
        uninstall(environ, "claude")

    assert path.read_text() == text


@pytest.mark.parametrize("agent", SHARED)
def test_an_older_command_is_replaced(environ, agent):
    """After Takeback has moved, an install replaces the calls of the old place, and adds no second ones."""
    path = settings_file(environ, agent)
    install(environ, agent)
    path.write_text(path.read_text().replace(sys.executable, "/old/python"))
    install(environ, agent)

    assert "/old/python" not in path.read_text()
    assert path.read_text().count(" hook " + agent) == len(SETTINGS[agent].events)


@pytest.mark.parametrize("agent", AGENTS)
@pytest.mark.parametrize(
    "text", ["not json", '{"hooks": 3}', '{"a": 1', "[]", '{"hooks": {}} x', "[" * 5000, '{"a":1,}']
)
def test_settings_that_cannot_be_read_stay(environ, agent, text):
    """A file that is not what it should be is not touched, and the refusal says what to put where."""
    path = settings_file(environ, agent, text)
    with pytest.raises(Refused) as refused:
        install(environ, agent)

    assert path.read_text() == text
    assert str(path) in refused.value.message
    assert "takeback" in refused.value.hint


def test_a_linked_file_stays_a_link(environ, tmp_path):
    """Settings that are a link into somebody's dotfiles are changed there, and stay a link."""
    real = tmp_path / "dotfiles.json"
    real.write_text("{}\n")
    path = settings_file(environ, "claude")
    path.parent.mkdir(parents=True)
    path.symlink_to(real)
    install(environ, "claude")

    assert path.is_symlink()
    assert "hook claude" in real.read_text()
    uninstall(environ, "claude")
    assert real.read_text() == "{}\n" if real.exists() else path.is_symlink()


def test_a_change_in_between_is_not_overwritten(environ):
    """What somebody writes into the settings while the question is open stays."""
    path = settings_file(environ, "claude", "{}\n")
    edit = hook_settings.installing("claude", environ)
    path.write_text('{"a": 1}\n')
    with pytest.raises(Refused):
        hook_settings.write(edit)

    assert path.read_text() == '{"a": 1}\n'


def test_without_anybody_to_ask_nothing_is_written(scene):
    """Not on a terminal and without `--yes`, the change is shown, nothing is written, and the exit status is 3."""
    shown = scene.process("hook", "install", "claude")
    assert (shown.returncode, settings_file(scene.env, "claude").exists()) == (3, False)
    assert '+            "command": "env TAKEBACK_STATE_DIR=' in shown.stdout
    assert "--yes" in shown.stderr

    assert scene.process("hook", "install", "claude", "--yes").returncode == 0
    assert scene.process("hook", "uninstall", "claude").returncode == 3
    assert scene.process("hook", "uninstall", "claude", "--yes").returncode == 0
    assert "nothing" in scene.process("hook", "uninstall", "claude", "--yes").stdout


@pytest.mark.parametrize("agent", ["claude", "codex", "gemini", "cursor", "copilot"])
def test_what_was_installed_works(scene, agent):
    """The very command in an agent's settings, run as the agent runs it, makes the agent's write its operation."""
    scene.write("f", "one\n")
    scene.tb("init")
    install(scene.env, agent)
    hooks = json.loads(settings_file(scene.env, agent).read_text())["hooks"]
    before, after = (
        next(event for event in hooks if event.lower().startswith(word) and "tool" in event.lower())
        for word in (("pre", "before"), ("post", "aftertool"))
    )
    tool = {
        "claude": "Write",
        "codex": "apply_patch",
        "gemini": "write_file",
        "cursor": "Write",
        "copilot": "create",
    }
    named = (
        {"command": "*** Begin Patch\n*** Update File: f\n*** End Patch"}
        if agent == "codex"
        else {"path": "f"}
    )
    call = (
        {"toolName": tool[agent], "toolArgs": json.dumps(named)}
        if agent == "copilot"
        else {"tool_name": tool[agent], "tool_input": named}
    )

    def tell(event):
        (group,) = hooks[event]
        (hook,) = group.get("hooks", [group])
        name = {} if agent == "copilot" else {"hook_event_name": event}
        said = json.dumps({"session_id": "s", "cwd": str(scene.root), **name, **call})
        elsewhere = {key: value for key, value in scene.env.items() if key != "TAKEBACK_STATE_DIR"}
        words = hook.get("command", hook.get("bash"))
        ended = subprocess.run(
            ["sh", "-c", words],
            input=said,
            env=elsewhere,
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")

    tell(before)
    scene.write("f", "two\n")
    tell(after)
    assert operations(scene) == [(f"agent:{agent}", ["f"])]


PLUGIN_DRIVER = """
import { Takeback } from %s;
import { writeFileSync } from "node:fs";
const hooks = await Takeback({ directory: process.cwd() });
await hooks["chat.message"]({ sessionID: "s" }, { message: {}, parts: [{ type: "text", text: "make it" }] });
await hooks["tool.execute.before"]({ tool: "write", sessionID: "s", callID: "1" }, { args: { filePath: "f" } });
writeFileSync("f", "two\\n");
await hooks["tool.execute.after"]({ tool: "write", sessionID: "s", callID: "1" }, { title: "", output: "", metadata: {} });
await hooks["tool.execute.before"]({ tool: "bash", sessionID: "s", callID: "2" }, { args: { command: "make" } });
writeFileSync("out", "1\\n");
await hooks["tool.execute.after"]({ tool: "bash", sessionID: "s", callID: "2" }, { title: "", output: "", metadata: {} });
await hooks.event({ event: { type: "session.idle", properties: { sessionID: "s" } } });
"""


def node():
    """The path of Node.js, if it is here."""
    return next(
        (
            f"{folder}/node"
            for folder in os.environ["PATH"].split(":")
            if os.access(f"{folder}/node", os.X_OK)
        ),
        None,
    )


@pytest.mark.skipif(node() is None, reason="needs Node.js, as opencode's plugins need a runtime")
def test_the_plugin_of_opencode_works(scene):
    """Opencode's plugin tells a prompt, an edit, a command and the end of the answer, in a JavaScript runtime."""
    scene.write("f", "one\n")
    scene.tb("init")
    install(scene.env, "opencode")
    driver = scene.base / "driver.mjs"
    plugin = scene.base / "takeback.mjs"
    plugin.write_text(settings_file(scene.env, "opencode").read_text())
    driver.write_text(PLUGIN_DRIVER % json.dumps(str(plugin)))
    subprocess.run([node(), str(driver)], cwd=scene.root, env=scene.env, check=True, timeout=60)

    assert operations(scene) == [("agent:opencode", ["f"]), ("agent:opencode", ["out"])]
    turns = {one["turn"] for one in scene.tb("log").json["operations"]}
    assert turns == {"turn-1"}
    assert scene.tb("status").json["turns"] == []


def test_a_quoted_path_reaches_the_program(environ, monkeypatch):
    """A path with spaces and quotes in the written command is the path that runs."""
    monkeypatch.setattr(sys, "executable", "/my programs/py'thon")
    words = shlex.split(shlex.join(hook_settings.command("claude", environ)))

    assert "/my programs/py'thon" in words
    assert words[-2:] == ["hook", "claude"]


def test_a_person_who_types_it_gets_help(scene):
    """At a terminal, `takeback hook AGENT` waits for nothing and says how it is set up."""
    ended = scene.process("hook", "claude", "--help")
    assert ended.returncode == 0
    assert Agent(scene).say_raw(b"{}") == ""
