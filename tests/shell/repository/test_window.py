"""The window on the user's repository tells the truth and leaves no trace."""

from __future__ import annotations

import os
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from takeback.errors import Refused, Unsupported
from takeback.repository import command
from takeback.repository.ignore import IgnoreRules
from takeback.repository.shortcut import dirty_paths
from takeback.repository.window import discover
from takeback.watch.git_folder import git_folder


def git(folder, *words):
    """What git says, with a fixed identity and none of the user's settings."""
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1"}
    identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "protocol.file.allow=always"]
    return subprocess.run(
        ["git", *identity, *words], cwd=folder, env=env, check=True, capture_output=True
    ).stdout


def fingerprint(git_dir):
    """Every file below with its bytes and all of its stat but ctime, atime and link count."""
    found = {}
    for folder, _, names in os.walk(git_dir):
        for name in names:
            path = os.path.join(folder, name)
            stat = os.lstat(path)
            with open(path, "rb") as file:
                found[path] = (file.read(), stat.st_mode, stat.st_mtime_ns, stat.st_ino, stat.st_size)
    return found


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A home without settings."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)


@pytest.fixture
def user(tmp_path):
    """A repository with three committed files, none of them racy."""
    folder = tmp_path / "user"
    folder.mkdir()
    git(folder, "init", "-q")
    for name in ("a", "b", "c"):
        (folder / name).write_text(f"{name}\n")
        os.utime(folder / name, (1_600_000_000, 1_600_000_000))
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    return folder


@pytest.fixture
def plain(tmp_path):
    """A git folder of Takeback's own."""
    git(tmp_path, "init", "-q", "--bare", "store.git")
    return str(tmp_path / "store.git")


def untrusted(folder):
    """What the index of `folder` cannot vouch for."""
    found = discover(str(folder))
    assert found is not None
    shortcut = dirty_paths(found)
    assert shortcut.reason is None
    return set(shortcut.untrusted)


@pytest.mark.promise(1)
@pytest.mark.trap(10)
def test_looking_leaves_no_trace_and_runs_nothing(user, plain, monkeypatch, tmp_path):
    """No file in `.git` changes, no monitor, hook or filter of the repository runs, and a lock does not matter."""
    program = tmp_path / "evil"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\ncat\n")
    program.chmod(0o755)
    for name in ("core.fsmonitor", "filter.f.clean", "filter.f.process"):
        git(user, "config", name, str(program))
    git(user, "config", "core.hooksPath", str(tmp_path))
    (user / ".gitattributes").write_text("* filter=f\n")
    (user / "a").write_text("z\n")
    (user / ".git" / "index.lock").touch()
    before = fingerprint(user / ".git")
    assert untrusted(user) == {"a", "b", "c"}
    repository = discover(str(user))
    assert repository is not None
    repository.head()
    IgnoreRules(str(user), plain_git_dir=plain).ignored(["a", "x/"])
    assert fingerprint(user / ".git") == before
    assert not (tmp_path / "ran").exists()


@pytest.mark.trap(10)
def test_variables_of_the_environment_do_not_mislead(user, plain, monkeypatch, tmp_path):
    """GIT_DIR and friends, as a hook leaves them behind, do not lead to another repository."""
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "GIT_OBJECT_DIRECTORY"):
        monkeypatch.setenv(name, str(tmp_path / "elsewhere"))
    (user / ".gitignore").write_text("*.log\n")
    (user / "b").write_text("changed\n")
    assert untrusted(user) == {"b"}
    assert IgnoreRules(str(user), plain_git_dir=plain).ignored(["x.log", "y"]) == {"x.log"}


