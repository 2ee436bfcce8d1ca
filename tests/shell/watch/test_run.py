"""A recorder that runs: what is written becomes operations, once each, with the right actor."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest

from takeback.errors import StorageFull
from takeback.model.ids import OpId
from takeback.model.operation import OperationKind
from takeback.service import looking, recording, taking_back
from takeback.service.inbox import Inbox
from takeback.service.lease import trouble
from takeback.service.opening import open_workspace
from takeback.service.requests import Outcome, Request
from takeback.service.running import Running
from takeback.store.objects import ObjectStore
from takeback.watch.events import Lost, LostReason, Touched
from takeback.watch.look import Looker
from waiting import WAIT_S, removed, until, written

TAKEBACK = [sys.executable, "-P", "-m", "takeback"]
WITHOUT = "-dac_override,-dac_read_search"
ORDINARY = ["setpriv", "--bounding-set", WITHOUT, "--inh-caps", WITHOUT, "--"] if os.geteuid() == 0 else []
"""Starts a command without root's power to pass every permission."""
IDENTITY = ["-c", "user.name=A", "-c", "user.email=a@example.org"]


def git(root, *arguments):
    """Run git in a workspace."""
    subprocess.run(["git", *IDENTITY, *arguments], cwd=root, check=True, capture_output=True)


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A git repository with two branches, and a state folder of its own."""
    monkeypatch.setenv("TAKEBACK_STATE_DIR", str(tmp_path / "state"))
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    for name in ("a", "b", "c"):
        (folder / name).write_text(f"{name}\n", encoding="utf-8")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "one")
    git(folder, "checkout", "-qb", "other")
    for name in ("a", "b"):
        (folder / name).write_text(f"{name} of other\n", encoding="utf-8")
    (folder / "c").unlink()
    git(folder, "commit", "-qam", "two")
    git(folder, "checkout", "-q", "main")
    return folder


class Recorder:
    """A recorder on a thread of this process, and the operations that it told of."""

    def __init__(self, root):
        self.root = root
        self.inbox = Inbox()
        self.told = []
        self.running = None
        self.workspace = None
        self._opened = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._opened.wait(WAIT_S)
        until(lambda: self.workspace.here.watching)
        self.do(lambda: None)

    def _run(self):
        with open_workspace(str(self.root)) as workspace:
            self.workspace = workspace
            self.running = Running(workspace, self.inbox, on_operations=self.told.extend)
            self._opened.set()
            self.running.run()

    def do(self, act):
        """What `act` gives, done on the recorder's thread."""
        return self.inbox.do(act).result(WAIT_S)

    def operation(self, *, of):
        """The next operation that touches `of`."""
        return until(lambda: next((one for one in self.told if of in paths(one)), None))

    def put(self, *events):
        """Let the recorder take in events as the notifier's thread gives them."""
        for event in events:
            self.workspace.here.watching.put(event)

    @contextmanager
    def held(self):
        """Nothing is recorded meanwhile."""
        going_on = threading.Event()
        waiting = self.inbox.do(lambda: going_on.wait(WAIT_S))
        yield
        going_on.set()
        assert waiting.result(WAIT_S)

    def stop(self):
        """End it, with everything recorded."""
        self.running.stop()
        self._thread.join(WAIT_S)
        assert not self._thread.is_alive()


def paths(operation):
    """The paths of an operation."""
    return {change.path for change in operation.changes}


def steps(operation):
    """The paths of an operation, each with what became of it."""
    return {(change.path, change.status) for change in operation.changes}


@pytest.fixture
def recorder(root):
    """A running recorder."""
    begun = Recorder(root)
    yield begun
    begun.stop()


def log(root):
    """Every operation of a workspace, oldest first, as another process sees it."""
    with open_workspace(str(root)) as workspace:
        return looking.log(workspace, looking.Wanted(n=None))[::-1]


@contextmanager
def no_looks(monkeypatch):
    """Fails where the whole tree is looked at."""

    def refuse(*_):
        raise AssertionError("the whole tree was looked at")

    with monkeypatch.context() as patch:
        patch.setattr(Looker, "everything", refuse)
        yield


# -- writes become operations --------------------------------------------------------------------


def test_a_write_that_nobody_announced_is_recorded_as_unknown(root, recorder):
    """A write of another program is an operation of actor `unknown` as soon as it has settled."""
    (root / "a").write_text("changed\n", encoding="utf-8")

    found = recorder.operation(of="a")

    assert (found.actor, found.kind, found.inferred) == ("unknown", OperationKind.EDIT, False)


