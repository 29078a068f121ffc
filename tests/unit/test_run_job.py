"""Running: at most one worker's outcome counts, whoever is late."""

from datetime import timedelta

import pytest

from chalicelib.domain.confirmation import commitment
from chalicelib.domain.job import Job, Progress, Status
from chalicelib.domain.lease import LEASE
from chalicelib.ports.sandbox import Began, Ended, Hindered, Stepped
from chalicelib.use_cases.attempt import HEARTBEAT_SECONDS
from chalicelib.use_cases.run_job import Outcome
from tests.unit.runs import Scripted, steps_of, submit_steps
from tests.unit.test_payloads import uploaded
from tests.unit.world import GLOBEX, Alone, World, result_of, take


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
    assert world.run_job(ref) is Outcome.NOTHING_TO_DO
    assert world.job(ref) == before


def test_a_message_does_nothing_when_another_worker_holds_a_live_lease(world: World) -> None:
    ref = world.submit().job_ref
    take(world, ref)
    world.clock.advance(LEASE - timedelta(microseconds=1))
    assert world.run_job(ref) is Outcome.NOTHING_TO_DO


def test_a_message_serves_whoever_is_next_when_its_job_is_with_another_worker(world: World) -> None:
    """The other worker had a message too, and that was one of the job that is next."""
    held = world.submit().job_ref
    take(world, held)
    waiting = world.submit("k2", tenant=GLOBEX).job_ref
    ran = world.worker()(held, seconds=60)
    assert (ran.outcome, ran.job) == (Outcome.FINISHED, waiting)


def test_the_job_is_taken_over_when_the_lease_has_run_out(world: World) -> None:
    ref = world.submit().job_ref
    take(world, ref)
    world.clock.advance(LEASE)
    assert world.run_job(ref) is Outcome.FINISHED
    assert world.job(ref).lease_epoch == 2


def test_what_was_left_behind_has_its_turn_when_its_own_message_comes(world: World) -> None:
    left = world.submit("k2", tenant=GLOBEX).job_ref
    take(world, left)
    world.clock.advance(LEASE)
    tenants_next, others = world.submit("k3", tenant=GLOBEX).job_ref, world.submit().job_ref
    worker = world.worker()
    served = [worker(left, seconds=60).job for _ in range(3)]
    assert served == [others, left, tenants_next]


def test_what_was_left_behind_goes_before_its_tenants_next_when_nobody_else_waits(world: World) -> None:
    left = world.submit("k1").job_ref
    take(world, left)
    world.clock.advance(LEASE)
    world.submit("k2")
    assert world.worker()(left, seconds=60).job == left


def test_a_job_has_its_turn_when_another_tenants_jobs_fail_again_and_again(world: World) -> None:
    """Messages of theirs come all the time, each of a job whose next attempt is due."""
    theirs = [world.submit(f"k{n}", tenant=GLOBEX).job_ref for n in range(3)]
    world.sandbox = Scripted(world.clock, *[[Hindered("down")]] * 9)
    worker = world.worker()
    assert [worker(ref, seconds=60).outcome for ref in theirs] == [Outcome.RETRIED] * 3
    world.clock.advance(timedelta(minutes=1))
    single = world.submit("single").job_ref
    assert worker(theirs[0], seconds=60).job == single
    assert {worker(ref, seconds=60).job for ref in (single, theirs[1], theirs[2])} == {*theirs}


def test_a_message_serves_its_own_job_when_the_index_still_shows_one_that_is_taken(world: World) -> None:
    taken, own = world.submit("k1", tenant=GLOBEX).job_ref, world.submit("k2").job_ref
    stale = world.job(taken)
    take(world, taken)

    class Lagging(Alone):
        def next_ready(self, *, after: str) -> Job:
            return stale

    ran = world.worker(turns_among=Lagging(world.jobs))(own, seconds=60)
    assert (ran.outcome, ran.job) == (Outcome.FINISHED, own)


def test_a_message_comes_again_when_the_index_shows_nothing_but_what_is_taken(world: World) -> None:
    """It may show one that is ready a moment later, which may have no other message."""
    taken, waiting = world.submit("k1").job_ref, world.submit("k2", tenant=GLOBEX).job_ref
    stale = world.job(taken)
    take(world, taken)

    class Lagging(Alone):
        def next_ready(self, *, after: str) -> Job:
            return stale

    world.queue.run.clear()
    ran = world.worker(turns_among=Lagging(world.jobs))(taken, seconds=60)
    assert (ran.outcome, world.queue.run, world.queue.delays[-1]) == (Outcome.SUPERSEDED, [taken], 1)
    assert world.worker()(world.queue.run.pop(), seconds=60).job == waiting


def test_the_late_worker_loses_when_its_job_was_taken_over(world: World) -> None:
    steps = steps_of(world, seconds=LEASE.total_seconds())
    ref = submit_steps(world, 1)

    def another_runs_it() -> None:
        world.clock.meanwhile = lambda: None
        steps.seconds = 1.0
        assert world.run_job(ref) is Outcome.FINISHED

    world.clock.meanwhile = another_runs_it
    assert world.run_job(ref) is Outcome.SUPERSEDED
    job = world.job(ref)
    assert (job.status, job.lease_epoch) == (Status.CONFIRMING, 2)
    assert result_of(world, ref) == {"steps": 1, "version": 1}


def test_the_lease_is_kept_when_a_run_says_nothing_for_longer(world: World) -> None:
    ref = world.submit().job_ref
    silence = [None] * int(1.5 * LEASE.total_seconds() / HEARTBEAT_SECONDS)
    rival: list[Outcome] = []

    def ask() -> None:
        rival.append(world.run_job(ref))

    world.sandbox = Scripted(world.clock, [Began(1), *silence, ask, Ended(b"1")])
    assert world.run_job(ref) is Outcome.FINISHED
    assert rival == [Outcome.NOTHING_TO_DO]
    assert (world.job(ref).lease_epoch, world.sandbox.killed) == (1, 1)


def test_progress_is_shown_when_half_a_second_has_gone(world: World) -> None:
    ref = world.submit().job_ref
    seen: list[Progress | None] = []
    step = Stepped(Progress(1, 3))
    look = lambda: seen.append(world.job(ref).progress)  # noqa: E731
    world.sandbox = Scripted(world.clock, [Began(9), step, look, look, Ended(b"1")])
    assert world.run_job(ref) is Outcome.FINISHED
    assert seen == [None, Progress(1, 3)]


def test_the_cost_is_what_the_run_found_when_the_input_was_uploaded(world: World) -> None:
    ref = world.submit(upload=uploaded(world, b"{}")).job_ref
    assert world.job(ref).cost_units is None
    world.sandbox = Scripted(world.clock, [Began(7), Ended(b"1")])
    assert world.run_job(ref) is Outcome.FINISHED
    assert (world.job(ref).cost_units, world.job(ref).used_units) == (7, 7)


@pytest.mark.parametrize("status", [Status.SUCCEEDED, Status.CANCELED])
def test_no_lease_is_left_when_a_job_has_ended(world: World, status: Status) -> None:
    ref = world.submit().job_ref
    take(world, ref)
    world.clock.advance(LEASE)
    world.run_job(ref) if status is Status.SUCCEEDED else world.cancel_job(ref)
    assert world.job(ref).lease_until is None
