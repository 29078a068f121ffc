"""Whose fault a failure is decides: the caller's is never tried again, and the platform's not for ever."""

from datetime import timedelta

import pytest

from chalicelib.domain.failure import FailureCode
from chalicelib.domain.job import JobRef, Progress, Status
from chalicelib.domain.lease import LEASE, MAX_ATTEMPTS, RETRY_CAP_SECONDS, retry_at_most_seconds
from chalicelib.domain.metering import METERED, Ending
from chalicelib.job_types.contract import JobError
from chalicelib.ports.sandbox import Began, Bound, Broke, Ended, Exceeded, Stepped
from chalicelib.use_cases.run_job import Outcome
from tests.unit.runs import UNITS_A_STEP, Scripted, run_on, steps_of, submit_steps
from tests.unit.world import INVOCATION_SECONDS, OF_TEN_UNITS, START, World, give_up, result_of, take


def failure_of(world: World, ref: JobRef) -> FailureCode:
    job = world.job(ref)
    assert job.failure is not None
    assert job.status is Status.FAILED
    return job.failure.code


def meters_of(world: World, ref: JobRef) -> dict[str, int]:
    """What the job has been charged for."""
    return {each.meter: each.quantity for each in world.jobs.events().values() if each.ref == ref}


def raising(error: BaseException, at: int) -> object:
    def on_step(done: int) -> None:
        if done == at:
            raise error

    return on_step


def test_the_job_fails_when_its_input_cannot_be_computed(world: World) -> None:
    leaves = {"leaf_encoding": ["uint256"], "leaves": [["1", "2"]]}
    ref = world.submit(job_type="merkle.root", job_input=leaves).job_ref
    assert world.run_job(ref) is Outcome.FAILED
    assert failure_of(world, ref) is FailureCode.JOB_ERROR


def test_the_callers_error_is_not_tried_again_when_it_shows_late(world: World) -> None:
    steps = steps_of(world, on_step=raising(JobError("The third is wrong."), 3))
    ref = submit_steps(world, 9)
    world.queue.run.clear()
    assert world.run_job(ref) is Outcome.FAILED
    assert failure_of(world, ref) is FailureCode.JOB_ERROR
    assert (steps.began, world.queue.run, world.queue.dead) == ([0], [], [])
    assert meters_of(world, ref) == {"job.accepted": 1, "compute.used": 2 * UNITS_A_STEP, "payload.stored": 1}


@pytest.mark.parametrize("bound", Bound)
def test_a_run_that_exceeds_its_bounds_fails_its_own_job_when_it_is_told_so(
    world: World, bound: Bound
) -> None:
    ref, next_one = world.submit(job_input=OF_TEN_UNITS).job_ref, world.submit("k2").job_ref
    world.sandbox = Scripted(
        world.clock, [Began(10), Stepped(Progress(2, 5)), Exceeded(bound)], [Began(1), Ended(b"1")]
    )
    assert world.run_job(ref) is Outcome.FAILED
    assert failure_of(world, ref) is FailureCode.RUN_LIMIT_EXCEEDED
    assert bound.value.split()[0] in world.job(ref).failure.detail
    assert meters_of(world, ref) == {"job.accepted": 1, "compute.used": 4, "payload.stored": 1}
    assert world.run_job(next_one) is Outcome.FINISHED
    assert world.queue.dead == []


def test_a_run_that_asks_for_too_much_memory_fails_its_own_job(world: World) -> None:
    steps_of(world, on_step=raising(MemoryError(), 2))
    ref = submit_steps(world, 5)
    assert world.run_job(ref) is Outcome.FAILED
    assert failure_of(world, ref) is FailureCode.RUN_LIMIT_EXCEEDED


@pytest.mark.parametrize("seconds_a_step", [1.0, 20.0, 1000.0])
def test_a_run_fails_when_it_takes_too_long_and_has_no_checkpoint(
    world: World, seconds_a_step: float
) -> None:
    steps_of(world, can_go_on=False, seconds=seconds_a_step)
    ref = submit_steps(world, 100)
    assert run_on(world, ref) == [Outcome.FAILED]
    assert failure_of(world, ref) is FailureCode.RUN_LIMIT_EXCEEDED
    assert world.queue.dead == []


