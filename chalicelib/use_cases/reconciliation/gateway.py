"""The gateway's requests against jobs: no job was accepted without a request that was counted.

The gateway counts replays and refused submits too, so there may be more requests than jobs, and never fewer.
A request is counted before its job is accepted, which may be on the next day.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from chalicelib.domain.job import Job
from chalicelib.domain.usage import DayRange
from chalicelib.ports import MeteringKeys
from chalicelib.use_cases.reconciliation.report import Difference, Figure, Kind, Scope

# API Gateway tells of usage half an hour late, or so; what is younger than twice that may not be told yet.
TOLD_WITHIN = timedelta(hours=1)


@dataclass(slots=True, kw_only=True)
class CompareRequests:
    """Is shown all jobs of a tenant first; it keeps a number a day."""

    scope: Scope
    metering_keys: MeteringKeys
    accepted: Counter[date] = field(default_factory=Counter)

    def see(self, jobs: Sequence[Job]) -> None:
        """Counts those of the month that the gateway must know of by now."""
        scope = self.scope
        until = min(scope.month.end, scope.as_of - TOLD_WITHIN)
        self.accepted.update(
            job.created_at.date() for job in jobs if scope.month.start <= job.created_at < until
        )

    def compare(self, figures: Counter[Figure]) -> Iterator[Difference]:
        """Each day on which jobs have no request, beyond those that had none before."""
        tenant, last = self.scope.tenant, (self.scope.until - timedelta.resolution).date()
        days = DayRange(self.scope.month.start.date() - timedelta(days=1), last)
        counted = self.metering_keys.submits(tenant.tenant_id, plan=tenant.plan, days=days)
        requests = jobs = missing = 0
        for day, count in zip(days.days, counted, strict=True):
            requests += count
            jobs += self.accepted[day]
            if jobs - requests > missing:
                missing = jobs - requests
                yield self.scope.difference(
                    Kind.GATEWAY_REQUESTS,
                    str(day),
                    expected=f"{jobs} or more",
                    found=requests,
                    evidence=f"requests of the key of {tenant.tenant_id} from {days.first} on",
                )
        figures[Figure.REQUESTS] += requests