def test_without_git_it_is_said_what_to_do(user, monkeypatch, tmp_path):
    """Where there is no git, the refusal says to install it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unsupported) as refusal:
        untrusted(user)
    assert "Install git" in refusal.value.hint


@pytest.mark.trap(11)
def test_flags_and_intents_are_not_trusted(user):
    """What is assumed unchanged, skipped, only intended, deleted or changed by mode must be read."""
    git(user, "update-index", "--assume-unchanged", "a")
    git(user, "update-index", "--skip-worktree", "b")
    (user / "c").chmod(0o755)
    git(user, "config", "core.fileMode", "false")
    (user / "d").write_text("d")
    git(user, "add", "-N", "d")
    assert untrusted(user) == {"a", "b", "c", "d"}


def test_a_clean_tree_is_trusted_whole(user):
    """Where nothing changed, nothing has to be read."""
    assert untrusted(user) == set()


def test_line_ending_rules_are_not_trusted(user):
    """A path under an attribute that converts it must be read; others need not."""
    (user / ".gitattributes").write_text("a text=auto\nb -text\n")
    assert untrusted(user) == {"a"}
    git(user, "config", "core.autocrlf", "input")
    repository = discover(str(user))
    assert repository is not None
    assert "autocrlf" in (dirty_paths(repository).reason or "")


def test_head_tells_branch_commit_and_what_is_going_on(user):
    """The branch, its commit and an interrupted rebase or merge are known without starting git."""
    repository = discover(str(user / "."))
    assert repository is not None
    commit = git(user, "rev-parse", "HEAD").decode().strip()
    assert (repository.head().branch, repository.head().commit) == ("master", commit)
    git(user, "pack-refs", "--all")
    assert repository.head().commit == commit
    git(user, "checkout", "-q", "--detach")
    git(user, "bisect", "start")
    (user / ".git" / "MERGE_HEAD").write_text(commit + "\n")
    assert repository.head().branch is None
    assert repository.head().in_progress == ("merge", "bisect")


@pytest.mark.trap(12)
def test_worktrees_and_alternates_are_followed(user, tmp_path):
    """A linked worktree knows its own HEAD and the shared objects, a shared clone its origin's."""
    git(user, "worktree", "add", "-q", "-b", "side", str(tmp_path / "wt"))
    worktree = discover(str(tmp_path / "wt"))
    assert worktree is not None
    assert worktree.head().branch == "side"
    assert worktree.object_folders() == (str(user / ".git" / "objects"),)
    git(tmp_path, "clone", "-qs", str(user), "shared")
    shared = discover(str(tmp_path / "shared"))
    assert shared is not None
    assert str(user / ".git" / "objects") in shared.object_folders()


def test_what_editors_keep_beside_a_file_is_nobodys_work(user, plain):
    """Lock, rescue and swap files of Emacs and Vim are left out, without a rule of git's; one that is tracked is not."""
    (user / ".#kept").write_text("x")
    git(user, "add", "-f", ".#kept")
    own = [".#a", "lib/.#b.py", "#a#", ".a.swp", "lib/.b.py.swo", ".c.swa"]
    rules = IgnoreRules(str(user), plain_git_dir=plain)

    assert rules.ignored([*own, ".#kept", "a", "#b", "c#", "a.swp", ".swp", ".a.sw", "sub/.#x/y"]) == set(own)


def test_ignored_files_with_secrets_are_recorded(user, plain):
    """`.env` is recorded although git ignores it, but not below an ignored folder; tracked paths always are."""
    (user / ".gitignore").write_text(".env\nvendor/\na\n*.log\n")
    rules = IgnoreRules(str(user), plain_git_dir=plain)
    asked = [".env", "vendor/.env", "vendor/", "a", "x.log", "-x.log", "n\n.log", "\udcff.log", "new"]
    assert rules.ignored(asked) == {"vendor/.env", "vendor/", "x.log", "-x.log", "n\n.log", "\udcff.log"}


