"""Running: at most one worker's outcome counts, whoever is late."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain import job as domain
from chalicelib.domain.confirmation import commitment
from chalicelib.domain.job import LEASE, MAX_ATTEMPTS, Status
from chalicelib.job_types import JOB_TYPES
from chalicelib.job_types.contract import Run
from chalicelib.use_cases.run_job import Ran, RunJob
from tests.unit.world import World, result_of, take


def test_the_result_is_stored_and_committed_to_when_the_job_has_run(world: World) -> None:
    ref = world.confirming()
    job = world.job(ref)
    assert (job.status, job.version) == (Status.CONFIRMING, 3)
    stored = world.get_result(ref)
    assert job.result is not None
    assert job.result.commitment == commitment(bytes.fromhex(job.result.salt[2:]), stored.content)
    assert world.queue.confirm == [(ref,)]


def test_a_message_does_nothing_when_the_job_has_moved_on(world: World) -> None:
    ref = world.confirming()
    before = world.job(ref)
    assert world.run_job(ref) is Ran.NOTHING_TO_DO
    assert world.job(ref) == before


def test_a_message_does_nothing_when_another_worker_holds_a_live_lease(world: World) -> None:
    ref = world.submit().job_ref
    take(world, ref)
    assert world.run_job(ref) is Ran.NOTHING_TO_DO


def test_the_job_is_taken_over_when_the_lease_has_run_out(world: World) -> None:
    ref = world.submit().job_ref
    take(world, ref)
    world.clock.advance(LEASE)
    assert world.run_job(ref) is Ran.FINISHED
    assert world.job(ref).lease_epoch == 2


def test_the_late_worker_loses_when_its_job_was_taken_over(world: World) -> None:
    ref = world.submit().job_ref
    late = interrupted(world, lambda: (world.clock.advance(LEASE), world.run_job(ref)))
    assert late(ref) is Ran.SUPERSEDED
    job = world.job(ref)
    assert (job.status, job.lease_epoch) == (Status.CONFIRMING, 2)
    assert result_of(world, ref)["rounds"] == 3


def test_the_worker_stops_when_its_job_was_canceled(world: World) -> None:
    ref = world.submit().job_ref
    late = interrupted(world, lambda: world.cancel_job(ref))
    assert late(ref) is Ran.SUPERSEDED
    assert world.job(ref).status is Status.CANCELED


def test_the_job_fails_when_its_input_cannot_be_computed(world: World) -> None:
    leaves = {"leaf_encoding": ["uint256"], "leaves": [["1", "2"]]}
    ref = world.submit(job_type="merkle.root", job_input=leaves).job_ref
    assert world.run_job(ref) is Ran.FAILED
    job = world.job(ref)
    assert job.failure is not None
    assert (job.status, job.failure.code) == (Status.FAILED, "job_error")


def test_the_job_fails_when_it_has_cost_too_many_workers(world: World) -> None:
    ref = world.submit().job_ref
    for _ in range(MAX_ATTEMPTS):
        take(world, ref)
        world.clock.advance(LEASE)
    assert world.run_job(ref) is Ran.FAILED
    assert world.job(ref).failure.code == "attempts_exhausted"


def test_a_buried_job_fails_when_nobody_runs_it(world: World) -> None:
    ref = world.submit().job_ref
    take(world, ref)
    world.clock.advance(LEASE)
    world.bury_job(ref)
    world.bury_job(ref)
    assert world.job(ref).status is Status.FAILED


def test_a_buried_job_is_left_to_the_sweep_when_no_worker_ever_began(world: World) -> None:
    ref = world.submit().job_ref
    world.bury_job(ref)
    assert world.job(ref).status is Status.QUEUED


def test_a_buried_job_goes_on_when_a_worker_runs_it(world: World) -> None:
    ref = world.submit().job_ref
    take(world, ref)
    world.bury_job(ref)
    assert world.job(ref).status is Status.RUNNING


def test_the_sweep_wakes_a_worker_when_the_message_was_lost(world: World) -> None:
    ref = world.submit().job_ref
    world.queue.run.clear()
    assert world.sweep() == 0
    world.clock.advance(domain.UNSEEN_AFTER)
    assert (world.sweep(), world.sweep()) == (1, 0)
    assert world.queue.run == [ref]
    assert world.queue.confirm == [(), (), ()]  # the sender is woken at every sweep


@pytest.mark.parametrize("status", [Status.RUNNING, Status.CONFIRMING])
def test_the_sweep_wakes_whom_the_state_needs_when_a_job_is_overdue(world: World, status: Status) -> None:
    ref = world.submit().job_ref
    take(world, ref) if status is Status.RUNNING else world.run_job(ref)
    world.queue.run.clear()
    world.queue.confirm.clear()
    world.clock.advance(timedelta(minutes=2))
    assert world.sweep() == 1
    woken = (world.queue.run, [refs for refs in world.queue.confirm if refs])
    assert woken == (([ref], []) if status is Status.RUNNING else ([], [(ref,)]))


def interrupted(world: World, meanwhile: Callable[[], object]) -> RunJob:
    """A worker during whose run something else happens, between two heartbeats."""

    def run(job_input: Any) -> Run:
        meanwhile()
        world.clock.advance(timedelta(seconds=1))
        return (yield from JOB_TYPES["sha256.chain"].run(job_input))

    slow = replace(JOB_TYPES["sha256.chain"], run=run)
    return replace(world.run_job, job_types={"sha256.chain": slow})
