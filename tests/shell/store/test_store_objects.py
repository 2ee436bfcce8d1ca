"""Content goes in once, comes out as it was, and never touches what is linked to the user's."""

from __future__ import annotations

import errno
import os
import subprocess

import pygit2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from takeback.errors import Damaged, StorageFull
from takeback.model.ids import BlobId
from takeback.model.paths import WorkspacePath
from takeback.store import baseline, packing, refs, trees, usage
from takeback.store.objects import EMPTY_TREE, ObjectStore, storing


def git(folder, *words):
    """What git says, with a fixed identity and none of the user's settings."""
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1"}
    identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "protocol.file.allow=always"]
    return subprocess.run(
        ["git", *identity, *words], cwd=folder, env=env, check=True, capture_output=True
    ).stdout


@pytest.fixture
def store(tmp_path):
    """An empty store."""
    return ObjectStore(str(tmp_path / "state" / "store.git"))


@pytest.fixture
def user(tmp_path):
    """A repository of the user's with two commits, one of them packed."""
    folder = tmp_path / "user"
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / "a").mkdir()
    (folder / "a" / "x").write_text("one\n")
    (folder / "b").write_text("two\n")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    git(folder, "repack", "-adq")
    (folder / "c").write_text("three\n")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "second")
    return folder


def fingerprint(git_dir):
    """Every file below with its bytes and all of its stat but ctime, atime and link count."""
    found = {}
    for folder, _, names in os.walk(git_dir):
        for name in names:
            path = os.path.join(folder, name)
            stat = os.lstat(path)
            with open(path, "rb") as file:
                found[path] = (
                    file.read(),
                    stat.st_mode,
                    stat.st_mtime_ns,
                    stat.st_ino,
                    stat.st_size,
                    stat.st_uid,
                )
    return found


def test_content_comes_back_as_it_was(store):
    """Any bytes that are put are there and come back unchanged."""
    blob = store.put(b"\0\xff\r\n")
    store.make_durable()
    assert (store.get(blob), store.size(blob), store.has(blob)) == (b"\0\xff\r\n", 4, True)


@pytest.mark.trap(21)
def test_a_store_that_two_processes_make_at_once_is_one(tmp_path, monkeypatch):
    """Nobody finds it half made: who comes between has the whole store, and who comes second finds that one."""
    path = str(tmp_path / "state" / "store.git")
    init, others = pygit2.init_repository, []

    def overtaken(*arguments, **options):
        made = init(*arguments, **options)
        monkeypatch.setattr(pygit2, "init_repository", init)
        others.append(ObjectStore(path))
        assert others[0].repository.config["core.sharedRepository"] == "0600"
        return made

    monkeypatch.setattr(pygit2, "init_repository", overtaken)
    store = ObjectStore(path)

    assert store.get(others[0].put(b"theirs")) == b"theirs"
    assert os.listdir(tmp_path / "state") == ["store.git"]


def test_a_store_that_lost_its_head_is_set_up_again(store):
    """What it holds stays."""
    blob = store.put(b"held")
    os.unlink(os.path.join(store.path, "HEAD"))

    assert ObjectStore(store.path).get(blob) == b"held"


@pytest.mark.trap(21)
def test_a_name_that_two_processes_set_at_once_is_set(store, monkeypatch):
    """Neither fails, the name keeps what it was given last, and nothing else is left."""
    first, second = (refs.commit(store, EMPTY_TREE, [], text, 0) for text in ("first", "second"))
    fsync = os.fsync

    def overtaken(descriptor):
        monkeypatch.setattr(os, "fsync", fsync)
        refs.set_ref(store, "refs/takeback/cp-1", second)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", overtaken)
    refs.set_ref(store, "refs/takeback/cp-1", first)

    assert refs.refs(store) == {"refs/takeback/cp-1": first}
    assert os.listdir(os.path.join(store.path, "refs", "takeback")) == ["cp-1"]


def test_the_store_is_private(store):
    """Nobody but its owner can read the store."""
    assert os.stat(store.path).st_mode & 0o777 == 0o700


def test_missing_content_is_said_by_name(store):
    """What is not there raises an error that names the object."""
    with pytest.raises(Damaged, match="1" * 40):
        store.get(BlobId("1" * 40))


def test_a_full_disk_is_said(store):
    """Whatever reports a full disk becomes one refusal with a hint."""
    with pytest.raises(StorageFull), storing("it"):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_torn_object_is_written_anew(store):
    """An object that a power cut left empty is replaced when its content is put again."""
    blob = store.put(b"content")
    path = store.loose_path(blob)
    os.chmod(path, 0o600)
    with open(path, "wb"):
        pass
    again = ObjectStore(store.path)
    again.put(b"content")
    assert again.get(blob) == b"content"


