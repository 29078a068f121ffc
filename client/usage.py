"""What the API answers about usage, money and job types, as values; integers are exact at any size."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from client.documents import AS_SENT, Document


@dataclass(frozen=True, slots=True)
class DayUsage:
    """What one meter counted on one day (UTC)."""

    day: date
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterUsage:
    """What one meter counted, day by day and in all."""

    meter: str
    unit: str
    total: int
    days: tuple[DayUsage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entitlements:
    """The plan's jobs: admitted in the present period and active now, each beside its limit.

    So is what they have cost at list price, and may still cost, in millionths of the currency.
    """

    plan: str
    period: str
    jobs_admitted: int
    jobs_per_month: int
    active_jobs: int
    active_jobs_limit: int
    currency: str | None = None
    spend_micros: int | None = None
    spend_cap_micros: int | None = None
    resets_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage(Document):
    """Usage from the first day to the last (UTC), and the entitlements as they are now."""

    first: Annotated[date, Field(validation_alias="from")]
    last: Annotated[date, Field(validation_alias="to")]
    meters: tuple[MeterUsage, ...]
    entitlements: Entitlements


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceLine:
    """What one item costs; money is in millionths of the invoice's currency.

    `tier` says which of the item's prices it is, from 1; an adjustment's quantity may be negative.
    """

    item: str
    plan: str
    price_version: str
    tier: int | None = None
    quantity: int
    unit: str
    unit_price_micros: int
    amount_micros: int


@dataclass(frozen=True, slots=True)
class CutOffs:
    """The invoice is of the month's events that happened, and were taken in, up to these moments."""

    event_time: datetime
    ingestion_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """What came too late for the invoice that it `adjusts`: the difference to what was billed before."""

    number: str
    adjusts: str
    cut_offs: CutOffs
    lines: tuple[InvoiceLine, ...]
    subtotal_micros: int
    tax_micros: int
    total_micros: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice(Document):
    """A month's invoice; `status` says whether it is only a draft.

    What is due is the total with those of the adjustments.
    """

    number: str | None = None
    tenant_id: str | None = None
    period: str
    status: str
    currency: str
    cut_offs: CutOffs
    lines: tuple[InvoiceLine, ...]
    subtotal_micros: int | None = None
    tax_micros: int | None = None
    total_micros: int
    adjustments: tuple[Adjustment, ...] = ()
    due_micros: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobType:
    """What can be submitted, unless it is not `available`; `input_schema` is a JSON Schema 2020-12.

    `compute_unit` says what one unit of it is, and `example` is an input that can be submitted.
    """

    name: str
    title: str
    description: str
    input_schema: Mapping[str, Any]
    version: int | None = None
    compute_unit: str | None = None
    available: bool = True
    example: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobTypes(Document):
    """Every job type."""

    data: tuple[JobType, ...]


USAGE: TypeAdapter[Usage] = TypeAdapter(Annotated[Usage, AS_SENT])
INVOICE: TypeAdapter[Invoice] = TypeAdapter(Annotated[Invoice, AS_SENT])
JOB_TYPES: TypeAdapter[JobTypes] = TypeAdapter(Annotated[JobTypes, AS_SENT])
