"""The sweep: what was left behind gets a message again, the longer it waits the more rarely."""

from datetime import timedelta

import pytest

from chalicelib.domain.errors import Superseded, Unavailable
from chalicelib.domain.failure import FailureCode
from chalicelib.domain.job import UNSEEN_AFTER, UNSENT_AFTER, JobRef, Status
from chalicelib.domain.lease import LEASE, renew
from chalicelib.ports import Change
from chalicelib.ports.sandbox import Began, Broke, Ended
from chalicelib.use_cases.run_job import Outcome
from chalicelib.use_cases.sweep import JOBS_A_SWEEP, Swept
from tests.unit.runs import Scripted
from tests.unit.world import GLOBEX, INVOCATION_SECONDS, World, give_up, take

NOTHING = Swept(overdue=0, dead_letters={})


def test_the_sweep_wakes_a_worker_when_the_message_was_lost(world: World) -> None:
    ref = world.submit().job_ref
    world.queue.run.clear()
    assert world.sweep() == NOTHING
    world.clock.advance(UNSEEN_AFTER)
    assert [world.sweep().overdue, world.sweep().overdue] == [1, 0]
    assert world.queue.run == [ref]
    assert world.queue.confirm == [(), (), ()]  # the sender is woken at every sweep


@pytest.mark.parametrize("status", [Status.RUNNING, Status.CONFIRMING])
def test_the_sweep_wakes_whom_the_state_needs_when_a_job_is_overdue(world: World, status: Status) -> None:
    ref = world.submit().job_ref
    take(world, ref) if status is Status.RUNNING else world.run_job(ref)
    world.queue.run.clear()
    world.queue.confirm.clear()
    world.clock.advance(timedelta(minutes=2))
    assert world.sweep().overdue == 1
    woken = (world.queue.run, [refs for refs in world.queue.confirm if refs])
    assert woken == (([ref], []) if status is Status.RUNNING else ([], [(ref,)]))


def test_a_worker_that_died_is_replaced_when_its_lease_is_over(world: World) -> None:
    ref = world.submit().job_ref
    take(world, ref)
    world.queue.run.clear()
    world.clock.advance(LEASE)
    assert world.sweep() == NOTHING
    world.clock.advance(UNSENT_AFTER)
    world.sweep()
    assert world.queue.run == [ref]


@pytest.mark.parametrize("how", ["its worker died", "its next attempt is due"])
def test_any_message_serves_a_job_that_an_attempt_left_when_the_sweep_has_found_it(
    world: World, how: str
) -> None:
    """Its own message is the last of all that another tenant's jobs have."""
    left = world.submit("left", tenant=GLOBEX).job_ref
    if how == "its worker died":
        take(world, left)
    else:
        world.sandbox = Scripted(world.clock, [Began(1), Broke("x")], [Began(1), Ended(b"1")])
        assert world.run_job(left) is Outcome.RETRIED
    others = world.submit("other").job_ref
    world.clock.advance(LEASE + UNSENT_AFTER)
    world.sweep()
    assert world.queue.run[-1] == left
    ran = world.worker()(others, seconds=INVOCATION_SECONDS)
    assert (ran.outcome, ran.job) == (Outcome.FINISHED, left)


def test_the_late_worker_loses_when_the_sweep_has_released_its_job(world: World) -> None:
    ref = world.submit().job_ref
    take(world, ref)
    held = world.job(ref)
    world.clock.advance(LEASE + UNSENT_AFTER)
    world.sweep()
    assert world.job(ref).is_ready
    with pytest.raises(Superseded):
        world.jobs.save([Change(held, renew(held, now=world.clock.now()))])


def test_a_released_job_costs_nothing_when_its_deadline_comes(world: World) -> None:
    """Its tenant waits for what a dead worker left."""
    ref = world.submit(deadline=timedelta(minutes=2)).job_ref
    take(world, ref)
    world.clock.advance(LEASE + UNSENT_AFTER)
    world.sweep()
    world.clock.advance(timedelta(minutes=2))
    assert world.run_job(ref) is Outcome.FAILED
    assert world.job(ref).failure.code is FailureCode.ATTEMPTS_EXHAUSTED


def test_the_others_are_seen_to_when_one_job_has_moved_on_meanwhile(world: World) -> None:
    refs = [world.submit(f"k{n}").job_ref for n in range(3)]
    world.queue.run.clear()
    world.clock.advance(UNSEEN_AFTER)
    queue = world.queue

    class Meanwhile:
        """With the first message, its job is canceled."""

        def wake_runner(self, ref: JobRef, **options: object) -> None:
            if not queue.run:
                world.cancel_job(ref)
            queue.wake_runner(ref, **options)

        def __getattr__(self, name: str) -> object:
            return getattr(queue, name)

    world.queue = Meanwhile()
    assert world.sweep().overdue == len(refs)
    assert queue.run == refs
    assert [world.job(ref).status for ref in refs] == [Status.CANCELED, Status.QUEUED, Status.QUEUED]


def test_the_others_are_given_up_when_a_dead_letter_cannot_be_kept(world: World) -> None:
    refs = [world.submit(f"k{n}").job_ref for n in range(2)]
    queue = world.queue

    class Down:
        def bury_run(self, ref: JobRef, *, trace_id: str) -> None:
            raise Unavailable("down")

        def __getattr__(self, name: str) -> object:
            return getattr(queue, name)

    world.queue = Down()
    for ref in refs:
        give_up(world, ref)
    assert {world.job(ref).status for ref in refs} == {Status.FAILED}


def test_dead_letters_are_told_of_until_they_are_gone(world: World) -> None:
    give_up(world, world.submit().job_ref)
    for _ in range(2):
        assert world.sweep().dead_letters == {"jobs-run-dead": 1}
    world.queue.dead.clear()
    assert world.sweep() == NOTHING


def test_all_are_seen_to_in_a_few_sweeps_when_more_are_overdue_than_one_takes(world: World) -> None:
    world.plan = type(world.plan)(
        name="test", jobs_per_month=10**6, active_jobs=10**6, spend_cap_micros=0, currency="USD"
    )
    refs = [world.submit(f"k{n}").job_ref for n in range(JOBS_A_SWEEP + 1)]
    world.queue.run.clear()
    world.clock.advance(UNSEEN_AFTER)
    assert [world.sweep().overdue for _ in range(3)] == [JOBS_A_SWEEP, 1, 0]
    assert sorted(world.queue.run, key=lambda ref: ref.job_id) == refs
