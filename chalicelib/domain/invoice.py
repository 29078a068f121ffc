"""An invoice: a pure function of a month's usage events, the price book and two cut-offs.

Events shuffled, repeated or read again a year later give the same invoice. Money is an integer of
micro-units: a line is a whole quantity times a whole price, so nothing is ever rounded, and the total is
exactly the sum of the lines. What was issued never changes: what came too late is an adjustment, which is
the difference to the invoice that there would have been.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from chalicelib.domain.metering import UNITS
from chalicelib.domain.month import CutOffs, Month
from chalicelib.domain.prices import Meter, PriceBook, Tier
from chalicelib.domain.tally import Group, Tally
from chalicelib.domain.tax import Tax, no_tax

MONTHLY_FEE = "monthly_fee"
"""The item of the line that is the plan's own price."""
MINIMUM = "minimum"
"""The item of the line that makes up for what the plan's month must come to at least."""


class InvoiceStatus(StrEnum):
    """How final an invoice is."""

    DRAFT = "draft"  # computed anew at each request; nobody owes it yet
    ISSUED = "issued"  # never changes any more
    ADJUSTED = "adjusted"  # issued, and so are adjustments of it


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Rate:
    """What a line is priced by. `item` is a meter, `MONTHLY_FEE` or `MINIMUM`; tiers count from 1."""

    item: str
    plan: str
    price_version: str
    tier: int = 1
    unit: str
    unit_price_micros: int


@dataclass(frozen=True, slots=True)
class Line:
    """So much of one item under one plan, version and tier; an adjustment's quantity may be negative."""

    rate: Rate
    quantity: int

    @property
    def amount_micros(self) -> int:
        """Exact: both factors are integers."""
        return self.quantity * self.rate.unit_price_micros


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """One tenant's month, of `sequence` 0, or an adjustment of it, of which the first has 1."""

    tenant_id: str
    month: Month
    sequence: int = 0
    currency: str
    cut_offs: CutOffs
    lines: tuple[Line, ...]
    tax_micros: int = 0

    @property
    def number(self) -> str:
        """What it is called: the invoice by tenant and month, an adjustment by that and its own number."""
        number = f"{self.tenant_id}-{self.month.name}"
        return f"{number}-A{self.sequence}" if self.sequence else number

    @property
    def subtotal_micros(self) -> int:
        """The sum of the lines, always."""
        return sum(line.amount_micros for line in self.lines)

    @property
    def total_micros(self) -> int:
        """What is owed by it; what is negative is owed to the tenant."""
        return self.subtotal_micros + self.tax_micros


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A month's invoice as it stands, with its adjustments, oldest first."""

    invoice: Invoice
    status: InvoiceStatus
    adjustments: tuple[Invoice, ...] = ()

    @property
    def due_micros(self) -> int:
        """What the month comes to in all."""
        return self.invoice.total_micros + sum(each.total_micros for each in self.adjustments)


def invoice_of(
    tallied: Tally, *, tenant_id: str, month: Month, prices: PriceBook, cut_offs: CutOffs, tax: Tax = no_tax
) -> Invoice:
    """The invoice of what was tallied within these cut-offs."""
    lines = (*_fee(tallied, prices), *_usage(tallied, prices))
    lines += tuple(_minimum(tallied, prices, sum(line.amount_micros for line in lines)))
    return Invoice(
        tenant_id=tenant_id,
        month=month,
        currency=prices.currency,
        cut_offs=cut_offs,
        lines=lines,
        tax_micros=tax(sum(line.amount_micros for line in lines)),
    )


def adjustment_of(issued: Sequence[Invoice], whole: Invoice) -> Invoice | None:
    """What `whole`, the invoice of all that is known, has beyond the issued one and its adjustments, if any.

    Together they then have the lines of `whole`, its tax, however that is rounded, and so its total.
    """
    billed = quantities_of(line for each in issued for line in each.lines)
    known = quantities_of(whole.lines)
    rates = sorted(billed.keys() | known.keys())
    lines = tuple(Line(rate, known[rate] - billed[rate]) for rate in rates if known[rate] != billed[rate])
    if not lines:
        return None
    taxed = sum(each.tax_micros for each in issued)
    return replace(whole, sequence=len(issued), lines=lines, tax_micros=whole.tax_micros - taxed)


def statement_of(issued: Sequence[Invoice]) -> Statement:
    """What was issued for a month: the invoice first, then its adjustments."""
    status = InvoiceStatus.ADJUSTED if len(issued) > 1 else InvoiceStatus.ISSUED
    return Statement(invoice=issued[0], status=status, adjustments=tuple(issued[1:]))


def quantities_of(lines: Iterable[Line]) -> Counter[Rate]:
    """How much of each rate the lines have together."""
    quantities: Counter[Rate] = Counter()
    for line in lines:
        quantities[line.rate] += line.quantity
    return quantities


def _fee(tallied: Tally, prices: PriceBook) -> Iterator[Line]:
    """One month of the plan under which the last job was accepted; without a job, no fee is due."""
    if last := tallied.last_accepted:
        fee = prices.of_plan(last.plan, version=last.price_version).monthly_fee_micros
        yield Line(_monthly(MONTHLY_FEE, fee, plan=last.plan, price_version=last.price_version), 1)


def _usage(tallied: Tally, prices: PriceBook) -> Iterator[Line]:
    """A line a meter, price version, plan and tier, in that order.

    A month's units are counted on from one version and plan to the next, so neither gives the included ones
    twice.
    """
    counted: Counter[Meter] = Counter()
    in_order = sorted(
        tallied.quantities, key=lambda group: (group.meter, prices.place_of(group.price_version), group.plan)
    )
    for group in in_order:
        first, quantity = counted[group.meter], tallied.quantities[group]
        counted[group.meter] += quantity
        tiers = prices.tiers(group.plan, group.meter, version=group.price_version)
        for number, (tier, units) in enumerate(_spread(tiers, first, first + quantity), start=1):
            if units:
                yield Line(_rate(group, number, tier), units)


def _spread(tiers: Sequence[Tier], first: int, end: int) -> Iterator[tuple[Tier, int]]:
    """How many of the units after `first` and up to `end` each tier has.

    >>> tiers = Tier(10, 0), Tier(100, 5), Tier(None, 4)
    >>> [units for _, units in _spread(tiers, 8, 120)]
    [2, 90, 20]
    """
    for tier in tiers:
        until = end if tier.up_to is None else min(max(tier.up_to, first), end)
        yield tier, until - first
        first = until


def _minimum(tallied: Tally, prices: PriceBook, subtotal_micros: int) -> Iterator[Line]:
    """What is missing to the least that a month of the last job's plan comes to."""
    if last := tallied.last_accepted:
        missing = prices.of_plan(last.plan, version=last.price_version).minimum_micros - subtotal_micros
        if missing > 0:
            yield Line(_monthly(MINIMUM, missing, plan=last.plan, price_version=last.price_version), 1)


def _monthly(item: str, micros: int, *, plan: str, price_version: str) -> Rate:
    return Rate(item=item, plan=plan, price_version=price_version, unit="month", unit_price_micros=micros)


def _rate(group: Group, number: int, tier: Tier) -> Rate:
    return Rate(
        item=group.meter.value,
        plan=group.plan,
        price_version=group.price_version,
        tier=number,
        unit=UNITS[group.meter],
        unit_price_micros=tier.unit_micros,
    )
