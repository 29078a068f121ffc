"""What a plan entitles a tenant to: jobs a calendar month, what those may cost, and jobs active at once.

The numbers come from `plans.toml`; counting is the storage's, in the transaction that admits a job.
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One plan's entitlements. A limit is the highest count that is still admitted.

    The cap is in micro-units of the currency (ISO 4217).
    """

    name: str
    jobs_per_month: int
    active_jobs: int
    spend_cap_micros: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """Who submits, and under which plan; while it is suspended, its clients get no tokens."""

    tenant_id: str
    name: str
    plan: str
    suspended_at: datetime | None = None

    @property
    def is_suspended(self) -> bool:
        """Whether the tenant may do nothing."""
        return self.suspended_at is not None


def period_of(now: datetime) -> str:
    """The calendar month in UTC that `now` lies in.

    >>> from datetime import UTC
    >>> period_of(datetime(2026, 11, 30, 23, 59, tzinfo=UTC))
    '2026-11'
    """
    return f"{now:%Y-%m}"


def next_period_start(now: datetime) -> datetime:
    """When the month's count starts again at zero.

    >>> from datetime import UTC
    >>> next_period_start(datetime(2026, 12, 31, tzinfo=UTC)).isoformat()
    '2027-01-01T00:00:00+00:00'
    """
    years, month = divmod(now.month, 12)
    return now.replace(
        year=now.year + years, month=month + 1, day=1, hour=0, minute=0, second=0, microsecond=0
    )