def test_a_burst_is_one_operation(root, recorder):
    """What is written together is undone together: new folders, removed files and renames included."""
    before = recorder.do(recorder.workspace.journal.last_operation)
    script = "mkdir -p d/e && echo x > d/e/f && rm b && mv c moved && echo y > a"
    with recorder.held():  # a machine that stops for 100 ms in between makes two bursts of it
        subprocess.run(["sh", "-ec", script], cwd=root, check=True)

    found = recorder.operation(of="d/e/f")
    recorder.do(lambda: recording.sync(recorder.workspace))

    assert paths(found) == {"a", "b", "moved", "d/e/f"}
    assert recorder.do(recorder.workspace.journal.last_operation) == before + 1
    assert {change.path: change.moved_from for change in found.changes}["moved"] == "c"


@pytest.mark.trap(6)
def test_a_moved_folder_is_one_operation_of_renames(root, recorder):
    """`mv` of a folder renames every file in it, so that one undo moves the folder back."""
    subprocess.run(["sh", "-ec", "mkdir d && echo 1 > d/x && echo 2 > d/y"], cwd=root, check=True)
    recorder.operation(of="d/x")

    os.rename(root / "d", root / "moved")
    found = recorder.operation(of="moved/x")
    result = recorder.do(lambda: taking_back.undo(recorder.workspace, Request(ops=(found.id,))))

    assert {change.moved_from for change in found.changes} == {"d/x", "d/y"}
    assert result.outcome is Outcome.APPLIED
    assert sorted(os.listdir(root / "d")) == ["x", "y"]
    assert not (root / "moved").exists()


def test_a_write_belongs_to_the_open_turn(root, recorder):
    """What is written while one turn is open is that turn's, and marked as concluded from time alone."""
    turn = recorder.do(lambda: recording.begin_turn(recorder.workspace, "agent:a", "fix"))
    (root / "a").write_text("by the agent\n", encoding="utf-8")

    found = recorder.operation(of="a")

    assert (found.actor, found.turn, found.inferred) == ("agent:a", turn.id, True)


def test_ignored_files_are_not_recorded(root, recorder):
    """A file that git ignores is no operation; when the rule goes, the file is known from then on."""
    (root / ".gitignore").write_text("*.log\n", encoding="utf-8")
    recorder.operation(of=".gitignore")
    (root / "x.log").write_text("noise\n", encoding="utf-8")
    (root / "a").write_text("a signal\n", encoding="utf-8")

    assert paths(recorder.operation(of="a")) == {"a"}


def test_a_changed_ignore_rule_opens_a_folder(root, recorder):
    """A folder that is no longer ignored is watched from then on."""
    (root / ".gitignore").write_text("out/\n", encoding="utf-8")
    recorder.operation(of=".gitignore")
    (root / "out").mkdir()
    (root / "out" / "x").write_text("1\n", encoding="utf-8")
    recorder.do(lambda: recording.sync(recorder.workspace))
    (root / ".gitignore").write_text("\n", encoding="utf-8")
    until(lambda: len([one for one in recorder.told if ".gitignore" in paths(one)]) == 2)
    recorder.do(lambda: recording.sync(recorder.workspace))

    (root / "out" / "x").write_text("2\n", encoding="utf-8")

    assert paths(recorder.operation(of="out/x")) == {"out/x"}


def add_by_force(root):
    """Track what is ignored."""
    git(root, "add", "-f", "my.conf", "out/x")


def empty_exclude(root):
    """Take back the rules of this clone alone."""
    (root / ".git" / "info" / "exclude").write_text("", encoding="utf-8")


@pytest.fixture
def ignored(root):
    """A file and a folder that a rule of this clone ignores, there before anything is recorded."""
    (root / ".git" / "info" / "exclude").write_text("*.conf\nout/\n", encoding="utf-8")
    (root / "out").mkdir()
    for name in ("my.conf", "out/x"):
        (root / name).write_text("precious\n", encoding="utf-8")
    return root


def nothing_was_created(root):
    """Whether no operation, taken back, would remove a file."""
    return all(change.status != "created" for one in log(root) for change in one.changes)


