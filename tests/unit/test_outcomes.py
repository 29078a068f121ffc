"""What each ending is charged for: the published table, played row by row."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.adapters.memory_usage import MemoryInvoices, MemoryUsage
from chalicelib.domain.invoice import MONTHLY_FEE
from chalicelib.domain.job import JobRef, Status
from chalicelib.domain.metering import METERED, Ending, ending_of
from chalicelib.domain.month import Month
from chalicelib.domain.prices import Meter
from chalicelib.domain.transaction_id import ConfirmationPath
from chalicelib.use_cases.read_invoice import ComputeInvoice, ReadInvoice
from tests.unit.billing import TICK
from tests.unit.endings import DEADLINE, DONE, FEE, PLAYED, STEPS, UNIT_PRICES, book, counts
from tests.unit.runs import UNITS_A_STEP, steps_of, submit_steps
from tests.unit.test_failed_runs import meters_of
from tests.unit.world import ACME, World

DIRECT, COMPACT = ConfirmationPath.DIRECT, ConfirmationPath.COMPACT
# As DESIGN.md has it.
PUBLISHED = {
    Ending.SUCCEEDED: {
        "job.accepted",
        "compute.used",
        "payload.stored",
        "job.confirmed",
        "job.confirmed_compact",
    },
    Ending.FAILED_BY_CALLER: {"job.accepted", "compute.used", "payload.stored"},
    Ending.FAILED_BY_US: {"job.accepted", "job.waived"},
    Ending.CANCELED_QUEUED: {"job.accepted", "payload.stored"},
    Ending.CANCELED_RUNNING: {"job.accepted", "compute.used", "payload.stored"},
    Ending.EXPIRED: {"job.accepted", "job.waived"},
}
UNITS = {
    Ending.SUCCEEDED: STEPS * UNITS_A_STEP,
    Ending.FAILED_BY_CALLER: DONE * UNITS_A_STEP,
    Ending.CANCELED_RUNNING: DONE * UNITS_A_STEP,
}
OTHER_PATH = {DIRECT: "job.confirmed_compact", COMPACT: "job.confirmed"}
# The input and the result have some bytes, so together they have begun one.
KIBIBYTES = 1


@pytest.fixture
def world() -> World:
    return World(prices=book(1))


def expected(ending: Ending, path: ConfirmationPath) -> Mapping[Meter, int]:
    """The row of the table, for a job on this path."""
    quantities = {Meter.COMPUTE_USED: UNITS.get(ending, 0), Meter.PAYLOAD_STORED: KIBIBYTES}
    meters = map(Meter, PUBLISHED[ending] - {OTHER_PATH[path]})
    return {meter: quantities.get(meter, 1) for meter in meters}


def cost(quantities: Mapping[Meter, int]) -> int:
    """At the first version's prices, of which each meter has one."""
    prices = {**UNIT_PRICES, Meter.JOB_WAIVED: -1_000}
    return sum(prices[meter] * quantity for meter, quantity in quantities.items())


@pytest.mark.parametrize("path", ConfirmationPath)
@pytest.mark.parametrize("ending", Ending)
def test_the_events_and_the_invoice_are_the_tables_when_a_job_ends_so(
    world: World, ending: Ending, path: ConfirmationPath
) -> None:
    steps_of(world)
    ref = submit_steps(world, STEPS, deadline=DEADLINE, path=path)
    PLAYED[ending](world, ref)
    job = world.job(ref)
    assert (ending_of(job), job.is_terminal) == (ending, True)
    row = expected(ending, path)
    assert job.used_units == row.get(Meter.COMPUTE_USED, 0)
    assert meters_of(world, ref) == row
    assert total_micros(world) == FEE + cost(row)
    assert counts(world, ACME).spent_micros == cost(row)
    if Meter.JOB_WAIVED in row:
        assert total_micros(world) == FEE


@pytest.mark.parametrize("ending", Ending)
def test_the_prices_are_those_of_its_acceptance_when_they_rise_before_a_job_ends(
    world: World, ending: Ending
) -> None:
    world.prices = book(1, 3)
    world.clock.advance(timedelta(days=1) - (world.clock.now() - world.clock.now().replace(hour=0)) - TICK)
    steps_of(world)
    ref = submit_steps(world, STEPS, deadline=DEADLINE)
    assert world.prices.in_force(world.clock.now()).name == "v0"
    world.clock.advance(TICK)
    assert world.prices.in_force(world.clock.now()).name == "v1"
    PLAYED[ending](world, ref)
    assert {each.price_version for each in world.jobs.events().values()} == {"v0"}
    assert total_micros(world) == FEE + cost(expected(ending, DIRECT))
    assert counts(world, ACME).spent_micros == cost(expected(ending, DIRECT))


