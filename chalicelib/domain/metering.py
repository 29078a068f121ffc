"""Usage events: the facts that are billed, each with an id that a second writing cannot change.

The shape is CloudEvents 1.0; the id is a function of job and meter, so one fact is one event for ever. It
names the price version in force at its time: a price that changes later cannot change what it costs.
"""

from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.job import Job, JobRef, Status
from chalicelib.domain.prices import Meter, PriceBook


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageEvent:
    """One billable fact. `quantity` and `gas_used` are exact integers; `outcome` is the job's state then."""

    ref: JobRef
    meter: Meter
    time: datetime
    quantity: int
    unit: str
    price_version: str
    outcome: Status
    gas_used: int = 0

    @property
    def event_id(self) -> str:
        """The event's name: the same fact always has the same one."""
        return f"{self.ref.job_id}:{self.meter}"


def job_accepted(job: Job, prices: PriceBook) -> UsageEvent:
    """Written in the transaction that admits the job."""
    return UsageEvent(
        ref=job.ref,
        meter=Meter.JOB_ACCEPTED,
        time=job.created_at,
        quantity=1,
        unit="job",
        price_version=prices.in_force(job.created_at).name,
        outcome=job.status,
    )


def job_confirmed(job: Job, prices: PriceBook) -> UsageEvent:
    """Written in the transaction that turns the job `succeeded`."""
    assert job.confirmation is not None, "only a confirmed job has a confirmation to meter"
    confirmed_at = job.entered[Status.SUCCEEDED]
    return UsageEvent(
        ref=job.ref,
        meter=Meter.JOB_CONFIRMED,
        time=confirmed_at,
        quantity=1,
        unit="job",
        price_version=prices.in_force(confirmed_at).name,
        outcome=job.status,
        gas_used=job.confirmation.gas_used,
    )
