"""What tests of the whole product share."""

import pytest
from hypothesis import HealthCheck, settings

from scenes import make_scene

settings.register_profile("slow machines too", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("slow machines too")


@pytest.fixture
def scene(tmp_path):
    """An empty workspace with its own home and state folder."""
    return make_scene(tmp_path)
