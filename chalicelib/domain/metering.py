"""Usage events: the facts that are billed, each with an id that a second writing cannot change.

The shape is CloudEvents 1.0; the id is a function of job and meter, so one fact is one event for ever.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from chalicelib.domain.job import Job, JobRef, Status


class Meter(StrEnum):
    """What is counted."""

    JOB_ACCEPTED = "job.accepted"
    JOB_CONFIRMED = "job.confirmed"


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageEvent:
    """One billable fact. `quantity` and `gas_used` are exact integers; `outcome` is the job's state then."""

    ref: JobRef
    meter: Meter
    time: datetime
    quantity: int
    unit: str
    outcome: Status
    gas_used: int = 0

    @property
    def event_id(self) -> str:
        """The event's name: the same fact always has the same one."""
        return f"{self.ref.job_id}:{self.meter}"


def job_accepted(job: Job) -> UsageEvent:
    """Written in the transaction that admits the job."""
    return UsageEvent(
        ref=job.ref,
        meter=Meter.JOB_ACCEPTED,
        time=job.created_at,
        quantity=1,
        unit="job",
        outcome=job.status,
    )


def job_confirmed(job: Job) -> UsageEvent:
    """Written in the transaction that turns the job `succeeded`."""
    assert job.confirmation is not None, "only a confirmed job has a confirmation to meter"
    return UsageEvent(
        ref=job.ref,
        meter=Meter.JOB_CONFIRMED,
        time=job.entered[Status.SUCCEEDED],
        quantity=1,
        unit="job",
        outcome=job.status,
        gas_used=job.confirmation.gas_used,
    )
