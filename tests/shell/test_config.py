"""Settings come from where the user put them, and a wrong one never stops anything."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from takeback import regular
from takeback.config import Config, config_folder, load, state_folder, state_root
from takeback.errors import UsageError, WorkspaceRefused

SERVER = os.path.join(os.path.dirname(__file__), "..", "..", "server")


@pytest.fixture
def root(tmp_path):
    """A workspace."""
    folder = tmp_path / "workspace"
    folder.mkdir()
    return folder


@pytest.fixture
def environ(tmp_path):
    """An environment with folders of its own."""
    return {"HOME": str(tmp_path / "home"), "XDG_CONFIG_HOME": str(tmp_path / "config")}


def write(path, text):
    """Writes a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return str(path)


def user_file(environ, text):
    """Writes the user's own settings."""
    folder = config_folder(environ)
    os.makedirs(folder)
    with open(os.path.join(folder, "config.toml"), "w", encoding="utf-8") as stream:
        stream.write(text)


def places(loaded):
    """Where the problems are."""
    return [(os.path.basename(found.file), found.line, found.column) for found in loaded.problems]


def test_nothing_set_gives_the_defaults(root, environ):
    """Without any source the documented defaults hold, and nothing is wrong."""
    loaded = load(str(root), environ)
    assert (loaded.config, loaded.problems) == (Config(), ())
    assert loaded.config.record.include_ignored == (".env*", "*.local")
    assert loaded.config.record.max_file_bytes == 10 * 1024**2
    assert loaded.config.record.max_files == 500_000
    assert loaded.config.watch.settle_ms == 100
    assert loaded.config.store.max_bytes == 2 * 1024**3
    assert loaded.config.store.retention_days == 30


def test_later_sources_win(root, environ):
    """Each source overrides the ones before it, key by key: user, workspace, environment, caller."""
    user_file(
        environ,
        "[record]\nmax_files = 1\nmax_file_bytes = 1\n[watch]\nsettle_ms = 1\n[store]\nretention_days = 7\n",
    )
    write(root / "takeback.toml", "[record]\nmax_files = 2\nmax_file_bytes = 2\n[watch]\nsettle_ms = 2\n")
    environ |= {"TAKEBACK_RECORD_MAX_FILES": "3", "TAKEBACK_WATCH_SETTLE_MS": "3"}
    loaded = load(str(root), environ, {"watch": {"settle_ms": 4}})
    config = loaded.config
    assert loaded.problems == ()
    assert config.store.retention_days == 7
    assert (config.record.max_file_bytes, config.record.max_files, config.watch.settle_ms) == (2, 3, 4)


def test_pyproject_is_read_where_there_is_no_file_of_ours(root, environ):
    """`[tool.takeback]` counts unless `takeback.toml` exists, and then not at all."""
    write(
        root / "pyproject.toml",
        "[tool.takeback.watch]\nsettle_ms = 7\n[tool.takeback.record]\nmax_files = 7\n",
    )
    assert load(str(root), environ).config.watch.settle_ms == 7
    write(root / "takeback.toml", "watch = {settle_ms = 8}\n")
    config = load(str(root), environ).config
    assert (config.watch.settle_ms, config.record.max_files) == (8, 500_000)


def test_lists_in_the_environment_are_separated_by_commas(root, environ):
    """A variable holds a list as `a, b`, and empty as no pattern at all."""
    environ["TAKEBACK_RECORD_INCLUDE_IGNORED"] = ".env*, *.key"
    assert load(str(root), environ).config.record.include_ignored == (".env*", "*.key")
    environ["TAKEBACK_RECORD_INCLUDE_IGNORED"] = ""
    assert load(str(root), environ).config.record.include_ignored == ()


def test_true_and_false_come_from_everywhere(root, environ):
    """A switch is set in a file, or by a word in the environment; other words are named."""
    write(root / "takeback.toml", "[editor]\nhovers = false\ninlay_hints = true\n")
    environ["TAKEBACK_EDITOR_LENSES"] = "False"
    editor = load(str(root), environ).config.editor
    assert (editor.lenses, editor.hovers, editor.inlay_hints) == (False, False, True)
    environ["TAKEBACK_EDITOR_LENSES"] = "no"
    (problem,) = load(str(root), environ).problems
    assert problem.hint == "It takes true or false."


