"""What a confirmation is charged covers the gas that it was measured to take, with the declared margin.

And where it cannot: what a plan includes is paid for by its fee, what the free plan gives away is bounded,
and a spike of the gas price is ours to bear up to the sender's ceiling, above which jobs wait.
"""

from collections.abc import Iterator, Mapping

import pytest

from chalicelib.adapters.memory_chain import GAS_A_TRANSACTION, GAS_AN_ENTRY
from chalicelib.adapters.memory_usage import MemoryInvoices, MemoryUsage
from chalicelib.admin.gas_table import load_gas
from chalicelib.domain.chain_transaction import JOBS_A_TRANSACTION
from chalicelib.domain.fees import CEILING_WEI
from chalicelib.domain.invoice import Invoice
from chalicelib.domain.job import Status
from chalicelib.domain.prices import MICROS, GasBudget, Meter, PlanPrices, PriceVersion, Tier
from chalicelib.plans import load_plans
from chalicelib.use_cases.chain_work import Alarm
from chalicelib.use_cases.read_invoice import ComputeInvoice, ReadInvoice
from tests.unit.billing import NOVEMBER, amounts
from tests.unit.confirming import MANY, finish, look
from tests.unit.world import ACME, START, World

PLANS = load_plans()
BOOK = PLANS.price_book
GAS = load_gas()
# What one tenant of a plan that charges nothing may cost us a month, at most.
GIVEN_AWAY_MICROS = 11 * MICROS
# A compact batch's gas hardly depends on its jobs, so its price assumes that as many share one. The sender
# takes what waits: a batch of fewer costs us more than it brings, by 2 cents at most.
COMPACT_JOBS = 10
EACH_VERSION = pytest.mark.parametrize("version", BOOK.versions, ids=lambda each: each.name)


def gas_of(version: PriceVersion) -> GasBudget:
    assert version.gas is not None, "each version says what it assumes of the chain"
    return version.gas


def paying(version: PriceVersion) -> Iterator[tuple[str, PlanPrices]]:
    """The plans for which something is paid."""
    for name, prices in version.plans.items():
        if prices.monthly_fee_micros:
            yield name, prices


