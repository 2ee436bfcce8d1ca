"""Whatever an editor says, and however fast: the server answers, lives, loses nothing, and knows what documents show."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from stateful.monkey import ANSWER_S, COMMAND, Monkey, lines_of, position_of
from wire import CAPABILITIES, TAKEBACK, TEXT

pytestmark = pytest.mark.server

LONG = os.environ.get("TAKEBACK_HYPOTHESIS") == "long"
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
NAMES = ("a.txt", "b.txt", "sub/c.txt", "é 𝄞.txt")
FOLDERS = ("project", "other")

files = st.tuples(st.sampled_from((*FOLDERS[:1], *FOLDERS)), st.sampled_from(NAMES))
numbers = st.integers(0, 12)
places = st.integers(0, 400)
pieces = st.sampled_from(("", "x", "\n", "\r\n", "\r", "𝄞é\f\u2028", "one\ntwo\n", "e\u0301", "\x00"))
junk = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 2**40) | st.text(max_size=5) | st.just("jsonrpc"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
TAKING_BACK = (
    "undoLast",
    "undoOperations",
    "undoHunk",
    "undoSince",
    "undoTurn",
    "redo",
    "rollback",
    "restore",
)
COMMANDS = (
    *TAKING_BACK,
    "resolveConflict",
    "keep",
    "createCheckpoint",
    "listCheckpoints",
    "updateCheckpoint",
)
COMMANDS += ("deleteCheckpoint", "compareCheckpoint", "showTimeline", "showOperation", "status", "nope", "")
METHODS = (
    "hover",
    "codeLens",
    "codeAction",
    "inlayHint",
    "didSave",
    "willSave",
    "didChange",
    "didClose",
    "didOpen",
)
METHODS = (*(f"textDocument/{name}" for name in METHODS), "codeAction/resolve", "codeLens/resolve", COMMAND)
METHODS += ("takeback/beginTurn", "takeback/endTurn", "takeback/recordEdit", "takeback/recordFailure")
METHODS += (
    "takeback/timeline",
    "workspace/textDocumentContent",
    "workspace/didRenameFiles",
    "$/cancelRequest",
)
METHODS += ("workspace/willRenameFiles", "workspace/didChangeConfiguration", "window/workDoneProgress/cancel")
METHODS += (
    "workspace/didDeleteFiles",
    "workspace/didChangeWatchedFiles",
    "initialize",
    "no/such",
    "$/setTrace",
)


class MonkeyMachine(RuleBasedStateMachine):
    """One server, an editor that does anything, and somebody who writes files besides."""

    def __init__(self) -> None:
        super().__init__()
        self.temp = Path(tempfile.mkdtemp(prefix="takeback-monkey-", dir=MEMORY))
        self.states = self.temp / "states"
        self.environ = {**os.environ, "TAKEBACK_STATE_DIR": str(self.states), "HOME": str(self.temp)}
        self.fresh = 0
        self.open_roots = set(FOLDERS)
        self.is_recording = True
        self.kept: dict[str, set[bytes]] = {folder: set() for folder in FOLDERS}
        """By folder: what has to be in its history."""
        self.latest: dict[Path, bytes] = {}
        """What the monkey wrote last into each file."""
        self.moments: list[tuple[str, dict[str, bytes]]] = []
        """Checkpoints of the first folder, and what its files were."""

    @initialize()
    def start(self) -> None:
        """A server that has both folders open."""
        for folder in FOLDERS:
            for name in NAMES:
                path = self.temp / folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(TEXT.encode())
        self.log = (self.temp / "log").open("wb")
        self.server = subprocess.Popen(
            [*TAKEBACK, "lsp"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            env=self.environ,
        )
        self.monkey = Monkey(self.server.stdout, self.server.stdin)
        self.monkey.initialize(*(self.temp / folder for folder in FOLDERS), capabilities=CAPABILITIES)
        self.make_checkpoint()

    # -- typing ----------------------------------------------------------------------------------

    @rule(file=files, other_text=st.integers(0, 5))
    def open(self, file, other_text) -> None:
        """A document is opened, now and then with unsaved text of a former day, or a second time."""
        path = self.path(file)
        if path.is_file():
            text = path.read_bytes().decode(errors="replace")
            self.monkey.show(path.as_uri(), text + self.token() if other_text == 0 else text)

    @rule(number=numbers, edits=st.lists(st.tuples(places, places, pieces), min_size=1, max_size=3))
    def type(self, number, edits) -> None:
        """Ranges are replaced, some of them beyond the end of a line or of the text."""
        uri = self.document(number)
        if uri is None:
            return
        with self.monkey.lock:
            shown = self.monkey.shown[uri]
            for start, end, piece in edits:
                offsets = sorted(place % (len(shown.text) + 1) for place in (start, end))
                first, last = (position_of(shown.text, offset) for offset in offsets)
                if end % 7 == 0:
                    last = {"line": last["line"] + end % 2 * 1000, "character": last["character"] + 1000}
                token = self.token()
                self.monkey.change(uri, [{"range": {"start": first, "end": last}, "text": f"{piece}{token}"}])
                shown.typed.add(token)

    @rule(number=numbers, place=places, version=st.none() | st.integers(-5, 5))
    def show_anew(self, number, place, version) -> None:
        """A whole text is told, now and then with a version that cannot be."""
        uri = self.document(number)
        if uri is None:
            return
        with self.monkey.lock:
            shown = self.monkey.shown[uri]
            lines = lines_of(shown.text)
            at = place % (len(lines) + 1)
            token = self.token()
            text = "".join([*lines[:at], f"{token}\n", *lines[at + (place % 3 == 0) :]])
            self.monkey.change(uri, [{"text": text}], version)
            shown.typed.add(token)

    @rule(number=numbers, announced=st.booleans())
    def save(self, number, announced) -> None:
        """A document is saved."""
        uri = self.document(number)
        if uri is None:
            return
        path = next(path for path in self.paths() if path.as_uri() == uri)
        with self.monkey.lock:
            if announced:
                self.monkey.notify("textDocument/willSave", {"textDocument": {"uri": uri}, "reason": 1})
            path.parent.mkdir(exist_ok=True)
            self.overwrites(path)
            data = self.monkey.save(uri, path)
            self.latest[path] = data
        folder = path.relative_to(self.temp).parts[0]
        if folder in self.open_roots and self.is_recording:
            self.kept[folder].add(data)

    @rule(number=numbers)
    def close(self, number) -> None:
        """A document is closed."""
        uri = self.document(number)
        if uri is not None:
            self.monkey.close(uri)

    # -- what others do --------------------------------------------------------------------------

    @rule(file=files, line=numbers, whole=st.booleans())
    def somebody_writes(self, file, line, whole) -> None:
        """Another process writes a file, in place or whole."""
        path = self.path(file)
        text = path.read_bytes() if path.is_file() else TEXT.encode()
        lines = text.splitlines(keepends=True) or [b""]
        lines[line % len(lines)] = f"x{self.token()}\n".encode()
        path.parent.mkdir(exist_ok=True)
        self.overwrites(path)
        if whole:
            new = path.with_name(".new")
            new.write_bytes(b"".join(lines))
            new.replace(path)
        else:
            path.write_bytes(b"".join(lines))
        self.latest[path] = b"".join(lines)

    @precondition(lambda self: self.fresh % 5 == 0)
    @rule(name=st.sampled_from(NAMES))
    def an_agent_runs(self, name) -> None:
        """An agent runs a command."""
        script = f"mkdir -p sub; echo '{self.token()}' >> '{name}'"
        self.overwrites(self.temp / "project" / name)
        self.takeback("run", "--actor", "agent:x", "--", "sh", "-c", script)

    @rule(file=files, other=files, told=st.booleans())
    def rename(self, file, other, told) -> None:
        """A file is renamed; its document goes along."""
        old, new = self.path(file), self.path(other)
        if not old.is_file() or file[0] != other[0] or old == new:
            return
        uris = {"oldUri": old.as_uri(), "newUri": new.as_uri()}
        if told:
            self.monkey.later("workspace/willRenameFiles", {"files": [uris]})
        shown = self.monkey.shown.get(old.as_uri())
        if shown is not None:
            self.monkey.close(old.as_uri())
        new.parent.mkdir(exist_ok=True)
        self.overwrites(new)
        try:
            old.rename(new)
        except FileNotFoundError:  # it was just taken back
            return
        self.latest.pop(new, None)
        self.latest.pop(old, None)
        if shown is not None:
            self.monkey.show(new.as_uri(), shown.text)
            self.monkey.shown[new.as_uri()].typed = shown.typed
        if told:
            self.monkey.notify("workspace/didRenameFiles", {"files": [uris]})

    @rule(file=files, told=st.booleans())
    def delete(self, file, told) -> None:
        """A file is deleted; its document stays."""
        path = self.path(file)
        params = {"files": [{"uri": path.as_uri()}]}
        if told:
            self.monkey.later("workspace/willDeleteFiles", params)
        self.overwrites(path)
        path.unlink(missing_ok=True)
        self.latest.pop(path, None)
        if told:
            self.monkey.notify("workspace/didDeleteFiles", params)

    # -- commands --------------------------------------------------------------------------------

    @rule(
        name=st.sampled_from(TAKING_BACK),
        number=numbers,
        file=files,
        conflict=st.sampled_from(("stop", "keep-mine", "take-theirs", "skip-file", "markers")),
        applies=st.integers(0, 6),
    )
    def take_back(self, name, number, file, conflict, applies) -> None:
        """Something is taken back, while everything else goes on; now and then the editor refuses to follow."""
        self.monkey.applies = applies != 0
        self.monkey.command(name, self.arguments(name, number, file) | {"onConflict": conflict})

    def arguments(self, name, number, file):
        """What makes sense for a command, more or less."""
        folder, uri = (self.temp / file[0]).as_uri(), self.path(file).as_uri()
        return {
            "undoOperations": {"ids": [number + 1, number + 2]},
            "undoHunk": {"operation": number + 1, "uri": uri, "hunk": 1},
            "undoSince": {"since": f"cp-{number % 3 + 1}"},
            "rollback": {"checkpoint": f"cp-{number % 3 + 1}"},
            "restore": {"checkpoint": f"cp-{number % 3 + 1}", "uris": [uri]},
            "undoTurn": {},
        }.get(name, {"n": number % 4 + 1}) | {"workspace": folder}

    @rule(name=st.sampled_from(COMMANDS))
    def ask_without_arguments(self, name) -> None:
        """A command is called bare, and asks."""
        self.monkey.command(name)

    @rule(file=files, number=numbers)
    def read(self, file, number) -> None:
        """What an editor asks all the time."""
        document = {"textDocument": {"uri": self.path(file).as_uri()}}
        place = {"line": number, "character": number}
        self.monkey.later("textDocument/hover", {**document, "position": place})
        self.monkey.later("textDocument/codeLens", document)
        self.monkey.later("textDocument/inlayHint", {**document, "range": {"start": place, "end": place}})
        self.monkey.later(
            "textDocument/codeAction",
            {**document, "range": {"start": place, "end": place}, "context": {"diagnostics": []}},
        )
        self.monkey.command("showOperation", {"id": number + 1})
        self.monkey.later("takeback/timeline", {"limit": number})

    @rule(file=files, number=numbers)
    def an_agent_of_the_editor(self, file, number) -> None:
        """An agent of the editor says that it writes, and that a task failed."""
        uri = self.path(file).as_uri()
        self.monkey.later("takeback/beginTurn", {"actor": "agent:inside", "label": "a turn"})
        self.monkey.later("takeback/recordEdit", {"uris": [uri], "actor": "agent:inside"})
        self.monkey.later(
            "takeback/recordFailure", {"task": "t", "locations": [{"uri": uri, "line": number}]}
        )
        self.monkey.later("takeback/endTurn", {"turn": f"turn-{number}"} if number % 2 else {})

    @rule()
    def pause_or_resume(self) -> None:
        """Recording is paused, or goes on."""
        self.settle()
        name, self.is_recording = (
            ("pauseRecording", False) if self.is_recording else ("resumeRecording", True)
        )
        for folder in sorted(self.open_roots):
            self.monkey.command(name, {"workspace": (self.temp / folder).as_uri()})
        self.settle()

    # -- nonsense --------------------------------------------------------------------------------

    @rule(method=st.sampled_from(METHODS), params=junk, is_request=st.booleans())
    def say_nonsense(self, method, params, is_request) -> None:
        """A message with whatever parameters."""
        if is_request:
            self.monkey.later(method, params)
        else:
            self.monkey.notify(method, params)

    @rule(name=st.sampled_from(COMMANDS), arguments=st.lists(junk, max_size=2))
    def command_nonsense(self, name, arguments) -> None:
        """A command with whatever arguments."""
        self.monkey.command(name, *arguments)

    @rule(
        body=st.binary(max_size=30)
        | st.sampled_from((b"[]", b"{}", b'{"jsonrpc": "2.0", "id": null, "method": "x"}'))
    )
    def garble(self, body) -> None:
        """A message that is none."""
        self.monkey.raw(body)

    @rule(back=numbers)
    def cancel(self, back) -> None:
        """A request is cancelled: an old one, one under way, or one that never was."""
        number = self.monkey.later("textDocument/hover", {})
        self.monkey.notify("$/cancelRequest", {"id": number - back})
        self.monkey.notify("$/cancelRequest", {"id": "never"})

    @rule(file=files, number=numbers)
    def speak_of_the_closed(self, file, number) -> None:
        """Edits, saves and closings of documents that are not open."""
        uri = self.path(file).as_uri() + "-never"
        place = {"line": number, "character": 0}
        change = {"range": {"start": place, "end": place}, "text": "lost?"}
        document = {"textDocument": {"uri": uri, "version": number}}
        self.monkey.notify("textDocument/didChange", {**document, "contentChanges": [change]})
        self.monkey.notify("textDocument/didSave", document)
        self.monkey.notify("textDocument/didClose", document)
        self.monkey.notify("textDocument/willSave", {**document, "reason": 1})

    @rule(number=st.integers(20, 120), file=files)
    def flood(self, number, file) -> None:
        """Hundreds of messages at once, and nobody waits for an answer."""
        uri = self.document(number)
        for count in range(number):
            if count % 3 == 0 and uri in self.monkey.shown:
                with self.monkey.lock:
                    place = position_of(self.monkey.shown[uri].text, 0)
                    self.monkey.change(uri, [{"range": {"start": place, "end": place}, "text": "f"}])
            elif count % 3 == 1:
                self.monkey.command("status", {})
            else:
                params = {
                    "textDocument": {"uri": self.path(file).as_uri()},
                    "position": {"line": count, "character": 0},
                }
                self.monkey.later("textDocument/hover", params)

    @rule()
    def another_folder(self) -> None:
        """The second folder is closed in the editor, or opened again."""
        folder = {"uri": (self.temp / "other").as_uri(), "name": "other"}
        self.settle()
        is_open = "other" in self.open_roots
        event = {"added": [] if is_open else [folder], "removed": [folder] if is_open else []}
        self.open_roots ^= {"other"}
        self.monkey.notify("workspace/didChangeWorkspaceFolders", {"event": event})

    # -- what has to hold ------------------------------------------------------------------------

    @rule()
    def make_checkpoint(self) -> None:
        """A checkpoint has what the files are at this moment."""
        self.settle()
        folder = (self.temp / "project").as_uri()
        answer = self.monkey.run("createCheckpoint", {"workspace": folder})
        assert "checkpoint" in answer, answer
        if self.is_recording:
            self.moments.append((answer["checkpoint"]["id"], self.picture("project")))
            self.kept["project"] |= {*self.picture("project").values()}

    @rule()
    def compare(self) -> None:
        """The server knows every document as it is."""
        self.settle()
        for folder in sorted(self.open_roots):
            root = self.temp / folder
            status = self.monkey.run("status", {"workspace": root.as_uri()})
            found = {(root / one["path"]).as_uri(): one["digest"] for one in status["documents"]}
            texts = {
                uri: one.text for uri, one in self.monkey.shown.items() if uri.startswith(f"{root.as_uri()}/")
            }
            assert found == {uri: hashlib.sha256(text.encode()).hexdigest() for uri, text in texts.items()}

    def settle(self) -> None:
        """Every request is answered, once; the server lives, and has done no wrong."""
        self.monkey.drained()
        assert self.server.poll() is None, "the server died"
        assert [one for one in self.monkey.lost if one.get("id") is not None] == [], "answered twice"
        assert self.monkey.wrong == []

    def teardown(self) -> None:
        """Everything goes back to every checkpoint, newest first, to the byte; then the server ends well."""
        try:
            if hasattr(self, "monkey"):
                self.finish()
        finally:
            if hasattr(self, "server"):
                self.server.kill()
                self.server.communicate()
                self.log.close()
            shutil.rmtree(self.temp)

    def finish(self) -> None:
        """Nothing was lost."""
        self.compare()
        for uri in tuple(self.monkey.shown):
            self.monkey.close(uri)
        if not self.is_recording:
            self.pause_or_resume()
        if "other" not in self.open_roots:
            self.another_folder()
        self.settle()
        listed = self.monkey.run("listCheckpoints", {})["checkpoints"]
        known = {one["id"] for one in listed}  # the monkey may have deleted some
        for checkpoint, picture in reversed([one for one in self.moments if one[0] in known]):
            answer = self.monkey.run("rollback", {"checkpoint": checkpoint})
            assert answer.get("outcome") in {"applied", "nothing"}, (checkpoint, answer)
            assert self.picture("project") == picture, (checkpoint, answer)
        self.monkey.request("shutdown", None)
        self.monkey.notify("exit", None)
        assert self.server.wait(ANSWER_S) == 0
        for folder in FOLDERS:
            on_disk = {*self.picture(folder).values()}
            wanted = self.kept[folder] | {
                data for path, data in self.latest.items() if path.is_relative_to(self.temp / folder)
            }
            assert self.lost(folder, wanted - on_disk) == []

    def lost(self, folder, contents):
        """Which of these contents no object of the history has."""
        (state,) = [one for one in self.states.iterdir() if one.name.startswith(f"{folder}-")]
        ids = {hashlib.sha1(b"blob %d\0%s" % (len(data), data)).hexdigest(): data for data in contents}
        asked = subprocess.run(
            ["git", "--git-dir", str(state / "store.git"), "cat-file", "--batch-check"],
            input="\n".join(ids),
            capture_output=True,
            text=True,
            check=True,
        )
        missing = [line.split()[0] for line in asked.stdout.splitlines() if line.endswith("missing")]
        return [ids[one] for one in missing]

    # -- small things ----------------------------------------------------------------------------

    def overwrites(self, path) -> None:
        """The monkey is about to write over a file: what it wrote there before need not have been seen by anybody."""
        before = self.latest.pop(path, None)
        if before is not None and (not path.is_file() or path.read_bytes() != before):
            self.kept[path.relative_to(self.temp).parts[0]].add(before)  # Takeback has written over it

    def token(self) -> str:
        """Something that nobody has written before."""
        self.fresh += 1
        return f"<{self.fresh}>"

    def path(self, file) -> Path:
        """Where a file is."""
        return self.temp.joinpath(*file)

    def paths(self):
        """Where every file may be."""
        return [self.path((folder, name)) for folder in FOLDERS for name in NAMES]

    def document(self, number):
        """One of the open documents, if there is one."""
        known = sorted(self.monkey.shown)
        return known[number % len(known)] if known else None

    def picture(self, folder) -> dict[str, bytes]:
        """What the files of a folder are."""
        root = self.temp / folder
        return {
            str(path.relative_to(root)): path.read_bytes()
            for path in sorted(root.rglob("*"))
            if path.is_file()
        }

    def takeback(self, *words) -> None:
        """The command line in the first folder."""
        command = [sys.executable, "-P", "-m", "takeback", *words]
        ended = subprocess.run(
            command, cwd=self.temp / "project", env=self.environ, capture_output=True, check=False
        )
        assert ended.returncode == 0, ended.stderr.decode()


SETTINGS = settings(
    report_multiple_bugs=False,
    phases=[Phase.generate],  # what depends on the moment does not shrink
    database=None,
    derandomize=not LONG,
    max_examples=40 if LONG else 5,
    stateful_step_count=60 if LONG else 50,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.promise(4)
@pytest.mark.promise(8)
@pytest.mark.timeout(7200 if LONG else 300)
def test_the_server_takes_whatever_an_editor_says():
    """Every request of thousands gets one answer, no byte is lost, and the server knows documents as the editor does."""
    Monkey.said.clear()

    run_state_machine_as_test(MonkeyMachine, settings=SETTINGS)

    assert Monkey.said["messages"] >= (2000 if LONG else 200)
