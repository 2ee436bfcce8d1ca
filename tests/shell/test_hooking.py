"""What a hook does before it lets its agent go on."""

from __future__ import annotations

import json
import sys
import time

import pytest

from takeback.service import hooking, spool

CLOCK_REALTIME_COARSE = 5


@pytest.mark.trap(20)
@pytest.mark.skipif(sys.platform != "linux", reason="Linux stamps files with the time of its last tick")
def test_what_is_written_after_a_hook_has_a_later_time(scene):
    """Where nobody records, times tell what came before a command: the clock of files has passed the word's moment."""
    scene.write("f", "one\n")
    scene.tb("init")
    state = str(scene.state)
    for number in range(20):
        said = {
            "session_id": "s",
            "hook_event_name": "PreToolUse",
            "tool_name": "Bash",
            "tool_input": {"command": "make"},
            "tool_use_id": str(number),
        }
        hooking.told("claude", json.dumps(said).encode(), "", str(scene.root), scene.env)
        written_ns = time.clock_gettime_ns(CLOCK_REALTIME_COARSE)

        assert written_ns > spool.read(state, spool.pending(state)[-1]).body["at"]
