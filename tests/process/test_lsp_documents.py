"""Files and open documents stay the same text: whatever is taken back, brought back, saved and undone again."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import time

import pytest
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from editor import TEXT, UTF16
from takeback.lsp.documents import with_edits
from takeback.model.operation import OperationKind
from takeback.service import channel
from takeback.service.published import editors
from takeback.service.requests import Request, Verb, request_out

pytestmark = [
    pytest.mark.asyncio,
    pytest.mark.filterwarnings("error::pytest_lsp.LspSpecificationWarning"),
]

AGENT = TEXT.replace("line 3\n", "agent\n")


def on_disk(editor, name="a.txt"):
    """The text of a file."""
    return (editor.root / name).read_bytes().decode()


# -- there and back ------------------------------------------------------------------------------


@pytest.mark.promise(3)
@pytest.mark.trap(13)
async def test_redo_reaches_a_document_that_an_undo_changed(client):
    """An undo in a clean document can be redone and undone again, and the document always shows what its file is."""
    editor = client.editor
    await editor.opened_after_agent("a.txt")

    for command, wanted in (("undoLast", TEXT), ("redo", AGENT), ("undoLast", TEXT)):
        result = await editor.run(f"takeback.{command}", {"n": 1})
        assert result["files"][0]["outcome"] == "in_editor"
        assert (editor.texts["a.txt"], on_disk(editor)) == (wanted, wanted)


async def test_an_edit_says_what_it_is_for(client):
    """Beside an edit, an editor can show what takes something back there; and that it was given up."""
    editor = client.editor
    checkpoint = (await editor.run("takeback.createCheckpoint", {}))["checkpoint"]["id"]
    await editor.opened_after_agent("a.txt")
    uris = {"checkpoint": checkpoint, "uris": [editor.uri("a.txt")]}

    for command, arguments in (("undoLast", {"n": 1}), ("redo", {}), ("rollback", uris), ("redo", {})):
        await editor.run(f"takeback.{command}", arguments)
    await editor.run("takeback.restore", uris)

    verbs = ("undo", "redo", "rollback", "redo", "restore")
    assert editor.labels == [f"Takeback: {verb}" for verb in verbs]


@pytest.mark.promise(3)
@pytest.mark.promise(8)
async def test_redo_keeps_unsaved_text(client):
    """A redo after an undo brings the lines back in the document too, and unsaved text stays in it."""
    editor = client.editor
    await editor.opened_after_agent("a.txt")
    editor.replace("a.txt", "line 39\n", "mine\n")
    await editor.run("takeback.undoLast", {"n": 1})

    result = await editor.run("takeback.redo", {"n": 1})

    assert result["outcome"] == "applied"
    assert editor.texts["a.txt"] == AGENT.replace("line 39\n", "mine\n")
    assert on_disk(editor) == AGENT


@pytest.mark.promise(2)
async def test_an_undo_while_paused_sees_what_was_written_since(client):
    """Recording is paused and the file changed: an undo takes back the operation alone, in file and document."""
    editor = client.editor
    editor.write("a.txt", "line 3\n", "agent\n")
    await editor.recorded(1)
    editor.takeback("pause")
    editor.write("a.txt", "line 39\n", "somebody\n")
    editor.open("a.txt")

    result = await editor.run("takeback.undoLast", {"n": 1})

    wanted = TEXT.replace("line 39\n", "somebody\n")
    assert (result["outcome"], result["undone"]) == ("applied", [1])
    assert (editor.texts["a.txt"], on_disk(editor)) == (wanted, wanted)


@pytest.mark.promise(3)
async def test_several_undos_come_back_together(client):
    """Two undos, one after the other and without a save between them, are redone at once in document and file."""
    editor = client.editor
    editor.write("a.txt", "line 3\n", "agent\n")
    await editor.recorded(1)
    editor.write("a.txt", "line 20\n", "other\n")
    await editor.recorded(2)
    editor.open("a.txt")
    both = editor.texts["a.txt"]
    await editor.run("takeback.undoLast", {"n": 1})
    await editor.run("takeback.undoLast", {"n": 1})
    assert (editor.texts["a.txt"], on_disk(editor)) == (TEXT, TEXT)

    await editor.run("takeback.redo", {"n": 2})

    assert (editor.texts["a.txt"], on_disk(editor)) == (both, both)


async def test_an_edited_document_counts_as_changed_until_it_is_saved(client):
    """After an undo a clean document is listed as changed, as its editor counts it; a save ends that."""
    editor = client.editor
    await editor.opened_after_agent("a.txt")
    await editor.run("takeback.undoLast", {"n": 1})
    before = (await editor.run("takeback.status", {}))["documents"]
    editor.save("a.txt")

    after = (await editor.run("takeback.status", {}))["documents"]

    assert [one["dirty"] for one in (*before, *after)] == [True, False]


async def test_status_tells_what_it_takes_a_document_for(client):
    """The status has a digest of each document's text as the server knows it: an editor can compare it with its own."""
    editor = client.editor
    editor.open("a.txt")
    editor.open("b.txt")
    for text in ("é\r\n\u2028\f𝄞\n", ""):
        editor.show("a.txt", text)

        documents = (await editor.run("takeback.status", {}))["documents"]

        expected = {name: hashlib.sha256(one.encode()).hexdigest() for name, one in editor.texts.items()}
        assert {one["path"]: one["digest"] for one in documents} == expected


