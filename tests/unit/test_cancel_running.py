"""A cancel reaches a run at its next heartbeat, whatever that is at; what it did until then is charged."""

from datetime import timedelta

import pytest

from chalicelib.domain.job import JobRef, Progress, Status
from chalicelib.domain.metering import METERED, Ending
from chalicelib.ports.sandbox import Began, Broke, Ended, Stepped
from chalicelib.use_cases.attempt import HEARTBEAT_SECONDS
from chalicelib.use_cases.run_job import Outcome
from tests.unit.runs import UNITS_A_STEP, Scripted, steps_of, submit_steps
from tests.unit.test_failed_runs import meters_of
from tests.unit.world import OF_TEN_UNITS, World


def test_a_silent_run_is_killed_within_a_heartbeat_when_it_is_canceled(world: World) -> None:
    ref = world.submit().job_ref
    canceled_at = []

    def cancel() -> None:
        canceled_at.append(world.clock.now())
        world.cancel_job(ref)

    world.sandbox = Scripted(world.clock, [Began(1), None, None, cancel, *[None] * 100])
    assert world.run_job(ref) is Outcome.SUPERSEDED
    assert world.sandbox.killed == 1
    assert world.clock.now() - canceled_at[0] <= timedelta(seconds=HEARTBEAT_SECONDS)


def test_nothing_is_written_when_a_canceled_run_goes_on_for_a_moment(world: World) -> None:
    steps_of(world)
    ref = submit_steps(world, 60)
    after: list[object] = []

    def cancel_once() -> None:
        if len(after) == 0 and world.job(ref).progress == Progress(20, 60):
            world.cancel_job(ref)
            after.extend([world.job(ref), [*world.checkpoints.stored], world.jobs.events()])

    world.clock.meanwhile = cancel_once
    assert world.run_job(ref) is Outcome.SUPERSEDED
    assert after == [world.job(ref), [*world.checkpoints.stored], world.jobs.events()]
    assert (world.queue.confirm, world.queue.dead, world.queue.run) == ([], [], [ref])


@pytest.mark.parametrize("progress", [None, Progress(1, 3), Progress(2, 3), Progress(3, 3)])
def test_the_charge_is_what_the_row_says_when_a_running_job_is_canceled(
    world: World, progress: Progress | None
) -> None:
    ref = world.submit(job_input=OF_TEN_UNITS).job_ref
    steps = [Stepped(progress)] if progress else []

    def cancel() -> None:
        told = world.job(ref)
        assert told.progress == progress
        answer = world.cancel_job(ref)
        assert answer.used_units == told.units_so_far == (10 * progress.completed // 3 if progress else 0)

    world.sandbox = Scripted(world.clock, [Began(10), *steps, None, cancel, None, Ended(b"1")])
    assert world.run_job(ref) is Outcome.SUPERSEDED
    job = world.job(ref)
    charged = meters_of(world, ref)
    assert charged.pop("job.accepted") == 1
    assert charged.pop("payload.stored") == 1
    assert sum(charged.values()) == job.used_units
    assert set(charged) <= {*METERED[Ending.CANCELED_RUNNING]}


def test_what_a_failed_attempt_lost_is_not_charged_when_its_job_is_canceled(world: World) -> None:
    ref = world.submit(job_input=OF_TEN_UNITS).job_ref
    world.sandbox = Scripted(world.clock, [Began(10), Stepped(Progress(2, 3)), None, None, Broke("x")])
    assert world.run_job(ref) is Outcome.RETRIED
    assert world.cancel_job(ref).progress is None
    assert meters_of(world, ref) == {"job.accepted": 1, "payload.stored": 1}


def test_the_charge_is_the_checkpoints_when_a_paused_job_is_canceled(world: World) -> None:
    steps_of(world)
    ref = submit_steps(world, 60)
    assert world.run_job(ref) is Outcome.PAUSED
    done = world.job(ref).checkpoint.progress.completed
    assert world.cancel_job(ref).used_units == done * UNITS_A_STEP
    assert meters_of(world, ref) == {
        "job.accepted": 1,
        "compute.used": done * UNITS_A_STEP,
        "payload.stored": 1,
    }
    assert (world.run_job(ref), world.jobs.next_ready(after="")) == (Outcome.NOTHING_TO_DO, None)


def test_a_job_that_waits_for_its_next_attempt_is_canceled_for_good(world: World) -> None:
    ref = world.submit().job_ref
    world.sandbox = Scripted(world.clock, [Began(1), Broke("x")])
    assert world.run_job(ref) is Outcome.RETRIED
    assert world.cancel_job(ref).status is Status.CANCELED
    world.clock.advance(timedelta(minutes=1))
    assert world.run_job(ref) is Outcome.NOTHING_TO_DO


def test_no_work_is_charged_when_a_queued_job_is_canceled(world: World) -> None:
    ref: JobRef = world.submit().job_ref
    world.cancel_job(ref)
    assert meters_of(world, ref) == {"job.accepted": 1, "payload.stored": 1}


def test_the_cancel_wins_when_it_comes_while_the_result_is_being_stored(world: World) -> None:
    ref = world.submit().job_ref
    payloads = world.payloads

    class Canceling:
        def put(self, stored: JobRef, content: bytes) -> str:
            world.cancel_job(ref)
            return payloads.put(stored, content)

    world.payloads = Canceling()
    assert world.run_job(ref) is Outcome.SUPERSEDED
    assert (world.job(ref).status, world.job(ref).result) == (Status.CANCELED, None)
    assert meters_of(world, ref) == {"job.accepted": 1, "payload.stored": 1}