def test_each_version_has_its_lines_when_jobs_are_accepted_before_and_after_a_change(world: World) -> None:
    world.prices = book(1, 3)
    steps_of(world)
    first = submit_steps(world, STEPS, "k1")
    world.clock.advance(timedelta(days=1) - DEADLINE)
    second = submit_steps(world, STEPS, "k2")
    for ref in (first, second):
        PLAYED[Ending.SUCCEEDED](world, ref)
    row = expected(Ending.SUCCEEDED, DIRECT)
    # Every version of this book has the same fee.
    assert total_micros(world) == FEE + (1 + 3) * cost(row)


def test_a_jobs_plan_prices_it_when_its_tenants_plan_changes_before_it_ends(world: World) -> None:
    steps_of(world)
    ref = submit_steps(world, STEPS)
    world.plan = replace(world.plan, name="other")
    PLAYED[Ending.SUCCEEDED](world, ref)
    assert {each.plan for each in world.jobs.events().values()} == {"test"}


@pytest.mark.parametrize("ending", Ending)
def test_nothing_more_is_charged_when_what_ended_is_disturbed(world: World, ending: Ending) -> None:
    steps_of(world)
    ref = submit_steps(world, STEPS, deadline=DEADLINE)
    PLAYED[ending](world, ref)
    before, counted = world.jobs.events(), counts(world, ACME)
    world.clock.advance(timedelta(hours=2))
    for disturb in (world.run_job, lambda each: world.confirm_jobs([each]), lambda _: world.sweep()):
        disturb(ref)
    assert world.jobs.events() == before
    assert counts(world, ACME) == counted
    assert counted.active_jobs == 0


def test_no_ending_is_known_when_a_job_is_still_open(world: World) -> None:
    steps_of(world)
    ref = submit_steps(world, 100)
    seen = [ending_of(world.job(ref))]
    world.run_job(ref)
    assert world.job(ref).status is Status.RUNNING
    assert [*seen, ending_of(world.job(ref))] == [None, None]


def test_a_success_is_charged_for_in_two_parts_when_its_confirmation_takes_its_time(world: World) -> None:
    steps_of(world)
    ref = submit_steps(world, STEPS)
    world.run_job(ref)
    assert {*meters_of(world, ref)} == {"job.accepted", "compute.used", "payload.stored"}
    PLAYED[Ending.SUCCEEDED](world, ref)
    assert "job.confirmed" in meters_of(world, ref)


@pytest.mark.parametrize(("path", "meter"), [(DIRECT, "job.confirmed"), (COMPACT, "job.confirmed_compact")])
def test_a_confirmations_event_has_what_its_gas_was_and_cost(
    world: World, path: ConfirmationPath, meter: str
) -> None:
    steps_of(world)
    ref: JobRef = submit_steps(world, STEPS, path=path)
    PLAYED[Ending.SUCCEEDED](world, ref)
    event = world.jobs.events()[f"{ref.job_id}:{meter}"]
    confirmation = world.job(ref).confirmation
    assert confirmation is not None
    assert (event.gas_used, event.gas_price_wei) == (confirmation.gas_used, confirmation.gas_price_wei)
    assert event.gas_used > 0
    assert event.gas_price_wei > 0


def total_micros(world: World) -> int:
    """What the draft comes to by now."""
    compute = ComputeInvoice(usage=MemoryUsage(world.jobs), prices=world.prices)
    read = ReadInvoice(invoices=MemoryInvoices(), compute=compute, clock=world.clock)
    made = read(ACME, Month.named("2026-11")).invoice
    assert made.total_micros == sum(line.amount_micros for line in made.lines)
    assert made.lines[0].rate.item == MONTHLY_FEE
    return made.total_micros


def test_the_table_is_the_published_one_when_it_is_read() -> None:
    assert {ending: {*meters} for ending, meters in METERED.items()} == PUBLISHED
