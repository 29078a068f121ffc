"""Jobs against entitlement counters, while both move.

All that a counter says is a difference of two sums over jobs that only ever rise: accepted and ended jobs,
reserved and released amounts. They are summed right before the counters are read and right after: what a
counter says must lie between. While no job moves that is one number, and a counter that is off by one is
found; while jobs move, nothing that is right is outside.
"""

from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, field
from datetime import datetime, timedelta

from chalicelib.domain.entitlements import period_of
from chalicelib.domain.job import Job, JobRef
from chalicelib.domain.listing import JobFilter
from chalicelib.domain.month import SETTLED_AFTER
from chalicelib.domain.prices import PriceBook
from chalicelib.domain.spend import charged_micros
from chalicelib.ports import Jobs, Usage
from chalicelib.use_cases.chain_work import chunks
from chalicelib.use_cases.reconciliation.pages import pages
from chalicelib.use_cases.reconciliation.report import A_READ, Difference, Kind, Scope

COUNTERS = 3
"""How many there are: of jobs admitted in the month, of jobs active, and of the month's spend."""


@dataclass(frozen=True, slots=True)
class Sums:
    """Of some jobs; `admitted` and the amounts count those that were accepted in the month."""

    admitted: int = 0
    accepted: int = 0
    ended: int = 0
    reserved_micros: int = 0
    released_micros: int = 0

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(*map(sum, zip(astuple(self), astuple(other), strict=True)))


def sums_of(job: Job, scope: Scope, prices: PriceBook) -> Sums:
    """What one job is of them by now."""
    is_of_month = period_of(job.created_at) == scope.month.name
    reserved = job.reserved_micros if is_of_month else 0
    is_charged = is_of_month and job.is_terminal
    return Sums(
        admitted=int(is_of_month),
        accepted=1,
        ended=int(job.is_terminal),
        reserved_micros=reserved,
        released_micros=reserved - charged_micros(job, prices) if is_charged else 0,
    )


@dataclass(slots=True, kw_only=True)
class CompareCounters:
    """Is shown all jobs of a tenant first; it keeps the names of those that have not ended.

    Of those there are no more than the plan allows to be active.
    """

    scope: Scope
    jobs: Jobs
    usage: Usage
    prices: PriceBook
    settled: Sums = Sums()
    unended: list[JobRef] = field(default_factory=list)

    @property
    def recent(self) -> datetime:
        """Before it no job can be accepted any more: an id's millisecond, past the longest invocation."""
        moment = self.scope.as_of - SETTLED_AFTER
        return moment - timedelta(microseconds=moment.microsecond % 1000)

    def see(self, jobs: Sequence[Job]) -> None:
        """Adds up what has ended; recent jobs are looked at later."""
        for job in jobs:
            if job.created_at < self.recent and job.is_terminal:
                self.settled += sums_of(job, self.scope, self.prices)
            elif job.created_at < self.recent:
                self.unended.append(job.ref)

    def compare(self) -> Iterator[Difference]:
        """Each counter that no moment between the two looks explains."""
        before = self._look()
        counts = self.usage.counts(self.scope.tenant.tenant_id, period=self.scope.month.name)
        after = self._look()
        released = sorted((before.released_micros, after.released_micros))
        bounds = (
            ("admitted", counts.jobs_admitted, before.admitted, after.admitted),
            (
                "active",
                counts.active_jobs,
                before.accepted - after.ended,
                after.accepted - before.ended,
            ),
            (
                "spent_micros",
                counts.spent_micros,
                before.reserved_micros - released[1],
                after.reserved_micros - released[0],
            ),
        )
        for name, found, least, most in bounds:
            if not least <= found <= most:
                expected = str(least) if least == most else f"{least} to {most}"
                yield self.scope.difference(
                    Kind.COUNTER, name, expected=expected, found=found, evidence=self._evidence(before)
                )

    def _look(self) -> Sums:
        total = self.settled
        for refs in chunks(self.unended, A_READ):
            for job in self.jobs.get_many(refs):
                total += sums_of(job, self.scope, self.prices) if job else Sums()
        recent = JobFilter(created_after=self.recent)
        for page in pages(self.jobs, self.scope.tenant.tenant_id, recent):
            for job in page:
                total += sums_of(job, self.scope, self.prices)
        return total

    def _evidence(self, sums: Sums) -> str:
        return (
            f"of {self.scope.tenant.tenant_id}, period {self.scope.month.name}: {sums.accepted} jobs, "
            f"{sums.ended} ended; reserved {sums.reserved_micros}, released {sums.released_micros}"
        )