# -- editors that save at once -------------------------------------------------------------------


def saving_at_once(editor, *, tells=True):
    """Let the editor save each edit before it answers, and tell of it or not."""

    def save(name, document):
        text = with_edits(editor.texts[name], document.edits, UTF16)
        (editor.root / name).write_bytes(text.encode())
        answer = editor.apply(name, document)
        if tells:
            editor.told(name)
        return answer

    editor.behave = save


@pytest.mark.promise(8)
async def test_an_editor_that_saves_at_once_does_the_undo_itself(client):
    """Where a document is saved before its file is written, that save is the undo, recorded once and redone as one."""
    editor = client.editor
    editor.takeback("run", "--", "sed", "-i", "s/^line 3$/agent/", "a.txt", "b.txt")
    await editor.recorded(1)
    editor.open("a.txt")
    editor.open("b.txt")
    saving_at_once(editor)

    undone = await editor.run("takeback.undoLast", {"n": 1})
    texts = (*editor.texts.values(), on_disk(editor), on_disk(editor, "b.txt"))
    redone = await editor.run("takeback.redo", {"n": 1})

    assert (undone["outcome"], set(texts), len(editor.edits)) == ("applied", {TEXT}, 4)
    assert (redone["outcome"], set(editor.texts.values()), on_disk(editor)) == ("applied", {AGENT}, AGENT)
    operations = (await editor.run("takeback.status", {}))["operations"]
    assert [one["kind"] for one in operations] == ["redo", "undo", "command"]


@pytest.mark.promise(2)
@pytest.mark.promise(8)
@pytest.mark.parametrize("tells", [True, False])
async def test_unsaved_text_that_is_saved_with_an_undo_is_the_humans(client, tells):
    """A save of unsaved text in the middle of an undo is two operations: the human's own lines, and the undo."""
    editor = client.editor
    await editor.opened_after_agent("a.txt")
    editor.replace("a.txt", "line 39\n", "mine\n")
    saving_at_once(editor, tells=tells)

    result = await editor.run("takeback.undoLast", {"n": 1})

    mine = TEXT.replace("line 39\n", "mine\n")
    assert (result["outcome"], editor.texts["a.txt"], on_disk(editor)) == ("applied", mine, mine)
    operations = (await editor.run("takeback.status", {}))["operations"]
    assert [(one["kind"], one["actor"]) for one in operations] == [
        ("undo", "takeback"),
        ("edit", "human"),
        ("edit", "unknown"),
    ]
    await editor.run("takeback.redo", {"n": 1})
    assert on_disk(editor) == mine.replace("line 3\n", "agent\n") == editor.texts["a.txt"]


# -- when the files cannot be written ------------------------------------------------------------


