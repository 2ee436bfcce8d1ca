"""Content is dropped for good, the record stays."""

import pytest

from takeback.model.operation import OperationKind
from takeback.model.source import Source


@pytest.fixture
def secret(scene):
    """A file whose states hold secrets, renamed once, beside a harmless one."""
    scene.write("f", "one\n")
    scene.tb("status")
    scene.write("secret", "alpha\n")
    scene.record()
    scene.write("secret", "beta\n")
    scene.record()
    (scene.root / "secret").rename(scene.root / "renamed")
    scene.record()
    return scene


def holds(scene, text):
    """Whether the store, the journal or its log holds the text."""
    raw = b"".join(path.read_bytes() for path in scene.state.rglob("*") if path.is_file())
    store = str(scene.state / "store.git")
    objects = scene.git("--git-dir", store, "cat-file", "--batch-all-objects", "--batch")
    return text.encode() in raw or text in objects


def test_every_state_of_a_path_goes(secret):
    """All states of the file go, under its later name too; its operations stay in the log and say forgotten."""
    assert holds(secret, "alpha\n")
    assert holds(secret, "beta\n")

    assert secret.tb("forget", "secret").json["contents"] == 2

    assert not holds(secret, "alpha\n")
    assert not holds(secret, "beta\n")
    operations = secret.tb("log").json["operations"]
    assert [one["changes"][0]["reason"] for one in operations] == ["forgotten"] * 3
    assert secret.read("renamed") == "beta\n"


def test_an_undo_that_needs_it_says_so(secret):
    """An undo that would have to bring forgotten content back changes nothing and gives the reason."""
    secret.tb("forget", "secret")

    undone = secret.tb("undo", "--op", "2")

    assert (undone.status, undone.json["outcome"]) == (3, "refused")
    assert [one["outcome"] for one in undone.json["files"]] == ["not_captured"]
    assert "forgotten" in undone.json["files"][0]["note"]
    assert secret.read("renamed") == "beta\n"


@pytest.mark.promise(2)
@pytest.mark.promise(5)
def test_no_older_content_takes_the_place_of_what_was_forgotten(scene):
    """The undo of what replaced forgotten content is refused: it puts nothing back that was not there before it."""
    for text in "one\n", "two\n", "three\n":
        scene.write("f", text)
        scene.tb("record")
    scene.tb("forget", "1")

    undone = scene.tb("undo", "--op", "2")

    assert undone.outcome_of("f") == ("not_captured", "not captured: forgotten")
    assert scene.read("f") == "three\n"


@pytest.mark.promise(5)
def test_a_deletion_of_what_was_forgotten_is_not_undone_to_an_empty_file(scene):
    """The content cannot come back, and that is said; nothing takes its place. That it never was can be."""
    scene.tb("status")
    scene.write("f", "one\n")
    scene.record()
    (scene.root / "f").unlink()
    scene.record()
    scene.tb("forget", "f")

    undone = scene.tb("undo")

    assert (undone.status, undone.outcome_of("f")) == (3, ("not_captured", "not captured: forgotten"))
    assert scene.tb("undo", "2").status == 0
    assert scene.files() == {}


@pytest.mark.promise(5)
@pytest.mark.parametrize("created", [False, True])
def test_a_redo_of_what_was_forgotten_is_refused(scene, created):
    """What was undone and then forgotten cannot be brought back: neither an empty file nor a redo without effect."""
    if not created:
        scene.write("f", "old\n")
    scene.tb("status")
    scene.write("f", "secret\n")
    op = scene.record()
    assert scene.tb("undo").status == 0
    before = scene.files()
    scene.tb("forget", str(op))

    redone = scene.tb("redo")

    assert (redone.status, redone.outcome_of("f")) == (3, ("not_captured", "not captured: forgotten"))
    assert scene.files() == before
    assert scene.tb("log").json["operations"][0]["kind"] == "undo"


def test_a_rename_can_still_be_undone(secret):
    """What needs no content goes on working: the rename is taken back."""
    secret.tb("forget", "secret")

    undone = secret.tb("undo", "--op", "3")

    assert undone.status == 0, undone.json
    assert secret.read("secret") == "beta\n"