@pytest.mark.promise(4)
@pytest.mark.trap(4)
@pytest.mark.parametrize("uncover", [add_by_force, empty_exclude])
def test_what_becomes_recordable_and_changes_at_once_was_not_created(ignored, recorder, uncover):
    """A file that was there, and ignored, is nobody's new file when it is recorded: no undo removes it."""
    with recorder.held():
        uncover(ignored)
        for name in ("my.conf", "out/x"):
            (ignored / name).write_text("agent\n", encoding="utf-8")
    recorder.do(lambda: recording.sync(recorder.workspace))

    assert recorder.do(lambda: recorder.workspace.recorder.state_of("my.conf")[1].exists)
    assert nothing_was_created(ignored)


@pytest.mark.promise(4)
@pytest.mark.trap(4)
def test_what_was_ignored_while_it_came_was_not_created_later(ignored, recorder):
    """An ignored file that came while recording ran is nobody's new file either when a rule uncovers it."""
    (ignored / "later.conf").write_text("precious\n", encoding="utf-8")
    recorder.do(lambda: recording.sync(recorder.workspace))
    empty_exclude(ignored)
    (ignored / "later.conf").write_text("agent\n", encoding="utf-8")
    recorder.do(lambda: recording.sync(recorder.workspace))

    assert recorder.do(lambda: recorder.workspace.recorder.state_of("later.conf")[1].exists)
    assert nothing_was_created(ignored)


@pytest.mark.promise(4)
@pytest.mark.parametrize(("old", "new"), [("my.conf", "my.txt"), ("out", "src")])
def test_what_was_ignored_and_is_renamed_was_not_created(ignored, recorder, old, new):
    """An ignored file or folder that gets a name which is recorded was there before: no undo removes it."""
    (ignored / old).rename(ignored / new)
    (ignored / "f").write_text("one\n", encoding="utf-8")

    assert [change.path for change in recorder.operation(of="f").changes] == ["f"]
    name = "my.txt" if new == "my.txt" else "src/x"
    assert recorder.do(lambda: recorder.workspace.recorder.state_of(name)[1].exists)


@pytest.mark.promise(5)
@pytest.mark.parametrize("at_once", [True, False])
def test_what_comes_in_the_place_of_an_ignored_folder_is_new(ignored, recorder, at_once):
    """A rule for a folder says nothing of a link or a file of that name, whenever it comes."""
    shutil.rmtree(ignored / "out")
    if not at_once:
        recorder.do(lambda: recording.sync(recorder.workspace))
    (ignored / "out").symlink_to("my.conf")

    found = {change.path: change.status for change in recorder.operation(of="out").changes}

    assert found == {"out": "created"}


@pytest.mark.promise(5)
def test_what_was_ignored_and_removed_makes_room_for_what_is_new(ignored, recorder):
    """A file of the same name, made when the rule is gone, was created, whatever the last look knew of it."""
    (ignored / "my.conf").unlink()
    recorder.do(lambda: recording.sync(recorder.workspace))
    empty_exclude(ignored)
    (ignored / "my.conf").write_text("agent\n", encoding="utf-8")

    (change,) = recorder.operation(of="my.conf").changes

    assert change.status == "created"


@pytest.mark.promise(5)
def test_what_git_comes_to_track_is_recorded(ignored, recorder):
    """Files that are added by force are recorded from then on, in a folder that is ignored too."""
    add_by_force(ignored)
    recorder.do(lambda: recording.sync(recorder.workspace))
    for name in ("my.conf", "out/x"):
        (ignored / name).write_text("agent\n", encoding="utf-8")

    found = {change.path: change.status for change in recorder.operation(of="out/x").changes}

    assert found == {"my.conf": "modified", "out/x": "modified"}


@pytest.mark.promise(5)
def test_a_branch_that_tracks_what_is_ignored_is_recorded(root, recorder):
    """After the checkout of a branch that tracks files of an ignored folder, their changes are recorded."""
    git(root, "checkout", "-qb", "pages")
    (root / ".git" / "info" / "exclude").write_text("out/\n", encoding="utf-8")
    (root / "out").mkdir()
    (root / "out" / "x").write_text("one\n", encoding="utf-8")
    git(root, "add", "-f", "out")
    git(root, "commit", "-qm", "pages")
    git(root, "checkout", "-q", "main")
    (root / "out").mkdir()
    (root / "out" / "rest").write_text("built\n", encoding="utf-8")
    recorder.do(lambda: recording.sync(recorder.workspace))
    recorder.told.clear()

    git(root, "checkout", "-q", "pages")
    recorder.do(lambda: recording.sync(recorder.workspace))
    (root / "out" / "x").write_text("two\n", encoding="utf-8")

    until(lambda: any(("out/x", "modified") in steps(one) for one in recorder.told))
    assert not any("out/rest" in paths(one) for one in recorder.told)


