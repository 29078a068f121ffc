"""Each test has a world of its own."""

import pytest

from tests.unit.office import Office
from tests.unit.world import World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def office() -> Office:
    return Office()
