"""An invoice: a pure function of a month's usage events, the price book and two cut-offs.

Events shuffled, repeated or read again a year later give the same invoice. Money is an integer of
micro-units: a line is a whole quantity times a whole price, so nothing is ever rounded, and the total is
exactly the sum of the lines. Not here yet: issuing, closing a period, adjustments, taxes.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from chalicelib.domain.entitlements import next_period_start, period_of
from chalicelib.domain.metering import UNITS, UsageEvent, distinct
from chalicelib.domain.prices import Meter, PriceBook

MONTHLY_FEE = "monthly_fee"
"""The item of the line that is no meter's."""


class InvoiceStatus(StrEnum):
    """How final an invoice is."""

    DRAFT = "draft"  # computed anew at each request; nobody owes it yet


@dataclass(frozen=True, slots=True)
class Month:
    """A calendar month in UTC, from its first moment."""

    start: datetime

    @classmethod
    def named(cls, name: str) -> "Month":
        """The month of a name such as 2026-11; a `ValueError` if there is none.

        >>> Month.named("2026-02").days[-1]
        datetime.date(2026, 2, 28)
        """
        year, _, month = name.partition("-")
        return cls(datetime(int(year), int(month), 1, tzinfo=UTC))

    @property
    def name(self) -> str:
        """Its year and number."""
        return period_of(self.start)

    @property
    def end(self) -> datetime:
        """The first moment after it."""
        return next_period_start(self.start)

    @property
    def days(self) -> tuple[date, ...]:
        """Each of its days."""
        first = self.start.date()
        return tuple(first + timedelta(days=n) for n in range((self.end - self.start).days))


@dataclass(frozen=True, slots=True, kw_only=True)
class CutOffs:
    """Which events an invoice is of: those that happened, and were taken in, up to these moments."""

    event_time: datetime
    ingestion_time: datetime

    @classmethod
    def of_draft(cls, month: Month, *, now: datetime) -> "CutOffs":
        """All that is known of the month; once it is over, always the same two.

        An event names the moment just before it commits, so the two are one moment. What is in a transaction
        at a cut-off can still come in, for as long as a function may run: issuing has to wait for that.
        """
        moment = min(now, month.end)
        return cls(event_time=moment, ingestion_time=moment)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What one item costs under one plan and price version. `item` is a meter or `MONTHLY_FEE`."""

    item: str
    plan: str
    price_version: str
    quantity: int
    unit: str
    unit_price_micros: int

    @property
    def amount_micros(self) -> int:
        """Exact: both factors are integers."""
        return self.quantity * self.unit_price_micros


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """One tenant's month."""

    month: Month
    status: InvoiceStatus
    currency: str
    cut_offs: CutOffs
    lines: tuple[Line, ...]

    @property
    def total_micros(self) -> int:
        """The sum of the lines, always."""
        return sum(line.amount_micros for line in self.lines)


def draft(events: Iterable[UsageEvent], *, month: Month, prices: PriceBook, cut_offs: CutOffs) -> Invoice:
    """The invoice of those events that fall into the month and within both cut-offs.

    Raises `ContradictoryEvents` if two of them have one id and different content.
    """
    billed = [
        event
        for event in distinct(events)
        if month.start <= event.time < month.end
        and event.time <= cut_offs.event_time
        and event.ingested_at <= cut_offs.ingestion_time
    ]
    return Invoice(
        month=month,
        status=InvoiceStatus.DRAFT,
        currency=prices.currency,
        cut_offs=cut_offs,
        lines=(*_fee(billed, prices), *_usage(billed, prices)),
    )


def _fee(events: Sequence[UsageEvent], prices: PriceBook) -> tuple[Line, ...]:
    """One month of the plan under which the last job was accepted; without a job, no fee is due."""
    accepted = [event for event in events if event.meter is Meter.JOB_ACCEPTED]
    if not accepted:
        return ()
    last = accepted[-1]
    price = prices.monthly_fee_micros(last.plan, version=last.price_version)
    return (
        Line(
            item=MONTHLY_FEE,
            plan=last.plan,
            price_version=last.price_version,
            quantity=1,
            unit="month",
            unit_price_micros=price,
        ),
    )


def _usage(events: Sequence[UsageEvent], prices: PriceBook) -> tuple[Line, ...]:
    """A line a meter, plan and price version, in that order."""
    quantities: Counter[tuple[Meter, str, str]] = Counter()
    for event in events:
        quantities[event.meter, event.plan, event.price_version] += event.quantity
    return tuple(
        Line(
            item=meter.value,
            plan=plan,
            price_version=version,
            quantity=quantity,
            unit=UNITS[meter],
            unit_price_micros=prices.unit_price_micros(plan, meter, version=version),
        )
        for (meter, plan, version), quantity in sorted(quantities.items())
    )