# -- git -----------------------------------------------------------------------------------------


def test_a_checkout_is_one_operation_of_git(root, recorder):
    """Changing the branch is one operation of actor `git`, named for what it was."""
    git(root, "checkout", "-q", "other")

    found = recorder.operation(of="a")

    assert (found.actor, found.kind, found.label) == ("git", OperationKind.GIT, "checkout main -> other")
    assert paths(found) == {"a", "b", "c"}


def test_what_others_wrote_during_a_checkout_is_theirs(root, recorder):
    """A file that is not as git left it does not belong to git's operation."""
    script = "git checkout -q other && echo mine > b && echo new > n"
    with recorder.held():
        subprocess.run(["sh", "-ec", script], cwd=root, check=True)

    by_git, other = recorder.operation(of="a"), recorder.operation(of="n")

    assert (by_git.actor, paths(by_git)) == ("git", {"a", "c"})
    assert (other.actor, paths(other)) == ("unknown", {"b", "n"})


def test_a_commit_is_no_operation_of_git(root, recorder):
    """Who edits and commits at once is not taken for git: a commit writes no file of the workspace."""
    script = "echo edited > a && git -c user.name=A -c user.email=a@b commit -qam three"
    subprocess.run(["sh", "-ec", script], cwd=root, check=True)

    assert recorder.operation(of="a").actor == "unknown"


@pytest.mark.trap(6)
def test_a_look_without_a_recorder_tells_git_apart_too(root):
    """A checkout that nobody watched is found as git's own, beside what others wrote."""
    log(root)
    git(root, "checkout", "-q", "other")
    (root / "n").write_text("new\n", encoding="utf-8")

    found = log(root)

    assert [(one.actor, paths(one)) for one in found] == [
        ("git", {"a", "b", "c"}),
        ("unknown", {"n"}),
    ]


@pytest.mark.promise(5)
def test_what_was_seen_before_head_moved_is_gits(root):
    """Git writes files and then moves HEAD: a look in between gives them to nobody, or to whose turn is open."""
    log(root)
    with open_workspace(str(root)) as workspace:
        recording.begin_turn(workspace, "agent:a", "")
        git(root, "checkout", "-q", "other", "--", ".")
        recording.sync(workspace)
    git(root, "checkout", "-q", "other")
    (root / "n").write_text("new\n", encoding="utf-8")

    found = log(root)

    assert [(one.actor, one.inferred, paths(one)) for one in found] == [
        ("git", False, {"a", "b"}),
        ("git", False, {"c"}),
        ("agent:a", True, {"n"}),
    ]
    assert found[0].label == "checkout main -> other"


def test_edits_that_were_committed_unseen_stay_their_writers(root):
    """A look after an edit, a commit and a checkout gives git only what git wrote."""
    log(root)
    (root / "n").write_text("new\n", encoding="utf-8")
    git(root, "add", "n")
    git(root, "commit", "-qm", "three")
    git(root, "merge", "-q", "-m", "merged", "other")

    found = log(root)

    assert [(one.actor, paths(one)) for one in found] == [
        ("git", {"a", "b", "c"}),
        ("unknown", {"n"}),
    ]


@pytest.mark.trap(6)
def test_a_checkout_inside_a_command_is_the_commands(root, recorder):
    """All that `takeback run` starts is one operation of the command, a branch switch in it too."""
    script = "git checkout -q other; echo x > n; sleep 0.4; echo y > m"
    subprocess.run([*TAKEBACK, "run", "--", "sh", "-c", script], cwd=root, check=True)

    found = recorder.operation(of="a")

    assert (found.actor, found.kind) == ("command:sh", OperationKind.COMMAND)
    assert paths(found) == {"a", "b", "c", "n", "m"}


def test_a_command_that_is_killed_ends(root, recorder):
    """After the death of a `takeback run` the next write is nobody's known."""
    running = subprocess.Popen([*TAKEBACK, "run", "--", "sh", "-c", "echo x > n; exec sleep 5"], cwd=root)
    written(root / "n")
    running.kill()
    running.wait(WAIT_S)
    recorder.operation(of="n")

    (root / "a").write_text("later\n", encoding="utf-8")

    assert recorder.operation(of="n").actor == "command:sh"
    assert recorder.operation(of="a").actor == "unknown"


# -- own writes ----------------------------------------------------------------------------------


