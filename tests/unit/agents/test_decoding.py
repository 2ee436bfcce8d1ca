"""What agents say, in the words of their own references, and what Takeback takes it for."""

import json

import pytest

from takeback.agents.decoding import Doing, decode, label_of

EDIT, EDITED = Doing.BEFORE_EDIT, Doing.AFTER_EDIT
RUN, RAN = Doing.BEFORE_COMMAND, Doing.AFTER_COMMAND
PROMPT, END = Doing.PROMPT, Doing.END

PATCH = """*** Begin Patch
*** Add File: new.py
+one
*** Update File: src/old.py
*** Move to: src/moved.py
@@
-a
+b
*** Delete File: gone.py
*** End Patch
"""


def check(payload, *, event="", **expected):
    """This payload is understood as exactly this."""
    found = decode(payload, event)
    assert found is not None, payload
    wanted = {"session": "s", "folder": "/w", "paths": (), "label": "", **expected}
    assert {name: getattr(found, name) for name in wanted} == wanted


def claude(event, **more):
    """What Claude Code says."""
    return {
        "session_id": "s",
        "transcript_path": "/h/.claude/t.jsonl",
        "cwd": "/w",
        "permission_mode": "default",
        "hook_event_name": event,
        **more,
    }


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (claude("UserPromptSubmit", prompt="fix it"), {"doing": PROMPT, "label": "fix it"}),
        (
            claude(
                "PreToolUse",
                tool_name="Write",
                tool_input={"file_path": "/w/a.py", "content": "x"},
                tool_use_id="toolu_1",
            ),
            {"doing": EDIT, "call": "toolu_1", "paths": ("/w/a.py",)},
        ),
        (
            claude(
                "PostToolUse",
                tool_name="Edit",
                tool_input={"file_path": "/w/a.py", "old_string": "x", "new_string": "y"},
                tool_response={"filePath": "/w/a.py", "success": True},
                tool_use_id="toolu_1",
            ),
            {"doing": EDITED, "call": "toolu_1", "paths": ("/w/a.py",)},
        ),
        (
            claude(
                "PostToolUse",
                tool_name="NotebookEdit",
                tool_input={"notebook_path": "/w/n.ipynb", "new_source": "x"},
                tool_use_id="toolu_2",
            ),
            {"doing": EDITED, "paths": ("/w/n.ipynb",)},
        ),
        (
            claude(
                "PreToolUse",
                tool_name="Bash",
                tool_input={"command": "npm test", "description": "Run the tests"},
                tool_use_id="toolu_3",
            ),
            {"doing": RUN, "call": "toolu_3", "label": "npm test"},
        ),
        (
            claude(
                "PostToolUseFailure",
                tool_name="Bash",
                tool_input={"command": "npm test"},
                tool_use_id="toolu_3",
                error="exit 1",
            ),
            {"doing": RAN, "call": "toolu_3", "label": "npm test"},
        ),
        (claude("Stop", stop_hook_active=False), {"doing": END}),
        (claude("SessionEnd", reason="logout"), {"doing": END}),
    ],
)
def test_claude_code(payload, expected):
    """Claude Code names session, folder and call; edits name their file, Bash its command."""
    check(payload, **expected)


def codex(event, **more):
    """What Codex says."""
    return {"session_id": "s", "turn_id": "t", "cwd": "/w", "hook_event_name": event, "model": "m", **more}


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (codex("UserPromptSubmit", prompt="fix it"), {"doing": PROMPT, "label": "fix it"}),
        (
            codex("PreToolUse", tool_name="Bash", tool_input={"command": "ls"}, tool_use_id="call_1"),
            {"doing": RUN, "call": "call_1", "label": "ls"},
        ),
        (
            codex(
                "PostToolUse", tool_name="apply_patch", tool_input={"command": PATCH}, tool_use_id="call_2"
            ),
            {"doing": EDITED, "paths": ("new.py", "src/old.py", "src/moved.py", "gone.py")},
        ),
        (codex("Stop", stop_hook_active=False, last_assistant_message="done"), {"doing": END}),
    ],
)
def test_codex(payload, expected):
    """Codex edits by patches: every file that a patch adds, changes, moves or deletes is named."""
    check(payload, **expected)