def test_what_still_stands_is_not_taken_in_again(secret):
    """A look at a file that still holds the secret leaves it out of the store, and records nothing new."""
    secret.tb("forget", "secret")
    (secret.root / "renamed").write_text("beta\n")

    assert secret.record() is None
    assert not holds(secret, "beta\n")
    secret.write("renamed", "harmless\n")
    assert secret.record() is not None
    assert secret.tb("diff").status == 0
    assert not holds(secret, "beta\n")


@pytest.mark.promise(9)
@pytest.mark.parametrize("content", ["gamma\n", "gamma\n" * 20_000])
@pytest.mark.parametrize("late", [False, True])
def test_who_read_it_before_does_not_bring_it_back(scene, content, late):
    """A process that read a secret, and records it after another forgot it, leaves it forgotten, also if it keeps it late."""
    scene.write("f", "one\n")
    scene.tb("status")
    scene.write("secret", content)
    with scene.opened() as workspace:
        seen = workspace.looker.observe(["secret"])
        assert scene.tb("forget", "secret").json["contents"] == 1
        if late:
            workspace.store.put(content.encode())

        recorded = workspace.recorder.record(Source(kind=OperationKind.EDIT, actor="agent:a"), seen)
        assert (recorded.operation, recorded.deferred) == (None, ("secret",))
        assert scene.record() is None

    assert not holds(scene, "gamma\n")
    assert scene.tb("status").json["not_captured"] == ["secret: forgotten"]


def test_one_operation(secret):
    """Of an operation the states that it left go, and what stays of the same file is said."""
    forgotten = secret.tb("forget", "1")

    assert forgotten.json["contents"] == 1
    assert "1 other states" in forgotten.json["notes"][0]
    assert not holds(secret, "alpha\n")
    assert holds(secret, "beta\n")


def test_shared_content_is_not_dropped_unasked(secret):
    """If another path has the same content, that is refused and named; with --force it goes there as well."""
    secret.write("copy", "beta\n")
    secret.record()

    refused = secret.tb("forget", "secret")
    assert (refused.status, refused.code) == (3, "refused")
    assert "copy" in refused.json["error"]["message"]
    assert holds(secret, "beta\n")

    forgotten = secret.tb("forget", "secret", "--force")
    assert forgotten.json["shared"] == ["copy"]
    assert not holds(secret, "beta\n")


def test_a_folder(scene):
    """A folder's name stands for everything that ever was below it."""
    scene.write("keys/a", "alpha\n")
    scene.write("keys/b", "beta\n")
    scene.write("f", "one\n")
    scene.tb("status")

    assert scene.tb("forget", "keys").json["contents"] == 2

    assert not holds(scene, "alpha\n")
    assert scene.tb("status").json["not_captured"] == ["keys/a: forgotten", "keys/b: forgotten"]
    assert scene.tb("doctor").status == 0
    scene.write("f", "agent\n")
    scene.record()
    assert scene.tb("undo").status == 0


def test_a_committed_secret_is_the_users_to_remove(scene):
    """Content that the user's repository holds leaves the store, and it is said that the repository has it too."""
    scene.committed({"f": "one\n", "key": "alpha\n"})
    scene.git("gc", "-q")
    scene.tb("status")

    forgotten = scene.tb("forget", "key")

    assert "only you can remove them there" in forgotten.json["notes"][0]
    assert not holds(scene, "alpha\n")
    assert scene.git("show", "HEAD:key") == "alpha\n"
    assert scene.tb("doctor").status in (0, 3)
    scene.write("f", "agent\n")
    scene.record()
    assert scene.tb("undo").status == 0


def test_a_checkpoint_with_a_forgotten_file_is_not_exported(scene):
    """An export of a checkpoint that is no longer whole is refused, and names what is missing."""
    scene.committed({"f": "one\n"})
    scene.write("key", "alpha\n")
    checkpoint = scene.checkpoint()
    scene.tb("forget", "key")

    refused = scene.tb("checkpoint", "export", checkpoint, "--branch", "tb")

    assert (refused.status, refused.code) == (3, "refused")
    assert "key (forgotten)" in refused.json["error"]["message"]


@pytest.mark.parametrize("what", ["nothing-here", "99", "f"])
def test_there_must_be_something_to_forget(scene, what):
    """A path or an operation without recorded content is not found; empty files hold no secret."""
    scene.write("f", "")
    scene.tb("status")

    assert scene.tb("forget", what).code == "not_found"