@pytest.mark.trap(12)
def test_a_nested_repository_is_asked_about_its_own(user, plain):
    """Files in a nested repository follow its rules, unless the outer one ignores its folder."""
    for name in ("lib", "gone"):
        (user / name).mkdir()
        git(user / name, "init", "-q")
        (user / name / ".gitignore").write_text("*.tmp\n")
    (user / ".gitignore").write_text("*.log\ngone/\n")
    rules = IgnoreRules(str(user), plain_git_dir=plain)
    asked = ["lib/", "lib/x.log", "lib/x.tmp", "gone/x", "x.tmp"]
    assert rules.ignored(asked) == {"lib/x.tmp", "gone/x"}


@pytest.mark.trap(12)
def test_what_is_tracked_is_told_as_the_workspace_names_it(user, plain):
    """Tracked files, and folders that hold one, of the repository around the workspace and of nested ones."""
    git(user, "init", "-q", "sub/lib")
    for path in ("sub/x", "sub/lib/y", "sub/lib/z"):
        (user / path).write_text("")
    git(user, "add", "sub/x")
    git(user / "sub" / "lib", "add", "y")
    rules = IgnoreRules(str(user / "sub"), plain_git_dir=plain)

    assert rules.tracked(["x", "lib/y", "lib/z", "none"]) == {"x", "lib/y"}
    assert IgnoreRules(str(user), plain_git_dir=plain).tracked(["sub", "a", "none"]) == {"sub", "a"}


def test_a_nested_repository_that_vanishes_is_no_failure(user, plain, monkeypatch):
    """A folder that is renamed while its rules are asked leaves nothing out, and nobody else's rules are asked."""
    git(user, "init", "-q", "lib")
    (user / ".gitignore").write_text("*.log\n")
    rules = IgnoreRules(str(user), plain_git_dir=plain)
    run = command.run

    def rename_first(folder, arguments, **options):
        if folder == str(user / "lib"):
            (user / "lib").rename(user / "moved")
        return run(folder, arguments, **options)

    monkeypatch.setattr(command, "run", rename_first)
    assert rules.ignored(["lib/x.log", "y.log"]) == {"y.log"}


def test_a_subfolder_obeys_the_rules_above_it(user, plain):
    """A workspace inside a repository has its rules; one inside an ignored folder has the built-in ones."""
    for name in ("sub", "out"):
        (user / name).mkdir()
    (user / ".gitignore").write_text("*.log\nout/\n")
    assert IgnoreRules(str(user / "sub"), plain_git_dir=plain).ignored(["x.log", "y"]) == {"x.log"}
    assert IgnoreRules(str(user / "out"), plain_git_dir=plain).ignored(["x", "node_modules/"]) == {
        "node_modules/"
    }


def test_a_plain_folder_has_built_in_rules(tmp_path, plain):
    """Without a repository, dependencies and caches are left out and `.gitignore` files still count."""
    root = tmp_path / "plain"
    root.mkdir()
    (root / ".gitignore").write_text("mine/\n")
    rules = IgnoreRules(str(root), plain_git_dir=plain)
    assert rules.ignored(["node_modules/x", "src/y", "mine/", "k.pyc"]) == {
        "node_modules/x",
        "mine/",
        "k.pyc",
    }


def test_rules_outside_the_work_tree_change_the_token(user, plain):
    """Another exclude file or setting is noticed."""
    rules = IgnoreRules(str(user), plain_git_dir=plain)
    tokens = [rules.rules_token(), rules.rules_token()]
    (user / ".git" / "info" / "exclude").write_text("x\n")
    tokens.append(rules.rules_token())
    git(user, "config", "core.excludesFile", "/tmp/other")
    tokens.append(rules.rules_token())
    assert (tokens[0] == tokens[1], len(set(tokens))) == (True, 3)


@pytest.mark.parametrize("name", ["HEAD", "config", "index", "info/exclude", "logs/HEAD", "packed-refs"])
def test_a_repository_that_git_would_wait_for_is_none(user, plain, name):
    """With a pipe in the place of a file of git's, the folder is a plain one: nothing waits for whoever writes to it."""
    (user / ".git" / name).unlink(missing_ok=True)
    os.mkfifo(user / ".git" / name)

    assert discover(str(user)) is None
    rules = IgnoreRules(str(user), plain_git_dir=plain)
    assert rules.rules_token()
    assert rules.ignored(["a", "node_modules/"]) == {"node_modules/"}


