"""A small repository, a server on it, and an editor that talks to the server."""

from __future__ import annotations

import asyncio
import shutil
import subprocess

import pytest
import pytest_lsp
from lsprotocol import types as lsp
from lsprotocol.converters import get_converter
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities

import wire
from editor import TAKEBACK, TEXT, Editor
from hooks import recorder_of
from waiting import until


@pytest.fixture
def project(tmp_path):
    """A small repository."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "a.txt").write_text(TEXT, encoding="utf-8")
    (root / "b.txt").write_text(TEXT, encoding="utf-8")
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    return root


@pytest.fixture
def slow_watcher(monkeypatch):
    """However slow this machine is, an editor tells of its saves before the watcher takes them up."""
    monkeypatch.setenv("TAKEBACK_WATCH_SETTLE_MS", "60000")


SERVER = ClientServerConfig(server_command=[*TAKEBACK, "lsp"])


def _is_action(kind):
    return kind == lsp.Command | lsp.CodeAction


def _action(found, _):
    """A code action, or a command: a converter of lsprotocol takes every action with a command for one."""
    kind = lsp.CodeAction if isinstance(found.get("command"), dict | None) else lsp.Command
    return get_converter().structure(found, kind)


async def connect(  # noqa: PLR0913 - each is named at the call
    lsp_client, root, *, apply_edit=True, save=False, name="Testing", inside=(), offers=None
):
    """Let an editor with these abilities open a folder."""
    editor = lsp_client.editor = Editor(lsp_client, root)

    @lsp_client.feature(lsp.WORKSPACE_APPLY_EDIT)
    async def _(params: lsp.ApplyWorkspaceEditParams):
        answer = editor.on_edit(params)
        return await answer if asyncio.iscoroutine(answer) else answer

    @lsp_client.feature(lsp.WINDOW_SHOW_MESSAGE_REQUEST)
    def _(params: lsp.ShowMessageRequestParams):
        return editor.on_question(params)

    @lsp_client.feature(lsp.WORKSPACE_CODE_LENS_REFRESH)
    @lsp_client.feature(lsp.WORKSPACE_INLAY_HINT_REFRESH)
    def _(_params):
        return None

    @lsp_client.feature("takeback/save")
    def _(params):
        return editor.on_save(params)

    lsp_client.protocol._converter.register_structure_hook_func(_is_action, _action)
    capabilities = client_capabilities("visual-studio-code")
    capabilities.workspace.apply_edit = apply_edit
    if offers is not None:
        capabilities.general.position_encodings = offers
    capabilities.experimental = {"takeback": {"save": save}}
    answer = await lsp_client.initialize_session(
        lsp.InitializeParams(
            capabilities=capabilities,
            client_info=lsp.ClientInfo(name=name, version="1"),
            workspace_folders=[
                lsp.WorkspaceFolder(uri=folder.as_uri(), name=folder.name)
                for folder in (root, *(root / name for name in inside))
            ],
        )
    )
    lsp_client.capabilities_of_server = answer.capabilities
    await editor.run("takeback.status", {})  # the first look is done


@pytest_lsp.fixture(config=SERVER)
async def client(lsp_client: LanguageClient, project):
    """A server on a small repository, and an editor that talks to it."""
    await connect(lsp_client, project)
    yield
    await lsp_client.shutdown_session()


@pytest_lsp.fixture(config=SERVER)
async def second(lsp_client: LanguageClient, client, project):
    """Another server on the same folder, which follows the first one, and an editor of its own."""
    assert client.editor.root == project, "the first server records"
    await connect(lsp_client, project)
    yield
    await lsp_client.shutdown_session()


@pytest_lsp.fixture(config=SERVER)
async def eglot_client(lsp_client: LanguageClient, project):
    """The same with an editor that calls itself Eglot."""
    await connect(lsp_client, project, name="Eglot")
    yield
    await lsp_client.shutdown_session()


@pytest_lsp.fixture(config=SERVER)
async def nested_client(lsp_client: LanguageClient, project):
    """The same with a repository inside of the folder, which is open as a folder of its own too."""
    inner = project / "inner"
    shutil.copytree(project / ".git", inner / ".git")
    (inner / "c.txt").write_text(TEXT, encoding="utf-8")
    await connect(lsp_client, project, inside=["inner"])
    await lsp_client.editor.run("takeback.status", {"workspace": inner.as_uri()})
    yield
    await lsp_client.shutdown_session()


@pytest_lsp.fixture(config=SERVER)
async def reading_client(lsp_client: LanguageClient, project):
    """The same with an editor that changes no documents when asked."""
    await connect(lsp_client, project, apply_edit=False)
    yield
    await lsp_client.shutdown_session()


@pytest_lsp.fixture(config=SERVER)
async def saving_client(lsp_client: LanguageClient, project, tmp_path):
    """The same with an editor that saves when asked, and knows the folder by a link."""
    link = tmp_path / "link"
    link.symlink_to(project)
    await connect(lsp_client, link, save=True)
    yield
    await lsp_client.shutdown_session()


@pytest.fixture(autouse=True)
def _state(tmp_path, monkeypatch):
    """A state folder of the test's own, for the server too."""
    monkeypatch.setenv("TAKEBACK_STATE_DIR", str(tmp_path / "state"))


# -- a client that says anything ---------------------------------------------------------------


@pytest.fixture
def state(tmp_path):
    """The folder with every history, for the servers too."""
    return tmp_path / "state"


@pytest.fixture
def start(tmp_path):
    """Starts a server and gives its client; at the end every server is ended."""
    started = []
    log = (tmp_path / "server.log").open("wb")

    def start(*words, program=(*TAKEBACK, "lsp")):
        process = subprocess.Popen(
            [*words, *program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
        )
        started.append(process)
        client = wire.Client(process.stdout, process.stdin)
        client.process = process
        return client

    yield start
    for process in started:
        process.kill()
        process.communicate()
    log.close()


@pytest.fixture
def serve(start):
    """Starts a server that has some folders open, and gives its client."""

    def serve(*folders, words=(), answers=None, **given):
        client = start(*words)
        client.answers = answers or {}
        client.initialize(*folders, **given)
        return client

    return serve


@pytest.fixture
def make(tmp_path):
    """Makes a project folder with one file."""

    def project(name="project"):
        root = tmp_path / name
        root.mkdir()
        (root / "a.txt").write_text(wire.TEXT, encoding="utf-8")
        return root

    return project


# -- agents with hooks --------------------------------------------------------------------------


@pytest.fixture
def recorder(scene):
    """How a recorder is started that records when this returns; it is ended at the end."""
    started = []

    def recorder():
        process = recorder_of(scene)
        started.append(process)
        until(lambda: scene.tb("status").json["recorder"] == process.pid)
        return process

    yield recorder
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
def workspace(scene):
    """A workspace with two files and a history."""
    scene.write("f", "one\n")
    scene.write("g", "one\n")
    scene.tb("init")
    return scene


@pytest.fixture(params=[False, True], ids=["alone", "recorded"])
def either(request, workspace, recorder):
    """The same, without a recorder and with one."""
    if request.param:
        recorder()
    return workspace
