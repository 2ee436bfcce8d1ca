"""Settings in an editor: from files, from the client, at any time; what is wrong is marked where it stands."""

from __future__ import annotations

import itertools
import queue

import pytest

from wire import CAPABILITIES, TEXT, until

pytestmark = pytest.mark.server

NUMBERS = itertools.count(1)
ASKED = {**CAPABILITIES, "workspace": {**CAPABILITIES["workspace"], "configuration": True}}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A folder with the user's own settings, for the server too."""
    folder = tmp_path / "config"
    (folder / "takeback").mkdir(parents=True)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder))
    return folder / "takeback"


def marks(client, path):
    """What is marked in a file now; `None` if nothing was ever said about it."""
    said = [one["params"] for one in client.told if one["method"] == "textDocument/publishDiagnostics"]
    found = [one["diagnostics"] for one in said if one["uri"] == path.as_uri()]
    return found[-1] if found else None


def line_of(client, path):
    """The line of the one thing that is marked in a file, from 0, and its message, once it is marked."""
    (mark,) = until(lambda: marks(client, path))
    return mark["range"]["start"]["line"], mark["message"]


def lands(client, path, n, *, captured):
    """The last operation, once there are `n`: whether the content of the file it changed was captured."""
    change = client.recorded(n)[0]["changes"][0]
    assert (change["path"], change["captured"]) == (path.name, captured)


def is_last_captured(client, root, *, ending=".txt", content="longer than ten"):
    """Whether the content of a file that is written now is captured; `None` if it is not recorded."""
    path = root / f"{next(NUMBERS)}{ending}"
    path.write_text(content, encoding="utf-8")
    found = [change for one in client.run("status", {})["operations"] for change in one["changes"]]
    return next((change["captured"] for change in found if change["path"] == path.name), None)


# -- files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("takeback.toml", "[watch]\nsettle_ms = 50\nsetle_ms = 1\n", (2, "unknown key 'watch.setle_ms'")),
        ("takeback.toml", "[record]\n\nmax_files = 'many'\n", (2, "record.max_files is 'many'")),
        ("takeback.toml", "[watch]\nsettle_ms = \n", (1, "Invalid value")),
        ("takeback.toml", "[store]\nmax_bytes = 1\n", (1, "store.max_bytes is not taken from a workspace")),
        (
            "pyproject.toml",
            "[project]\n\n[tool.takeback.watch]\nsettle_ms = 0\n",
            (3, "watch.settle_ms is 0"),
        ),
    ],
)
def test_a_wrong_setting_is_marked_at_its_line(serve, make, name, text, place):
    """A wrong value or an unknown key is marked at its line in the file, with what to do; recording goes on."""
    root = make()
    (root / name).write_text(text, encoding="utf-8")
    client = serve(root)
    client.run("status", {})

    found, message = line_of(client, root / name)

    assert (found, place[1] in message) == (place[0], True)
    assert message.count(". ") >= 1


def test_the_users_own_file_is_marked_too(serve, make, home):
    """A mistake in the user's own file is marked there."""
    (home / "config.toml").write_text("[recrod]\n", encoding="utf-8")
    client = serve(make())
    client.run("status", {})

    assert "Did you mean 'record'?" in line_of(client, home / "config.toml")[1]


def test_marks_come_and_go_with_the_file(serve, make):
    """A mistake is marked when it is written while the server runs, and no longer once it is mended."""
    root = make()
    client = serve(root)
    client.run("status", {})
    path = root / "takeback.toml"

    path.write_text("[watch]\nsettle = 1\n", encoding="utf-8")
    assert line_of(client, path)[0] == 1
    path.write_text("[watch]\nsettle_ms = 10\n", encoding="utf-8")
    until(lambda: marks(client, path) == [])
    path.write_text("\n\nwatch = 3\n", encoding="utf-8")
    assert line_of(client, path)[0] == 2
    path.unlink()
    until(lambda: marks(client, path) == [])


def test_marks_go_with_the_folder(serve, make):
    """A folder that the editor removes leaves no mark behind."""
    root = make()
    path = root / "takeback.toml"
    path.write_text("wrong = 1\n", encoding="utf-8")
    client = serve(root)
    line_of(client, path)

    event = {"added": [], "removed": [{"uri": root.as_uri(), "name": "folder"}]}
    client.notify("workspace/didChangeWorkspaceFolders", {"event": event})

    until(lambda: marks(client, path) == [])


def test_a_file_takes_effect_while_the_server_runs(serve, make):
    """What a file of settings says holds as soon as it is written, and until it says otherwise."""
    root = make()
    client = serve(root)
    client.run("status", {})

    (root / "takeback.toml").write_text("[record]\nmax_file_bytes = 10\n", encoding="utf-8")
    client.recorded(1)

    assert until(lambda: is_last_captured(client, root) is False)


# -- what the client passes on -------------------------------------------------------------------


