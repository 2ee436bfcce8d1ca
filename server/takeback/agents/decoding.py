"""What an agent's hook says, as an event.

Agents word the same things alike: names of events, tools and fields differ in spelling more than in meaning. So there
is one table for all of them, and an agent that takes over another one's words is understood at once. What is in no
table is no event: tools that only read, and whatever an agent learns to say later.

Sources: the agents' own references; `docs/agents` names each with its date.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

AGENTS = ("claude", "codex", "copilot", "cursor", "gemini", "opencode")
"""Whose hooks are known; `settings` says where theirs lie."""

LABEL_CHARS = 60
_COMMAND_CHARS = 200


class Doing(StrEnum):
    """What an agent is about to do, or has done."""

    PROMPT = "prompt"
    """A person asked it something: a turn begins."""
    END = "end"
    """It has answered, or its session is over."""
    BEFORE_EDIT = "before_edit"
    AFTER_EDIT = "after_edit"
    BEFORE_COMMAND = "before_command"
    AFTER_COMMAND = "after_command"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that an agent told."""

    doing: Doing
    session: str
    """Which of its sessions; empty if the agent does not say."""
    call: str
    """The same before and after one tool call; empty for what is no tool call."""
    folder: str
    """Where the agent works; empty if it does not say."""
    paths: tuple[str, ...] = ()
    """The files that an edit names, relative to `folder` or absolute."""
    label: str = ""
    """The first words of a prompt, or the command."""
    duration_ms: float | None = None
    """How long a tool call took that has ended, without the time in which a person was asked; `None`: not said."""
    has_before: bool = True
    """Whether the agent has an event before such a tool call, too."""


class _Moment(StrEnum):
    PROMPT = "prompt"
    BEFORE = "before"
    AFTER = "after"
    END = "end"


_MOMENTS = {
    "userpromptsubmit": _Moment.PROMPT,
    "userpromptsubmitted": _Moment.PROMPT,
    "beforesubmitprompt": _Moment.PROMPT,
    "beforeagent": _Moment.PROMPT,
    "chatmessage": _Moment.PROMPT,
    "pretooluse": _Moment.BEFORE,
    "beforetool": _Moment.BEFORE,
    "beforeshellexecution": _Moment.BEFORE,
    "toolexecutebefore": _Moment.BEFORE,
    "posttooluse": _Moment.AFTER,
    "posttoolusefailure": _Moment.AFTER,
    "aftertool": _Moment.AFTER,
    "aftershellexecution": _Moment.AFTER,
    "afterfileedit": _Moment.AFTER,
    "toolexecuteafter": _Moment.AFTER,
    "stop": _Moment.END,
    "stopfailure": _Moment.END,
    "interrupt": _Moment.END,
    "agentstop": _Moment.END,
    "afteragent": _Moment.END,
    "sessionend": _Moment.END,
    "sessionidle": _Moment.END,
    "sessiondeleted": _Moment.END,
}
"""Names of events, without case and separators."""

_EDITS = frozenset(
    [
        "write",
        "edit",
        "multiedit",
        "notebookedit",
        "editnotebook",
        "strreplace",
        "searchreplace",
        "create",
        "createfile",
        "delete",
        "deletefile",
        "applypatch",
        "patch",
        "writefile",
        "replace",
        "editfile",
        "streditor",
        "strreplaceeditor",
        "strreplacebasededittool",
        "insert",
        "afterfileedit",
    ]
)
_SHELLS = frozenset(
    [
        "bash",
        "shell",
        "runshellcommand",
        "execcommand",
        "localshell",
        "unifiedexec",
        "runterminalcmd",
        "terminal",
        "beforeshellexecution",
        "aftershellexecution",
    ]
)
"""Names of tools, without case and separators. Where an event belongs to one tool alone, it names that tool."""
_ONLY_AFTER = "afterfileedit"
"""An event of an edit that was made, which no event comes before."""

_SESSION = ("session_id", "sessionId", "sessionID", "conversation_id")
_CALL = ("tool_use_id", "toolUseId", "toolCallId", "tool_call_id", "callID", "call_id")
_TOOL = ("tool_name", "toolName", "tool")
_ARGUMENTS = ("tool_input", "toolArgs", "toolInput", "args")
_EVENT = ("hook_event_name", "hookEventName", "event")
_DURATION = ("duration_ms", "duration")
_MAX_MS = 1e12
_FOLDER = ("cwd", "directory")
_PATH = ("file_path", "filePath", "path", "absolute_path", "notebook_path", "target_file", "target_notebook")
_PATCH = ("patchText", "patch", "input", "command")
_PATCHED = re.compile(r"^\*\*\* (?:(?:Add|Update|Delete) File|Move to): (.+?)\s*$", re.MULTILINE)


