"""A job that nobody waits for any more fails: unbilled if it never began, and noticed within a minute."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.errors import JobNotCancelable
from chalicelib.domain.failure import FailureCode
from chalicelib.domain.job import USUAL_DEADLINE, Job, JobRef, Status
from chalicelib.domain.metering import METERED, Ending
from chalicelib.ports import Change
from chalicelib.ports.sandbox import Began, Broke
from chalicelib.use_cases.run_job import Outcome
from tests.unit.runs import UNITS_A_STEP, Scripted, run_on, steps_of, submit_steps
from tests.unit.test_failed_runs import failure_of, meters_of
from tests.unit.world import GLOBEX, INVOCATION_SECONDS, START, World, take

MINUTE, MOMENT = timedelta(minutes=1), timedelta(microseconds=1)


def swept_every_minute(world: World, ref: JobRef, *, minutes: int) -> Job:
    """The job when the sweep has looked so often."""
    for _ in range(minutes):
        world.clock.advance(MINUTE)
        world.sweep()
    return world.job(ref)


@pytest.mark.parametrize("deadline", [timedelta(seconds=1), timedelta(seconds=90), timedelta(hours=5)])
def test_a_queued_job_fails_unbilled_when_the_sweep_finds_it_too_late(
    world: World, deadline: timedelta
) -> None:
    ref = world.submit(deadline=deadline).job_ref
    minutes = -(-deadline // MINUTE)
    assert swept_every_minute(world, ref, minutes=minutes - 1).status is Status.QUEUED
    job = swept_every_minute(world, ref, minutes=2)
    assert failure_of(world, ref) is FailureCode.DEADLINE_EXCEEDED
    assert job.entered[Status.FAILED] - job.deadline_at <= MINUTE
    assert meters_of(world, ref) == dict.fromkeys(METERED[Ending.EXPIRED], 1)
    assert (world.queue.dead, world.jobs.count(ref.tenant_id, "active")) == ([], 0)


def test_a_queued_job_fails_unbilled_when_a_worker_finds_it_too_late(world: World) -> None:
    ref = world.submit(deadline=MINUTE).job_ref
    world.clock.advance(MINUTE)
    ran = world.worker()(ref, seconds=INVOCATION_SECONDS)
    assert (ran.outcome, ran.job) == (Outcome.FAILED, ref)
    assert meters_of(world, ref) == {"job.accepted": 1, "job.waived": 1}


def test_a_job_begins_when_its_deadline_is_a_moment_away(world: World) -> None:
    ref = world.submit(deadline=MINUTE).job_ref
    world.clock.advance(MINUTE - MOMENT)
    assert world.run_job(ref) is Outcome.FINISHED


def test_a_job_waits_a_day_when_nothing_else_was_said(world: World) -> None:
    ref = world.submit().job_ref
    assert world.job(ref).deadline_at == START + USUAL_DEADLINE


def test_a_late_jobs_message_costs_nobody_elses_turn(world: World) -> None:
    late = world.submit(deadline=MINUTE).job_ref
    world.clock.advance(MINUTE)
    other = world.submit(tenant=GLOBEX).job_ref
    worker = world.worker()
    assert {worker(other, seconds=60).job, worker(late, seconds=60).job} == {late, other}
    assert world.job(other).status is Status.CONFIRMING


def test_a_running_job_is_ended_and_charged_for_its_work_when_its_deadline_comes(world: World) -> None:
    steps_of(world)
    ref = submit_steps(world, 60, deadline=timedelta(seconds=20))
    assert world.run_job(ref) is Outcome.FAILED
    assert failure_of(world, ref) is FailureCode.DEADLINE_EXCEEDED
    assert world.job(ref).entered[Status.FAILED] == START + timedelta(seconds=20)
    assert meters_of(world, ref) == {
        "job.accepted": 1,
        "compute.used": 20 * UNITS_A_STEP,
        "payload.stored": 1,
    }
    assert world.queue.dead == []


def test_a_silent_run_is_killed_when_its_deadline_comes(world: World) -> None:
    ref = world.submit(deadline=timedelta(seconds=3)).job_ref
    world.sandbox = Scripted(world.clock, [Began(1), *[None] * 6])
    assert world.run_job(ref) is Outcome.FAILED
    assert (failure_of(world, ref), world.sandbox.killed) == (FailureCode.DEADLINE_EXCEEDED, 1)
    assert meters_of(world, ref) == {"job.accepted": 1, "payload.stored": 1}


@pytest.mark.parametrize("by", ["a worker", "the sweep"])
def test_a_paused_job_fails_charged_for_its_work_when_its_deadline_comes(world: World, by: str) -> None:
    steps_of(world)
    ref = submit_steps(world, 60, deadline=timedelta(minutes=30))
    assert world.run_job(ref) is Outcome.PAUSED
    done = world.job(ref).progress.completed
    if by == "the sweep":
        job = swept_every_minute(world, ref, minutes=31)
        assert job.entered[Status.FAILED] - job.deadline_at <= MINUTE
    else:
        world.clock.advance(timedelta(minutes=30))
        assert world.run_job(ref) is Outcome.FAILED
    assert failure_of(world, ref) is FailureCode.DEADLINE_EXCEEDED
    assert meters_of(world, ref) == {
        "job.accepted": 1,
        "compute.used": done * UNITS_A_STEP,
        "payload.stored": 1,
    }


def test_a_job_that_waits_for_its_next_attempt_costs_nothing_when_its_deadline_comes(world: World) -> None:
    ref = world.submit(deadline=timedelta(milliseconds=500)).job_ref
    world.sandbox = Scripted(world.clock, [Began(1), Broke("x")])
    assert world.run_job(ref) is Outcome.RETRIED
    assert swept_every_minute(world, ref, minutes=1).status is Status.FAILED
    assert failure_of(world, ref) is FailureCode.ATTEMPTS_EXHAUSTED


def test_the_sweep_leaves_a_late_job_to_its_worker_when_that_is_alive(world: World) -> None:
    ref = world.submit(deadline=timedelta(seconds=20)).job_ref
    take(world, ref)
    world.clock.advance(timedelta(seconds=25))
    job = world.job(ref)
    world.jobs.save([Change(job, replace(job, due_at=world.clock.now()))])
    world.sweep()
    assert world.job(ref).status is Status.RUNNING


def test_a_result_counts_when_it_was_stored_before_the_deadline(world: World) -> None:
    ref = world.submit(deadline=MINUTE).job_ref
    assert run_on(world, ref) == [Outcome.FINISHED]
    assert swept_every_minute(world, ref, minutes=3).status is Status.CONFIRMING
    with pytest.raises(JobNotCancelable):
        world.cancel_job(ref)
