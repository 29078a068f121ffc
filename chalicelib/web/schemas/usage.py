"""What a tenant used, and what is left of its plan."""

from datetime import date
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, WithJsonSchema

from chalicelib.domain.metering import UNITS
from chalicelib.domain.month import MONTH_NAME
from chalicelib.domain.prices import Meter
from chalicelib.domain.usage import LONGEST_RANGE_DAYS
from chalicelib.use_cases.read_usage import UsageReport
from chalicelib.web.schemas.base import Count, Currency, Timestamp, WholeNumber, Wire, open_enum

Day = Annotated[
    date,
    WithJsonSchema(
        {"type": "string", "format": "date", "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "maxLength": 10}
    ),
]
# An amount of money, which may be owed to the tenant.
Amount = Annotated[str, Field(pattern=r"^(0|-?[1-9][0-9]{0,38})$", max_length=40)]
Unit = Annotated[str, Field(pattern=r"^[a-z]+$", max_length=32)]
PlanName = Annotated[str, Field(max_length=64)]
Period = Annotated[str, Field(pattern=f"^{MONTH_NAME}$", max_length=7)]


class DayUsage(Wire):
    """What one meter counted on one day (UTC)."""

    day: Day
    quantity: WholeNumber


class MeterUsage(Wire):
    """What one meter counted: each day of the range, those without usage included, and their sum."""

    meter: Annotated[str, open_enum(*Meter)]
    unit: Unit
    total: WholeNumber
    days: Annotated[tuple[DayUsage, ...], Field(max_length=LONGEST_RANGE_DAYS)]


class Entitlements(Wire):
    """The plan's jobs: admitted in the present period and active now, each beside its limit.

    `spend_micros` is what the period's jobs have cost at list price, in millionths of the currency, and what
    those that have not ended may cost.
    """

    plan: PlanName
    period: Period
    jobs_admitted: Count
    jobs_per_month: Count
    active_jobs: Count
    active_jobs_limit: Count
    currency: Currency
    spend_micros: WholeNumber
    spend_cap_micros: WholeNumber
    resets_at: Timestamp


class Usage(Wire):
    """Usage from the first day to the last, both included (UTC), and the entitlements as they are now."""

    model_config = ConfigDict(validate_by_name=True, serialize_by_alias=True)

    object: Literal["usage"] = "usage"
    first: Annotated[Day, Field(validation_alias="from", serialization_alias="from")]
    last: Annotated[Day, Field(validation_alias="to", serialization_alias="to")]
    meters: Annotated[tuple[MeterUsage, ...], Field(max_length=64)]
    entitlements: Entitlements


def usage_view(report: UsageReport) -> Usage:
    """The report as its tenant sees it."""
    return Usage(
        first=report.range.first,
        last=report.range.last,
        meters=tuple(_meter(meter, report) for meter in Meter),
        entitlements=Entitlements(
            plan=report.plan.name,
            period=report.period,
            jobs_admitted=report.counts.jobs_admitted,
            jobs_per_month=report.plan.jobs_per_month,
            active_jobs=report.counts.active_jobs,
            active_jobs_limit=report.plan.active_jobs,
            currency=report.plan.currency,
            spend_micros=str(report.counts.spent_micros),
            spend_cap_micros=str(report.plan.spend_cap_micros),
            resets_at=report.resets_at,
        ),
    )


def _meter(meter: Meter, report: UsageReport) -> MeterUsage:
    counted = report.quantities[meter]
    return MeterUsage(
        meter=meter.value,
        unit=UNITS[meter],
        total=str(sum(counted.values())),
        days=tuple(DayUsage(day=day, quantity=str(counted.get(day, 0))) for day in report.range.days),
    )