def decode(payload: Any, event: str = "") -> Event | None:
    """What `payload` tells; `None` for what does not concern files. `event` names it where the payload does not.

    Raises ValueError for what no agent sends.
    """
    if not isinstance(payload, Mapping):
        raise ValueError("it is no JSON object")  # noqa: TRY004 - bad input, as JSON that cannot be read is
    name = _bare(event or _text(payload, _EVENT))
    moment = _MOMENTS.get(name)
    if moment is _Moment.PROMPT:
        return _plain(Doing.PROMPT, payload, label_of(_text(payload, ("prompt", "user_prompt"))))
    if moment is _Moment.END:
        return _plain(Doing.END, payload, "")
    return _tool_call(moment, payload, name) if moment is not None else None


def label_of(prompt: str) -> str:
    """The first words of a prompt, on one line."""
    return _one_line(prompt, LABEL_CHARS)


def _plain(doing: Doing, payload: Mapping[str, Any], label: str) -> Event:
    return Event(doing=doing, session=_text(payload, _SESSION), call="", folder=_folder(payload), label=label)


def _tool_call(moment: _Moment, payload: Mapping[str, Any], event: str) -> Event | None:
    tool = _bare(_text(payload, _TOOL) or event)
    arguments = _arguments(payload)
    is_before = moment is _Moment.BEFORE
    if tool in _SHELLS:
        doing = Doing.BEFORE_COMMAND if is_before else Doing.AFTER_COMMAND
        paths: tuple[str, ...] = ()
    elif tool in _EDITS and arguments.get("command") != "view":
        doing = Doing.BEFORE_EDIT if is_before else Doing.AFTER_EDIT
        paths = tuple(dict.fromkeys(_paths(arguments)))
    else:
        return None
    return Event(
        doing=doing,
        session=_text(payload, _SESSION),
        call=_text(payload, _CALL) or _digest(_command(arguments), *paths),
        folder=_folder(payload),
        paths=paths,
        label=_command(arguments) if not paths else "",
        duration_ms=None if is_before else _duration_ms(payload),
        has_before=event != _ONLY_AFTER,
    )


def _arguments(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """The arguments of a tool: an object, that object as JSON, or the bare text of a patch."""
    found = next((payload[key] for key in _ARGUMENTS if key in payload), payload)
    if isinstance(found, str):
        try:
            found = json.loads(found)
        except ValueError:
            found = {"patch": found}
    return found if isinstance(found, Mapping) else {}


def _paths(arguments: Mapping[str, Any]) -> Iterator[str]:
    named = _text(arguments, _PATH)
    if named:
        yield named
    for key in _PATCH:
        patch = arguments.get(key)
        if isinstance(patch, str) and "*** Begin Patch" in patch:
            yield from _PATCHED.findall(patch)


def _command(arguments: Mapping[str, Any]) -> str:
    command = arguments.get("command", arguments.get("cmd", ""))
    if isinstance(command, Sequence) and not isinstance(command, str):
        command = " ".join(str(word) for word in command)
    return _one_line(command, _COMMAND_CHARS) if isinstance(command, str) else ""


def _folder(payload: Mapping[str, Any]) -> str:
    roots = payload.get("workspace_roots")
    first = roots[0] if isinstance(roots, list) and roots and isinstance(roots[0], str) else ""
    return _text(payload, _FOLDER) or first


def _text(values: Mapping[str, Any], keys: Sequence[str]) -> str:
    """The first of `keys` that holds a text."""
    return next((values[key] for key in keys if isinstance(values.get(key), str) and values[key]), "")


def _duration_ms(payload: Mapping[str, Any]) -> float | None:
    found = next((payload[key] for key in _DURATION if key in payload), None)
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    return found if 0 <= found < _MAX_MS else None


def _bare(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower())


def _digest(*words: str) -> str:
    """What names a call of an agent that gives its calls no names: the same before and after it."""
    return hashlib.sha256("\0".join(words).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _one_line(text: str, n_chars: int) -> str:
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= n_chars else line[: n_chars - 1].rstrip() + "…"
