"""Each test has a world of its own."""

from importlib.util import find_spec

import pytest

from tests.unit.handover import Scene
from tests.unit.office import Office
from tests.unit.world import World

# The one package that may be absent; where it must not, `test_job_types` says so.
collect_ignore_glob = [] if find_spec("tenseal") else ["test_fhe_linear*.py"]


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
def scene(world: World) -> Scene:
    return Scene(world)
