"""What each ending is charged for: the published table, played row by row."""

from collections.abc import Callable, Mapping
from datetime import timedelta

import pytest

from chalicelib.adapters.memory_usage import MemoryUsage
from chalicelib.domain.chain_transaction import FINAL_DEPTH
from chalicelib.domain.invoice import MONTHLY_FEE, Month
from chalicelib.domain.job import JobRef
from chalicelib.domain.metering import METERED, Ending, ending_of
from chalicelib.domain.prices import Meter, PlanPrices, PriceBook, PriceVersion
from chalicelib.job_types.contract import JobError
from chalicelib.use_cases.read_invoice import ReadInvoice
from tests.unit.runs import UNITS_A_STEP, Dies, dies_at, steps_of, submit_steps
from tests.unit.test_failed_runs import meters_of, raising
from tests.unit.world import ACME, START, World, give_up

FEE = 7_000_000
UNIT_PRICES = {Meter.JOB_ACCEPTED: 1_000, Meter.JOB_CONFIRMED: 50_000, Meter.COMPUTE_USED: 11}
DEADLINE = timedelta(hours=1)
# Of nine steps.
STEPS, DONE = 9, 4


def book(*factors: int) -> PriceBook:
    """A version a day, each so many times as dear."""
    versions = (
        PriceVersion(
            name=f"v{n}",
            applies_from=START.date() + timedelta(days=n),
            plans={
                "test": PlanPrices(
                    monthly_fee_micros=FEE,
                    unit_micros={meter: price * factor for meter, price in UNIT_PRICES.items()},
                )
            },
        )
        for n, factor in enumerate(factors)
    )
    return PriceBook(currency="USD", versions=tuple(versions))


@pytest.fixture
def world() -> World:
    return World(prices=book(1))


def succeeds(world: World, ref: JobRef) -> None:
    world.run_job(ref)
    world.confirm_jobs([ref])
    world.chain.mine(FINAL_DEPTH)
    world.confirm_jobs([])


def fails_by_its_input(world: World, ref: JobRef) -> None:
    steps_of(world, on_step=raising(JobError("wrong"), DONE + 1))
    world.run_job(ref)


def is_canceled_at_work(world: World, ref: JobRef) -> None:
    """Its worker has told of four steps, and of the fifth in vain."""
    dies_at(steps_of(world), DONE + 1)
    with pytest.raises(Dies):
        world.run_job(ref)
    world.cancel_job(ref)


def expires(world: World, ref: JobRef) -> None:
    world.clock.advance(DEADLINE)
    world.sweep()


PLAYED: Mapping[Ending, Callable[[World, JobRef], object]] = {
    Ending.SUCCEEDED: succeeds,
    Ending.FAILED_BY_CALLER: fails_by_its_input,
    Ending.FAILED_BY_US: give_up,
    Ending.CANCELED_QUEUED: lambda world, ref: world.cancel_job(ref),
    Ending.CANCELED_RUNNING: is_canceled_at_work,
    Ending.EXPIRED: expires,
}
# As DESIGN.md has it.
PUBLISHED = {
    Ending.SUCCEEDED: {"job.accepted", "compute.used", "job.confirmed"},
    Ending.FAILED_BY_CALLER: {"job.accepted", "compute.used"},
    Ending.FAILED_BY_US: {"job.accepted", "job.waived"},
    Ending.CANCELED_QUEUED: {"job.accepted"},
    Ending.CANCELED_RUNNING: {"job.accepted", "compute.used"},
    Ending.EXPIRED: {"job.accepted", "job.waived"},
}
UNITS = {
    Ending.SUCCEEDED: STEPS * UNITS_A_STEP,
    Ending.FAILED_BY_CALLER: DONE * UNITS_A_STEP,
    Ending.CANCELED_RUNNING: DONE * UNITS_A_STEP,
}


@pytest.mark.parametrize("ending", Ending)
def test_the_events_and_the_invoice_are_the_tables_when_a_job_ends_so(world: World, ending: Ending) -> None:
    steps_of(world)
    ref = submit_steps(world, STEPS, deadline=DEADLINE)
    PLAYED[ending](world, ref)
    job = world.job(ref)
    assert (ending_of(job), job.is_terminal) == (ending, True)
    units = UNITS.get(ending, 0)
    assert job.used_units == units
    expected = {meter: units if meter is Meter.COMPUTE_USED else 1 for meter in map(Meter, PUBLISHED[ending])}
    assert meters_of(world, ref) == expected
    waived = Meter.JOB_WAIVED in expected
    cost = sum(UNIT_PRICES.get(meter, 0) * quantity for meter, quantity in expected.items())
    assert total_micros(world) == FEE + cost - (UNIT_PRICES[Meter.JOB_ACCEPTED] if waived else 0)
    if waived:
        assert total_micros(world) == FEE


def test_a_waived_acceptance_costs_nothing_when_the_price_has_risen_meanwhile(world: World) -> None:
    world.prices = book(1, 3)
    ref = submit_of_a_day(world)
    world.clock.advance(timedelta(days=1))
    world.sweep()
    assert ending_of(world.job(ref)) is Ending.EXPIRED
    assert {each.price_version for each in world.jobs.events().values()} == {"v0"}
    assert total_micros(world) == FEE


def submit_of_a_day(world: World) -> JobRef:
    steps_of(world)
    return submit_steps(world, STEPS, deadline=timedelta(hours=20))


@pytest.mark.parametrize("ending", Ending)
def test_nothing_more_is_charged_when_what_ended_is_disturbed(world: World, ending: Ending) -> None:
    steps_of(world)
    ref = submit_steps(world, STEPS, deadline=DEADLINE)
    PLAYED[ending](world, ref)
    before = world.jobs.events()
    world.clock.advance(timedelta(hours=2))
    for disturb in (world.run_job, lambda each: world.confirm_jobs([each]), lambda _: world.sweep()):
        disturb(ref)
    assert world.jobs.events() == before
    assert world.jobs.count(ACME, "active") == 0


def test_no_ending_is_known_when_a_job_is_still_open(world: World) -> None:
    steps_of(world)
    ref = submit_steps(world, 100)
    seen = [ending_of(world.job(ref))]
    world.run_job(ref)
    assert [*seen, ending_of(world.job(ref))] == [None, None]


def total_micros(world: World) -> int:
    read = ReadInvoice(usage=MemoryUsage(world.jobs), prices=world.prices, clock=world.clock)
    made = read(ACME, Month.named("2026-11"))
    assert made.total_micros == sum(line.amount_micros for line in made.lines)
    assert made.lines[0].item == MONTHLY_FEE
    return made.total_micros


def test_the_table_is_the_published_one_when_it_is_read() -> None:
    assert {ending: {*meters} for ending, meters in METERED.items()} == PUBLISHED
