"""The MCP server as the protocol's own inspector sees it: `make test-editors` runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.editor, pytest.mark.timeout(120)]

NO_SUCH_TOOL = 5


@pytest.fixture
def inspect(scene):
    """What the inspector prints about a server in the workspace, and how it ends."""
    server = {"type": "stdio", "command": sys.executable, "args": ["-P", "-m", "takeback", "mcp"]}
    server |= {"env": scene.env, "cwd": str(scene.root)}
    config = scene.base / "servers.json"
    config.write_text(json.dumps({"mcpServers": {"takeback": server}}), encoding="utf-8")

    def run(*words):
        return subprocess.run(
            [
                os.environ["TAKEBACK_INSPECTOR"],
                "--cli",
                "--config",
                str(config),
                "--server",
                "takeback",
                *words,
            ],
            env={**os.environ, "HOME": scene.env["HOME"], "MCP_INSPECTOR_SECRET_STORE": "memory"},
            cwd=scene.root,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_the_inspector_lists_the_tools(inspect):
    """The inspector lists every tool, and finds nothing in their schemas that a client may not understand."""
    ended = inspect("--method", "tools/list", "--strict")

    assert ended.returncode == 0, ended.stderr
    names = "status log show diff record begin_turn end_turn undo redo checkpoint rollback"
    assert [tool["name"] for tool in json.loads(ended.stdout)["tools"]] == names.split()


def test_the_inspector_calls_a_tool(inspect):
    """A call from the inspector is answered with data that keeps the schema; so is one that fails."""
    made = inspect(
        "--method", "tools/call", "--tool-name", "checkpoint", "--tool-arg", "label=by the inspector"
    )
    failed = inspect("--method", "tools/call", "--tool-name", "undo", "--tool-arg", "n=0")
    unknown = inspect("--method", "tools/call", "--tool-name", "rewrite")

    assert json.loads(made.stdout)["structuredContent"]["checkpoint"]["label"] == "by the inspector"
    assert json.loads(failed.stdout)["structuredContent"]["error"]["code"] == "usage"
    assert (failed.returncode != 0, unknown.returncode) == (True, NO_SUCH_TOOL)
