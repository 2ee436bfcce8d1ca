"""The traps that have an editor in them: a repository that is held, two editors, formatters, agents that insist."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import subprocess
from pathlib import Path

import pytest
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from editor import TEXT, until
from scenes import fingerprint
from takeback.journal import views
from takeback.journal.log import Journal

pytestmark = [
    pytest.mark.server,
    pytest.mark.asyncio,
    pytest.mark.filterwarnings("error::pytest_lsp.LspSpecificationWarning"),
]

AGENT = TEXT.replace("line 3\n", "agent\n")
MINE = TEXT.replace("line 39\n", "mine\n")


def git(root, *words):
    """Git in the workspace, as some user."""
    identity = {f"GIT_{who}_{what}": "a" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    subprocess.run(
        ["git", *words], cwd=root, env={**os.environ, **identity}, check=False, capture_output=True
    )


def on_disk(editor, name="a.txt"):
    """The text of a file."""
    return (editor.root / name).read_text(encoding="utf-8")


async def operations(editor):
    """Every operation, oldest first, after all until now was recorded."""
    await asyncio.to_thread(editor.takeback, "log")
    return (await editor.run("takeback.status", {}))["operations"][::-1]


# -- 10: somebody holds the repository -----------------------------------------------------------


def index_lock(root):
    """Another git holds the index."""
    (root / ".git" / "index.lock").touch()


def rebase(root):
    """A rebase stopped at a conflict in another file."""
    git(root, "add", "-A")
    git(root, "commit", "-qm", "first")
    git(root, "branch", "side")
    (root / "b.txt").write_text("first\n", encoding="utf-8")
    git(root, "commit", "-qam", "here")
    git(root, "checkout", "-q", "side")
    (root / "b.txt").write_text("second\n", encoding="utf-8")
    git(root, "commit", "-qam", "there")
    git(root, "rebase", "@{-1}")
    assert (root / ".git" / "rebase-merge").exists()


@pytest.mark.trap(10)
@pytest.mark.promise(1)
@pytest.mark.parametrize("trouble", [index_lock, rebase])
async def test_an_editor_undoes_while_somebody_holds_the_repository(client, trouble):
    """Document and file are taken back and brought back, beside unsaved text, and nothing in `.git` changes."""
    editor = client.editor
    await asyncio.to_thread(trouble, editor.root)
    before = len(await operations(editor))
    editor.write("a.txt", "line 3\n", "agent\n")
    op = (await editor.recorded(before + 1))["id"]
    editor.open("a.txt")
    editor.replace("a.txt", "line 39\n", "mine\n")
    git_dir = fingerprint(editor.root / ".git")

    undone = await editor.run("takeback.undoOperations", {"ids": [op]})
    assert (undone["outcome"], on_disk(editor), editor.texts["a.txt"]) == ("applied", TEXT, MINE)
    redone = await editor.run("takeback.redo", {})

    assert (redone["outcome"], on_disk(editor)) == ("applied", AGENT)
    assert editor.texts["a.txt"] == MINE.replace("line 3\n", "agent\n")
    assert fingerprint(editor.root / ".git") == git_dir


# -- 13: open in an editor -----------------------------------------------------------------------


@pytest.mark.trap(13)
@pytest.mark.promise(8)
@pytest.mark.usefixtures("slow_watcher")
async def test_a_formatter_runs_on_the_save_after_an_undo(client):
    """Unsaved text is beside an undo, and then formatted and saved: each has its part, and each can be taken back."""
    editor = client.editor
    await editor.opened_after_agent("a.txt")
    editor.replace("a.txt", "line 39\n", "mine\n")
    await editor.run("takeback.undoLast", {"n": 1})
    editor.will_save("a.txt")
    editor.replace("a.txt", "line 50\n", "    line 50\n")
    editor.save("a.txt")

    actors = [one["actor"] for one in await operations(editor)]
    assert actors == ["unknown", "takeback", "human", "command:format"]
    assert on_disk(editor) == editor.texts["a.txt"] == MINE.replace("line 50\n", "    line 50\n")
    await editor.run("takeback.redo", {})
    assert on_disk(editor) == editor.texts["a.txt"]
    assert editor.texts["a.txt"].splitlines()[2] == "agent"


@pytest.mark.trap(13)
@pytest.mark.promise(4)
async def test_a_document_is_closed_in_the_middle_of_an_undo(client):
    """The document that is asked to change is closed instead: its file alone is taken back, to the byte."""
    editor = client.editor
    await editor.opened_after_agent("a.txt")

    def closes(name, _document):
        editor.close(name)
        return lsp.ApplyWorkspaceEditResult(applied=False)

    editor.behave = closes
    undone = await editor.run("takeback.undoLast", {"n": 1})

    assert (undone["outcome"], undone["undone"], on_disk(editor)) == ("applied", [1], TEXT)


@pytest.mark.trap(13)
@pytest.mark.promise(8)
async def test_another_editor_holds_unsaved_text_in_the_file(client, second):
    """An undo in one editor is refused while another has unsaved text in the file, and names it; there it goes through."""
    one, other = client.editor, second.editor
    await one.opened_after_agent("a.txt")
    other.open("a.txt")
    other.replace("a.txt", "line 39\n", "mine\n")
    await other.run("takeback.status", {})  # it has said so

    with pytest.raises(JsonRpcException, match="unsaved"):
        await one.run("takeback.undoLast", {"n": 1})
    assert (on_disk(one), one.texts["a.txt"], one.edits) == (AGENT, AGENT, [])
    undone = await other.run("takeback.undoLast", {"n": 1})

    assert (undone["outcome"], on_disk(one), other.texts["a.txt"]) == ("applied", TEXT, MINE)
    assert one.texts["a.txt"] == AGENT  # its own editor reloads it
    other.save("a.txt")
    one.show("a.txt", MINE)
    assert (await operations(one))[-1]["actor"] == "human"
    assert on_disk(one) == MINE


# -- 15: it comes back ---------------------------------------------------------------------------


@pytest.mark.trap(15)
@pytest.mark.promise(3)
@pytest.mark.parametrize("reloads", [True, False])
async def test_the_agent_writes_the_same_again(client, reloads):
    """After an undo the agent writes the same once more: that is a new operation, and it can be taken back again."""
    editor = client.editor
    await editor.opened_after_agent("a.txt")
    await editor.run("takeback.undoLast", {"n": 1})
    editor.write("a.txt", "line 3\n", "agent\n")
    again = await editor.recorded(3)
    if reloads:
        editor.show("a.txt", AGENT)

    assert (again["actor"], again["undoes"]) == ("unknown", [2])
    undone = await editor.run("takeback.undoLast", {"n": 1})

    assert (undone["outcome"], undone["undone"]) == ("applied", [3])
    assert (on_disk(editor), editor.texts["a.txt"]) == (TEXT, TEXT)


@pytest.mark.trap(15)
@pytest.mark.promise(3)
@pytest.mark.parametrize("saved", [True, False])
async def test_a_redo_over_newer_edits(client, saved):
    """What was typed since the undo stays in document and file when the redo brings the agent's line back."""
    editor = client.editor
    await editor.opened_after_agent("a.txt")
    await editor.run("takeback.undoLast", {"n": 1})
    editor.replace("a.txt", "line 39\n", "mine\n")
    if saved:
        editor.save("a.txt")

    redone = await editor.run("takeback.redo", {})

    both = AGENT.replace("line 39\n", "mine\n")
    assert (redone["outcome"], editor.texts["a.txt"]) == ("applied", both)
    assert on_disk(editor) == (both if saved else AGENT)


