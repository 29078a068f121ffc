"""Refusals of a submit by its plan: which limit, how much it allows and has left, and when it resets."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.domain.entitlements import Plan, next_period_start
from chalicelib.domain.errors import ActiveJobsExceeded, JobQuotaExceeded, SpendCapExceeded
from chalicelib.domain.prices import amount
from chalicelib.domain.usage import EntitlementCounts


class LimitName(StrEnum):
    """What a plan limits, as `plans.toml` calls it."""

    ACTIVE_JOBS = "active_jobs"
    JOBS_PER_MONTH = "jobs_per_month"
    SPEND_CAP = "spend_cap_micros"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A limit that has no room for what is `needed`; without `resets_at` it has again when a job ends."""

    name: LimitName
    allowed: int
    used: int
    needed: int = 1
    resets_at: datetime | None = None


def refusal(
    plan: Plan, counts: EntitlementCounts, *, needed_micros: int, now: datetime
) -> ActiveJobsExceeded | JobQuotaExceeded | SpendCapExceeded | None:
    """Why there is no room for one more job that could cost so much; None if there is.

    Who passes on that too many are active knows how long to wait.
    """
    if counts.active_jobs >= plan.active_jobs:
        return _active_jobs_exceeded(plan, active=counts.active_jobs)
    if counts.jobs_admitted >= plan.jobs_per_month:
        return _job_quota_exceeded(plan, admitted=counts.jobs_admitted, now=now)
    if counts.spent_micros + needed_micros > plan.spend_cap_micros:
        return _spend_cap_exceeded(
            plan, spent_micros=counts.spent_micros, needed_micros=needed_micros, now=now
        )
    return None


def _active_jobs_exceeded(plan: Plan, *, active: int) -> ActiveJobsExceeded:
    return ActiveJobsExceeded(
        f"Your plan {plan.name} allows {plan.active_jobs} active jobs at once, and {active} are; the next is "
        "accepted when one of them has ended.",
        limit=Limit(name=LimitName.ACTIVE_JOBS, allowed=plan.active_jobs, used=active),
    )


def _job_quota_exceeded(plan: Plan, *, admitted: int, now: datetime) -> JobQuotaExceeded:
    resets_at = next_period_start(now)
    return JobQuotaExceeded(
        f"Your plan {plan.name} allows {plan.jobs_per_month} jobs a month, until {resets_at:%FT%TZ}, and "
        f"{admitted} were accepted.",
        limit=Limit(
            name=LimitName.JOBS_PER_MONTH, allowed=plan.jobs_per_month, used=admitted, resets_at=resets_at
        ),
        retry_after=_seconds_until(resets_at, now),
    )


def _spend_cap_exceeded(
    plan: Plan, *, spent_micros: int, needed_micros: int, now: datetime
) -> SpendCapExceeded:
    resets_at = next_period_start(now)
    return SpendCapExceeded(
        f"Your plan {plan.name} caps what a month's jobs cost, until {resets_at:%FT%TZ}, at "
        f"{amount(plan.spend_cap_micros)} {plan.currency}. {amount(spent_micros)} are spent or reserved for "
        f"jobs that have not ended, and this job could cost {amount(needed_micros)}.",
        limit=Limit(
            name=LimitName.SPEND_CAP,
            allowed=plan.spend_cap_micros,
            used=spent_micros,
            needed=needed_micros,
            resets_at=resets_at,
        ),
        retry_after=_seconds_until(resets_at, now),
    )


def _seconds_until(moment: datetime, now: datetime) -> int:
    return -((now - moment) // timedelta(seconds=1))