def test_other_variables_are_not_ours(root, environ):
    """A variable that names no section, as TAKEBACK_STATE_DIR, is no mistake."""
    assert load(str(root), environ | {"TAKEBACK_STATE_DIR": "/x", "TAKEBACK_DEBUG": "1"}).problems == ()


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        (
            "[record]\n  max_flies = 1",
            (2, 3),
            ("unknown key 'record.max_flies'", "Did you mean 'max_files'?"),
        ),
        ("[recrod]\nmax_files = 1", (1, 2), ("unknown section 'recrod'", "Did you mean 'record'?")),
        ("[x]\n", (1, 2), ("unknown section 'x'", "Known are record, watch, store, editor.")),
        ("\nrecord.max_files = '1'", (2, 1), ("record.max_files is '1'", "It takes a whole number.")),
        ("record = {max_files = true}", (1, 11), ("record.max_files is True", "It takes a whole number.")),
        (
            "[record]\ninclude_ignored = '.env'",
            (2, 1),
            ("record.include_ignored is '.env'", "It takes a list of texts."),
        ),
        (
            "[record]\ninclude_ignored = [1]",
            (2, 1),
            ("record.include_ignored is [1]", "It takes a list of texts."),
        ),
        ("[watch]\nsettle_ms = -5", (2, 1), ("watch.settle_ms is -5", "It takes a number from 1 to 60000.")),
        ("[editor]\nlenses = 1", (2, 1), ("editor.lenses is 1", "It takes true or false.")),
        ("watch = 5", (1, 1), ("watch is no table", "Write it as a table: [watch].")),
        ("[watch]\n'settle_ms' = 0.5", (2, 1), ("watch.settle_ms is 0.5", "It takes a whole number.")),
    ],
)
def test_a_wrong_value_is_named_with_its_place(root, environ, text, place, said):
    """What is wrong is told with line, column and a way out, and the default holds."""
    path = write(root / "takeback.toml", text)
    loaded = load(str(root), environ)
    (problem,) = loaded.problems
    assert (problem.file, problem.line, problem.column) == (path, *place)
    assert (problem.message, problem.hint) == said
    assert loaded.config == Config()


def test_places_in_pyproject_are_its_own(root, environ):
    """Positions count from the top of the file, under the table that holds our settings."""
    write(root / "pyproject.toml", "[project]\nname = 'ä'\n[tool.takeback]\n'ä' = 1\nwatch.settle_ms = 0\n")
    assert places(load(str(root), environ)) == [("pyproject.toml", 4, 1), ("pyproject.toml", 5, 1)]


def test_a_wrong_variable_is_named(root, environ):
    """A problem in the environment is told with the variable's name."""
    loaded = load(str(root), environ | {"TAKEBACK_WATCH_SETTLE_MS": "soon", "TAKEBACK_WATCH_SETLE_MS": "1"})
    assert places(loaded) == [("TAKEBACK_WATCH_SETLE_MS", 0, 0), ("TAKEBACK_WATCH_SETTLE_MS", 0, 0)]
    assert loaded.problems[1].message == "watch.settle_ms is 'soon'"
    assert loaded.config == Config()


def test_a_wrong_setting_leaves_the_earlier_one(root, environ):
    """Where a later source is wrong, the earlier one holds, and the good keys beside it count."""
    user_file(environ, "[watch]\nsettle_ms = 50\n")
    write(root / "takeback.toml", "[watch]\nsettle_ms = 'x'\n[record]\nmax_files = 9\n")
    config = load(str(root), environ).config
    assert (config.watch.settle_ms, config.record.max_files) == (50, 9)


@pytest.mark.parametrize(
    ("text", "place"), [("[watch]\nsettle_ms = = 1\n", (2, 13)), ("a = 'x", (1, 7)), ("a = [", (1, 6))]
)
def test_broken_toml_is_named_with_its_place(root, environ, text, place):
    """A file that is no TOML sets nothing, and where it breaks is told."""
    write(root / "takeback.toml", text)
    loaded = load(str(root), environ)
    assert places(loaded) == [("takeback.toml", *place)]
    assert loaded.config == Config()


def test_a_file_that_cannot_be_read_is_named(root, environ):
    """Bytes outside UTF-8, or a folder in place of the file, are a problem and no failure."""
    (root / "takeback.toml").write_bytes(b"# \xff")
    assert places(load(str(root), environ)) == [("takeback.toml", 0, 0)]
    os.makedirs(os.path.join(config_folder(environ), "config.toml"))
    assert places(load(str(root), environ)) == [("config.toml", 0, 0), ("takeback.toml", 0, 0)]


@pytest.mark.parametrize(
    "text",
    [
        "a=" + "[" * 3000,
        "a." * 3000 + "b=1",
        "[record]\nmax_files=" + "9" * 5000,
        "[record]\nmax_files=0x" + "f" * 5000,
        "[record]\nmax_files=" + "[" * 300 + "]" * 300,
        "[record]\nmax_files='" + "x" * 5000 + "'",
    ],
    ids=["nested", "dotted", "digits", "hex", "list", "text"],
)
def test_settings_beyond_all_measure_are_a_problem(root, environ, text):
    """However deep, long or large a setting is, it is not taken, and said in a short line."""
    write(root / "takeback.toml", text)

    loaded = load(str(root), environ)

    assert loaded.config == Config()
    (problem,) = loaded.problems
    assert len(problem.message) < 100
    assert problem.hint


