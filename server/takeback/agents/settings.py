"""What each agent's settings have to say so that it calls Takeback's hook, and where they lie. Pure.

Sources: the agents' own references; `docs/agents` names each with its date.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from takeback.agents import json_text
from takeback.agents.plugin import PLUGIN

_TIMEOUT_S = 5
"""A hook takes a tenth of a second. An agent that waited longer for one that hangs would be worse than no record."""


class Shape(StrEnum):
    """How an agent's settings are written."""

    GROUPS = "groups"
    """JSON of the user's: for each event groups with a matcher, each with its hooks."""
    LIST = "list"
    """JSON of the user's: for each event a list of hooks."""
    OWN_JSON = "own_json"
    """A file of our own, as the list has it."""
    OWN_PLUGIN = "own_plugin"
    """A plugin of our own, in JavaScript."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One agent's settings."""

    title: str
    shape: Shape
    variable: str
    """The environment's variable that says where the folder is, if it is set."""
    folder: str
    """The folder below the user's home."""
    file: str
    events: tuple[str, ...]
    tools: str = ""
    """Which tools the hook is called for: a pattern of the agent's."""
    timeout: Mapping[str, int] | None = None
    afterwards: str = ""
    """What the user has to do before it works."""


_CLAUDE_EVENTS = (
    "UserPromptSubmit",
    "PreToolUse",
    "PostToolUse",
    "PostToolUseFailure",
    "Stop",
    "SessionEnd",
)

SETTINGS: Mapping[str, Settings] = {
    "claude": Settings(
        title="Claude Code",
        shape=Shape.GROUPS,
        variable="CLAUDE_CONFIG_DIR",
        folder=".claude",
        file="settings.json",
        events=_CLAUDE_EVENTS,
        tools="Write|Edit|MultiEdit|NotebookEdit|Bash",
        timeout={"timeout": _TIMEOUT_S},
        afterwards="It holds for sessions that are started from now on.",
    ),
    "codex": Settings(
        title="Codex",
        shape=Shape.GROUPS,
        variable="CODEX_HOME",
        folder=".codex",
        file="hooks.json",
        events=("UserPromptSubmit", "PreToolUse", "PostToolUse", "Stop"),
        tools="Bash|apply_patch",
        timeout={"timeout": _TIMEOUT_S},
        afterwards="Codex asks once whether it may run these hooks: say yes in `/hooks`.",
    ),
    "copilot": Settings(
        title="Copilot CLI",
        shape=Shape.OWN_JSON,
        variable="COPILOT_HOME",
        folder=".copilot",
        file="hooks/takeback.json",
        events=("userPromptSubmitted", "preToolUse", "postToolUse", "agentStop", "sessionEnd"),
        timeout={"timeoutSec": _TIMEOUT_S},
    ),
    "cursor": Settings(
        title="Cursor",
        shape=Shape.LIST,
        variable="",
        folder=".cursor",
        file="hooks.json",
        events=(
            "beforeSubmitPrompt",
            "preToolUse",
            "postToolUse",
            "postToolUseFailure",
            "afterFileEdit",
            "stop",
            "sessionEnd",
        ),
        tools="Shell|Write|Delete",
        timeout={"timeout": _TIMEOUT_S},
    ),
    "gemini": Settings(
        title="Gemini CLI",
        shape=Shape.GROUPS,
        variable="",
        folder=".gemini",
        file="settings.json",
        events=("BeforeAgent", "BeforeTool", "AfterTool", "AfterAgent", "SessionEnd"),
        tools="write_file|replace|run_shell_command",
        timeout={"timeout": _TIMEOUT_S * 1000},
    ),
    "opencode": Settings(
        title="opencode",
        shape=Shape.OWN_PLUGIN,
        variable="OPENCODE_CONFIG_DIR",
        folder=".config/opencode",
        file="plugins/takeback.js",
        events=(),
        afterwards="It holds once opencode is started again.",
    ),
}

_OURS = re.compile(r"\btakeback\b.*\bhook (\w+)( \w+)?$")
_TOOL_EVENTS = re.compile(r"(?i)tool")


def place(agent: str, environ: Mapping[str, str]) -> str:
    """The file of the agent's settings that Takeback changes."""
    settings = SETTINGS[agent]
    chosen = environ.get(settings.variable, "") if settings.variable else ""
    config = environ.get("XDG_CONFIG_HOME", "")
    if not chosen and settings.folder.startswith(".config/") and os.path.isabs(config):
        chosen = os.path.join(config, settings.folder.removeprefix(".config/"))
    home = environ.get("HOME") or os.path.expanduser("~")
    return os.path.join(chosen or os.path.join(home, settings.folder), settings.file)


def with_ours(agent: str, text: str | None, command: Sequence[str]) -> str:
    """The settings with our hooks in them; `text` is what there is, `None` if there is none.

    Raises ValueError where that cannot be read, or is somebody else's.
    """
    settings = SETTINGS[agent]
    if settings.shape in (Shape.OWN_JSON, Shape.OWN_PLUGIN):
        if text is not None and not _is_ours(agent, text):
            raise ValueError("it is not Takeback's")
        return _own(agent, command)
    base = text if text is not None and text.strip() else _empty(settings)
    if _has_all(agent, base, command):
        return base
    base = _without_hooks(agent, base)
    _refuse_changed(agent, base)
    for event in settings.events:
        base = _with_event(base, event, _hook(settings, event, shlex.join(command)))
    return base


def without_ours(agent: str, text: str) -> str | None:
    """The settings without our hooks; `None` if nothing else was in them. Raises ValueError as `with_ours` does."""
    settings = SETTINGS[agent]
    if settings.shape in (Shape.OWN_JSON, Shape.OWN_PLUGIN):
        if not _is_ours(agent, text):
            raise ValueError("it is not Takeback's")
        return None
    rest = _without_hooks(agent, text)
    _refuse_changed(agent, rest)
    return None if rest != text and rest == _empty(settings) else rest


