"""Usage events: the facts that are billed, each with an id that a second writing cannot change.

The shape is CloudEvents 1.0; the id is a function of job and meter, so one fact is one event for ever. It
names the plan and the price version that applied at its time: neither a price nor a plan that changes later
can change what it costs.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from chalicelib.domain.job import Job, JobRef, Status
from chalicelib.domain.prices import Meter, PriceBook

UNITS: Mapping[Meter, str] = MappingProxyType({Meter.JOB_ACCEPTED: "job", Meter.JOB_CONFIRMED: "job"})
"""What each meter counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageEvent:
    """One billable fact. `quantity` and `gas_used` are exact integers; `outcome` is the job's state then."""

    ref: JobRef
    meter: Meter
    time: datetime
    quantity: int
    unit: str
    plan: str
    price_version: str
    outcome: Status
    gas_used: int = 0

    @property
    def event_id(self) -> str:
        """The event's name: the same fact always has the same one."""
        return f"{self.ref.job_id}:{self.meter}"

    @property
    def ingested_at(self) -> datetime:
        """When it was taken in: its own time, for it commits with its fact, some milliseconds after that."""
        return self.time


class ContradictoryEvents(Exception):
    """Two events have one id and different content: someone wrote what nobody may write."""


def job_accepted(job: Job, prices: PriceBook) -> UsageEvent:
    """Written in the transaction that admits the job."""
    return _event(job, Meter.JOB_ACCEPTED, time=job.created_at, prices=prices)


def job_confirmed(job: Job, prices: PriceBook) -> UsageEvent:
    """Written in the transaction that turns the job `succeeded`."""
    assert job.confirmation is not None, "only a confirmed job has a confirmation to meter"
    return _event(
        job,
        Meter.JOB_CONFIRMED,
        time=job.entered[Status.SUCCEEDED],
        prices=prices,
        gas_used=job.confirmation.gas_used,
    )


def _event(job: Job, meter: Meter, *, time: datetime, prices: PriceBook, gas_used: int = 0) -> UsageEvent:
    return UsageEvent(
        ref=job.ref,
        meter=meter,
        time=time,
        quantity=1,
        unit=UNITS[meter],
        plan=job.plan,
        price_version=prices.in_force(time).name,
        outcome=job.status,
        gas_used=gas_used,
    )


def distinct(events: Iterable[UsageEvent]) -> tuple[UsageEvent, ...]:
    """Each event once, in the order of time and id, however often and in whatever order they come.

    Raises `ContradictoryEvents`.
    """
    known: dict[str, UsageEvent] = {}
    for event in events:
        if known.setdefault(event.event_id, event) != event:
            raise ContradictoryEvents(f"{event.event_id} of {event.ref.tenant_id} has two contents")
    return tuple(sorted(known.values(), key=lambda event: (event.time, event.event_id)))
