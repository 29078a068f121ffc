"""Usage events, price books and the office that closes months, for the tests of money."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from hypothesis import strategies as st

from chalicelib.adapters.memory import ManualClock, MemoryJobs
from chalicelib.adapters.memory_usage import MemoryInvoices, MemoryUsage
from chalicelib.domain.invoice import Invoice, Line, invoice_of
from chalicelib.domain.job import JobRef, Status
from chalicelib.domain.metering import UNITS, UsageEvent, distinct
from chalicelib.domain.month import GRACE, SETTLED_AFTER, CutOffs, Month
from chalicelib.domain.prices import PRICED, Meter, PlanPrices, PriceBook, PriceVersion, Tier
from chalicelib.domain.tally import tally
from chalicelib.domain.tax import Tax, no_tax
from chalicelib.ports import Clock, Invoices, Usage
from chalicelib.use_cases.close_period import Closed, ClosePeriod
from chalicelib.use_cases.read_invoice import ComputeInvoice, ReadInvoice

TENANT = "ten_1"
NOVEMBER = Month.named("2026-11")
TICK = timedelta(microseconds=1)
CLOSES_AT = NOVEMBER.end + GRACE + SETTLED_AFTER
OLD, NEW = "2026-11", "2026-11-16"
FREE, PRO, MOST = "free", "pro", "most"
PLANS = (FREE, PRO, MOST)

Units = Mapping[Meter, int | tuple[Tier, ...]]


def plan_prices(fee: int, units: Units, *, minimum: int = 0) -> PlanPrices:
    """A plan's prices; a number is one price for every unit, and what is not named costs nothing."""
    tiers = {meter: units.get(meter, 0) for meter in PRICED}
    return PlanPrices(
        monthly_fee_micros=fee,
        minimum_micros=minimum,
        tiers={
            meter: (Tier(None, price),) if isinstance(price, int) else price for meter, price in tiers.items()
        },
    )


FLAT: Units = {
    Meter.JOB_ACCEPTED: 2_000,
    Meter.COMPUTE_USED: 100,
    Meter.JOB_CONFIRMED: 40_000,
    Meter.JOB_CONFIRMED_COMPACT: 4_000,
}
TIERED: Units = {
    Meter.JOB_ACCEPTED: 3_000,
    Meter.COMPUTE_USED: (Tier(5, 0), Tier(20, 90), Tier(None, 80)),
    Meter.PAYLOAD_STORED: (Tier(7, 0), Tier(None, 1)),
    Meter.JOB_CONFIRMED: (Tier(2, 0), Tier(4, 41_000), Tier(None, 39_000)),
    Meter.JOB_CONFIRMED_COMPACT: (Tier(3, 1), Tier(None, 5_000)),
}
PRICES = PriceBook(
    currency="USD",
    versions=(
        PriceVersion(
            name=OLD,
            applies_from=date(2026, 11, 1),
            plans={
                FREE: plan_prices(0, {}),
                PRO: plan_prices(49_000_000, FLAT),
                MOST: plan_prices(990_000_000, FLAT, minimum=990_100_000),
            },
        ),
        PriceVersion(
            name=NEW,
            applies_from=date(2026, 11, 16),
            plans={
                FREE: plan_prices(0, {}),
                PRO: plan_prices(49_000_000, TIERED, minimum=49_050_000),
                MOST: plan_prices(10_000, TIERED, minimum=100_000),
            },
        ),
    ),
)


def event(
    job: int = 1,
    meter: Meter = Meter.JOB_ACCEPTED,
    *,
    time: datetime = NOVEMBER.start,
    plan: str = PRO,
    price_version: str = OLD,
    quantity: int = 1,
    late_at: datetime | None = None,
    tenant: str = TENANT,
) -> UsageEvent:
    """An event; it is taken in with its fact, unless it says otherwise."""
    return UsageEvent(
        ref=JobRef(tenant, f"job_{job}"),
        meter=meter,
        time=time,
        quantity=quantity,
        unit=UNITS[meter],
        plan=plan,
        price_version=price_version,
        outcome=Status.QUEUED,
        late_at=late_at,
    )


