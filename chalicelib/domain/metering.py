"""Usage events: the facts that are billed, each with an id that a second writing cannot change.

The shape is CloudEvents 1.0; the id is a function of job and meter, so one fact is one event for ever. All of
it follows from the job's row, so a lost event is found, and written again, from there. A job is priced by the
plan and the version under which it was accepted: neither a price nor a plan that changes later can change
what it costs.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from chalicelib.domain.job import Job, JobRef, Status
from chalicelib.domain.prices import Meter, PriceBook
from chalicelib.domain.transaction_id import ConfirmationPath

UNITS: Mapping[Meter, str] = MappingProxyType(
    {
        Meter.JOB_ACCEPTED: "job",
        Meter.COMPUTE_USED: "unit",
        Meter.PAYLOAD_STORED: "kibibyte",
        Meter.JOB_CONFIRMED: "job",
        Meter.JOB_CONFIRMED_COMPACT: "job",
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


CONFIRMED: Mapping[ConfirmationPath, Meter] = MappingProxyType(
    {
        ConfirmationPath.DIRECT: Meter.JOB_CONFIRMED,
        ConfirmationPath.COMPACT: Meter.JOB_CONFIRMED_COMPACT,
    }
)
"""Which of the two meters counts a confirmation."""
_WORK = (Meter.JOB_ACCEPTED, Meter.COMPUTE_USED, Meter.PAYLOAD_STORED)
METERED: Mapping[Ending, tuple[Meter, ...]] = MappingProxyType(
    {
        Ending.SUCCEEDED: (*_WORK, *CONFIRMED.values()),
        Ending.FAILED_BY_CALLER: _WORK,
        Ending.FAILED_BY_US: (Meter.JOB_ACCEPTED, Meter.JOB_WAIVED),
        Ending.CANCELED_QUEUED: (Meter.JOB_ACCEPTED, Meter.PAYLOAD_STORED),
        Ending.CANCELED_RUNNING: _WORK,
        Ending.EXPIRED: (Meter.JOB_ACCEPTED, Meter.JOB_WAIVED),
    }
)
"""The published table: what each ending is charged for. Unfinished work counts as far as it got."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageEvent:
    """One billable fact. Quantities are exact integers; `outcome` is the job's state by which it became true.

    A confirmation's has the job's share of the gas, in units, and what one cost, in wei. `late_at` is when
    the event was taken in, if that was not with its fact.
    """

    ref: JobRef
    meter: Meter
    time: datetime
    quantity: int
    unit: str
    plan: str
    price_version: str
    outcome: Status
    gas_used: int = 0
    gas_price_wei: int = 0
    late_at: datetime | None = field(default=None, compare=False)

    @property
    def event_id(self) -> str:
        """The event's name: the same fact always has the same one."""
        return f"{self.ref.job_id}:{self.meter}"

    @property
    def ingested_at(self) -> datetime:
        """When it was taken in: mostly its own time, for it commits with its fact, milliseconds later."""
        return self.late_at or self.time


class ContradictoryEvents(Exception):
    """Two events have one id and different content: someone wrote what nobody may write."""

    def __init__(self, known: UsageEvent, other: UsageEvent) -> None:
        super().__init__(f"{known.event_id} of {known.ref.tenant_id} has two contents: {known} and {other}")
        self.known = known
        self.other = other


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


def metered(job: Job, prices: PriceBook) -> tuple[UsageEvent, ...]:
    """Every event of the job that is true by now, in the order in which they became it."""
    due = [(Meter.JOB_ACCEPTED, Status.QUEUED)]
    if ending := ending_of(job):
        # A result is charged for when it is stored, its confirmation when that is final.
        ended = Status.CONFIRMING if ending is Ending.SUCCEEDED else job.status
        due += [(meter, ended) for meter in METERED[ending][1:] if meter not in CONFIRMED.values()]
        due += [(CONFIRMED[job.path], Status.SUCCEEDED)]
    events = (_event(job, meter, status, prices) for meter, status in due if status in job.entered)
    return tuple(event for event in events if event.quantity)


def events_of(job: Job, prices: PriceBook) -> tuple[UsageEvent, ...]:
    """What became true when the job entered the state that it is in; both commit in one transaction."""
    return tuple(event for event in metered(job, prices) if event.outcome is job.status)


def price_version_of(job: Job, prices: PriceBook) -> str:
    """The version that prices the job; a row without one, by the day of its acceptance."""
    return job.price_version or prices.in_force(job.created_at).name


def _event(job: Job, meter: Meter, status: Status, prices: PriceBook) -> UsageEvent:
    confirmation = job.confirmation if meter in CONFIRMED.values() else None
    return UsageEvent(
        ref=job.ref,
        meter=meter,
        time=job.entered[status],
        quantity=_quantity(job, meter),
        unit=UNITS[meter],
        plan=job.plan,
        price_version=price_version_of(job, prices),
        outcome=status,
        gas_used=confirmation.gas_used if confirmation else 0,
        gas_price_wei=(confirmation.gas_price_wei or 0) if confirmation else 0,
    )


def _quantity(job: Job, meter: Meter) -> int:
    if meter is Meter.COMPUTE_USED:
        return job.used_units
    if meter is Meter.PAYLOAD_STORED:
        return kibibytes(stored_bytes(job))
    return 1


def stored_bytes(job: Job) -> int:
    """What is kept for the job by now: its input, and its result."""
    input_bytes = job.uploaded_input.size_bytes if job.uploaded_input else job.inline_bytes
    return input_bytes + ((job.result.size_bytes or 0) if job.result else 0)


def kibibytes(size_bytes: int) -> int:
    """As many as are begun.

    >>> [kibibytes(size) for size in (0, 1, 1024, 1025)]
    [0, 1, 1, 2]
    """
    return -(-size_bytes // 1024)


def distinct(events: Iterable[UsageEvent]) -> tuple[UsageEvent, ...]:
    """Each event once, by day and id as the store has them, however often and in whatever order they come.

    Of one that was taken in twice, the first counts. Raises `ContradictoryEvents`.
    """
    known: dict[str, UsageEvent] = {}
    for event in events:
        if (older := known.setdefault(event.event_id, event)) != event:
            raise ContradictoryEvents(older, event)
        known[event.event_id] = min(older, event, key=lambda each: each.ingested_at)
    return tuple(sorted(known.values(), key=lambda event: (event.time.date(), event.event_id)))
