"""What an editor's formatter makes of a save is told from what a person typed, where the editor announces saves."""

from __future__ import annotations

import pytest

from editors.clients import among
from editors.stage import TEXT, human

pytestmark = pytest.mark.editor


@among(lambda client: client.name == "neovim")
@pytest.mark.promise(2)
@pytest.mark.trap(13)
def test_a_formatter_before_the_save_is_no_human(stage):
    """Neovim formats when it has announced the save: that is an operation of its own, and each is undone alone."""
    stage.do("formats", "a.py", old="line 20", new="    line 20")
    stage.types("a.py", "line 25", "human 25")
    stage.do("save", "a.py")
    formatted = human(25).replace("line 20", "    line 20")
    assert stage.read("a.py") == formatted
    stage.wait_recorded("command:format")

    actors = [one["actor"] for one in stage.command("status")["operations"]]
    result = stage.command("undoLast", {"n": 1})

    assert (actors, result["outcome"]) == (["command:format", "human"], "applied")
    stage.expect("a.py", disk=human(25), shown=human(25))
    stage.do("save", "a.py")
    stage.command("undoOperations", {"ids": [1]})
    stage.expect("a.py", disk=TEXT, shown=TEXT)
