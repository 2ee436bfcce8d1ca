"""What tests of the whole product share."""

import pytest

from scenes import make_scene


@pytest.fixture
def scene(tmp_path):
    """An empty workspace with its own home and state folder."""
    return make_scene(tmp_path)