def snippet(agent: str, command: Sequence[str]) -> str:
    """What the settings have to hold, for somebody who puts it there by hand."""
    return with_ours(agent, None, command)


def _empty(settings: Settings) -> str:
    return '{\n  "version": 1\n}\n' if settings.shape is Shape.LIST else "{}\n"


def _hook(settings: Settings, event: str, command: str) -> dict[str, Any]:
    """One hook, as the settings of this agent have it."""
    limit = dict(settings.timeout or {})
    if settings.shape is Shape.OWN_JSON:  # what is said does not name the event
        return {"type": "command", "bash": f"{command} {event}", **limit}
    if settings.shape is Shape.LIST:
        hook: dict[str, Any] = {"command": command, **limit}
    else:
        hook = {"hooks": [{"type": "command", "command": command, **limit}]}
    return {"matcher": settings.tools, **hook} if _TOOL_EVENTS.search(event) else hook


def _with_event(text: str, event: str, hook: Mapping[str, Any]) -> str:
    root = _object(json_text.parse(text), "the file")
    hooks = root.get("hooks")
    if hooks is None:
        return json_text.with_member(text, root, "hooks", {event: [hook]})
    found = _object(hooks, "hooks").get(event)
    if found is None:
        return json_text.with_member(text, hooks, event, [hook])
    if found.kind != "array":
        raise ValueError(f"hooks.{event} is no list")
    return json_text.with_item(text, found, hook)


def _object(node: json_text.Node, name: str) -> json_text.Node:
    if node.kind != "object":
        raise ValueError(f"{name} is no object")
    return node


def _has_all(agent: str, text: str, command: Sequence[str]) -> bool:
    """Whether exactly our hooks are there already."""
    settings, words = SETTINGS[agent], shlex.join(command)
    hooks = _object(json_text.parse(text), "the file").get("hooks")
    if hooks is None:
        return False
    wanted = {event: _hook(settings, event, words) for event in settings.events}
    for event, array in zip(hooks.keys, hooks.items, strict=True):
        ours = [
            text[item.start : item.end] for item in array.items if _names(agent, text[item.start : item.end])
        ]
        expected = [wanted.pop(event)] if event in wanted else []
        if [json.loads(one) for one in ours] != expected:
            return False
    return not wanted


def _without_hooks(agent: str, text: str) -> str:
    """The settings without our hooks, and without what is empty by that."""
    while True:
        root = _object(json_text.parse(text), "the file")
        hooks = root.get("hooks")
        if hooks is None or hooks.kind != "object":
            return text
        found = next(_ours(agent, text, root, hooks), None)
        if found is None:
            return text
        text = json_text.without(text, *found)


def _ours(
    agent: str, text: str, root: json_text.Node, hooks: json_text.Node
) -> Iterator[tuple[json_text.Node, int]]:
    """What has to go, each with its parent: a hook of ours, or what holds nothing else."""
    for event, array in enumerate(hooks.items):
        for place, item in enumerate(array.items):
            if _names(agent, text[item.start : item.end]):
                if not json_text.holds_only_one(text, array):
                    yield array, place
                elif not json_text.holds_only_one(text, hooks):
                    yield hooks, event
                else:
                    yield root, root.keys.index("hooks")
            inner = item.get("hooks")
            if inner is not None:
                commands = enumerate(inner.items)  # a user's own may stand beside ours
                yield from ((inner, n) for n, one in commands if _names(agent, text[one.start : one.end]))


def _refuse_changed(agent: str, text: str) -> None:
    """Raises ValueError if our hook is called in words that we did not write."""
    hooks = json_text.parse(text).get("hooks")
    calls = re.compile(rf"\btakeback\b.*\bhook {agent}\b")
    if hooks is not None and any(calls.search(one) for one in json_text.scalars(text, hooks)):
        raise ValueError("a hook of Takeback's in it was changed by hand")


def _names(agent: str, text: str) -> bool:
    """Whether a hook, as text, calls Takeback's hook for this agent and nothing else."""
    try:
        found = json.loads(text)
    except ValueError:  # a comment stands in it: it is not as we wrote it
        return False
    commands = _commands(found)
    matches = [_OURS.search(command) for command in commands]
    return bool(commands) and all(match is not None and match[1] == agent for match in matches)


def _commands(hook: Any) -> list[str]:
    if not isinstance(hook, dict):
        return []
    inner = hook.get("hooks")
    parts = inner if isinstance(inner, list) else [hook]
    return [
        part[key] for part in parts if isinstance(part, dict) for key in ("command", "bash") if key in part
    ]


# -- files of our own ----------------------------------------------------------------------------


def _own(agent: str, command: Sequence[str]) -> str:
    settings = SETTINGS[agent]
    if settings.shape is Shape.OWN_PLUGIN:
        return PLUGIN.replace("COMMAND", json.dumps([*command]))
    words = shlex.join(command)
    hooks = {event: [_hook(settings, event, words)] for event in settings.events}
    return json.dumps({"version": 1, "hooks": hooks}, indent=2) + "\n"


def _is_ours(agent: str, text: str) -> bool:
    """Whether a file of our own is one that we wrote, of any version."""
    if SETTINGS[agent].shape is Shape.OWN_PLUGIN:
        return text.startswith(PLUGIN.partition("\n")[0])
    try:
        hooks = json.loads(text)["hooks"]
        return all(_names(agent, json.dumps(hook)) for event in hooks.values() for hook in event)
    except (ValueError, KeyError, TypeError, AttributeError):
        return False