@pytest.mark.parametrize("wrapped", [True, False], ids=["takeback", "alone"])
def test_what_comes_with_initialize_holds(serve, make, wrapped):
    """Settings in `initializationOptions` hold from the beginning, in an object `takeback` or alone."""
    given = {"record": {"max_file_bytes": 10}}
    root = make()
    client = serve(root, initializationOptions={"takeback": given} if wrapped else given)
    client.run("status", {})

    (root / "big.txt").write_text("longer than ten bytes\n", encoding="utf-8")

    lands(client, root / "big.txt", 1, captured=False)


def test_each_folder_has_its_own_settings(serve, make):
    """A client that can be asked is asked for each folder, and each has what the client says of it."""
    first, second = make("first"), make("second")
    asked = queue.Queue()

    def configuration(params):
        asked.put(params["items"])
        is_second = [one["scopeUri"] == second.as_uri() for one in params["items"]]
        return [{"record": {"max_file_bytes": 10 if found else None}} for found in is_second]

    client = serve(first, second, capabilities=ASKED, answers={"workspace/configuration": configuration})
    for root in (first, second):
        client.run("status", {"workspace": root.as_uri()})
        (root / "big.txt").write_text("longer than ten bytes\n", encoding="utf-8")

    def captured(root):
        found = client.run("status", {"workspace": root.as_uri()})["operations"]
        return [found[0]["changes"][0]["captured"]] if found else None

    assert until(lambda: captured(first)) == [True]
    assert until(lambda: captured(second)) == [False]
    assert {one["section"] for one in asked.get()} == {"takeback"}


def test_settings_change_at_runtime(serve, make):
    """`record.*` and `watch.settle_ms` that a client changes while it runs take effect on the next write."""
    now = {"record": {"include_ignored": []}, "watch": {"settle_ms": 1}}
    root = make()
    (root / "build.log").touch()
    (root / ".gitignore").write_text("*.log\n", encoding="utf-8")
    client = serve(root, capabilities=ASKED, answers={"workspace/configuration": lambda _: [now]})
    client.run("status", {})
    (root / "build.log").write_text("left out\n", encoding="utf-8")
    (root / "a.txt").write_text("one\n", encoding="utf-8")
    assert [one["path"] for one in client.recorded(1)[0]["changes"]] == ["a.txt"]

    now.update({"record": {"include_ignored": ["*.log"], "max_file_bytes": 20}})
    client.notify("workspace/didChangeConfiguration", {"settings": None})

    assert until(lambda: is_last_captured(client, root, ending=".log") is True)
    assert until(lambda: is_last_captured(client, root, content="longer than twenty bytes") is False)


def test_a_client_that_cannot_be_asked_tells(serve, make):
    """Settings that come with `didChangeConfiguration` hold from then on."""
    root = make()
    client = serve(root)
    client.run("status", {})

    settings = {"takeback": {"record": {"max_file_bytes": 10}}, "other": {"a": 1}}
    client.notify("workspace/didChangeConfiguration", {"settings": settings})
    client.run("status", {})
    (root / "big.txt").write_text("longer than ten bytes\n", encoding="utf-8")

    lands(client, root / "big.txt", 1, captured=False)


def test_a_wrong_setting_of_the_client_is_said_once(serve, make):
    """What the client set wrongly is told to the person, once, with what it takes; the default holds."""
    root = make()
    wrong = {"watch": {"settle_ms": "soon"}, "recrod": {}, "trace": {"server": "off"}}
    client = serve(root, initializationOptions=wrong)
    client.run("status", {})
    for _ in range(2):
        client.notify("workspace/didChangeConfiguration", {"settings": wrong})
        client.run("status", {})

    said = client.messages()
    assert len(said) == 2
    assert any("watch.settle_ms is 'soon'. It takes a whole number" in one for one in said)
    assert any("Did you mean 'record'?" in one for one in said)


def test_a_client_that_does_not_answer_is_not_waited_for(serve, make):
    """A client that never says what its settings are has its folders opened all the same."""
    root = make()
    client = serve(root, capabilities=ASKED)

    assert client.run("status", {})["workspace"] == str(root)


def test_garbage_is_no_settings(serve, make):
    """Whatever a client passes on that are no settings, the defaults hold and the server goes on."""
    root = make()
    for garbage in (5, [1], "watch", {"takeback": 3}):
        client = serve(root, initializationOptions=garbage)
        assert client.run("status", {})["workspace"] == str(root)
        client.process.kill()
        client.process.wait()


def test_a_refused_folder_is_tried_again_with_other_settings(serve, make):
    """A folder with too many files is recorded as soon as the client allows more."""
    root = make()
    (root / "b.txt").write_text(TEXT, encoding="utf-8")
    client = serve(root, initializationOptions={"record": {"max_files": 1}})
    assert client.run("status", {})["data"]["error"]["code"] == "workspace_refused"

    client.notify("workspace/didChangeConfiguration", {"settings": {"record": {"max_files": 100}}})

    until(lambda: client.run("status", {}).get("workspace") == str(root))
