"""Every scenario runs in every editor that is here."""

from __future__ import annotations

from pathlib import Path

import pytest

from editors.clients import CLIENTS
from editors.stage import Stage
from waiting import until


@pytest.fixture(params=CLIENTS.values(), ids=lambda client: client.name)
def client(request):
    """One editor."""
    if request.param.path is None:
        pytest.skip(f"{request.param.name} is not here: run tests/editors/run.sh")
    return request.param


@pytest.fixture
def stage(client, tmp_path):
    """A workspace whose file `a.py` is open in the editor. Nothing of it is alive afterwards."""
    stage = Stage(client, tmp_path)
    try:
        stage.start()
        yield stage
        assert stage.quit() == 0
    finally:
        stage.end()
    until(lambda: survivors(tmp_path / "state") == [])


def survivors(state: Path) -> list[str]:
    """The processes that still belong to a state folder."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes()
        except OSError:
            continue
        if f"TAKEBACK_STATE_DIR={state}".encode() in environment:
            found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found
