"""Work longer than an invocation goes on from its checkpoint, and makes room for others on the way."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.job import Progress, Status
from chalicelib.domain.lease import LEASE
from chalicelib.job_types import JOB_TYPES
from chalicelib.use_cases.attempt import SLICE_SECONDS, STOPPING_SECONDS, STORING_SECONDS
from chalicelib.use_cases.run_job import Outcome
from tests.unit.runs import Dies, dies_at, run_on, slowed, steps_of, submit_steps
from tests.unit.world import GLOBEX, INVOCATION_SECONDS, LONG, START, World, result_of

# What an invocation has for the run itself, and the step that it stops with.
STEPS_AN_INVOCATION = int(INVOCATION_SECONDS - STORING_SECONDS - STOPPING_SECONDS) + 1


def test_a_job_goes_on_in_new_invocations_when_one_is_too_short(world: World) -> None:
    steps = steps_of(world)
    ref = submit_steps(world, 2 * STEPS_AN_INVOCATION + 1)
    outcomes = run_on(world, ref)
    assert outcomes == [Outcome.PAUSED, Outcome.PAUSED, Outcome.FINISHED]
    assert steps.began == [0, STEPS_AN_INVOCATION, 2 * STEPS_AN_INVOCATION]
    assert result_of(world, ref) == {"steps": 2 * STEPS_AN_INVOCATION + 1, "version": 1}
    job = world.job(ref)
    assert (job.status, job.version, job.used_units) == (Status.CONFIRMING, 3, job.cost_units)


def test_the_result_is_the_same_when_a_chain_of_hashes_is_paused_and_when_it_is_not(world: World) -> None:
    kind = JOB_TYPES["sha256.chain"]
    whole, parts = world.submit("k1", job_input=LONG).job_ref, world.submit("k2", job_input=LONG).job_ref
    assert run_on(world, whole) == [Outcome.FINISHED]
    world.job_types = {**JOB_TYPES, kind.name: slowed(kind, world.clock, seconds=30.0)}
    assert run_on(world, parts) == [Outcome.PAUSED, Outcome.PAUSED, Outcome.FINISHED]
    assert world.get_result(parts).content == world.get_result(whole).content


def test_a_paused_job_is_running_and_anyones_when_its_invocation_is_over(world: World) -> None:
    steps_of(world)
    ref = submit_steps(world, 100)
    world.queue.run.clear()
    assert world.run_job(ref) is Outcome.PAUSED
    job = world.job(ref)
    assert (job.status, job.lease_until, job.is_ready) == (Status.RUNNING, None, True)
    assert job.progress == Progress(STEPS_AN_INVOCATION, 100)
    assert job.checkpoint is not None
    assert job.checkpoint.progress == job.progress
    assert (world.queue.run, world.queue.delays[-1]) == ([ref], 0)


def test_the_sweep_wakes_a_worker_when_a_paused_jobs_message_was_lost(world: World) -> None:
    steps_of(world)
    ref = submit_steps(world, 100)
    world.run_job(ref)
    world.queue.run.clear()
    world.clock.advance(timedelta(minutes=1))
    world.sweep()
    assert world.queue.run == [ref]


def test_a_run_makes_room_when_another_tenant_waits_longer_than_a_slice(world: World) -> None:
    steps = steps_of(world)
    worker = world.worker()
    mine = submit_steps(world, 40)
    world.clock.meanwhile = lambda: worlds_other(world)
    ran = worker(mine, seconds=INVOCATION_SECONDS)
    assert (ran.outcome, ran.job) == (Outcome.PAUSED, mine)
    assert world.clock.now() - START <= timedelta(seconds=SLICE_SECONDS + 2 * steps.seconds)
    world.clock.meanwhile = lambda: None
    theirs = worker(mine, seconds=INVOCATION_SECONDS)
    assert (theirs.outcome, theirs.job) == (
        Outcome.FINISHED,
        world.submit("of another", tenant=GLOBEX).job_ref,
    )
    assert worker(mine, seconds=INVOCATION_SECONDS).outcome is Outcome.FINISHED
    assert steps.began == [0, SLICE_SECONDS + 1]


def worlds_other(world: World) -> None:
    """Another tenant's job; the same however often."""
    world.submit("of another", tenant=GLOBEX)


