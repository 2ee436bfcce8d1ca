"""What a person does with files in an editor (creates, renames, deletes them) is recorded once, as the human's."""

from __future__ import annotations

import asyncio
import shutil

import pytest
from lsprotocol import types as lsp

from editor import TEXT, until

pytestmark = [
    pytest.mark.server,
    pytest.mark.asyncio,
    pytest.mark.filterwarnings("error::pytest_lsp.LspSpecificationWarning"),
]


async def told(editor):
    """Every operation, oldest first: who, and what became of which path."""
    await asyncio.to_thread(editor.takeback, "log")  # everything until now is recorded
    operations = (await editor.run("takeback.status", {}))["operations"]
    return [
        (one["actor"], sorted((each["status"], each["from"], each["path"]) for each in one["changes"]))
        for one in reversed(operations)
    ]


def folder(editor):
    """A folder with three files, recorded as they were when the server began to look."""
    names = ["one.txt", "two.txt", "deep/three.txt"]
    (editor.root / "old" / "deep").mkdir(parents=True)
    for name in names:
        (editor.root / "old" / name).write_text(f"{name}\n", encoding="utf-8")
    return names


async def test_a_renamed_file_is_one_operation_of_the_humans(client):
    """A file that is renamed in the editor is one rename by the human, and the watcher's echo adds nothing."""
    editor = client.editor
    await editor.will_rename(("a.txt", "c.txt"))
    editor.rename(("a.txt", "c.txt"))

    assert await told(editor) == [("human", [("renamed", "a.txt", "c.txt")])]


async def test_a_renamed_folder_takes_its_files_along(client):
    """A folder with several files is one operation: each file is paired with what it was."""
    editor = client.editor
    names = folder(editor)
    await editor.recorded(1)
    editor.rename(("old", "new"))

    _, (actor, changes) = await told(editor)

    assert (actor, changes) == (
        "human",
        sorted(("renamed", f"old/{name}", f"new/{name}") for name in names),
    )
    undone = await editor.run("takeback.undoOperations", {"ids": [2]})
    assert undone["outcome"] == "applied"
    assert [(editor.root / "old" / name).read_text() for name in names] == [f"{name}\n" for name in names]
    assert not (editor.root / "new").exists()


@pytest.mark.parametrize("what", ["file", "folder", "deletion", "creation"])
async def test_a_watcher_that_was_quicker_does_not_own_it(client, what):
    """What was recorded as nobody's before the editor told of it is the human's from then on."""
    editor = client.editor
    folder(editor)
    await editor.recorded(1)
    if what == "file":
        (editor.root / "a.txt").rename(editor.root / "c.txt")
        tell = lambda: editor.told_renamed(("a.txt", "c.txt"))  # noqa: E731 - each case says what it tells
    elif what == "folder":
        (editor.root / "old").rename(editor.root / "new")
        tell = lambda: editor.told_renamed(("old", "new"))  # noqa: E731 - the same
    elif what == "deletion":
        shutil.rmtree(editor.root / "old")
        tell = lambda: editor.told_deleted("old")  # noqa: E731 - the same
    else:
        (editor.root / "c.txt").write_bytes(b"")
        tell = lambda: editor.told_created("c.txt")  # noqa: E731 - the same
    assert (await editor.recorded(2))["actor"] == "unknown"
    tell()

    assert [actor for actor, _ in await told(editor)] == ["unknown", "human"]


@pytest.mark.promise(5)
async def test_what_somebody_else_wrote_is_not_the_humans(client):
    """Files that somebody wrote in a folder stay theirs when a person renames the folder right after."""
    editor = client.editor
    folder(editor)
    await editor.will_rename(("old", "new"))
    editor.rename(("old", "new"))

    (first, created), (second, renamed) = await told(editor)

    assert (first, {status for status, _, _ in created}) == ("unknown", {"created"})
    assert (second, {status for status, _, _ in renamed}) == ("human", {"renamed"})


async def test_created_and_deleted_files_are_the_humans(client):
    """Files and folders that a person creates and deletes in the editor are their operations."""
    editor = client.editor
    (editor.root / "new.txt").write_bytes(b"")
    (editor.root / "empty").mkdir()
    editor.told_created("new.txt", "empty")
    await editor.recorded(1)
    await editor.will_delete("b.txt")
    (editor.root / "b.txt").unlink()
    editor.told_deleted("b.txt")

    assert await told(editor) == [
        ("human", [("created", None, "empty"), ("created", None, "new.txt")]),
        ("human", [("deleted", None, "b.txt")]),
    ]
    await editor.run("takeback.undoOperations", {"ids": [2]})
    assert (editor.root / "b.txt").read_text(encoding="utf-8") == TEXT