def test_a_broken_project_file_is_named(root, environ):
    """What another program wrote into `pyproject.toml` cannot stop anything either."""
    write(root / "pyproject.toml", "[tool.x]\nn=" + "9" * 5000)
    assert places(load(str(root), environ)) == [("pyproject.toml", 0, 0)]


@pytest.mark.parametrize("name", ["takeback.toml", "pyproject.toml"])
def test_only_a_file_is_read(root, environ, name):
    """A pipe is not waited for, a device or a huge file not read to its end: each is a problem."""
    path = root / name
    os.mkfifo(path)
    assert places(load(str(root), environ)) == [(name, 0, 0)]
    path.unlink()
    path.symlink_to("/dev/zero")
    assert places(load(str(root), environ)) == [(name, 0, 0)]
    path.unlink()
    path.write_bytes(b"#" * (1024**2 + 1))
    assert places(load(str(root), environ)) == [(name, 0, 0)]


def test_a_workspace_cannot_shorten_history(root, environ):
    """What a clone brings along may not make our store drop content or fill the disk; the user may."""
    write(root / "takeback.toml", "[store]\nretention_days = 1\nmax_bytes = 1048576\n")
    loaded = load(str(root), environ)
    assert places(loaded) == [("takeback.toml", 2, 1), ("takeback.toml", 3, 1)]
    assert loaded.config == Config()
    assert load(str(root), environ | {"TAKEBACK_STORE_RETENTION_DAYS": "1"}).config.store.retention_days == 1


def test_an_absent_configuration_imports_nothing_heavy(root, environ):
    """A hook that runs at every tool call pays for no parser where nothing is set."""
    code = (
        "import sys; from takeback.config import load; "
        f"load({str(root)!r}, {environ!r}); "
        "print(sorted({'attr', 'attrs', 'cattrs', 'platformdirs', 'tree_sitter', 'tomllib'} & set(sys.modules)))"
    )
    env = {**os.environ, "PYTHONPATH": SERVER}
    ran = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


def test_the_state_folder_is_the_systems(environ):
    """Histories lie in the user's state folder, or where TAKEBACK_STATE_DIR says."""
    assert state_root(environ | {"XDG_STATE_HOME": "/s"}) == "/s/takeback"
    assert state_root(environ | {"XDG_STATE_HOME": "/s", "TAKEBACK_STATE_DIR": "/t/"}) == "/t"
    if sys.platform == "linux":
        at_home = os.path.join(environ["HOME"], ".local/state/takeback")
        assert state_root(environ) == at_home
        assert state_root(environ | {"XDG_STATE_HOME": "relative"}) == at_home


def test_a_relative_state_folder_is_refused(environ):
    """A history must not depend on the folder a command was started in."""
    with pytest.raises(UsageError):
        state_root(environ | {"TAKEBACK_STATE_DIR": "state"})


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/w/My Project", "My-Project-4f2092712cd39e1d"),
        ("/w/\udcff\n", "workspace-"),
        ("/w/" + "x" * 255, "x" * 40 + "-"),
        ("/w/..hidden", "hidden-"),
    ],
)
def test_a_workspaces_folder_has_a_readable_and_unique_name(path, name):
    """The name is safe and short whatever the workspace is called; the hash of its path tells namesakes apart."""
    environ = {"TAKEBACK_STATE_DIR": "/s"}
    folder = os.path.basename(state_folder(path, environ))
    assert folder.startswith(name)
    assert len(folder.rpartition("-")[2]) == 16
    assert folder != os.path.basename(state_folder("/other" + path, environ))


def test_a_history_inside_its_workspace_is_refused(root, tmp_path):
    """Where `rm -rf` of the workspace would reach the history, also through a link, it is refused."""
    with pytest.raises(WorkspaceRefused):
        state_folder(str(root), {"TAKEBACK_STATE_DIR": str(root / ".state")})
    (tmp_path / "link").symlink_to(root)
    with pytest.raises(WorkspaceRefused):
        state_folder(str(root), {"TAKEBACK_STATE_DIR": str(tmp_path / "link" / "state")})
    assert state_folder(str(root), {"TAKEBACK_STATE_DIR": str(root) + "-state"})


def test_what_is_refused_is_closed(tmp_path):
    """A folder or an endless file in the place of a file costs no descriptor, however often it is asked for."""
    before = len(os.listdir("/dev/fd"))
    for path in (tmp_path, "/dev/zero"):
        for _ in range(3):
            with pytest.raises(OSError, match=str(path)):
                regular.read(str(path), 10)

    assert len(os.listdir("/dev/fd")) == before