@pytest.mark.parametrize("count", [1, 3])
def test_a_run_does_not_stop_when_only_its_own_tenant_waits(world: World, count: int) -> None:
    steps = steps_of(world)
    ref = submit_steps(world, 40)
    for n in range(count):
        world.submit(f"mine {n}")
    assert world.worker()(ref, seconds=INVOCATION_SECONDS).outcome is Outcome.FINISHED
    assert steps.began == [0]


def test_a_run_does_not_stop_when_the_other_tenant_has_been_served_meanwhile(world: World) -> None:
    steps_of(world)
    ref = submit_steps(world, 40)
    other = world.submit("of another", tenant=GLOBEX).job_ref

    def served() -> None:
        world.clock.meanwhile = lambda: None
        world.run_job(other)

    world.clock.meanwhile = served
    assert world.worker()(ref, seconds=INVOCATION_SECONDS).outcome is Outcome.FINISHED


def test_a_run_without_checkpoints_ends_in_one_go_when_another_tenant_waits(world: World) -> None:
    steps_of(world, can_go_on=False)
    ref = submit_steps(world, 40)
    waiting = world.submit("of another", tenant=GLOBEX).job_ref
    ran = world.worker()(waiting, seconds=INVOCATION_SECONDS)
    assert (ran.outcome, ran.job) == (Outcome.FINISHED, ref)


def test_a_job_goes_on_from_its_last_checkpoint_when_its_worker_died(world: World) -> None:
    steps = steps_of(world)
    ref = submit_steps(world, 30)
    dies_at(steps, 18)
    with pytest.raises(Dies):
        world.run_job(ref)
    at = world.job(ref).checkpoint
    assert at is not None
    steps.on_step = lambda _: None
    world.clock.advance(LEASE)
    assert world.run_job(ref) is Outcome.FINISHED
    assert steps.began == [0, at.progress.completed]
    assert 10 <= at.progress.completed < 18


def test_a_run_begins_anew_when_its_checkpoint_is_lost(world: World) -> None:
    steps = steps_of(world)
    ref = submit_steps(world, 60)
    assert world.run_job(ref) is Outcome.PAUSED
    world.checkpoints.stored.clear()
    assert run_on(world, ref) == [Outcome.PAUSED, Outcome.FINISHED]
    assert steps.began == [0, 0, STEPS_AN_INVOCATION]


def test_a_run_begins_anew_when_its_type_has_another_version_by_now(world: World) -> None:
    steps = steps_of(world)
    ref = submit_steps(world, 60)
    assert world.run_job(ref) is Outcome.PAUSED
    steps.version = 2
    world.job_types = steps.job_types
    assert run_on(world, ref) == [Outcome.PAUSED, Outcome.FINISHED]
    assert steps.began == [0, 0, STEPS_AN_INVOCATION]
    assert result_of(world, ref) == {"steps": 60, "version": 2}
    assert world.job(ref).type_version == 2


def test_an_old_checkpoint_is_never_used_again_when_the_new_version_has_none_yet(world: World) -> None:
    steps = steps_of(world)
    ref = submit_steps(world, 60)
    assert world.run_job(ref) is Outcome.PAUSED
    steps.version = 2
    world.job_types = steps.job_types
    dies_at(steps, 3)
    with pytest.raises(Dies):
        world.run_job(ref)
    assert world.job(ref).checkpoint is None
    steps.on_step = lambda _: None
    world.clock.advance(LEASE)
    run_on(world, ref)
    assert steps.began == [0, 0, 0, STEPS_AN_INVOCATION]


def test_a_pause_writes_nothing_when_the_job_was_canceled_at_that_moment(world: World) -> None:
    steps_of(world)
    ref = submit_steps(world, 100)
    canceling = replace(world.worker(), checkpoints=Canceling(world, ref))
    assert canceling(ref, seconds=INVOCATION_SECONDS).outcome is Outcome.SUPERSEDED
    assert world.job(ref).status is Status.CANCELED
    assert world.jobs.next_ready(after="") is None


class Canceling:
    """Checkpoints; with the first one, the job is canceled."""

    def __init__(self, world: World, ref: object) -> None:
        self._world, self._ref = world, ref

    def put(self, ref: object, content: bytes) -> str:
        self._world.cancel_job(self._ref)
        return self._world.checkpoints.put(ref, content)

    def __getattr__(self, name: str) -> object:
        return getattr(self._world.checkpoints, name)