@pytest.mark.parametrize("inside", ["", "lib"])
def test_a_pipe_is_no_repository(user, plain, inside):
    """Neither is a pipe called `.git`, at the top or below."""
    (user / "lib").mkdir()
    if not inside:
        (user / ".git").rename(user / "was")
    os.mkfifo(user / inside / ".git")

    assert git_folder(os.fsencode(user / inside)) is None
    assert (discover(str(user)) is None) == (not inside)
    assert IgnoreRules(str(user), plain_git_dir=plain).ignored(["lib/x", "a"]) == set()


@pytest.mark.parametrize("inside", ["", "lib"])
def test_rules_that_git_would_wait_for_are_named(user, plain, inside):
    """A `.gitignore` that is a pipe cannot be read, nor passed over: it is named, with what to do."""
    (user / "lib").mkdir()
    os.mkfifo(user / inside / ".gitignore")

    with pytest.raises(Refused, match=str(user / inside / ".gitignore")) as refused:
        IgnoreRules(str(user), plain_git_dir=plain).ignored(["a", "lib/x"])

    assert refused.value.hint


@pytest.mark.parametrize("inside", ["", "lib"])
@pytest.mark.parametrize("what", ["folder", "nothing"])
def test_rules_that_git_passes_over_stop_nothing(user, plain, inside, what):
    """A folder called `.gitignore`, or a link to the empty device, has no rules, and git says so at once."""
    (user / "lib").mkdir()
    rules = user / inside / ".gitignore"
    rules.unlink(missing_ok=True)
    rules.mkdir() if what == "folder" else rules.symlink_to(os.devnull)

    assert IgnoreRules(str(user), plain_git_dir=plain).ignored(["a", "lib/x"]) == set()


def test_attributes_that_git_would_wait_for_leave_nothing_trusted(user):
    """With a `.gitattributes` that is a pipe, the index vouches for nothing, and every file is read."""
    os.mkfifo(user / ".gitattributes")

    assert dirty_paths(discover(str(user))).reason


PATTERNS = st.lists(
    st.sampled_from(
        ["*.log", "!keep.log", "a/", "/a", "a/*", "!a/b", "b", "**/b", "!b/", "*", "!*/", "!*.log", "a/b"]
    ),
    max_size=4,
)
FOLDERS = st.sampled_from(["", "a", "b", "a/b", "b/a"])
FILES = st.builds("{}/{}".format, FOLDERS, st.sampled_from(["x", "k.log", "keep.log", "c"]))


@settings(max_examples=60, deadline=None)
@given(
    rules=st.dictionaries(FOLDERS, PATTERNS, max_size=3),
    files=st.sets(FILES, max_size=8),
    tracked=st.sets(FILES),
)
def test_git_agrees_about_what_is_ignored(tmp_path_factory, rules, files, tracked):
    """On any tree with any nested rules, exactly git's untracked and tracked files are recorded."""
    base = tmp_path_factory.mktemp("r")
    git(base, "init", "-q", "root")
    git(base, "init", "-q", "--bare", "store.git")
    root = base / "root"
    names = {name.strip("/") for name in files | tracked}
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    if tracked:
        git(root, "add", "-f", "--", *(name.strip("/") for name in tracked))
    for folder, patterns in rules.items():
        (root / folder).mkdir(parents=True, exist_ok=True)
        (root / folder / ".gitignore").write_text("\n".join(patterns) + "\n")
    listed = git(root, "ls-files", "-z", "-c", "-o", "--exclude-standard").decode().split("\0")
    ignored = IgnoreRules(str(root), plain_git_dir=str(base / "store.git")).ignored(sorted(names))
    assert names - ignored == names & set(listed)