@pytest.mark.promise(5)
def test_an_undo_is_not_recorded_again(root, recorder):
    """What an undo writes is that undo, and no second operation of somebody unknown."""
    (root / "a").write_text("changed\n", encoding="utf-8")
    op = recorder.operation(of="a").id

    undone = recorder.do(lambda: taking_back.undo(recorder.workspace, Request(ops=(op,)))).operation
    recorder.do(lambda: recording.sync(recorder.workspace))

    assert [one.id for one in log(root)] == [op, undone]


@pytest.mark.trap(21)
def test_an_undo_of_another_process_is_not_recorded_again(root, recorder):
    """What the command line takes back while a recorder watches is recorded once."""
    (root / "a").write_text("changed\n", encoding="utf-8")
    recorder.operation(of="a")

    subprocess.run([*TAKEBACK, "undo"], cwd=root, check=True, capture_output=True)
    until(lambda: len(recorder.told) >= 2)
    recorder.do(lambda: recording.sync(recorder.workspace))

    assert [one.kind for one in log(root)] == [OperationKind.EDIT, OperationKind.UNDO]


def test_paths_that_takeback_itself_is_changing_are_looked_at_again(root, recorder):
    """While an operation of Takeback is under way its paths wait, and are recorded once it has ended."""
    journal = recorder.workspace.journal

    def claim():
        with journal.transaction():
            return journal.begin_intent(recorder.workspace.store.put(b"{}"), ["a"], 1)

    intent = recorder.do(claim)
    (root / "a").write_text("meanwhile\n", encoding="utf-8")
    (root / "b").write_text("meanwhile\n", encoding="utf-8")
    recorder.operation(of="b")
    assert not any("a" in paths(one) for one in recorder.told)

    def end():
        with journal.transaction():
            journal.end_intent(intent, "reversed", 2)

    recorder.do(end)

    assert recorder.operation(of="a").actor == "unknown"


# -- what is missed ------------------------------------------------------------------------------


@pytest.mark.trap(19)
def test_lost_events_lead_to_a_look(root, recorder):
    """When the system dropped events, the workspace is looked at instead, and that is said."""
    watching = recorder.workspace.here.watching
    recorder.do(watching._notifier.stop)
    (root / "a").write_text("unseen\n", encoding="utf-8")

    recorder.put(Lost(reason=LostReason.OVERFLOW, path=""))
    found = recorder.operation(of="a")
    status = recorder.do(lambda: looking.status(recorder.workspace))

    assert "events were lost" in found.label
    assert any("overflow" in notice for notice in status["notices"])


@pytest.mark.trap(19)
def test_while_a_folder_cannot_be_watched_every_question_looks(root, recorder):
    """Where the system allows no more watches, a verb still sees the newest state."""
    recorder.put(Lost(reason=LostReason.LIMIT, path="d"))
    until(lambda: recorder.workspace.here.watching._blind_since)
    recorder.do(recorder.workspace.here.watching._notifier.stop)
    (root / "a").write_text("unseen\n", encoding="utf-8")

    recorder.do(lambda: recording.sync(recorder.workspace))

    assert recorder.operation(of="a")


@pytest.mark.promise(5)
def test_a_file_that_is_written_without_end_is_recorded_now_and_then(root, recorder):
    """A log that is written all the time is recorded every few seconds only, and that is said."""
    watching = recorder.workspace.here.watching
    for number in range(30):
        (root / "a").write_text(f"{number}\n", encoding="utf-8")
        recorder.put(Touched(path="a", at_ns=0))
        recorder.do(lambda: watching._record_burst(watching._settle.flush(), watching._clock()))
    status = recorder.do(lambda: looking.status(recorder.workspace))
    recorder.do(lambda: recording.sync(recorder.workspace))

    assert any("without end" in notice for notice in status["notices"])
    assert len(log(root)) < 30
    assert (
        recorder.do(lambda: recorder.workspace.looker.read("a").blob) == log(root)[-1].changes[0].after.blob
    )


@pytest.fixture
def full(monkeypatch):
    """A disk that is full while the event is set."""
    is_full = threading.Event()
    put = ObjectStore.put

    def refuse(store, data):
        if is_full.is_set():
            raise StorageFull("cannot write the store: no space left")
        return put(store, data)

    monkeypatch.setattr(ObjectStore, "put", refuse)
    return is_full