def gemini(event, **more):
    """What Gemini CLI says."""
    return {
        "session_id": "s",
        "transcript_path": "/h/t.json",
        "cwd": "/w",
        "hook_event_name": event,
        "timestamp": "2026-01-31T12:00:00Z",
        **more,
    }


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (gemini("BeforeAgent", prompt="fix it"), {"doing": PROMPT, "label": "fix it"}),
        (
            gemini("BeforeTool", tool_name="write_file", tool_input={"file_path": "/w/a", "content": "x"}),
            {"doing": EDIT, "paths": ("/w/a",)},
        ),
        (
            gemini(
                "AfterTool",
                tool_name="replace",
                tool_input={"file_path": "/w/a", "old_string": "x", "new_string": "y"},
                tool_response={"llmContent": "ok"},
            ),
            {"doing": EDITED, "paths": ("/w/a",)},
        ),
        (
            gemini("BeforeTool", tool_name="run_shell_command", tool_input={"command": "make"}),
            {"doing": RUN, "label": "make"},
        ),
        (gemini("AfterAgent", prompt="fix it", prompt_response="done"), {"doing": END}),
    ],
)
def test_gemini_cli(payload, expected):
    """Gemini CLI has events and tools of its own names, and no names for calls."""
    check(payload, **expected)


def cursor(event, **more):
    """What Cursor says."""
    return {
        "conversation_id": "s",
        "generation_id": "g",
        "hook_event_name": event,
        "workspace_roots": ["/w"],
        "cursor_version": "2.4.0",
        **more,
    }


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (cursor("beforeSubmitPrompt", prompt="fix it", attachments=[]), {"doing": PROMPT, "label": "fix it"}),
        (
            cursor("preToolUse", tool_name="Write", tool_input={"file_path": "/w/a"}, tool_use_id="c"),
            {"doing": EDIT, "call": "c", "paths": ("/w/a",), "has_before": True},
        ),
        (
            cursor(
                "postToolUse", tool_name="Shell", tool_input={"command": "make"}, tool_use_id="c", cwd="/w"
            ),
            {"doing": RAN, "call": "c", "label": "make"},
        ),
        (
            cursor("afterFileEdit", file_path="/w/a", edits=[{"old_string": "x", "new_string": "y"}]),
            {"doing": EDITED, "paths": ("/w/a",), "has_before": False},
        ),
        (cursor("beforeShellExecution", command="make", cwd="/w"), {"doing": RUN, "label": "make"}),
        (cursor("stop", status="completed", loop_count=0), {"doing": END}),
    ],
)
def test_cursor(payload, expected):
    """Cursor names conversation and folders, in older versions an edit only after it was made."""
    check(payload, **expected)


def copilot(**more):
    """What Copilot CLI says: never the name of the event."""
    return {"sessionId": "s", "timestamp": 1704614600000, "cwd": "/w", **more}


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (copilot(prompt="fix it"), {"event": "userPromptSubmitted", "doing": PROMPT, "label": "fix it"}),
        (
            copilot(toolName="create", toolArgs=json.dumps({"path": "/w/a", "file_text": "x"})),
            {"event": "preToolUse", "doing": EDIT, "paths": ("/w/a",)},
        ),
        (
            copilot(toolName="apply_patch", toolArgs=PATCH, toolResult={"resultType": "success"}),
            {
                "event": "postToolUse",
                "doing": EDITED,
                "paths": ("new.py", "src/old.py", "src/moved.py", "gone.py"),
            },
        ),
        (
            copilot(toolName="bash", toolArgs='{"command":"make","description":"Build"}'),
            {"event": "preToolUse", "doing": RUN, "label": "make"},
        ),
        (copilot(stopReason="end_turn"), {"event": "agentStop", "doing": END}),
        (copilot(reason="complete"), {"event": "sessionEnd", "doing": END}),
    ],
)
def test_copilot_cli(payload, expected):
    """Copilot CLI does not say which event it is, so its settings do; arguments are text."""
    check(payload, **expected)


