"""Usage events: the facts that are billed, each with an id that a second writing cannot change.

The shape is CloudEvents 1.0; the id is a function of job and meter, so one fact is one event for ever. It
names the plan and the price version that applied at its time: neither a price nor a plan that changes later
can change what it costs.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from chalicelib.domain.job import Job, JobRef, Status
from chalicelib.domain.prices import Meter, PriceBook

UNITS: Mapping[Meter, str] = MappingProxyType(
    {
        Meter.JOB_ACCEPTED: "job",
        Meter.JOB_CONFIRMED: "job",
        Meter.COMPUTE_USED: "unit",
        Meter.JOB_WAIVED: "job",
    }
)
"""What each meter counts."""


class Ending(StrEnum):
    """What became of a job, as far as it is charged for."""

    SUCCEEDED = "succeeded"
    FAILED_BY_CALLER = "failed by the caller"
    FAILED_BY_US = "failed by us"
    CANCELED_QUEUED = "canceled queued"
    CANCELED_RUNNING = "canceled running"
    EXPIRED = "expired"


METERED: Mapping[Ending, tuple[Meter, ...]] = MappingProxyType(
    {
        Ending.SUCCEEDED: (Meter.JOB_ACCEPTED, Meter.COMPUTE_USED, Meter.JOB_CONFIRMED),
        Ending.FAILED_BY_CALLER: (Meter.JOB_ACCEPTED, Meter.COMPUTE_USED),
        Ending.FAILED_BY_US: (Meter.JOB_ACCEPTED, Meter.JOB_WAIVED),
        Ending.CANCELED_QUEUED: (Meter.JOB_ACCEPTED,),
        Ending.CANCELED_RUNNING: (Meter.JOB_ACCEPTED, Meter.COMPUTE_USED),
        Ending.EXPIRED: (Meter.JOB_ACCEPTED, Meter.JOB_WAIVED),
    }
)
"""The published table: what each ending is charged for. Unfinished work counts as far as it got."""


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


def ending_of(job: Job) -> Ending | None:
    """What became of the job, or will: from `confirming` on it can only succeed. None if that is open yet."""
    if job.status in (Status.CONFIRMING, Status.SUCCEEDED):
        return Ending.SUCCEEDED
    began = Status.RUNNING in job.entered
    if job.status is Status.CANCELED:
        return Ending.CANCELED_RUNNING if began else Ending.CANCELED_QUEUED
    if job.failure is None:
        return None
    if job.failure.is_ours:
        return Ending.FAILED_BY_US
    return Ending.FAILED_BY_CALLER if began else Ending.EXPIRED


def events_of(job: Job, prices: PriceBook) -> tuple[UsageEvent, ...]:
    """What became true when the job entered the state that it is in; both commit in one transaction."""
    if job.status is Status.QUEUED:
        return (_event(job, Meter.JOB_ACCEPTED, prices),)
    ending = ending_of(job)
    if ending is None:
        return ()
    # A result is charged for when it is stored, its confirmation when that is final.
    of_this_state = {Status.SUCCEEDED: {Meter.JOB_CONFIRMED}}.get(
        job.status, {Meter.COMPUTE_USED, Meter.JOB_WAIVED}
    )
    events = (_event(job, meter, prices) for meter in METERED[ending] if meter in of_this_state)
    return tuple(event for event in events if event.quantity)


def _event(job: Job, meter: Meter, prices: PriceBook) -> UsageEvent:
    """An acceptance that is waived has the price version of that acceptance."""
    time = job.entered[job.status]
    priced_at = job.created_at if meter is Meter.JOB_WAIVED else time
    return UsageEvent(
        ref=job.ref,
        meter=meter,
        time=time,
        quantity=job.used_units if meter is Meter.COMPUTE_USED else 1,
        unit=UNITS[meter],
        plan=job.plan,
        price_version=prices.in_force(priced_at).name,
        outcome=job.status,
        gas_used=_gas_used(job) if meter is Meter.JOB_CONFIRMED else 0,
    )


def _gas_used(job: Job) -> int:
    assert job.confirmation is not None, "only a confirmed job has a confirmation to meter"
    return job.confirmation.gas_used


def distinct(events: Iterable[UsageEvent]) -> tuple[UsageEvent, ...]:
    """Each event once, in the order of time and id, however often and in whatever order they come.

    Raises `ContradictoryEvents`.
    """
    known: dict[str, UsageEvent] = {}
    for event in events:
        if known.setdefault(event.event_id, event) != event:
            raise ContradictoryEvents(f"{event.event_id} of {event.ref.tenant_id} has two contents")
    return tuple(sorted(known.values(), key=lambda event: (event.time, event.event_id)))