@pytest.mark.promise(5)
@pytest.mark.trap(17)
def test_what_could_not_be_recorded_is_recorded_later(root, recorder, tmp_path, full):
    """What happens while the disk is full is recorded once there is room: renamed folders, and what came in them."""
    (root / "keep").mkdir()
    (root / "keep" / "k").write_text("k\n", encoding="utf-8")
    recorder.operation(of="keep/k")
    (tmp_path / "other" / "deep").mkdir(parents=True)
    (tmp_path / "other" / "deep" / "f").write_text("f\n", encoding="utf-8")

    full.set()
    (root / "keep").rename(root / "kept")
    (tmp_path / "other").rename(root / "moved")
    until(lambda: trouble(recorder.workspace.state))
    (root / "kept").rename(root / "kept again")
    (root / "a").write_text("later\n", encoding="utf-8")
    full.clear()

    changes = {one.path: one for one in recorder.operation(of="kept again/k").changes}
    assert changes["kept again/k"].moved_from == "keep/k"
    assert recorder.operation(of="moved/deep/f")
    assert recorder.operation(of="a")
    until(lambda: not trouble(recorder.workspace.state))


@pytest.mark.promise(5)
@pytest.mark.trap(17)
def test_that_nothing_can_be_recorded_is_said(root, recorder, full):
    """While the disk is full, `status` says so from any process, and an undo refuses rather than overlook something."""
    full.set()
    (root / "a").write_text("unseen\n", encoding="utf-8")
    until(lambda: trouble(recorder.workspace.state))

    for asked in (recorder.do(lambda: looking.status(recorder.workspace)), _status(root)):
        assert (
            "recording fails, and is tried again: cannot write the store: no space left" in asked["notices"]
        )
    with pytest.raises(StorageFull):
        recorder.do(lambda: taking_back.undo(recorder.workspace, Request()))


def _status(root):
    """The status that another process sees."""
    words = [*TAKEBACK, "status", "--json"]
    done = subprocess.run(words, cwd=root, capture_output=True, text=True, check=True, timeout=WAIT_S)
    return json.loads(done.stdout)


@pytest.mark.promise(5)
def test_a_look_that_failed_is_made_again(root, recorder, full):
    """When a look for lost events fails too, another one finds what they would have told."""
    recorder.do(recorder.workspace.here.watching._notifier.stop)
    (root / "a").write_text("unseen\n", encoding="utf-8")
    full.set()
    recorder.put(Lost(reason=LostReason.OVERFLOW, path=""))
    until(lambda: trouble(recorder.workspace.state))
    full.clear()

    assert recorder.operation(of="a")


@pytest.mark.promise(5)
@pytest.mark.parametrize("method", ["burst", "everything"])
def test_a_defect_costs_a_look_and_not_the_recorder(root, recorder, monkeypatch, method):
    """An error that nobody foresaw ends nothing: it is said, and what it kept from being recorded is found by looking."""
    act, broken = getattr(Looker, method), threading.Event()

    def fail(*given, **options):
        if broken.is_set():
            raise ValueError("nobody foresaw this")
        return act(*given, **options)

    monkeypatch.setattr(Looker, method, fail)
    broken.set()
    (root / "a").write_text("unseen\n", encoding="utf-8")
    if method == "everything":
        recorder.put(Lost(reason=LostReason.OVERFLOW, path=""))
        until(lambda: "nobody foresaw this" in trouble(recorder.workspace.state))
        (root / "b").write_text("unseen too\n", encoding="utf-8")
        broken.clear()
        assert recorder.operation(of="b")

    assert recorder.operation(of="a")
    until(lambda: not trouble(recorder.workspace.state))


# -- several processes ---------------------------------------------------------------------------


@pytest.mark.promise(6)
def test_with_a_recorder_nobody_else_looks_at_the_tree(root, recorder, monkeypatch):
    """A verb of another process asks the recorder to catch up, and sees what was written a moment ago."""
    with open_workspace(str(root)) as other, no_looks(monkeypatch):
        (root / "a").write_text("just now\n", encoding="utf-8")

        (found,) = looking.log(other, looking.Wanted())

    assert paths(found) == {"a"}


def test_record_with_an_actor_asks_the_recorder(root, recorder, monkeypatch):
    """`record --actor` names the writer of what the recorder has not recorded yet."""
    with open_workspace(str(root)) as other, no_looks(monkeypatch):
        recorder.do(lambda: setattr(recorder.workspace.here.watching, "holding", True))
        (root / "a").write_text("just now\n", encoding="utf-8")

        found = recording.record(other, "agent:a", "a step")

    assert (found.actor, found.label, found.inferred) == ("agent:a", "a step", False)


def test_a_recorder_that_does_not_answer_is_not_waited_for(root, recorder, monkeypatch):
    """While the recorder is stuck, other processes look themselves."""
    monkeypatch.setattr(recording, "SYNC_S", 0.1)
    release = threading.Event()
    stuck = recorder.inbox.do(lambda: release.wait(WAIT_S))
    (root / "a").write_text("meanwhile\n", encoding="utf-8")

    found = log(root)
    release.set()

    assert stuck.result(WAIT_S)
    assert [paths(one) for one in found] == [{"a"}]


@pytest.mark.trap(21)
def test_another_process_takes_over_when_the_recorder_is_killed(root):
    """Of two watching processes one records and the other follows; it goes on where a killed one stopped."""
    first = _watch(root)
    try:
        (root / "a").write_text("seen by the first\n", encoding="utf-8")
        until(lambda: "~a" in _printed(first))
        second = Recorder_in_waiting(root)
        try:
            assert not second.running.is_recorder
            first.send_signal(signal.SIGKILL)
            first.wait(WAIT_S)
            until(lambda: second.running.is_recorder)
            (root / "b").write_text("seen by the second\n", encoding="utf-8")
            found = second.operation(of="b")
        finally:
            second.stop()
    finally:
        first.kill()
        first.wait(WAIT_S)
        first.stdout.close()

    assert found.id == OpId(2)
    assert [paths(one) for one in log(root)] == [{"a"}, {"b"}]


class Recorder_in_waiting(Recorder):  # noqa: N801 - reads as what it is
    """A process that follows, because another one records."""

    def __init__(self, root):
        self.root = root
        self.inbox = Inbox()
        self.told = []
        self._opened = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._opened.wait(WAIT_S)
        self.do(lambda: None)


def test_watch_prints_operations_and_ends_with_ctrl_c(root):
    """`takeback watch` shows each operation as it comes; Ctrl-C ends it with status 0 and frees the lease."""
    watching = _watch(root)
    (root / "a").write_text("changed\n", encoding="utf-8")
    until(lambda: "~a" in _printed(watching))

    watching.send_signal(signal.SIGINT)
    status = watching.wait(WAIT_S)
    watching.stdout.close()
    after = Recorder(root)
    after.stop()

    assert status == 0


@pytest.mark.promise(5)
def test_watch_says_in_sentences_what_cannot_be_recorded(root):
    """While the store cannot be written, and when the history is removed, `takeback watch` says why, without a traceback."""
    watching = _watch(root)
    (state,) = (root.parent / "state").iterdir()
    (state / "store.git").rename(state / "elsewhere")
    (root / "a").write_text("now\n", encoding="utf-8")
    until(lambda: "Recording fails, and is tried again: " in _printed(watching))
    (state / "elsewhere").rename(state / "store.git")
    until(lambda: "~a" in _printed(watching))
    removed(state)
    status = watching.wait(WAIT_S)
    said = _printed(watching)
    watching.stdout.close()

    assert status == 3
    assert "was removed, so nothing is recorded any more" in said
    assert "Traceback" not in said
    assert "defect" not in said


@pytest.mark.promise(5)
@pytest.mark.trap(18)
@pytest.mark.parametrize(
    "close",
    ["mkdir -m 0 locked", "chmod 0 d; mv d moved", "mkdir d/e; chmod 0 d", "chmod 0 empty; touch empty"],
)
def test_a_folder_that_is_closed_does_not_stop_the_recorder(root, close):
    """What may not be looked into is left as it was known, and everything else is recorded at once."""
    for folder in ("d", "empty"):
        (root / folder).mkdir()
    (root / "d" / "f").write_text("f\n", encoding="utf-8")
    watching = _watch(root, under=ORDINARY)
    subprocess.run(f"{close}; echo changed > a", cwd=root, shell=True, check=True)

    until(lambda: "~a" in _printed(watching))

    watching.send_signal(signal.SIGINT)
    assert watching.wait(WAIT_S) == 0
    assert "Recording fails" not in _printed(watching)
    watching.stdout.close()
    for folder in root.iterdir():
        folder.chmod(0o755)


