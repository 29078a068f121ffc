"""Reading what a tenant used, and what is left of its plan."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from chalicelib.domain.entitlements import Plan, next_period_start, period_of
from chalicelib.domain.prices import Meter
from chalicelib.domain.usage import DayRange, EntitlementCounts, day_range, quantities
from chalicelib.ports import Clock, Tenants, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageReport:
    """Usage of some days, and the entitlements of the month that it is now."""

    range: DayRange
    quantities: Mapping[Meter, Mapping[date, int]]
    plan: Plan
    period: str
    resets_at: datetime
    counts: EntitlementCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadUsage:
    """Every event that was committed before the call, counted once."""

    usage: Usage
    tenants: Tenants
    plans: Mapping[str, Plan]
    clock: Clock

    def __call__(self, tenant_id: str, *, first: date | None, last: date | None) -> UsageReport:
        """The days asked for, or `InvalidRequest`; see `day_range` for those not said."""
        now = self.clock.now()
        asked = day_range(first, last, today=now.date())
        tenant = self.tenants.get(tenant_id)
        assert tenant is not None, "a token is issued for a tenant that exists"
        period = period_of(now)
        return UsageReport(
            range=asked,
            quantities=quantities(event for day in asked.days for event in self.usage.events(tenant_id, day)),
            plan=self.plans[tenant.plan],
            period=period,
            resets_at=next_period_start(now),
            counts=self.usage.counts(tenant_id, period=period),
        )