def test_many_objects_become_durable_in_one_pass(store):
    """A burst is kept as well as a single file."""
    blobs = store.put_many(b"%d" % number for number in range(200))
    store.make_durable()
    assert [store.get(blob) for blob in blobs] == [b"%d" % number for number in range(200)]


@pytest.mark.promise(1)
def test_putting_what_is_linked_changes_no_time(store, user):
    """Content that the user's repository holds already is not written again, so its file keeps its mtime."""
    assert baseline.link_objects(store, [str(user / ".git" / "objects")]).linked
    before = fingerprint(user / ".git")
    for content in (b"one\n", b"two\n", b"three\n"):
        store.put(content)
    tree = baseline.index_tree(store, str(user / ".git"))
    assert isinstance(tree, baseline.IndexTree)
    trees.update(store, None, {WorkspacePath("c"): (store.put(b"three\n"), 0o100644)})
    assert fingerprint(user / ".git") == before


@pytest.mark.promise(7)
@pytest.mark.trap(9)
@pytest.mark.parametrize("harm", ["gc", "rm"])
def test_linked_content_outlives_the_repository(store, user, harm):
    """After `git gc --prune=now` without any branch, or `rm -rf .git`, every file of the baseline is still here."""
    baseline.link_objects(store, [str(user / ".git" / "objects")])
    found = baseline.index_tree(store, str(user / ".git"))
    assert isinstance(found, baseline.IndexTree)
    if harm == "gc":
        git(user, "checkout", "-q", "--orphan", "other")
        git(user, "rm", "-rqf", ".")
        git(user, "branch", "-D", "master")
        git(user, "reflog", "expire", "--expire=now", "--all")
        git(user, "gc", "-q", "--prune=now")
    else:
        subprocess.run(["rm", "-rf", str(user / ".git")], check=True)
    fresh = ObjectStore(store.path)
    kept = {path: fresh.get(blob) for path, blob, _ in trees.walk(fresh, found.tree)}
    assert kept == {"a/x": b"one\n", "b": b"two\n", "c": b"three\n"}


def test_the_index_is_taken_as_staged(store, user):
    """Staged edits, deletions, modes, intents to add and odd names are in the index's tree."""
    (user / "b").write_text("staged\n")
    os.chmod(user / "c", 0o755)
    (user / "later").write_text("new\n")
    with open(os.fsencode(str(user)) + b"/n\xff", "w", encoding="utf-8") as file:
        file.write("odd\n")
    git(user, "rm", "-q", "a/x")
    git(user, "add", "b", "c", b"n\xff")
    git(user, "add", "-N", "later")
    baseline.link_objects(store, [str(user / ".git" / "objects")])
    before = fingerprint(user / ".git")
    found = baseline.index_tree(store, str(user / ".git"))
    assert isinstance(found, baseline.IndexTree)
    kept = {path: (store.get(blob), mode) for path, blob, mode in trees.walk(store, found.tree)}
    assert kept == {
        "b": (b"staged\n", 0o100644),
        "c": (b"three\n", 0o100755),
        "later": (b"", 0o100644),
        "n\udcff": (b"odd\n", 0o100644),
    }
    assert fingerprint(user / ".git") == before


def make_unmerged(user):
    """Leave a merge with a conflict behind."""
    git(user, "checkout", "-qb", "side")
    (user / "b").write_text("side\n")
    git(user, "commit", "-qam", "side")
    git(user, "checkout", "-q", "master")
    (user / "b").write_text("main\n")
    git(user, "commit", "-qam", "main")
    with pytest.raises(subprocess.CalledProcessError):
        git(user, "merge", "-q", "side")


@pytest.mark.trap(11)
@pytest.mark.parametrize("oddity", ["split", "sparse", "unmerged", "missing"])
def test_an_odd_index_is_a_reason_not_an_error(store, user, oddity):
    """A split, sparse or unmerged index, or one whose objects are missing, is not used, and it is said why."""
    if oddity == "split":
        git(user, "update-index", "--split-index")
    elif oddity == "sparse":
        git(user, "sparse-checkout", "set", "--cone", "--sparse-index", "nothing")
    elif oddity == "unmerged":
        make_unmerged(user)
    if oddity != "missing":
        baseline.link_objects(store, [str(user / ".git" / "objects")])
    before = fingerprint(user / ".git")
    assert isinstance(baseline.index_tree(store, str(user / ".git")), str)
    assert fingerprint(user / ".git") == before


