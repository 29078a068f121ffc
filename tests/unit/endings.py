"""How jobs end, played in a world whose job type has nine steps; and what its prices are."""

from collections.abc import Callable, Mapping
from datetime import timedelta

import pytest

from chalicelib.adapters.memory_usage import MemoryUsage
from chalicelib.domain.chain_transaction import FINAL_DEPTH
from chalicelib.domain.entitlements import period_of
from chalicelib.domain.job import JobRef
from chalicelib.domain.metering import Ending
from chalicelib.domain.prices import Meter, PriceBook, PriceVersion
from chalicelib.domain.usage import EntitlementCounts
from chalicelib.job_types.contract import JobError
from tests.unit.billing import Units, plan_prices
from tests.unit.runs import Dies, dies_at, steps_of
from tests.unit.test_failed_runs import raising
from tests.unit.world import START, World, give_up

FEE = 7_000_000
UNIT_PRICES: Units = {
    Meter.JOB_ACCEPTED: 1_000,
    Meter.COMPUTE_USED: 11,
    Meter.PAYLOAD_STORED: 3,
    Meter.JOB_CONFIRMED: 50_000,
    Meter.JOB_CONFIRMED_COMPACT: 6_000,
}
DEADLINE = timedelta(hours=1)
STEPS, DONE = 9, 4


def book(*factors: int) -> PriceBook:
    """A version a day from the world's first on, each so many times as dear."""
    return PriceBook(
        currency="USD",
        versions=tuple(
            PriceVersion(
                name=f"v{n}",
                applies_from=START.date() + timedelta(days=n),
                plans={
                    "test": plan_prices(FEE, {meter: price * factor for meter, price in UNIT_PRICES.items()})
                },
            )
            for n, factor in enumerate(factors)
        ),
    )


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


def counts(world: World, tenant: str) -> EntitlementCounts:
    """The tenant's counters, of the month that it is now."""
    return MemoryUsage(world.jobs).counts(tenant, period=period_of(world.clock.now()))
