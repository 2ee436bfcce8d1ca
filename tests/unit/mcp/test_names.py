"""Who an agent is by the name of its client, and what of an answer the protocol can carry."""

from __future__ import annotations

import json

import pytest

from takeback.mcp.connection import UNNAMED, agent
from takeback.mcp.program import plain
from takeback.model.operation import parse_actor


@pytest.mark.parametrize(
    ("client", "actor"),
    [
        ("claude-code", "agent:claude-code"),
        ("Visual Studio Code", "agent:visual-studio-code"),
        ("human", "agent:human"),
        ("agent:x", "agent:agent-x"),
        ("café ✨", "agent:caf"),
        ("../../etc", "agent:etc"),
        ("", UNNAMED),
        ("✨", UNNAMED),
        ("x" * 200, "agent:" + "x" * 64),
    ],
)
def test_a_client_is_an_agent_of_its_name(client, actor):
    """Whatever a client calls itself, it is an agent, and never a human, a command or git."""
    assert agent(client) == actor
    assert parse_actor(actor) == actor


def test_bytes_that_are_no_text_are_written_out():
    """An answer with a path outside UTF-8 is text that every client can read; the rest is as it was."""
    answer = {"caf\udce9": ["\udcff", {"n": 1, "none": None}], "so\\udce9": "é"}

    found = plain(answer)

    assert found == {"caf\\udce9": ["\\udcff", {"n": 1, "none": None}], "so\\udce9": "é"}
    json.dumps(found, ensure_ascii=False).encode()
