"""An editor as the language server sees one, played by a test."""

from __future__ import annotations

import asyncio
import subprocess
import sys

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from takeback.lsp.documents import with_edits

WAIT_S = 60
TAKEBACK = [sys.executable, "-P", "-m", "takeback"]
TEXT = "".join(f"line {number}\n" for number in range(1, 61))
UTF16 = lsp.PositionEncodingKind.Utf16


async def until(condition):
    """What `condition` gives once it is true."""
    async with asyncio.timeout(WAIT_S):
        while True:
            found = condition()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return found
            await asyncio.sleep(0.01)


async def send(editor, method, params):
    """The answer to a message of our own, as plain data."""
    request = editor.client.protocol.send_request_async(f"takeback/{method}", params)
    return plain(await asyncio.wait_for(request, WAIT_S))


def plain(value):
    """What pygls's client makes objects of, as plain data again."""
    if hasattr(value, "_asdict"):
        return {name: plain(one) for name, one in value._asdict().items()}
    return [plain(one) for one in value] if isinstance(value, list) else value


class Editor:
    """What an editor does: it keeps texts with versions, applies edits, and tells of every change."""

    def __init__(self, client, root):
        self.client = client
        self.root = root
        self.texts = {}
        self.versions = {}
        self.answers = []
        self.questions = []
        self.edits = []
        self.labels = []
        """What each edit was said to be for."""
        self.refuses_to_save = False
        self.encoding = UTF16
        """The units that columns are counted in."""
        self.behave = None
        """What happens instead of applying an edit."""

    def uri(self, name):
        """The URI of a file."""
        return (self.root / name).as_uri()

    def name(self, uri):
        """The open file that has exactly this URI."""
        return next(name for name in self.texts if self.uri(name) == uri)

    def open(self, name, text=None):
        """Open a file as it is on disk, or was a moment ago."""
        text = text or (self.root / name).read_bytes().decode()
        self.texts[name], self.versions[name] = text, 1
        item = lsp.TextDocumentItem(uri=self.uri(name), language_id="text", version=1, text=text)
        self.client.text_document_did_open(lsp.DidOpenTextDocumentParams(text_document=item))

    def show(self, name, text):
        """Let a document have this text, and tell the server so."""
        self.texts[name] = text
        self.versions[name] += 1
        identifier = lsp.VersionedTextDocumentIdentifier(uri=self.uri(name), version=self.versions[name])
        change = lsp.TextDocumentContentChangeWholeDocument(text=text)
        self.client.text_document_did_change(
            lsp.DidChangeTextDocumentParams(text_document=identifier, content_changes=[change])
        )

    def replace(self, name, old, new):
        """Type something."""
        assert old in self.texts[name]
        self.show(name, self.texts[name].replace(old, new))

    def type(self, name, *edits):
        """Make edits one after the other, each `(line, column, end line, end column, new text)`, and tell of them."""
        changes = []
        for line, column, end_line, end_column, new in edits:
            start = lsp.Position(line=line, character=column)
            place = lsp.Range(start=start, end=lsp.Position(line=end_line, character=end_column))
            self.texts[name] = with_edits(
                self.texts[name], [lsp.TextEdit(range=place, new_text=new)], self.encoding
            )
            changes.append(lsp.TextDocumentContentChangePartial(range=place, text=new))
        self.versions[name] += 1
        identifier = lsp.VersionedTextDocumentIdentifier(uri=self.uri(name), version=self.versions[name])
        self.client.text_document_did_change(
            lsp.DidChangeTextDocumentParams(text_document=identifier, content_changes=changes)
        )

    def will_save(self, name, reason=lsp.TextDocumentSaveReason.Manual):
        """Say that a document is about to be saved."""
        identifier = lsp.TextDocumentIdentifier(uri=self.uri(name))
        self.client.text_document_will_save(
            lsp.WillSaveTextDocumentParams(text_document=identifier, reason=reason)
        )

    def save(self, name, encoding="utf-8"):
        """Write a document to its file."""
        (self.root / name).write_bytes(self.texts[name].encode(encoding))
        self.told(name)

    def told(self, name):
        """Tell that a document was saved."""
        self.client.text_document_did_save(
            lsp.DidSaveTextDocumentParams(
                text_document=lsp.TextDocumentIdentifier(uri=self.uri(name)), text=self.texts[name]
            )
        )

    def close(self, name):
        """Close a document; its unsaved text is gone."""
        del self.texts[name]
        identifier = lsp.TextDocumentIdentifier(uri=self.uri(name))
        self.client.text_document_did_close(lsp.DidCloseTextDocumentParams(text_document=identifier))

    def rename(self, *pairs):
        """Rename files and folders on disk, and tell of it."""
        for old, new in pairs:
            (self.root / old).rename(self.root / new)
        self.told_renamed(*pairs)

    def _renames(self, pairs):
        files = [lsp.FileRename(old_uri=self.uri(old), new_uri=self.uri(new)) for old, new in pairs]
        return lsp.RenameFilesParams(files=files)

    async def will_rename(self, *pairs):
        """Say that files and folders are about to be renamed; nobody may want to change anything for that."""
        asked = self.client.workspace_will_rename_files_async(self._renames(pairs))
        assert await asyncio.wait_for(asked, WAIT_S) is None

    def told_renamed(self, *pairs):
        """Tell that files and folders were renamed."""
        self.client.workspace_did_rename_files(self._renames(pairs))

    def told_created(self, *names):
        """Tell that files and folders were created."""
        files = [lsp.FileCreate(uri=self.uri(name)) for name in names]
        self.client.workspace_did_create_files(lsp.CreateFilesParams(files=files))

    def _deletes(self, names):
        return lsp.DeleteFilesParams(files=[lsp.FileDelete(uri=self.uri(name)) for name in names])

    async def will_delete(self, *names):
        """Say that files and folders are about to be deleted."""
        asked = self.client.workspace_will_delete_files_async(self._deletes(names))
        assert await asyncio.wait_for(asked, WAIT_S) is None

    def told_deleted(self, *names):
        """Tell that files and folders were deleted."""
        self.client.workspace_did_delete_files(self._deletes(names))

    def on_edit(self, params):
        """What `workspace/applyEdit` does."""
        (document,) = params.edit.document_changes
        self.edits.append(document)
        self.labels.append(params.label)
        name = self.name(document.text_document.uri)
        if self.behave is not None:
            return self.behave(name, document)
        return self.apply(name, document)

    def apply(self, name, document):
        """Change a document as it was asked for, if the edit was made for what it shows."""
        if document.text_document.version != self.versions[name]:
            return lsp.ApplyWorkspaceEditResult(applied=False)
        self.show(name, with_edits(self.texts[name], document.edits, self.encoding))
        return lsp.ApplyWorkspaceEditResult(applied=True)

    def on_save(self, params):
        """What `takeback/save` does."""
        name = self.name(params.uri)
        if self.refuses_to_save:
            raise JsonRpcException("no", -32803)
        self.save(name)

    def on_question(self, params):
        """What `window/showMessageRequest` does."""
        self.questions.append(params)
        wanted = self.answers.pop(0) if self.answers else None
        return next((action for action in params.actions if wanted and wanted in action.title), None)

    async def run(self, command, *arguments):
        """The answer to a command."""
        asked = lsp.ExecuteCommandParams(command=command, arguments=list(arguments))
        return await asyncio.wait_for(self.client.workspace_execute_command_async(asked), WAIT_S)

    async def recorded(self, n):
        """The last operation, once there are `n`."""

        async def enough():
            operations = (await self.run("takeback.status", {}))["operations"]
            return operations[0] if operations and operations[0]["id"] >= n else None

        return await until(enough)

    def write(self, name, old, new):
        """What another process does."""
        path = self.root / name
        before = path.read_bytes().decode()
        assert old in before
        path.write_bytes(before.replace(old, new).encode())

    async def opened_after_agent(self, name):
        """An agent has replaced line 3 of a file, as operation 1, and then the file is opened."""
        self.write(name, "line 3\n", "agent\n")
        await self.recorded(1)
        self.open(name)

    def takeback(self, *words):
        """The command line in the workspace."""
        done = subprocess.run([*TAKEBACK, *words], cwd=self.root, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr
