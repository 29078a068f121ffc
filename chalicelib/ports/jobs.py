"""Jobs, their inputs, claims and entitlements, and the messages that wake who works on them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from chalicelib.domain.entitlements import Plan
from chalicelib.domain.idempotency import Claim
from chalicelib.domain.invoice import Invoice
from chalicelib.domain.job import Job, JobRef
from chalicelib.domain.listing import JobFilter, Page
from chalicelib.domain.metering import UsageEvent
from chalicelib.domain.month import Month
from chalicelib.domain.polling import Backlog
from chalicelib.domain.seats import Seat
from chalicelib.domain.usage import EntitlementCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """All that one submit commits, or none of it. An input that was uploaded is not in it."""

    claim: Claim
    job: Job
    input: bytes | None
    plan: Plan
    event: UsageEvent


@dataclass(frozen=True, slots=True)
class Change:
    """One job as it was read and as it shall be, with the usage events that become true by it.

    What its end gives back of its reservation is free again in the month in which it was accepted.
    """

    before: Job
    after: Job
    events: tuple[UsageEvent, ...] = ()
    released_micros: int = 0


class Jobs(Protocol):
    """Jobs, their inputs, claims, entitlements and usage events: what must commit together."""

    def admit(self, admission: Admission, *, now: datetime) -> Claim:
        """The claim that holds the key: the admission's own if it committed, or the older one.

        An older claim outranks a spent limit; one that has expired counts as absent once its job has
        ended, whether or not the store still has it. Raises `ActiveJobsExceeded`, `JobQuotaExceeded` or
        `SpendCapExceeded`, as `domain.limits` makes them.
        """

    def get(self, ref: JobRef) -> Job | None:
        """The job as last committed."""

    def get_many(self, refs: Sequence[JobRef]) -> Sequence[Job | None]:
        """Each job as last committed, in the order asked; at most 100, each once."""

    def page(self, tenant_id: str, wanted: JobFilter, *, after: str | None, limit: int) -> Page:
        """At most `limit` of the tenant's jobs as last committed, by id backwards, from `after` on.

        What one call looks at is bounded, so a page may be short of its limit while there is a position.
        """

    def input_of(self, ref: JobRef) -> bytes:
        """The canonical JSON that the job was submitted with, if it was not uploaded."""

    def save(self, changes: Sequence[Change]) -> None:
        """All changes in one transaction, releasing entitlements of jobs that became terminal.

        At most 25 changes. Raises `Superseded` if any row is not as it was read; then nothing is written.
        """

    def next_ready(self, *, after: str) -> Job | None:
        """The oldest ready job of the tenant whose id follows `after`, round and round; None if none is.

        An index that lags is enough: whoever takes the job finds out.
        """

    def due(self, *, now: datetime, limit: int) -> Sequence[Job]:
        """Unfinished jobs whose `due_at` has come; an index that may lag is enough.

        First those that a worker holds, or left behind: others that wait, however many, hide none of them.
        """


class Usage(Protocol):
    """What jobs have been metered and counted: `Jobs` writes it with the jobs, and here is what is late."""

    def events(self, tenant_id: str, day: date) -> Iterator[UsageEvent]:
        """Every event of the tenant whose time lies in the day (UTC), committed before now, sorted by id.

        Read as it is asked for, so that a month of any size takes no more memory than a page.
        """

    def find(self, events: Sequence[UsageEvent]) -> Sequence[UsageEvent | None]:
        """What the store has under the day and id of each event, in the order asked; at most 100."""

    def take_in(self, event: UsageEvent) -> bool:
        """Whether the event is new; what is known already changes nothing.

        Raises `ContradictoryEvents` if its id is known on that day with another content, which stays.
        """

    def counts(self, tenant_id: str, *, period: str) -> EntitlementCounts:
        """Its jobs admitted in the period, what those cost or may cost, and its jobs active now."""


class Invoices(Protocol):
    """What was issued, for ever."""

    def issued(self, tenant_id: str, month: Month) -> Sequence[Invoice]:
        """The month's invoice, if it is issued, and its adjustments, in the order of their `sequence`."""

    def issue(self, invoice: Invoice) -> None:
        """The invoice or adjustment is issued; or `Superseded`, if that `sequence` is."""


class Queue(Protocol):
    """Messages that wake a function. What there is to do stands in the tables."""

    def wake_runner(self, ref: JobRef, *, trace_id: str, delay_seconds: int = 0) -> None:
        """A worker will look at this job, or at one whose turn it is; the message has its `traceparent`.

        It comes after the delay, of 900 seconds at most.
        """

    def bury_run(self, ref: JobRef, *, trace_id: str) -> None:
        """The job's message is kept as a dead letter: the platform gave up on it."""

    def dead_letters(self) -> Mapping[str, int]:
        """About how many dead letters each queue has, by its name."""

    def wake_confirmer(self, refs: Sequence[JobRef], *, trace_id: str = "") -> None:
        """The sender will look at these jobs; without any, it looks at its open transactions.

        The trace id is that of the message's one job; a message of many carries none.
        """


class Backlogs(Protocol):
    """What waits for which step, good enough for an estimate and for nothing else."""

    def of_runs(self, tenant_id: str) -> Backlog:
        """The tenant's jobs that wait for a worker or are with one, at the pace of the last minutes' runs.

        Other tenants' jobs are not in it, however many: a tenant waits for its turn, not for theirs.
        """

    def of_confirmations(self) -> Backlog:
        """Messages that wait for the sender or are with it; a message names one job at least, or none."""

    def add_run(self, seconds: float) -> None:
        """A run has ended that lasted this long; one that is lost, or counted twice, does no harm."""


class Seats(Protocol):
    """Which of the tenants' seats are taken, by requests that wait."""

    def take(self, seat: Seat, *, now: datetime) -> bool:
        """Whether the seat is now the caller's: nobody had it, or its holder's time was over."""

    def give_back(self, seat: Seat) -> None:
        """The seat is free for anyone; nothing, if it is somebody else's by now."""