def dearest_direct_micros(version: PriceVersion) -> int:
    """Of a batch's share, that of who is confirmed alone."""
    shares = {-(-gas // jobs) for jobs, gas in GAS["confirmBatch"].items()}
    assert max(shares) == GAS["confirmBatch"][1]
    return gas_of(version).cost_micros(max(shares))


def compact_micros(version: PriceVersion, jobs: int) -> int:
    """A job's share of a compact batch of so many."""
    return gas_of(version).cost_micros(-(-GAS["confirmCompact"][jobs] // jobs))


def covers(price: int, cost: int, version: PriceVersion) -> bool:
    """Whether the price is above the cost by the margin."""
    return price * 100 >= cost * (100 + gas_of(version).margin_percent)


def positive(prices: PlanPrices, meter: Meter) -> list[int]:
    return [tier.unit_micros for tier in prices.tiers[meter] if tier.unit_micros]


def included(prices: PlanPrices, meter: Meter) -> int:
    """How many units the plan gives for its fee."""
    first: Tier = prices.tiers[meter][0]
    return 0 if first.unit_micros else first.up_to or 0


@EACH_VERSION
def test_every_price_of_a_direct_confirmation_covers_the_dearest_one_with_its_margin(
    version: PriceVersion,
) -> None:
    cost = dearest_direct_micros(version)
    for name, prices in paying(version):
        found = positive(prices, Meter.JOB_CONFIRMED)
        assert found, name
        assert all(covers(price, cost, version) for price in found), (name, found, cost)


@EACH_VERSION
def test_every_price_of_a_compact_confirmation_covers_a_batch_of_some_jobs_with_its_margin(
    version: PriceVersion,
) -> None:
    larger = [jobs for jobs in GAS["confirmCompact"] if jobs >= COMPACT_JOBS]
    assert JOBS_A_TRANSACTION in larger
    for name, prices in paying(version):
        for price in positive(prices, Meter.JOB_CONFIRMED_COMPACT):
            assert compact_micros(version, 1) - price < 2 * MICROS // 100, name
            for jobs in larger:
                assert covers(price, compact_micros(version, jobs), version), (name, jobs)


@EACH_VERSION
def test_what_a_plan_includes_is_paid_for_by_its_fee_with_its_margin(version: PriceVersion) -> None:
    for name, prices in paying(version):
        direct = included(prices, Meter.JOB_CONFIRMED) * dearest_direct_micros(version)
        compact = included(prices, Meter.JOB_CONFIRMED_COMPACT) * compact_micros(version, 1)
        assert covers(prices.monthly_fee_micros, direct + compact, version), name


@EACH_VERSION
def test_what_a_plan_without_a_fee_gives_away_is_bounded_by_its_quota(version: PriceVersion) -> None:
    free = version.plans.keys() - {name for name, _ in paying(version)}
    assert free == {"free"}
    for name in free:
        assert not any(positive(version.plans[name], meter) for meter in version.plans[name].tiers)
        cost = PLANS.entitlements[name].jobs_per_month * dearest_direct_micros(version)
        assert cost <= GIVEN_AWAY_MICROS


@EACH_VERSION
def test_a_plan_that_pays_may_spend_something_and_one_that_does_not_nothing(version: PriceVersion) -> None:
    caps: Mapping[str, int] = {name: plan.spend_cap_micros for name, plan in PLANS.entitlements.items()}
    assert {name for name, cap in caps.items() if cap} == {name for name, _ in paying(version)}


def at_gas_price(wei: int) -> World:
    """Three jobs of the plan `pro`, each confirmed alone while a unit of gas costs so much."""
    world = World(prices=BOOK, plan=PLANS.entitlements["pro"])
    world.chain.base_fee_wei, world.chain.tip_wei = wei - 1, 1
    for key in ("k1", "k2", "k3"):
        finish(world, world.confirming(key))
    return world


def invoiced(world: World) -> Invoice:
    """The draft of the month."""
    compute = ComputeInvoice(usage=MemoryUsage(world.jobs), prices=world.prices)
    read = ReadInvoice(invoices=MemoryInvoices(), compute=compute, clock=world.clock)
    return read(ACME, NOVEMBER).invoice


def margin_micros(world: World, gas: GasBudget) -> int:
    """What is left of the confirmations' price, by the gas and its price in their events."""
    spent = sum(
        gas.cost_micros(each.gas_used, price_wei=each.gas_price_wei) for each in world.jobs.events().values()
    )
    return amounts(invoiced(world).lines)["job.confirmed"] - spent


def test_the_loss_is_ours_and_no_invoice_changes_when_gas_is_ten_times_as_dear_as_assumed() -> None:
    version = BOOK.in_force(START)
    gas = gas_of(version)
    usual, spike = at_gas_price(gas.price_wei), at_gas_price(10 * gas.price_wei)
    prices = {each.gas_price_wei for each in spike.jobs.events().values() if each.gas_used}
    assert prices == {10 * gas.price_wei}
    assert invoiced(spike) == invoiced(usual)
    assert amounts(invoiced(spike).lines)["job.confirmed"] == 3 * 40_000
    assert margin_micros(usual, gas) > 0 > margin_micros(spike, gas)
    # So a batch's gas is spent in full by its jobs' events, and to the wei.
    assert margin_micros(usual, gas) - margin_micros(spike, gas) == 9 * 3 * gas.cost_micros(
        GAS_A_TRANSACTION + GAS_AN_ENTRY
    )


def test_a_job_waits_when_gas_is_above_the_senders_ceiling_and_succeeds_when_it_falls() -> None:
    world = World(plan=MANY)
    ref = world.confirming()
    usual = world.chain.base_fee_wei
    world.chain.base_fee_wei = CEILING_WEI
    for _ in range(3):
        world.queue.wake_confirmer([ref])
        report = look(world)
        assert Alarm.FEES_ABOVE_CEILING in report.alarms
        assert (world.job(ref).status, world.chain.broadcasts) == (Status.CONFIRMING, [])
        world.chain.mine()
    assert {each.meter for each in world.jobs.events().values()} == {
        Meter.JOB_ACCEPTED,
        Meter.COMPUTE_USED,
        Meter.PAYLOAD_STORED,
    }
    world.chain.base_fee_wei = usual
    finish(world, ref)
    assert world.job(ref).status is Status.SUCCEEDED