@pytest.mark.trap(15)
@pytest.mark.promise(2)
async def test_a_redo_that_newer_edits_contradict(client):
    """The very line was rewritten and saved since the undo: the redo is a conflict, and nothing changes anywhere."""
    editor = client.editor
    await editor.opened_after_agent("a.txt")
    await editor.run("takeback.undoLast", {"n": 1})
    editor.replace("a.txt", "line 3\n", "mine\n")
    editor.save("a.txt")
    mine = editor.texts["a.txt"]

    redone = await editor.run("takeback.redo", {})

    assert (redone["outcome"], on_disk(editor), editor.texts["a.txt"]) == ("conflict", mine, mine)


# -- 19: events were lost ------------------------------------------------------------------------


N_QUEUED = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text(encoding="ascii"))
LONG_S = 250
"""How long so many files may take."""


@pytest.mark.trap(19)
@pytest.mark.promise(5)
@pytest.mark.timeout(300)
async def test_more_is_written_than_the_system_tells_of(client):
    """More is written than the kernel queues events for, while the server stands still: all is found, and it is said."""
    editor = client.editor
    if N_QUEUED > 20_000:
        pytest.skip("this kernel queues more events than a test can write")
    n_files = N_QUEUED // 2 + 1_000  # each is made, and then closed
    (editor.root / "made").mkdir()
    await editor.recorded(1)  # so it is watched
    server = client._server.pid
    os.kill(server, signal.SIGSTOP)
    try:
        await asyncio.to_thread(many, editor.root / "made", n_files)
    finally:
        os.kill(server, signal.SIGCONT)
    async with asyncio.timeout(LONG_S):
        asked = lsp.ExecuteCommandParams(command="takeback.status", arguments=[{}])
        status = await client.workspace_execute_command_async(asked)
        await until(lambda: any("dropped events" in one.message for one in client.messages))

    assert any("dropped events" in one for one in status["notices"])
    assert sum(len(one["changes"]) for one in status["operations"]) == 1 + n_files


