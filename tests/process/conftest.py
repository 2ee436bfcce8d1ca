"""A small repository, a server on it, and an editor that talks to the server."""

from __future__ import annotations

import subprocess

import pytest
import pytest_lsp
from lsprotocol import types as lsp
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities

from editor import TAKEBACK, TEXT, Editor


@pytest.fixture
def project(tmp_path):
    """A small repository."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "a.txt").write_text(TEXT, encoding="utf-8")
    (root / "b.txt").write_text(TEXT, encoding="utf-8")
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    return root


@pytest_lsp.fixture(config=ClientServerConfig(server_command=[*TAKEBACK, "lsp"]))
async def client(lsp_client: LanguageClient, project):
    """A server on a small repository, and an editor that talks to it."""
    editor = lsp_client.editor = Editor(lsp_client, project)

    @lsp_client.feature(lsp.WORKSPACE_APPLY_EDIT)
    def _(params: lsp.ApplyWorkspaceEditParams):
        return editor.on_edit(params)

    @lsp_client.feature(lsp.WINDOW_SHOW_MESSAGE_REQUEST)
    def _(params: lsp.ShowMessageRequestParams):
        return editor.on_question(params)

    capabilities = client_capabilities("visual-studio-code")
    await lsp_client.initialize_session(
        lsp.InitializeParams(
            capabilities=capabilities,
            client_info=lsp.ClientInfo(name="Testing", version="1"),
            workspace_folders=[lsp.WorkspaceFolder(uri=project.as_uri(), name="project")],
        )
    )
    await editor.run("takeback.status", {})  # the first look is done
    yield
    await lsp_client.shutdown_session()


@pytest.fixture(autouse=True)
def _state(tmp_path, monkeypatch):
    """A state folder of the test's own, for the server too."""
    monkeypatch.setenv("TAKEBACK_STATE_DIR", str(tmp_path / "state"))
