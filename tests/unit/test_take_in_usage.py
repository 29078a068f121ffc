"""A lost event is written again from what its job bears out; anything else is refused, and nothing stored."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.adapters.memory_usage import MemoryInvoices, MemoryUsage
from chalicelib.domain.errors import Refused
from chalicelib.domain.job import JobRef, Status
from chalicelib.domain.metering import ContradictoryEvents, Ending, UsageEvent, metered
from chalicelib.domain.month import GRACE, SETTLED_AFTER, Month
from chalicelib.domain.prices import Meter
from chalicelib.use_cases.close_period import ClosePeriod, Outcome
from chalicelib.use_cases.read_invoice import ComputeInvoice
from chalicelib.use_cases.take_in_usage import TakeInUsage
from tests.unit.billing import TICK, amounts
from tests.unit.endings import PLAYED, STEPS, book
from tests.unit.runs import steps_of, submit_steps
from tests.unit.world import ACME, GLOBEX, START, World

NOVEMBER = Month.named("2026-11")


@pytest.fixture
def world() -> World:
    made = World(prices=book(1))
    steps_of(made)
    return made


@pytest.fixture
def done(world: World) -> JobRef:
    """A job that has succeeded."""
    ref = submit_steps(world, STEPS)
    PLAYED[Ending.SUCCEEDED](world, ref)
    return ref


def take_in(world: World, event: UsageEvent) -> bool:
    return TakeInUsage(
        jobs=world.jobs, usage=MemoryUsage(world.jobs), prices=world.prices, clock=world.clock
    )(event)


def lose(world: World, event: UsageEvent) -> None:
    """The store forgets the event, which no store of ours does."""
    del world.jobs._events[event.event_id]


def events(world: World, ref: JobRef) -> dict[Meter, UsageEvent]:
    return {each.meter: each for each in metered(world.job(ref), world.prices)}


@pytest.mark.parametrize("ending", Ending)
def test_each_event_is_written_again_when_it_was_lost_however_its_job_ended(
    world: World, ending: Ending
) -> None:
    ref = submit_steps(world, STEPS, deadline=timedelta(hours=1))
    PLAYED[ending](world, ref)
    before = dict(world.jobs.events())
    assert {each.event_id for each in metered(world.job(ref), world.prices)} == before.keys()
    for event in before.values():
        lose(world, event)
        world.clock.advance(timedelta(hours=1))
        assert take_in(world, event)
        assert world.jobs.events()[event.event_id].late_at == world.clock.now()
        assert [take_in(world, event) for _ in range(2)] == [False, False]
    assert dict(world.jobs.events()) == before


def test_what_is_known_stays_as_it_was_when_it_comes_again(world: World, done: JobRef) -> None:
    before = {name: (each, each.late_at) for name, each in world.jobs.events().items()}
    for event in events(world, done).values():
        assert not take_in(world, replace(event, late_at=world.clock.now() - timedelta(days=9)))
    assert {name: (each, each.late_at) for name, each in world.jobs.events().items()} == before


CONTENTS: list[dict[str, object]] = [
    {"quantity": 10**6},
    {"quantity": 0},
    {"quantity": -1},
    {"unit": "byte"},
    {"plan": "free"},
    {"price_version": "v9"},
    {"outcome": Status.FAILED},
    {"gas_used": 1},
    {"gas_price_wei": 1},
    {"time": START + timedelta(days=1)},
]


@pytest.mark.parametrize("is_lost", [False, True], ids=["known", "lost"])
@pytest.mark.parametrize("content", CONTENTS, ids=lambda each: next(iter(each)))
def test_the_other_content_is_never_stored_when_an_id_has_two(
    world: World, done: JobRef, content: dict[str, object], is_lost: object
) -> None:
    for event in events(world, done).values():
        if is_lost:
            lose(world, event)
        before = dict(world.jobs.events())
        with pytest.raises(ContradictoryEvents, match=event.event_id):
            take_in(world, replace(event, **content))
        assert dict(world.jobs.events()) == before


@pytest.mark.parametrize(
    "ref", [JobRef(ACME, "job_unknown"), JobRef(GLOBEX, "same"), JobRef("ten_unknown", "same")]
)
def test_an_event_is_refused_when_its_tenant_has_no_such_job(world: World, done: JobRef, ref: JobRef) -> None:
    named = replace(ref, job_id=done.job_id) if ref.job_id == "same" else ref
    before = dict(world.jobs.events())
    with pytest.raises(Refused, match="no such job"):
        take_in(world, replace(events(world, done)[Meter.COMPUTE_USED], ref=named))
    assert dict(world.jobs.events()) == before


@pytest.mark.parametrize("meter", [Meter.JOB_WAIVED, Meter.JOB_CONFIRMED_COMPACT])
def test_an_event_is_refused_when_its_job_has_none_of_that_meter(
    world: World, done: JobRef, meter: Meter
) -> None:
    with pytest.raises(Refused, match="has no such event"):
        take_in(world, replace(events(world, done)[Meter.JOB_ACCEPTED], meter=meter))


def test_an_event_is_refused_before_its_fact(world: World, done: JobRef) -> None:
    open_job = submit_steps(world, STEPS, "k2")
    early = replace(events(world, done)[Meter.JOB_CONFIRMED], ref=open_job)
    with pytest.raises(Refused, match="the job is queued, and has no such event"):
        take_in(world, early)


@pytest.mark.parametrize(
    ("after", "outcomes"),
    [
        (GRACE, [Outcome.ISSUED, Outcome.UNCHANGED]),
        (GRACE + TICK, [Outcome.ISSUED, Outcome.ADJUSTED]),
    ],
)
def test_what_was_lost_is_billed_once_when_it_is_written_again(
    world: World, done: JobRef, after: timedelta, outcomes: list[Outcome]
) -> None:
    """Within the grace, and after it."""
    lost = events(world, done)[Meter.JOB_CONFIRMED]
    lose(world, lost)
    world.clock.advance(NOVEMBER.end + after - world.clock.now())
    take_in(world, lost)
    world.clock.advance(NOVEMBER.end + GRACE + SETTLED_AFTER + timedelta(days=1) - world.clock.now())
    invoices = MemoryInvoices()
    compute = ComputeInvoice(usage=MemoryUsage(world.jobs), prices=world.prices)
    close = ClosePeriod(invoices=invoices, compute=compute, clock=world.clock)
    assert [close(ACME, NOVEMBER).outcome for _ in range(2)] == outcomes
    billed = [amounts(each.lines).get("job.confirmed", 0) for each in invoices.issued(ACME, NOVEMBER)]
    assert billed == ([50_000] if after == GRACE else [0, 50_000])
