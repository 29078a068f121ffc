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
    """The plan's jobs: admitted in the present period and active now, each beside its limit."""

    plan: str
    period: str
    jobs_admitted: int
    jobs_per_month: int
    active_jobs: int
    active_jobs_limit: int
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
    """What one item costs; money is in millionths of the invoice's currency."""

    item: str
    plan: str
    price_version: str
    quantity: int
    unit: str
    unit_price_micros: int
    amount_micros: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice(Document):
    """A month's invoice; `status` says whether it is only a draft."""

    period: str
    status: str
    currency: str
    lines: tuple[InvoiceLine, ...]
    total_micros: int


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