def test_objects_are_copied_where_links_fail(store, user):
    """Without links, one tree's objects are copied and the index works the same."""
    tree = baseline.head_tree(str(user / ".git"))
    assert tree is not None
    before = fingerprint(user / ".git")
    assert baseline.copy_objects(store, str(user / ".git"), tree) is None
    assert isinstance(baseline.index_tree(store, str(user / ".git")), baseline.IndexTree)
    assert fingerprint(user / ".git") == before


def test_linked_bytes_do_not_count_as_own(store, user):
    """What is shared with the user's repository is counted apart."""
    own = usage.usage(store).own_bytes
    baseline.link_objects(store, [str(user / ".git" / "objects")])
    after = usage.usage(store)
    assert (after.own_bytes, after.loose_objects) == (own, 3)
    assert after.linked_bytes > 0


def test_commits_need_no_identity(store):
    """A commit is made without `user.name`, read back whole, and git finds nothing wrong with it."""
    tree = trees.update(store, None, {WorkspacePath("a/b"): (store.put(b"x"), 0o100644)})
    first = refs.commit(store, tree, [], "one", 5_000_000_000)
    second = refs.commit(store, tree, [first], "two\n\nmore", 6_999_999_999)
    refs.set_ref(store, "refs/takeback/cp-2", second)
    git(store.path, "fsck", "--strict")
    found = refs.read_commit(store, second)
    assert (found.parents, found.message, found.at_s) == ((first,), "two\n\nmore", 6)
    assert refs.refs(store) == {"refs/takeback/cp-2": second}
    refs.delete_ref(store, "refs/takeback/cp-2")
    assert refs.refs(store) == {}


NAMES = st.sampled_from(["a", "b", "a.b", "a-b", "\udcff", "a b\n", "é"])
"""Few names, so that files and folders meet; `a.b` and `a-b` sort before `a/` and after `a`."""
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
CHANGES = st.dictionaries(PATHS, st.one_of(st.none(), st.binary(max_size=2)), max_size=6)


def possible(changes):
    """Whether no path that is written lies below another that is written."""
    written = [path for path, content in changes.items() if content is not None]
    return not any(a != b and b.startswith(a + "/") for a in written for b in written)


def apply(model, changes):
    """What a dict of files is after `changes`: the model that trees are held against."""
    kept = {p: c for p, c in model.items() if changes.get(p, b"") is not None}
    for path, content in changes.items():
        if content is None:
            continue
        clash = [p for p in kept if p.startswith(path + "/") or path.startswith(p + "/")]
        kept = {p: c for p, c in kept.items() if p not in clash} | {path: content}
    return kept


@settings(max_examples=150, deadline=None)
@given(steps=st.lists(CHANGES.filter(possible), max_size=4))
def test_trees_are_what_a_dict_of_files_would_be(tmp_path_factory, steps):
    """However files and folders replace each other, the tree holds what was written, and git agrees."""
    store = ObjectStore(str(tmp_path_factory.mktemp("s") / "store.git"))
    model, tree = {}, EMPTY_TREE
    for changes in steps:
        leaves = {p: None if c is None else (store.put(c), 0o100644) for p, c in changes.items()}
        after, before = trees.update(store, tree, leaves), tree
        old, model, tree = model, apply(model, changes), after
        assert {p: store.get(b) for p, b, _ in trees.walk(store, tree)} == model
        differing = {p for p in old.keys() | model.keys() if old.get(p) != model.get(p)}
        assert set(trees.differences(store, before, tree)) == differing
        assert all(trees.entry(store, tree, path)[0] == store.put(model[path]) for path in model)
    assert tree == trees.update(store, None, {p: (store.put(c), 0o100644) for p, c in model.items()})


@pytest.mark.promise(7)
@pytest.mark.parametrize("kept_bytes", [0, 1, 9, 14, 18])
def test_a_torn_object_is_damage_and_never_waited_for(store, kept_bytes):
    """However much a power cut left of an object, reading it says that it is damaged, and packing leaves it out."""
    blob = store.put(b"two\n")
    os.chmod(store.loose_path(blob), 0o600)
    os.truncate(store.loose_path(blob), kept_bytes)

    with pytest.raises(Damaged):
        ObjectStore(store.path).get(blob)
    assert packing.pack_loose(store, [blob]) == 0

    assert store.put(b"two\n") == blob
    assert store.get(blob) == b"two\n"


def test_an_object_that_is_not_what_its_name_says_is_damage(store):
    """Whole but wrong content under an id is never handed out."""
    blob, other = store.put(b"two\n"), store.put(b"three\n")
    os.replace(store.loose_path(other), store.loose_path(blob))

    with pytest.raises(Damaged):
        ObjectStore(store.path).get(blob)
