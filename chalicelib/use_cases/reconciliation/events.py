"""Jobs against usage events: each event that follows from a job is stored, and nothing else is."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from chalicelib.domain.job import Job
from chalicelib.domain.metering import UsageEvent, metered
from chalicelib.domain.prices import PriceBook
from chalicelib.ports import Jobs, Usage
from chalicelib.use_cases.chain_work import chunks
from chalicelib.use_cases.reconciliation.report import A_READ, Difference, Figure, Kind, Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareEvents:
    """Holds a hundred jobs or events at a time, however many there are."""

    jobs: Jobs
    usage: Usage
    prices: PriceBook

    def of_jobs(self, scope: Scope, jobs: Iterable[Job], figures: Counter[Figure]) -> Iterator[Difference]:
        """Each event of these jobs that is not stored, or with another content."""
        for chunk in chunks(expected_events(scope, jobs, self.prices), A_READ):
            figures[Figure.EVENTS] += len(chunk)
            figures[Figure.GAS_COST_MICROS] += sum(map(self._gas_cost_micros, chunk))
            for event, stored in zip(chunk, self.usage.find(chunk), strict=True):
                if stored is None:
                    yield _difference(scope, Kind.EVENT_MISSING, event, expected=_shown(event), found="none")
                elif stored != event:
                    yield _difference(
                        scope, Kind.EVENT_CHANGED, event, expected=_shown(event), found=_shown(stored)
                    )

    def of_store(self, scope: Scope) -> Iterator[Difference]:
        """Each stored event that no job bears out; one with another content is found by its job."""
        stored = (
            event
            for day in scope.month.days
            for event in self.usage.events(scope.tenant.tenant_id, day)
            if scope.has(event)
        )
        for chunk in _batches(stored):
            refs = list(dict.fromkeys(each.ref for each in chunk))
            jobs = dict(zip(refs, self.jobs.get_many(refs), strict=True))
            for event in chunk:
                job = jobs[event.ref]
                days = {each.event_id: each.time.date() for each in metered(job, self.prices)} if job else {}
                if days.get(event.event_id) != event.time.date():
                    state = f"the job is {job.status}" if job else "there is no such job"
                    yield _difference(
                        scope, Kind.EVENT_UNFOUNDED, event, expected=f"none: {state}", found=_shown(event)
                    )

    def _gas_cost_micros(self, event: UsageEvent) -> int:
        budget = self.prices.versions[self.prices.place_of(event.price_version)].gas
        return budget.cost_micros(event.gas_used, price_wei=event.gas_price_wei) if budget else 0


def expected_events(scope: Scope, jobs: Iterable[Job], prices: PriceBook) -> Sequence[UsageEvent]:
    """What of the scope follows from these jobs."""
    return [event for job in jobs for event in metered(job, prices) if scope.has(event)]


def _batches(events: Iterator[UsageEvent]) -> Iterator[list[UsageEvent]]:
    while batch := list(islice(events, A_READ)):
        yield batch


def _difference(scope: Scope, kind: Kind, event: UsageEvent, *, expected: str, found: str) -> Difference:
    evidence = f"job {event.ref.job_id} of {event.ref.tenant_id}, {event.time.date()}"
    return scope.difference(kind, event.event_id, expected=expected, found=found, evidence=evidence)


def _shown(event: UsageEvent) -> str:
    """All of its content that its id does not tell."""
    gas = f", gas {event.gas_used} at {event.gas_price_wei} wei" if event.gas_used else ""
    return (
        f"{event.quantity} {event.unit} at {event.time.isoformat()}, {event.outcome}, "
        f"plan {event.plan}, prices {event.price_version}{gas}"
    )
