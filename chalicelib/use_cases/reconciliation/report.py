"""What a reconciliation compares, and what it finds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from chalicelib.domain.entitlements import Tenant
from chalicelib.domain.metering import UsageEvent
from chalicelib.domain.month import Month

# As many rows as one read of the stores gives, and so what is held of them at once.
A_READ = 100


class Kind(StrEnum):
    """Which two records of the same fact do not agree."""

    EVENT_MISSING = "event missing"  # the job has it, the store of events does not
    EVENT_CHANGED = "event changed"  # the store has another content than follows from the job
    EVENT_UNFOUNDED = "event unfounded"  # no job bears the stored event out
    INVOICE_LINE = "invoice line"  # issued otherwise than its events, at its cut-offs, make it
    ADJUSTMENT_LINE = "adjustment line"  # the invoice and its adjustments do not come to what they should
    NOT_INVOICED = "not invoiced"  # known for long, and in no invoice or adjustment
    DRAFT_LINE = "draft line"  # of a month without an invoice: stored events make another than jobs do
    UNPRICED = "unpriced"  # an event names a plan or a version of prices that there is none of
    COUNTER = "counter"  # an entitlement's, against the jobs
    GATEWAY_REQUESTS = "gateway requests"  # fewer than the jobs that came by them
    CHAIN_RECORD = "chain record"  # the registry does not have the job as it says
    TRANSACTION = "transaction"  # the job's is not on the canonical chain as it says
    GAS_SHARE = "gas share"  # the jobs' shares do not sum up to what their transaction used
    RECORD_UNFOUNDED = "record unfounded"  # the registry has what no job bears out


class Figure(StrEnum):
    """What was compared, by the number of it; and two facts, in micro-units, that are no difference."""

    JOBS = "jobs"
    EVENTS = "usage events"
    LINES = "invoice lines"
    COUNTERS = "entitlement counters"
    REQUESTS = "gateway requests"
    CONFIRMATIONS = "confirmations"
    RECORDS = "chain records"
    EARNED_MICROS = "earned by confirmations"
    GAS_COST_MICROS = "cost of their gas"


FACTS = frozenset({Figure.EARNED_MICROS, Figure.GAS_COST_MICROS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Two records that do not agree; `where` is a job, event, line, counter, day or transaction."""

    kind: Kind
    tenant: str
    where: str
    expected: str
    found: str
    evidence: str = ""

    @property
    def place(self) -> tuple[Kind, str, str]:
        """What a second look finds again, if the difference is one and no change of meanwhile."""
        return self.kind, self.tenant, self.where


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """One tenant's part of a month: what had happened, and was known, as of a moment."""

    tenant: Tenant
    month: Month
    as_of: datetime

    @property
    def until(self) -> datetime:
        """The first moment that is not in it."""
        return min(self.month.end, self.as_of + datetime.resolution)

    def has(self, event: UsageEvent) -> bool:
        """Whether the event's time is in it."""
        return self.month.start <= event.time < self.until

    def difference(
        self, kind: Kind, where: str, *, expected: object, found: object, evidence: str = ""
    ) -> Difference:
        """One of this tenant."""
        return Difference(
            kind=kind,
            tenant=self.tenant.name,
            where=where,
            expected=str(expected),
            found=str(found),
            evidence=evidence,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was compared of whom, and every difference that persisted.

    With `only`, the chain's records were not traced back: whose job one is of is known of all tenants alone.
    """

    month: Month
    only: Tenant | None
    currency: str
    figures: Mapping[Figure, int]
    differences: Sequence[Difference]

    @property
    def compared(self) -> Sequence[tuple[Figure, int]]:
        """How much of what."""
        return [(each, self.figures.get(each, 0)) for each in Figure if each not in FACTS]

    @property
    def earned_micros(self) -> int:
        """What the lines of confirmations come to, at their tiers."""
        return self.figures.get(Figure.EARNED_MICROS, 0)

    @property
    def gas_cost_micros(self) -> int:
        """What the gas of the same confirmations cost, at its own price and the recorded rate."""
        return self.figures.get(Figure.GAS_COST_MICROS, 0)

    @property
    def margin_micros(self) -> int:
        """What confirmations brought beyond their gas; a fact, whatever it is."""
        return self.earned_micros - self.gas_cost_micros
