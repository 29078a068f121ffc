"""Whose job is next: tenants take turns, whosever messages come first, and each gives its oldest."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import cycle, islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.adapters.memory_access import MemoryTenants
from chalicelib.domain.entitlements import Plan, Tenant
from chalicelib.domain.job import JobRef, Status
from chalicelib.domain.polling import WORKERS
from chalicelib.ports.sandbox import Began, Ended, Work
from chalicelib.use_cases.attempt import SLICE_SECONDS
from chalicelib.use_cases.run_job import Outcome, RunJob
from tests.unit.audited import AuditedJobs
from tests.unit.lockstep import SharedClock
from tests.unit.runs import Scripted, Steps, steps_of, submit_steps
from tests.unit.world import ACME, GLOBEX, INVOCATION_SECONDS, START, World

MANY = 10_000
PLAN = Plan(
    name="test", jobs_per_month=10 * MANY, active_jobs=10 * MANY, spend_cap_micros=10**12, currency="USD"
)


class Quick(Scripted):
    """A sandbox whose runs end at once."""

    def start(self, work: Work) -> Scripted:
        """See `ports.Sandbox.start`."""
        self._scripts = [[Began(1), Ended(b"1")]]
        return super().start(work)


@pytest.fixture
def world() -> World:
    world = World(plan=PLAN)
    world.sandbox = Quick(world.clock)
    return world


def many(world: World, count: int = MANY, *, tenant: str = ACME) -> list[JobRef]:
    tenants = MemoryTenants(Tenant(tenant_id=tenant, name=tenant, plan=PLAN.name))
    return [world.submit(f"{tenant} {n}", tenant=tenant, tenants=tenants).job_ref for n in range(count)]


def taken(world: World, workers: list[RunJob]) -> Iterator[JobRef]:
    """The jobs in the order in which the workers take them, one after another, from the queue's head."""
    for worker in cycle(workers):
        if not world.queue.run:
            return
        ran = worker(world.queue.run.pop(0), seconds=INVOCATION_SECONDS)
        if ran.job is not None:
            yield ran.job


def test_a_single_job_is_among_the_next_when_another_tenant_has_ten_thousand_before_it(world: World) -> None:
    workers = [world.worker() for _ in range(WORKERS)]
    many(world)
    first = [*islice(taken(world, workers), 2 * WORKERS)]
    single = world.submit("single", tenant=GLOBEX).job_ref
    assert {ref.tenant_id for ref in first} == {ACME}
    assert single == next(taken(world, workers))
    again = world.submit("again", tenant=GLOBEX).job_ref
    assert again in islice(taken(world, workers), 2)


def test_a_single_job_is_among_the_next_when_all_workers_have_just_begun(world: World) -> None:
    """None of them has served anybody: each begins after the tenant that woke it."""
    many(world, 1_000)
    single = world.submit("single", tenant=GLOBEX).job_ref
    workers = [world.worker() for _ in range(WORKERS)]
    tenants = 2
    assert single in islice(taken(world, workers), WORKERS + tenants)


def test_all_are_served_in_their_order_when_messages_name_others(world: World) -> None:
    """As many messages as jobs are enough, whosever they are."""
    theirs, mine = many(world, 20), many(world, 5, tenant=GLOBEX)
    world.queue.run.reverse()
    order = [*taken(world, [world.worker() for _ in range(WORKERS)])]
    assert [ref for ref in order if ref.tenant_id == ACME] == theirs
    assert [ref for ref in order if ref.tenant_id == GLOBEX] == mine
    assert {world.job(ref).status for ref in order} == {Status.CONFIRMING}