@pytest.mark.trap(18)
@pytest.mark.promise(4)
def test_what_is_in_a_folder_that_is_opened_was_not_created(root):
    """Files of a folder that was closed from the beginning are not new when it is opened; what comes later is."""
    (root / "d").mkdir()
    (root / "d" / "f").write_text("f\n", encoding="utf-8")
    (root / "d").chmod(0)
    watching = _watch(root, under=ORDINARY)
    (root / "d").chmod(0o755)
    with open_workspace(str(root)) as workspace:
        until(lambda: recording.sync(workspace) or workspace.recorder.state_of("d/f")[1].exists)
    (root / "d" / "new").write_text("new\n", encoding="utf-8")
    until(lambda: "+d/new" in _printed(watching))
    watching.send_signal(signal.SIGINT)
    assert watching.wait(WAIT_S) == 0
    assert "d/f" not in _printed(watching)
    watching.stdout.close()


@pytest.mark.trap(18)
def test_a_closed_folder_that_is_renamed_takes_along_what_was_known(root):
    """A rename is one, with all that is below, although nobody may look: it can be taken back when the folder is open."""
    (root / "d").mkdir()
    (root / "d" / "f").write_text("f\n", encoding="utf-8")
    watching = _watch(root, under=ORDINARY)
    subprocess.run("chmod 0 d; mv d moved", cwd=root, shell=True, check=True)
    until(lambda: "d/f -> moved/f" in _printed(watching))
    watching.send_signal(signal.SIGINT)
    assert watching.wait(WAIT_S) == 0
    watching.stdout.close()
    (root / "moved").chmod(0o755)

    with open_workspace(str(root)) as workspace:
        assert taking_back.undo(workspace, Request()).outcome is Outcome.APPLIED

    assert (root / "d" / "f").read_text(encoding="utf-8") == "f\n"
    assert not (root / "moved").exists()


def _watch(root, under=()):
    command = subprocess.Popen(
        [*under, *TAKEBACK, "watch"], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    os.set_blocking(command.stdout.fileno(), False)
    command.seen = ""
    until(lambda: "Recording" in _printed(command))
    with open_workspace(str(root)) as workspace:
        until(lambda: os.path.exists(recording.recorder_address(workspace)))
    return command


def _printed(command):
    command.seen += (command.stdout.read() or b"").decode()
    return command.seen


def test_a_signal_that_interrupts_whoever_holds_the_inbox(root):
    """A handler of signals waits for no lock: the thread that it interrupts may hold it, and would never go on."""
    recorder = Recorder(root)
    with recorder.inbox._jobs.mutex:
        ending = threading.Thread(target=recorder.running.stop_soon, daemon=True)
        ending.start()
        ending.join(WAIT_S)
        assert not ending.is_alive()
    recorder.stop()


@pytest.mark.trap(22)
@pytest.mark.promise(7)
def test_a_removed_workspace_is_recorded_to_the_end(root):
    """When the folder is removed, its deletions are recorded, and the recorder says so and ends."""
    watching = _watch(root)

    subprocess.run(["rm", "-rf", str(root)], check=True)
    status = watching.wait(WAIT_S)
    said = _printed(watching)
    watching.stdout.close()
    root.mkdir()

    assert status == 3
    assert "was moved or removed" in said
    assert {"a", "b", "c"} <= set().union(*map(paths, log(root)))


# -- pause ---------------------------------------------------------------------------------------


def test_pause_and_resume(root, recorder):
    """Nothing is recorded while paused; what happened meanwhile becomes one operation, labelled so."""
    subprocess.run([*TAKEBACK, "pause"], cwd=root, check=True, capture_output=True)
    (root / "a").write_text("in the pause\n", encoding="utf-8")
    recorder.do(lambda: recording.sync(recorder.workspace))
    assert recorder.told == []

    subprocess.run([*TAKEBACK, "resume"], cwd=root, check=True, capture_output=True)
    during = recorder.operation(of="a")
    (root / "b").write_text("after the pause\n", encoding="utf-8")

    assert during.label == recording.PAUSED
    assert recorder.operation(of="b").label == ""


# -- order is kept -------------------------------------------------------------------------------


def test_a_recorder_keeps_cap_and_retention_by_itself(root, monkeypatch):
    """Loose objects are packed by a recorder that has run for a while, though nobody asked for it."""
    monkeypatch.setattr("takeback.service.running.TIDY_AFTER_S", 0.0)
    monkeypatch.setattr("takeback.upkeep.collect.PACK_FROM", 1)
    recorder = Recorder(root)
    try:
        packs = os.path.join(recorder.workspace.store.objects_path, "pack")
        until(lambda: any(name.endswith(".pack") for name in os.listdir(packs)))
        (root / "a").write_text("recorded all the same\n", encoding="utf-8")
        assert recorder.operation(of="a").changes[0].before.captured
    finally:
        recorder.stop()
