"""Trap 6: changes made by commands, which nobody's editor saw."""

import sys

import pytest

N_FILES = 500


def many(scene, n=N_FILES):
    """A workspace of many files in a few folders, known to Takeback."""
    for number in range(n):
        scene.write(f"src/{number % 7}/f{number}", f"old {number}\nkept\n")
    scene.write("mine", "mine\n")
    scene.tb("status")
    return scene.files()


COMMANDS = {
    "sed over 500 files": (["sh", "-c", "sed -i s/old/new/ src/*/*"], "command:sh", N_FILES),
    "a heredoc": (["sh", "-c", "cat > src/heredoc <<END\none\ntwo\nEND"], "command:sh", 1),
    "a folder moved": (["mv", "src", "lib"], "command:mv", N_FILES),
    "a folder removed": (["rm", "-r", "src"], "command:rm", N_FILES),
    "a generator": (
        [sys.executable, "-c", "for n in range(50): open(f'src/{n % 7}/gen{n}', 'w').write(str(n) * n)"],
        f"command:{sys.executable.rpartition('/')[2]}",
        50,
    ),
    "all at once": (
        [
            "sh",
            "-c",
            "mv src/1 src/one; rm -r src/2; sed -i s/old/new/ src/3/*; ln -s mine link; chmod +x mine",
        ],
        "command:sh",
        None,
    ),
}


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.trap(6)
def test_all_that_a_command_did_is_one_operation(scene, name):
    """One operation of the command's actor holds all that it wrote; undone as one, every byte and mode is back."""
    argv, actor, n_changes = COMMANDS[name]
    before = many(scene)

    assert scene.process("run", "--", *argv).returncode == 0

    after = scene.files()
    assert after != before
    (operation,) = scene.cli("log").json["operations"]
    assert (operation["id"], operation["kind"], operation["actor"]) == (1, "command", actor)
    if n_changes is not None:
        assert len(operation["changes"]) == n_changes
    undone = scene.cli("undo")
    assert (undone.status, undone.json["outcome"], undone.json["undone"]) == (0, "applied", [1])
    assert scene.files() == before
    assert scene.cli("redo").status == 0
    assert scene.files() == after


@pytest.mark.trap(6)
def test_a_moved_folder_is_renames(scene):
    """`mv` of a folder is a rename of each file in it, not deletions and creations, and what follows is carried along."""
    many(scene, 20)
    scene.process("run", "--actor", "agent:a", "--", "sed", "-i", "s/old/new/", "src/3/f3")
    scene.process("run", "--actor", "agent:b", "--", "mv", "src", "lib")

    assert {one["status"] for one in scene.tb("show", "2").json["operations"][0]["changes"]} == {"renamed"}
    assert scene.tb("undo", "--op", "1").status == 0
    assert scene.read("lib/3/f3") == "old 3\nkept\n"
    assert not (scene.root / "src").exists()


@pytest.mark.trap(6)
def test_a_checkout_inside_a_command_belongs_to_the_command(scene):
    """`git checkout other` run by a command is that command's operation; its undo brings the files back, not HEAD."""
    scene.committed({"f": "main\n", "g": "main\n"})
    scene.git("checkout", "-qb", "other")
    scene.write("f", "other\n")
    scene.git("commit", "-qam", "other")
    scene.git("checkout", "-q", "main")
    scene.tb("status")
    before = scene.files()

    ended = scene.process(
        "run", "--actor", "agent:a", "--", "sh", "-c", "git checkout -q other && echo more >> g"
    )

    assert ended.returncode == 0, ended.stderr
    operations = scene.cli("log").json["operations"]
    assert [(one["kind"], one["actor"]) for one in operations] == [("command", "agent:a")]
    assert {change["path"] for change in operations[0]["changes"]} == {"f", "g"}
    assert scene.cli("undo").status == 0
    assert scene.files() == before
    assert scene.git("branch", "--show-current").strip() == "other"


@pytest.mark.trap(6)
def test_what_was_written_before_a_command_is_not_the_commands(scene):
    """What somebody wrote before the command, and nobody announced, is an operation of its own, and stays."""
    many(scene, 5)
    scene.write("mine", "unannounced\n")
    scene.process("run", "--", "sed", "-i", "s/old/new/", "src/1/f1")

    assert [one["actor"] for one in scene.tb("log").json["operations"]] == ["command:sed", "unknown"]
    assert scene.tb("undo").status == 0
    assert (scene.read("mine"), scene.read("src/1/f1")) == ("unannounced\n", "old 1\nkept\n")


@pytest.mark.trap(6)
def test_a_command_that_fails_is_recorded_too(scene):
    """What a failing command wrote is recorded and taken back, and its exit status is the command's."""
    before = many(scene, 5)

    ended = scene.process("run", "--", "sh", "-c", "echo broken > mine; exit 7")

    assert ended.returncode == 7
    assert scene.tb("undo").status == 0
    assert scene.files() == before