def many(folder, n_files):
    """So many files, at once."""
    for number in range(n_files):
        (folder / str(number)).write_bytes(b"%d\n" % number)


# -- 21: two processes ---------------------------------------------------------------------------

N_SAVES = 15


def saves_of(name, operations):
    """The changes of a file, all of them saves.

    On a busy machine, a server may see a save of another one's editor at once with an agent's writes: it is nobody's then.
    """
    saved = [(one, change) for one in operations for change in one.changes if change.path == name]
    assert all(one.actor == "human" or (one.actor == "unknown" and len(one.changes) > 1) for one, _ in saved)
    return [change for _, change in saved]


@pytest.mark.trap(21)
@pytest.mark.promise(10)
@pytest.mark.timeout(300)
async def test_two_servers_a_command_line_and_an_agent_at_once(client, second, tmp_path):
    """All write at the same time: no save is lost, none is doubled, and the numbers of operations have no gaps."""
    editors = {"a.txt": client.editor, "b.txt": second.editor}
    for name, editor in editors.items():
        editor.open(name)

    async def saves(name, editor):
        for number in range(N_SAVES):
            editor.show(name, f"{name} {number}\n{TEXT}")
            part = tmp_path / name
            part.write_text(editor.texts[name], encoding="utf-8")
            part.replace(editor.root / name)
            editor.told(name)
            await editor.run("takeback.status", {})

    async def command_line():
        for _ in range(3):
            for words in (("status",), ("checkpoint", "create"), ("log",)):
                status, _, problem = await asyncio.to_thread(client.editor.takeback, *words)
                assert status == 0, problem

    def agent():
        for number in range(50):
            (client.editor.root / f"agent-{number}").write_text(f"{number}\n", encoding="utf-8")

    await asyncio.gather(*(saves(*one) for one in editors.items()), command_line(), asyncio.to_thread(agent))
    await operations(client.editor)

    (state,) = (tmp_path / "state").iterdir()
    journal = Journal(str(state), read_only=True)
    found = list(views.newest_first(journal))[::-1]
    journal.close()
    assert [one.id for one in found] == list(range(1, len(found) + 1))
    for name in editors:
        saved = saves_of(name, found)
        assert len(saved) == len({change.after.blob for change in saved}) == N_SAVES
        assert all(one.after == then.before for one, then in itertools.pairwise(saved))
    made = [change.path for one in found for change in one.changes if change.path.startswith("agent-")]
    assert sorted(made) == sorted(f"agent-{number}" for number in range(50))