@settings(deadline=None, max_examples=60)  # a busy machine is no failure
@given(
    counts=st.lists(st.integers(1, 12), min_size=1, max_size=6),
    order=st.lists(st.integers(0, WORKERS - 1), min_size=100, max_size=100),
    data=st.data(),
)
def test_nobody_waits_for_more_than_one_job_of_each_other_tenant_a_worker(
    counts: list[int], order: list[int], data: st.DataObject
) -> None:
    world = World(plan=PLAN)
    world.sandbox = Quick(world.clock)
    names = [f"ten_{n}" for n in range(len(counts))]
    waiting = {name: many(world, count, tenant=name) for name, count in zip(names, counts, strict=True)}
    world.queue.run[:] = data.draw(st.permutations(world.queue.run))
    workers = [world.worker() for _ in range(WORKERS)]
    passed_over: dict[tuple[str, int], list[str]] = {}
    for me in order:
        if not world.queue.run:
            break
        ref = workers[me](world.queue.run.pop(), seconds=INVOCATION_SECONDS).job
        assert ref == waiting[ref.tenant_id].pop(0)
        for name in names:
            others = passed_over.setdefault((name, me), [])
            if name == ref.tenant_id or not waiting[name]:
                others.clear()
            else:
                assert ref.tenant_id not in others, f"{name} has waited for two of {ref.tenant_id}"
                others.append(ref.tenant_id)
    assert not any(waiting.values())


def test_a_paused_job_goes_on_before_the_same_tenants_next_begins() -> None:
    world = World()
    steps = steps_of(world)
    first, second = submit_steps(world, 60, "k1"), submit_steps(world, 60, "k2")
    ran = [world.worker()(second, seconds=INVOCATION_SECONDS) for _ in range(3)]
    assert [(each.job, each.outcome) for each in ran] == [
        (first, Outcome.PAUSED),
        (first, Outcome.FINISHED),
        (second, Outcome.PAUSED),
    ]
    assert len(steps.began) == 3


STEP_SECONDS = 1.0
IDLE_SECONDS = 0.1
# From within the first slice to within the last moments of the first invocation.
MOMENTS = [0.25, 5.0, 9.75, 10.25, 23.0, 46.5]


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_single_job_starts_within_a_slice_when_all_workers_are_at_another_tenants_long_jobs(
    moment: float,
) -> None:
    world, steps, serve = busy_world()
    single: list[JobRef] = []

    def submit() -> None:
        world.clock.pause(moment)
        single.append(submit_steps(world, 5, "single", tenant=GLOBEX))

    long_ones = [submit_steps(world, 120, f"long {n}", tenant=ACME) for n in range(WORKERS + 2)]
    world.clock.run(*[serve] * WORKERS, submit)
    entered = world.job(single[0]).entered
    waited = entered[Status.RUNNING] - entered[Status.QUEUED]
    assert waited <= timedelta(seconds=SLICE_SECONDS + STEP_SECONDS)
    assert {world.job(ref).status for ref in [*long_ones, *single]} == {Status.CONFIRMING}
    assert steps.began.count(0) == len(long_ones) + 1, "what had begun has gone on"


def test_two_tenants_get_as_much_when_both_have_more_than_enough() -> None:
    """Of the first minutes each has half, though one came first with all of its jobs."""
    world, _, serve = busy_world(until=timedelta(minutes=4))
    for tenant in (ACME, GLOBEX):
        for n in range(2 * WORKERS):
            submit_steps(world, 120, f"{tenant} {n}", tenant=tenant)
    world.clock.run(*[serve] * WORKERS)
    done = {
        tenant: sum(
            history[-1].progress.completed
            for ref, history in world.jobs.histories.items()
            if ref.tenant_id == tenant and history[-1].progress
        )
        for tenant in (ACME, GLOBEX)
    }
    assert sum(done.values()) >= 4 * 60 * WORKERS * 0.9
    assert abs(done[ACME] - done[GLOBEX]) <= 2 * WORKERS * (SLICE_SECONDS + STEP_SECONDS)


def busy_world(*, until: timedelta = timedelta(minutes=6)) -> tuple[World, Steps, object]:
    """A world, its job type of long jobs, and what a worker does there all day."""
    world = World(jobs=AuditedJobs(), plan=PLAN, clock=SharedClock(START))
    steps = steps_of(world, seconds=STEP_SECONDS)

    def serve() -> None:
        worker = world.worker()
        while world.queue.run and world.clock.now() < START + until:
            worker(world.queue.run.pop(0), seconds=INVOCATION_SECONDS)
            world.clock.pause(IDLE_SECONDS)

    return world, steps, serve