@pytest.fixture
def busy(client, tmp_path):
    """Another process that is changing files; its lock frees itself when the test is over."""
    (folder,) = (tmp_path / "state").iterdir()
    with (folder / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.mark.promise(4)
@pytest.mark.promise(8)
async def test_documents_get_their_text_back_where_no_file_can_be_written(client, busy):
    """An undo that fails on disk after the editor has shown it leaves the document as it was, with its unsaved text."""
    editor = client.editor
    await editor.opened_after_agent("a.txt")
    editor.replace("a.txt", "line 39\n", "mine\n")
    mine = editor.texts["a.txt"]

    with pytest.raises(JsonRpcException) as refused:
        await editor.run("takeback.undoLast", {"n": 1})

    assert refused.value.data["error"]["code"] == "busy"
    assert (editor.texts["a.txt"], on_disk(editor), len(editor.edits)) == (mine, AGENT, 2)


@pytest.mark.promise(5)
async def test_a_document_that_keeps_what_could_not_be_written_is_named(client, busy):
    """Where the editor does not take the text back either, the error says which document still shows the undo."""
    editor = client.editor
    await editor.opened_after_agent("a.txt")

    def once(name, document):
        editor.behave = lambda *_: lsp.ApplyWorkspaceEditResult(applied=False)
        return editor.apply(name, document)

    editor.behave = once
    with pytest.raises(JsonRpcException) as refused:
        await editor.run("takeback.undoLast", {"n": 1})

    error = refused.value.data["error"]
    assert (error["code"], editor.texts["a.txt"], on_disk(editor)) == ("busy", TEXT, AGENT)
    assert "still shows a.txt" in error["message"]
    assert "Undo that in the editor." in error["hint"]


# -- when nobody waits any more ------------------------------------------------------------------


async def asked_from_outside(editor, state, until_s):
    """The answer of the server to another process that waits until then."""
    (folder,) = state.iterdir()
    (published,) = editors(str(folder))
    request = request_out(Verb(kind=OperationKind.UNDO), Request())
    message = {"do": "take back", "request": request, "until_s": until_s}
    return await asyncio.to_thread(channel.ask, published.address, message, 20)


@pytest.mark.promise(5)
@pytest.mark.parametrize("wait_s", [-1.0, 3.0])
async def test_what_would_come_too_late_is_not_begun(client, tmp_path, wait_s):
    """A request whose process no longer waits changes no file, and the documents show what they showed."""
    editor = client.editor
    await editor.opened_after_agent("a.txt")
    editor.replace("a.txt", "line 39\n", "mine\n")
    await editor.run("takeback.status", {})
    mine = editor.texts["a.txt"]
    until_s = time.monotonic() + wait_s

    def slow(name, document):
        editor.behave = None
        while time.monotonic() <= until_s:
            pass
        return editor.apply(name, document)

    editor.behave = slow
    answer = await asked_from_outside(editor, tmp_path / "state", until_s)

    assert answer["error"]["code"] == "busy"
    assert (editor.texts["a.txt"], on_disk(editor)) == (mine, AGENT)
    assert len(editor.edits) == (2 if wait_s > 0 else 0)


# -- the time of a file --------------------------------------------------------------------------


def modified_ns(editor, name="a.txt"):
    """When a file was changed last, as the system says."""
    return (editor.root / name).stat().st_mtime_ns


@pytest.mark.promise(8)
async def test_an_editor_that_is_not_asked_sees_the_file_change(reading_client):
    """Where an editor changes no documents when asked, a clean one is reloaded: its file has the present time."""
    editor = reading_client.editor
    editor.write("a.txt", "line 3\n", "LINE 3\n")
    await editor.recorded(1)
    editor.open("a.txt")
    before = modified_ns(editor)

    result = await editor.run("takeback.undoLast", {"n": 1})

    assert (result["files"][0]["outcome"], on_disk(editor), editor.edits) == ("restored", TEXT, [])
    assert modified_ns(editor) > before


@pytest.mark.promise(8)
async def test_unsaved_text_in_an_editor_that_cannot_be_asked_is_left(reading_client):
    """Where an editor changes no documents when asked, files under unsaved text are left, and it is said."""
    editor = reading_client.editor
    await editor.opened_after_agent("a.txt")
    editor.replace("a.txt", "line 39\n", "mine\n")

    result = await editor.run("takeback.undoLast", {"n": 1})

    assert (result["outcome"], editor.edits, on_disk(editor)) == ("refused", [], AGENT)
    assert "unsaved text" in result["files"][0]["note"]


@pytest.mark.promise(5)
@pytest.mark.parametrize("unsaved", ["", "mine\n"])
async def test_a_file_keeps_its_time_until_its_document_is_saved_or_closed(client, unsaved):
    """An editor would ask about a file with a new time; it is said what that means, and closing ends it."""
    editor = client.editor
    await editor.opened_after_agent("a.txt")
    editor.show("a.txt", AGENT + unsaved)
    before = modified_ns(editor)

    result = await editor.run("takeback.undoLast", {"n": 1})
    kept = modified_ns(editor)
    editor.close("a.txt")
    await editor.run("takeback.status", {})

    assert "a build that goes by times does not see the change" in result["files"][0]["note"]
    assert kept == before < modified_ns(editor)


# -- editors that save when asked ----------------------------------------------------------------


async def test_a_document_is_saved_by_an_editor_that_can(saving_client):
    """The editor is asked to save a clean document, by the name that it opened it with, and then nothing is left."""
    editor = saving_client.editor
    await editor.opened_after_agent("a.txt")

    result = await editor.run("takeback.undoLast", {"n": 1})

    assert (result["files"][0]["outcome"], result["files"][0]["note"]) == ("restored", "")
    status = await editor.run("takeback.status", {})
    (document,) = status["documents"]
    assert (document["path"], document["dirty"]) == ("a.txt", False)
    assert status["operations"][0]["kind"] == "undo"


@pytest.mark.promise(5)
async def test_a_save_that_failed_is_said(saving_client):
    """Where the editor did not save when asked, the outcome is `in_editor`, as in one that cannot."""
    editor = saving_client.editor
    await editor.opened_after_agent("a.txt")
    editor.refuses_to_save = True
    editor.client.report_server_error = lambda *_: None  # the error is an answer

    result = await editor.run("takeback.undoLast", {"n": 1})

    assert result["files"][0]["outcome"] == "in_editor"
    assert (editor.texts["a.txt"], on_disk(editor)) == (TEXT, TEXT)


# -- what an editor says, and what it shows ------------------------------------------------------


@pytest.mark.promise(5)
@pytest.mark.parametrize("says", ["nothing", "no"])
async def test_a_text_counts_more_than_an_answer(client, says):
    """An editor that shows the planned text has made the edit, though it does not answer, or says that it has not."""
    editor = client.editor
    await editor.opened_after_agent("a.txt")
    over = asyncio.get_running_loop().create_future()

    async def answer():
        if says == "nothing":
            await over
        return lsp.ApplyWorkspaceEditResult(applied=False)

    def show(name, document):
        editor.apply(name, document)
        return answer()

    editor.behave = show
    result = await editor.run("takeback.undoLast", {"n": 1})
    over.set_result(None)

    assert result["files"][0]["outcome"] == "in_editor"
    assert (editor.texts["a.txt"], on_disk(editor)) == (TEXT, TEXT)


@pytest.mark.promise(8)
@pytest.mark.parametrize(
    ("line", "typed"),
    [("line 39\n", "mine\n"), ("line 3\n", "line 3 and mine\n")],
    ids=["elsewhere", "there"],
)
async def test_typing_right_after_an_edit_may_be_told_with_it(client, line, typed):
    """What is typed after an edit and told with it, elsewhere or into the very line that came back, stays unsaved over the undo."""
    editor = client.editor
    await editor.opened_after_agent("a.txt")

    def type_on(name, document):
        text = with_edits(editor.texts[name], document.edits, UTF16)
        editor.show(name, text.replace(line, typed))
        return lsp.ApplyWorkspaceEditResult(applied=True)

    editor.behave = type_on
    result = await editor.run("takeback.undoLast", {"n": 1})

    assert (result["outcome"], len(editor.edits)) == ("applied", 1)
    assert (editor.texts["a.txt"], on_disk(editor)) == (TEXT.replace(line, typed), TEXT)
    (document,) = (await editor.run("takeback.status", {}))["documents"]
    assert (document["path"], document["dirty"]) == ("a.txt", True)


@pytest.mark.promise(8)
async def test_typing_in_lines_whose_edit_was_dropped_is_a_conflict(client):
    """An editor drops the edit and says that it made it: the line that a person typed in meanwhile stays theirs."""
    editor = client.editor
    await editor.opened_after_agent("a.txt")

    def drop(name, _document):
        editor.behave = None
        editor.replace(name, "agent\n", "agent and mine\n")
        return lsp.ApplyWorkspaceEditResult(applied=True)

    editor.behave = drop
    result = await editor.run("takeback.undoLast", {"n": 1})

    mine = AGENT.replace("agent\n", "agent and mine\n")
    assert (result["outcome"], editor.texts["a.txt"], on_disk(editor)) == ("conflict", mine, AGENT)


# -- one file under several names ----------------------------------------------------------------


@pytest.fixture
def linked(client):
    """A file that an agent changed, with a link to it and another to its folder."""
    editor = client.editor
    (editor.root / "d").mkdir()
    (editor.root / "d" / "c.txt").write_text(TEXT, encoding="utf-8")
    (editor.root / "file").symlink_to("d/c.txt")
    (editor.root / "folder").symlink_to("d")
    return editor


async def agent_writes(editor):
    """Let somebody change the file, after everything before is recorded."""
    await asyncio.to_thread(editor.takeback, "log")
    recorded = (await editor.run("takeback.status", {}))["operations"][0]["id"]
    editor.write("d/c.txt", "line 3\n", "agent\n")
    await editor.recorded(recorded + 1)


@pytest.mark.promise(8)
@pytest.mark.trap(13)
@pytest.mark.parametrize("name", ["d/c.txt", "folder/c.txt", "file"])
async def test_a_document_is_its_file_by_whatever_link_it_was_opened(linked, name):
    """Unsaved text in a document that was opened through a link is kept, and seen by the command line."""
    await agent_writes(linked)
    linked.open(name)
    linked.replace(name, "line 39\n", "mine\n")
    documents = (await linked.run("takeback.status", {}))["documents"]

    status, _, problem = await asyncio.to_thread(linked.takeback, "undo")

    assert [(one["path"], one["dirty"]) for one in documents] == [("d/c.txt", True)]
    assert (status, problem) == (0, "")
    assert (linked.texts[name], on_disk(linked, "d/c.txt")) == (TEXT.replace("line 39\n", "mine\n"), TEXT)


async def test_an_undo_in_a_document_is_one_in_its_file(linked):
    """Where a command names the document, what happened to its file counts, by whatever link it was opened."""
    await agent_writes(linked)
    linked.open("file")

    result = await linked.run("takeback.undoLast", {"n": 1, "uri": linked.uri("file")})

    assert [(one["path"], one["outcome"]) for one in result["files"]] == [("d/c.txt", "in_editor")]


@pytest.mark.promise(8)
@pytest.mark.parametrize("second", ["folder/c.txt", "file"])
@pytest.mark.parametrize("typing", [0, 1])
async def test_a_file_that_is_open_twice_keeps_unsaved_text(linked, second, typing):
    """Where one of two documents of a file holds unsaved text, it is a conflict until the other one is closed."""
    await agent_writes(linked)
    names = ("d/c.txt", second)
    for name in names:
        linked.open(name)
    linked.replace(names[typing], "line 39\n", "mine\n")
    before = dict(linked.texts)

    result = await linked.run("takeback.undoLast", {"n": 1})

    assert (result["outcome"], linked.edits) == ("conflict", [])
    assert "under several names" in result["files"][0]["note"]
    assert (linked.texts, on_disk(linked, "d/c.txt")) == (before, AGENT)

    linked.close(names[1 - typing])
    await linked.run("takeback.undoLast", {"n": 1})

    assert linked.texts == {names[typing]: TEXT.replace("line 39\n", "mine\n")}
    assert on_disk(linked, "d/c.txt") == TEXT


@pytest.mark.promise(8)
async def test_a_file_that_is_open_twice_without_unsaved_text_is_reloaded(linked):
    """Where no document of a file holds unsaved text, the file changes and the editor reloads them."""
    await agent_writes(linked)
    for name in ("d/c.txt", "file"):
        linked.open(name)

    result = await linked.run("takeback.undoLast", {"n": 1})

    assert (result["outcome"], result["files"][0]["outcome"], linked.edits) == ("applied", "restored", [])
    assert on_disk(linked, "d/c.txt") == TEXT


# -- files that go -------------------------------------------------------------------------------


@pytest.mark.promise(5)
@pytest.mark.promise(8)
async def test_a_file_that_goes_leaves_unsaved_text_in_its_document(client):
    """Undo of a creation removes the file and no text of the human's, and says that a save brings the file back."""
    editor = client.editor
    (editor.root / "new.txt").write_text("new\n", encoding="utf-8")
    await editor.recorded(1)
    editor.open("new.txt")
    editor.show("new.txt", "new\nmine\n")

    result = await editor.run("takeback.undoLast", {"n": 1})

    assert (result["outcome"], result["files"][0]["outcome"]) == ("applied", "removed")
    assert "unsaved text" in result["files"][0]["note"]
    assert (editor.texts["new.txt"], (editor.root / "new.txt").exists()) == ("new\nmine\n", False)


@pytest.mark.promise(5)
@pytest.mark.parametrize("what", ["creation", "rename"])
async def test_a_file_that_goes_leaves_its_document_open(client, what):
    """Undo of a creation or a rename takes the file away under its document, and says what a save of that does."""
    editor = client.editor
    if what == "creation":
        (editor.root / "new.txt").write_text("new\n", encoding="utf-8")
    else:
        (editor.root / "a.txt").rename(editor.root / "new.txt")
    await editor.recorded(1)
    editor.open("new.txt")
    shown = editor.texts["new.txt"]

    result = await editor.run("takeback.undoLast", {"n": 1})

    assert result["outcome"] == "applied"
    assert "a save of it brings the file back" in result["files"][0]["note"]
    assert (editor.texts["new.txt"], (editor.root / "new.txt").exists()) == (shown, False)
    assert what == "creation" or on_disk(editor) == TEXT
    editor.save("new.txt")
    assert (await editor.recorded(3))["actor"] == "human"


# -- documents that lag behind their files -------------------------------------------------------


@pytest.mark.promise(3)
@pytest.mark.promise(8)
async def test_redo_reaches_a_document_that_lags_behind_its_file(client):
    """What was taken back in an older document comes back in it, again and again, and what it never had does not."""
    editor = client.editor
    await editor.opened_after_agent("a.txt")
    editor.replace("a.txt", "line 39\n", "mine\n")
    editor.write("a.txt", "line 20\n", "other\n")
    await editor.recorded(2)

    for command, arguments, base in (
        ("undoOperations", {"ids": [1]}, TEXT),
        ("redo", {"n": 1}, AGENT),
        ("undoOperations", {"ids": [1]}, TEXT),
        ("redo", {"n": 1}, AGENT),
    ):
        result = await editor.run(f"takeback.{command}", arguments)
        assert (result["outcome"], result["files"][0]["note"]) == ("applied", "")
        assert editor.texts["a.txt"] == base.replace("line 39\n", "mine\n")
        assert on_disk(editor) == base.replace("line 20\n", "other\n")


@pytest.mark.promise(2)
async def test_what_is_recorded_during_an_undo_is_not_chosen(client):
    """A plan that is made anew takes back what was chosen at first, not what somebody recorded meanwhile."""
    editor = client.editor
    await editor.opened_after_agent("a.txt")

    def drop(name, document):
        editor.behave = None
        (editor.root / "b.txt").write_text("another's\n", encoding="utf-8")
        editor.takeback("record", "--actor", "agent:other")
        editor.replace(name, "line 39\n", "mine\n")
        return lsp.ApplyWorkspaceEditResult(applied=True)

    editor.behave = drop
    result = await editor.run("takeback.undoLast", {"n": 1})

    assert (result["outcome"], result["undone"]) == ("applied", [1])
    assert editor.texts["a.txt"] == TEXT.replace("line 39\n", "mine\n")
    assert on_disk(editor, "b.txt") == "another's\n"