@pytest.mark.promise(4)
async def test_what_was_written_right_before_a_deletion_is_kept(client):
    """An agent's write that nobody has recorded yet is read before the editor deletes the file."""
    editor = client.editor
    editor.write("b.txt", "line 3\n", "agent\n")
    await editor.will_delete("b.txt")
    (editor.root / "b.txt").unlink()
    editor.told_deleted("b.txt")

    assert [actor for actor, _ in await told(editor)] == ["unknown", "human"]
    await editor.run("takeback.undoOperations", {"ids": [2]})
    assert (editor.root / "b.txt").read_text(encoding="utf-8") == TEXT.replace("line 3\n", "agent\n")


@pytest.mark.promise(8)
@pytest.mark.parametrize("order", ["opened after", "opened before"])
async def test_unsaved_text_follows_a_renamed_file(client, order):
    """A document that lags behind its file and holds unsaved text is the same document under its new name."""
    editor = client.editor
    editor.open("a.txt")
    editor.replace("a.txt", "line 39\n", "mine\n")
    editor.write("a.txt", "line 3\n", "agent\n")
    await editor.recorded(1)
    unsaved = editor.texts["a.txt"]
    await editor.will_rename(("a.txt", "c.txt"))
    (editor.root / "a.txt").rename(editor.root / "c.txt")
    if order == "opened after":
        editor.told_renamed(("a.txt", "c.txt"))
    editor.close("a.txt")
    editor.open("c.txt", unsaved)
    if order == "opened before":
        editor.told_renamed(("a.txt", "c.txt"))

    result = await editor.run("takeback.undoOperations", {"ids": [1]})

    assert result["outcome"] == "applied"
    assert (editor.root / "c.txt").read_text(encoding="utf-8") == TEXT
    assert editor.texts == {"c.txt": unsaved}
    (document,) = (await editor.run("takeback.status", {}))["documents"]
    assert (document["path"], document["dirty"]) == ("c.txt", True)


async def test_nothing_is_recorded_while_paused(client):
    """In a pause a rename is not the human's operation; the look at the end finds it."""
    editor = client.editor
    await asyncio.to_thread(editor.takeback, "pause")
    editor.rename(("a.txt", "c.txt"))
    assert (await editor.run("takeback.status", {}))["operations"] == []
    await asyncio.to_thread(editor.takeback, "resume")

    assert [actor for actor, _ in await told(editor)] == ["unknown"]


async def test_the_server_announces_what_it_wants_to_hear(client):
    """Every file and folder on this machine counts, below every name."""
    operations = client.capabilities_of_server.workspace.file_operations
    for registered in (
        operations.will_rename,
        operations.did_rename,
        operations.did_create,
        operations.will_delete,
        operations.did_delete,
    ):
        (only,) = registered.filters
        assert (only.scheme, only.pattern.glob, only.pattern.matches) == ("file", "**", None)


async def test_a_rename_out_of_the_workspace_is_a_deletion(client, tmp_path):
    """What a person moves elsewhere is gone here, and what comes from elsewhere is new."""
    editor = client.editor
    (editor.root / "a.txt").rename(tmp_path / "a.txt")
    rename = lsp.FileRename(old_uri=editor.uri("a.txt"), new_uri=(tmp_path / "a.txt").as_uri())
    client.workspace_did_rename_files(lsp.RenameFilesParams(files=[rename]))
    await editor.recorded(1)
    (tmp_path / "a.txt").rename(editor.root / "d.txt")
    rename = lsp.FileRename(old_uri=(tmp_path / "a.txt").as_uri(), new_uri=editor.uri("d.txt"))
    client.workspace_did_rename_files(lsp.RenameFilesParams(files=[rename]))

    assert await told(editor) == [
        ("human", [("deleted", None, "a.txt")]),
        ("human", [("created", None, "d.txt")]),
    ]


async def test_a_name_inside_of_git_is_nobodys_business(client):
    """A request that names git's own folder, or no file at all, is answered and changes nothing."""
    editor = client.editor
    editor.told_created(".git/config")
    await editor.will_delete(".git/config")
    client.workspace_did_create_files(lsp.CreateFilesParams(files=[lsp.FileCreate(uri="untitled:x")]))

    assert await told(editor) == []


async def test_a_follower_records_it_too(client, second):
    """An editor whose server does not record tells of a rename, and it is the human's all the same."""
    second.editor.rename(("a.txt", "c.txt"))
    await until((client.editor.root / "c.txt").exists)

    assert await told(second.editor) == [("human", [("renamed", "a.txt", "c.txt")])]
