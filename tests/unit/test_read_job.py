"""Reading results: now, later, or never."""

import pytest

from chalicelib.domain.errors import NoResult, ResultNotReady
from tests.unit.world import World


def test_the_result_is_not_ready_when_the_job_has_not_run(world: World) -> None:
    with pytest.raises(ResultNotReady, match="queued"):
        world.get_result(world.submit().job_ref)


def test_there_is_no_result_when_the_job_ended_without_one(world: World) -> None:
    ref = world.submit().job_ref
    world.cancel_job(ref)
    with pytest.raises(NoResult, match="canceled"):
        world.get_result(ref)