@pytest.mark.parametrize("slow", ["next_ready", "input_of"])
def test_a_run_is_tried_again_and_ends_in_time_when_we_left_it_too_little(world: World, slow: str) -> None:
    """Whether it was the job that took us long to find, or its input."""
    steps_of(world, can_go_on=False)
    ref = submit_steps(world, 40)

    class Slow:
        def __getattr__(self, name: str) -> object:
            if name in waits:
                world.clock.pause(waits.pop(name))
            return getattr(jobs, name)

    waits = {slow: 30.0}
    jobs, world.jobs = world.jobs, Slow()
    ran = world.worker()(ref, seconds=INVOCATION_SECONDS)
    assert (ran.outcome, world.job(ref).status) == (Outcome.RETRIED, Status.RUNNING)
    assert world.clock.now() - START <= timedelta(seconds=INVOCATION_SECONDS)
    world.jobs = jobs
    world.clock.advance(timedelta(seconds=world.queue.delays[-1]))
    assert world.run_job(ref) is Outcome.FINISHED


def test_a_run_fails_when_it_comes_to_no_checkpoint_in_a_later_invocation(world: World) -> None:
    steps = steps_of(world)
    ref = submit_steps(world, 100)
    assert world.run_job(ref) is Outcome.PAUSED
    steps.can_go_on = False
    assert world.run_job(ref) is Outcome.FAILED
    assert failure_of(world, ref) is FailureCode.RUN_LIMIT_EXCEEDED


def test_a_broken_run_is_tried_again_ever_later_and_then_no_more(world: World) -> None:
    ref = world.submit(job_input=OF_TEN_UNITS).job_ref
    world.sandbox = Scripted(
        world.clock, *[[Began(10), Stepped(Progress(1, 3)), Broke("ZeroDivisionError")]] * MAX_ATTEMPTS
    )
    world.queue.delays.clear()
    waits: list[float] = []
    for _ in range(MAX_ATTEMPTS - 1):
        ran = world.worker()(ref, seconds=INVOCATION_SECONDS)
        assert (ran.outcome, ran.detail) == (Outcome.RETRIED, "ZeroDivisionError")
        waits.append((world.job(ref).lease_until - world.clock.now()).total_seconds())
        assert world.run_job(ref) is Outcome.NOTHING_TO_DO
        world.clock.advance(timedelta(seconds=waits[-1]))
    assert waits == world.queue.delays == [4, 8, 16, 30]
    ran = world.worker()(ref, seconds=INVOCATION_SECONDS)
    assert (ran.outcome, ran.detail) == (Outcome.FAILED, "ZeroDivisionError")
    assert failure_of(world, ref) is FailureCode.ATTEMPTS_EXHAUSTED
    assert world.queue.dead == [ref]
    assert meters_of(world, ref) == dict.fromkeys(METERED[Ending.FAILED_BY_US], 1)
    assert world.job(ref).used_units == 0


def test_no_wait_is_longer_than_half_a_minute_however_many_attempts_failed() -> None:
    assert max(map(retry_at_most_seconds, range(1, 1000))) == RETRY_CAP_SECONDS


def test_a_tenant_reads_nothing_of_our_errors_when_a_run_breaks(world: World) -> None:
    ref = world.submit().job_ref
    world.sandbox = Scripted(world.clock, *[[Broke("at /secret/place")]] * MAX_ATTEMPTS)
    for _ in range(MAX_ATTEMPTS):
        world.run_job(ref)
        world.clock.advance(timedelta(minutes=1))
    assert "secret" not in world.job(ref).failure.detail


def test_attempts_count_from_zero_when_a_run_came_to_a_new_checkpoint(world: World) -> None:
    """It breaks every twelve seconds, and gets on by ten of them each time."""
    steps = steps_of(world)
    ref = submit_steps(world, 60)

    def break_(done: int) -> None:
        if done - steps.began[-1] == 12:
            raise RuntimeError

    steps.on_step = break_
    while (outcome := world.run_job(ref)) is Outcome.RETRIED:
        assert world.job(ref).attempts <= 1
        world.clock.advance(timedelta(minutes=1))
    assert outcome is Outcome.FINISHED
    assert len(steps.began) > MAX_ATTEMPTS
    assert result_of(world, ref)["steps"] == 60


def test_a_job_is_given_up_when_it_has_cost_too_many_workers(world: World) -> None:
    ref = world.submit().job_ref
    for _ in range(MAX_ATTEMPTS):
        take(world, ref)
        world.clock.advance(LEASE)
    assert world.run_job(ref) is Outcome.FAILED
    assert failure_of(world, ref) is FailureCode.ATTEMPTS_EXHAUSTED
    assert world.queue.dead == [ref]


def test_the_sweep_gives_a_job_up_when_no_message_of_it_is_left(world: World) -> None:
    ref = world.submit().job_ref
    give_up(world, ref)
    assert failure_of(world, ref) is FailureCode.ATTEMPTS_EXHAUSTED
    assert world.queue.dead == [ref]
    world.clock.advance(timedelta(days=1))
    assert world.sweep().dead_letters == {"jobs-run-dead": 1}
    assert world.queue.dead == [ref]