def invoice(
    events: Iterable[UsageEvent],
    *,
    month: Month = NOVEMBER,
    cut_offs: CutOffs | None = None,
    prices: PriceBook = PRICES,
    tax: Tax = no_tax,
) -> Invoice:
    """The invoice of these events, in whatever order; by default of all of the month's."""
    cut_offs = cut_offs or CutOffs(event_time=month.end, ingestion_time=datetime.max.replace(tzinfo=UTC))
    tallied = tally(distinct(events), month=month, cut_offs=cut_offs)
    return invoice_of(tallied, tenant_id=TENANT, month=month, prices=prices, cut_offs=cut_offs, tax=tax)


def lines(invoices: Iterable[Invoice]) -> dict[object, int]:
    """What all of them bill in all, by rate; what adds up to nothing is absent."""
    billed: dict[object, int] = {}
    for line in (line for each in invoices for line in each.lines):
        billed[line.rate] = billed.get(line.rate, 0) + line.quantity
    return {rate: quantity for rate, quantity in billed.items() if quantity}


def amounts(lines: Iterable[Line]) -> dict[str, int]:
    """What each item comes to."""
    found: dict[str, int] = {}
    for line in lines:
        found[line.rate.item] = found.get(line.rate.item, 0) + line.amount_micros
    return found


MOMENTS = st.datetimes(datetime(2026, 10, 31), datetime(2026, 12, 1, 23), timezones=st.just(UTC))
# From within the month to months after it.
LATE = st.datetimes(datetime(2026, 11, 20), datetime(2027, 2, 1), timezones=st.just(UTC))


@st.composite
def events_of_a_tenant(draw: st.DrawFn) -> list[UsageEvent]:
    """Events of all meters, plans and versions, some of them late, each with an id of its own."""
    made = st.builds(
        event,
        st.integers(1, 200),
        st.sampled_from(Meter),
        time=MOMENTS,
        plan=st.sampled_from(PLANS),
        price_version=st.sampled_from((OLD, NEW)),
        quantity=st.integers(1, 12) | st.integers(1, 2**60),
        late_at=st.none() | LATE,
    )
    found = draw(st.lists(made, unique_by=lambda each: each.event_id, max_size=20))
    # Nothing is taken in before it has happened.
    return [each for each in found if each.late_at is None or each.late_at >= each.time]


EVENTS = events_of_a_tenant()


@dataclass
class Office:
    """Where a tenant's months are closed, in memory, on a clock that the test moves."""

    clock: ManualClock = field(default_factory=lambda: ManualClock(CLOSES_AT))
    jobs: MemoryJobs = field(default_factory=MemoryJobs)
    invoices: Invoices = field(default_factory=MemoryInvoices)
    prices: PriceBook = PRICES
    usage: Usage = field(init=False)

    def __post_init__(self) -> None:
        self.usage = MemoryUsage(self.jobs)

    def take_in(self, *events: UsageEvent) -> None:
        """Each event as it is, whatever the clock says."""
        for each in events:
            self.usage.take_in(each)

    def be_at(self, moment: datetime) -> None:
        """It is then."""
        self.clock.advance(moment - self.clock.now())

    def closing(self, *, clock: Clock | None = None, usage: Usage | None = None) -> ClosePeriod:
        """A close; its clock and what it reads may be others."""
        compute = ComputeInvoice(usage=usage or self.usage, prices=self.prices)
        return ClosePeriod(invoices=self.invoices, compute=compute, clock=clock or self.clock)

    def close(self, *, month: Month = NOVEMBER) -> Closed:
        """What a close of the month does now."""
        return self.closing()(TENANT, month)

    @property
    def read(self) -> ReadInvoice:
        compute = ComputeInvoice(usage=self.usage, prices=self.prices)
        return ReadInvoice(invoices=self.invoices, compute=compute, clock=self.clock)

    def issued(self, month: Month = NOVEMBER) -> tuple[Invoice, ...]:
        """The month's invoice and its adjustments."""
        return tuple(self.invoices.issued(TENANT, month))