def opencode(event, **more):
    """What Takeback's plugin for opencode says."""
    return {"event": event, "sessionID": "s", "cwd": "/w", **more}


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (opencode("chat.message", prompt="fix it"), {"doing": PROMPT, "label": "fix it"}),
        (
            opencode("tool.execute.before", tool="edit", callID="c", args={"filePath": "/w/a"}),
            {"doing": EDIT, "call": "c", "paths": ("/w/a",)},
        ),
        (
            opencode("tool.execute.after", tool="bash", callID="c", args={"command": "make"}),
            {"doing": RAN, "call": "c", "label": "make"},
        ),
        (
            opencode("tool.execute.before", tool="patch", callID="c", args={"patchText": PATCH}),
            {"doing": EDIT, "paths": ("new.py", "src/old.py", "src/moved.py", "gone.py")},
        ),
        (opencode("session.idle"), {"doing": END}),
    ],
)
def test_opencode(payload, expected):
    """The plugin for opencode hands on what opencode's own hooks are given."""
    check(payload, **expected)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            gemini("BeforeTool", tool_name="run_shell_command", tool_input={"command": "make"}),
            gemini(
                "AfterTool", tool_name="run_shell_command", tool_input={"command": "make"}, tool_response={}
            ),
        ),
        (
            cursor("beforeShellExecution", command="make", cwd="/w"),
            cursor("afterShellExecution", command="make", output="x", duration=3),
        ),
    ],
)
def test_a_call_without_a_name_is_known_by_what_it_does(before, after):
    """What comes before a call and what comes after it belong together, also where the agent gives it no name."""
    assert decode(before).call == decode(after).call != ""


@pytest.mark.parametrize(
    "payload",
    [
        claude("PreToolUse", tool_name="Read", tool_input={"file_path": "/w/a"}),
        claude("PreToolUse", tool_name="mcp__x__y", tool_input={"path": "/w/a"}),
        claude("Notification", message="waiting"),
        claude("SomethingNew"),
        {},
        copilot(toolName="str_replace_editor", toolArgs='{"command":"view","path":"/w/a"}'),
        claude("PreToolUse", tool_name=7, tool_input=[1]),
    ],
)
def test_what_does_not_concern_files_is_no_event(payload):
    """Tools that read, events that are not known and fields of any kind are passed over."""
    assert decode(payload) is None


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (12, 12),
        (0.5, 0.5),
        (-1, None),
        (True, None),
        ("12", None),
        (None, None),
        (float("nan"), None),
        (10**20, None),
    ],
)
def test_how_long_a_call_took_is_a_number_or_not_known(said, expected):
    """The time that a tool call took is taken as the agent says it, in milliseconds, if it can be one."""
    call = {"tool_name": "Bash", "tool_input": {"command": "make"}}
    assert decode(claude("PostToolUse", duration_ms=said, **call)).duration_ms == expected
    assert decode(claude("PreToolUse", duration_ms=said, **call)).duration_ms is None


@pytest.mark.parametrize("payload", [None, [], 3, "text"])
def test_what_no_agent_sends_is_refused(payload):
    """Anything but an object is no event, and that is said."""
    with pytest.raises(ValueError, match="no JSON object"):
        decode(payload)


@pytest.mark.parametrize(
    ("prompt", "label"),
    [
        ("fix it", "fix it"),
        ("fix\n  it\tnow\r\n", "fix it now"),
        ("", ""),
        ("x" * 61, "x" * 59 + "…"),
        ("a\x1b[31mred\x00", "a [31mred"),
        ("caf\udce9 au lait", "caf au lait"),
    ],
)
def test_a_label_is_the_first_words_on_one_line(prompt, label):
    """A label has at most 60 characters, no control characters, and is text whatever the prompt holds."""
    assert label_of(prompt) == label
