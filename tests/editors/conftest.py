"""Every scenario runs in every editor that is here."""

from __future__ import annotations

import pytest

from editors.clients import CLIENTS
from editors.stage import Stage, survivors
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
