"""Prices are integers by plan and version; a month's units cost what each of them costs in its tier."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.invoice import MINIMUM, MONTHLY_FEE
from chalicelib.domain.metering import UsageEvent
from chalicelib.domain.prices import (
    MICROS,
    PRICED,
    WEI,
    GasBudget,
    Meter,
    PriceBook,
    PriceVersion,
    Tier,
    amount,
)
from tests.unit.billing import FLAT, NEW, OLD, PRICES, PRO, event, invoice, plan_prices

ORDER = {name: place for place, name in enumerate((OLD, NEW))}
SMALL = st.lists(
    st.builds(
        event,
        st.integers(1, 50),
        st.sampled_from(Meter),
        price_version=st.sampled_from((OLD, NEW)),
        plan=st.sampled_from(("pro", "most")),
        quantity=st.integers(1, 9),
    ),
    unique_by=lambda each: each.event_id,
    max_size=12,
)


@st.composite
def tiers(draw: st.DrawFn) -> tuple[Tier, ...]:
    """Up to four tiers, dearer or cheaper from one to the next."""
    ends = sorted(draw(st.sets(st.integers(1, 40), max_size=3)))
    return tuple(Tier(end, draw(st.integers(0, 9))) for end in (*ends, None))


def price_of_unit(number: int, ladder: tuple[Tier, ...]) -> int:
    """What the month's unit of that number, counted from 1, costs: the first tier that it is not past."""
    return next(each.unit_micros for each in ladder if each.up_to is None or number <= each.up_to)


def one_by_one(events: list[UsageEvent], prices: PriceBook) -> int:
    """What the events cost, unit after unit: versions in their order, plans by name within one."""
    counted, total = dict.fromkeys(Meter, 0), 0
    for each in sorted(events, key=lambda each: (ORDER[each.price_version], each.plan)):
        ladder = prices.tiers(each.plan, each.meter, version=each.price_version)
        for _ in range(each.quantity):
            counted[each.meter] += 1
            total += price_of_unit(counted[each.meter], ladder)
    return total


@given(SMALL)
def test_each_unit_costs_what_its_tier_does_when_versions_and_plans_change(events: list[UsageEvent]) -> None:
    made = invoice(events)
    usage = [line for line in made.lines if line.rate.item not in (MONTHLY_FEE, MINIMUM)]
    assert sum(line.amount_micros for line in usage) == one_by_one(events, PRICES)
    for meter in Meter:
        units = sum(line.quantity for line in usage if line.rate.item == meter)
        assert units == sum(each.quantity for each in events if each.meter is meter)
    assert all(line.quantity > 0 for line in made.lines)


@given(tiers(), tiers(), st.lists(st.tuples(st.sampled_from((OLD, NEW)), st.integers(1, 30)), max_size=5))
def test_each_unit_costs_what_its_tier_does_whatever_the_tiers_are(
    old: tuple[Tier, ...], new: tuple[Tier, ...], used: list[tuple[str, int]]
) -> None:
    prices = PriceBook(
        currency="USD",
        versions=tuple(
            PriceVersion(
                name=name,
                applies_from=date(2026, 11, 1 + place),
                plans={PRO: plan_prices(0, {Meter.COMPUTE_USED: ladder})},
            )
            for place, (name, ladder) in enumerate(((OLD, old), (NEW, new)))
        ),
    )
    events = [
        event(number, Meter.COMPUTE_USED, price_version=version, quantity=quantity)
        for number, (version, quantity) in enumerate(used)
    ]
    assert invoice(events, prices=prices).total_micros == one_by_one(events, prices)


def test_included_units_are_given_once_when_the_price_version_changes_within_a_month() -> None:
    ladder = (Tier(10, 0), Tier(None, 7))
    plans = {PRO: plan_prices(0, {Meter.COMPUTE_USED: ladder})}
    prices = PriceBook(
        currency="USD",
        versions=tuple(
            PriceVersion(name=name, applies_from=date(2026, 11, day), plans=plans)
            for name, day in ((OLD, 1), (NEW, 16))
        ),
    )
    used = [event(n, Meter.COMPUTE_USED, price_version=name, quantity=8) for n, name in enumerate((OLD, NEW))]
    assert [
        (line.rate.price_version, line.rate.tier, line.quantity)
        for line in invoice(used, prices=prices).lines
    ] == [(OLD, 1, 8), (NEW, 1, 2), (NEW, 2, 6)]


@pytest.mark.parametrize(
    ("moment", "version"),
    [
        (datetime(2026, 10, 1, tzinfo=UTC), OLD),
        (datetime(2026, 11, 15, 23, 59, 59, 999999, tzinfo=UTC), OLD),
        (datetime(2026, 11, 16, tzinfo=UTC), NEW),
        (datetime(2027, 11, 1, tzinfo=UTC), NEW),
    ],
)
def test_a_version_applies_from_its_days_first_moment(moment: datetime, version: str) -> None:
    assert PRICES.in_force(moment).name == version


def test_a_waiver_takes_back_exactly_the_acceptances_price_in_every_version_and_plan() -> None:
    for version in PRICES.versions:
        for plan in version.plans:
            [charged] = PRICES.tiers(plan, Meter.JOB_ACCEPTED, version=version.name)
            [waived] = PRICES.tiers(plan, Meter.JOB_WAIVED, version=version.name)
            assert waived.unit_micros == -charged.unit_micros


@given(tiers(), st.integers(1, 100))
def test_no_unit_costs_more_than_the_list_price(ladder: tuple[Tier, ...], number: int) -> None:
    plans = {PRO: plan_prices(0, {**FLAT, Meter.COMPUTE_USED: ladder})}
    version = PriceVersion(name=OLD, applies_from=date.min, plans=plans)
    book = PriceBook(currency="USD", versions=(version,))
    most = book.list_price_micros(PRO, Meter.COMPUTE_USED, version=OLD)
    assert price_of_unit(number, ladder) <= most
    assert most in {each.unit_micros for each in ladder}


@pytest.mark.parametrize("name", ["2026-12", ""])
def test_a_version_that_is_not_in_the_book_has_no_price(name: str) -> None:
    with pytest.raises(KeyError):
        PRICES.tiers(PRO, Meter.JOB_ACCEPTED, version=name)
    with pytest.raises(KeyError):
        invoice([event(price_version=name)])


def test_every_meter_has_a_price_or_takes_one_back() -> None:
    assert {*Meter} - PRICED == {Meter.JOB_WAIVED}


@given(st.integers(0, 10**9), st.integers(0, 10**12), st.integers(1, 10**11))
def test_gas_costs_never_less_than_it_does_and_less_than_a_micro_more(gas: int, wei: int, rate: int) -> None:
    budget = GasBudget(price_wei=wei, micros_per_ether=rate, margin_percent=0)
    exactly = gas * wei * rate
    assert 0 <= budget.cost_micros(gas) * WEI - exactly < WEI
    assert budget.cost_micros(gas, price_wei=10 * wei) * WEI >= 10 * exactly


@given(st.integers(-(10**30), 10**30))
def test_an_amount_reads_back_to_the_micro(micros: int) -> None:
    told = amount(micros)
    units, _, rest = told.replace(",", "").removeprefix("-").partition(".")
    assert len(rest) >= 2
    assert int(units) * MICROS + int(rest.ljust(6, "0")) == abs(micros)
    assert told.startswith("-") is (micros < 0)


def test_a_day_in_any_year_has_a_version() -> None:
    assert PRICES.in_force(datetime.min.replace(tzinfo=UTC) + timedelta(days=1)).name == OLD
