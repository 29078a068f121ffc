"""Taking in a usage event that did not commit with its fact: one that was lost, and is written again."""

from dataclasses import dataclass, replace

from chalicelib.domain.errors import Refused
from chalicelib.domain.metering import ContradictoryEvents, UsageEvent, metered
from chalicelib.domain.prices import PriceBook
from chalicelib.ports import Clock, Jobs, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeInUsage:
    """Only what its job's row bears out is billed, once, whoever sends it and how often."""

    jobs: Jobs
    usage: Usage
    prices: PriceBook
    clock: Clock

    def __call__(self, event: UsageEvent) -> bool:
        """Whether the event is new. Raises as `check` does."""
        self.check(event)
        return self.usage.take_in(replace(event, late_at=self.clock.now()))

    def check(self, event: UsageEvent) -> None:
        """Raises `Refused` without its job, `ContradictoryEvents` against it."""
        job = self.jobs.get(event.ref)
        if job is None:
            raise Refused(f"{event.event_id}: the tenant {event.ref.tenant_id} has no such job.")
        known = {each.event_id: each for each in metered(job, self.prices)}
        if event.event_id not in known:
            raise Refused(f"{event.event_id}: the job is {job.status}, and has no such event.")
        if known[event.event_id] != event:
            raise ContradictoryEvents(known[event.event_id], event)
