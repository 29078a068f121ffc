"""Every storage port in memory, with one lock: the same promises as the real ones, for tests and examples."""

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime, timedelta

from chalicelib.domain import client_secret, limits
from chalicelib.domain.entitlements import period_of
from chalicelib.domain.errors import Superseded
from chalicelib.domain.idempotency import Claim
from chalicelib.domain.job import Job, JobRef, Status
from chalicelib.domain.listing import JobFilter, Page, page_of, ulid_time, unix_milliseconds
from chalicelib.domain.metering import UsageEvent
from chalicelib.domain.usage import EntitlementCounts
from chalicelib.ports import Admission, Change


class MemoryJobs:
    """The `Jobs` port."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: dict[JobRef, Job] = {}
        self._ready: list[tuple[str, str]] = []  # sorted
        self._inputs: dict[JobRef, bytes] = {}
        self._claims: dict[tuple[str, str], Claim] = {}
        self._counters: Counter[tuple[str, str]] = Counter()
        self._events: dict[str, UsageEvent] = {}

    def admit(self, admission: Admission, *, now: datetime) -> Claim:
        """See `ports.Jobs.admit`."""
        claim, plan = admission.claim, admission.plan
        tenant_id = claim.tenant_id
        active, period = (tenant_id, "active"), period_of(now)
        admitted, spent = (tenant_id, f"admitted#{period}"), (tenant_id, f"spent#{period}")
        with self._lock:
            older = self._claims.get((tenant_id, claim.storage_key))
            if older is not None and not (older.has_expired(now=now) and self._has_ended(older.job_ref)):
                return older
            counts = EntitlementCounts(
                jobs_admitted=self._counters[admitted],
                active_jobs=self._counters[active],
                spent_micros=self._counters[spent],
            )
            needed_micros = admission.job.reserved_micros
            if refusal := limits.refusal(plan, counts, needed_micros=needed_micros, now=now):
                raise refusal
            self._counters.update({active: 1, admitted: 1, spent: needed_micros})
            self._claims[tenant_id, claim.storage_key] = claim
            self._put(admission.job)
            if admission.input is not None:
                self._inputs[claim.job_ref] = admission.input
            self._events[admission.event.event_id] = admission.event
        return claim

    def _has_ended(self, ref: JobRef) -> bool:
        job = self._jobs.get(ref)
        return job is None or job.is_terminal

    def get(self, ref: JobRef) -> Job | None:
        """See `ports.Jobs.get`."""
        return self._jobs.get(ref)

    def get_many(self, refs: Sequence[JobRef]) -> Sequence[Job | None]:
        """See `ports.Jobs.get_many`."""
        return [self._jobs.get(ref) for ref in refs]

    def page(self, tenant_id: str, wanted: JobFilter, *, after: str | None, limit: int) -> Page:
        """See `ports.Jobs.page`."""
        with self._lock:
            mine = [job for ref, job in self._jobs.items() if ref.tenant_id == tenant_id]
        found = [job for job in mine if wanted.matches(job) and (after is None or job.ref.job_id < after)]
        return page_of(sorted(found, key=lambda job: job.ref.job_id, reverse=True), limit=limit)

    def input_of(self, ref: JobRef) -> bytes:
        """See `ports.Jobs.input_of`."""
        return self._inputs[ref]

    def save(self, changes: Sequence[Change]) -> None:
        """See `ports.Jobs.save`."""
        with self._lock:
            if any(_fence(self._jobs.get(change.before.ref)) != _fence(change.before) for change in changes):
                raise Superseded
            events = [event for change in changes for event in change.events]
            if any(event.event_id in self._events for event in events):
                raise Superseded
            for change in changes:
                self._put(_merged(self._jobs[change.before.ref], change))
                if change.after.is_terminal and not change.before.is_terminal:
                    self._counters[change.before.ref.tenant_id, "active"] -= 1
                spent = f"spent#{period_of(change.after.created_at)}"
                self._counters[change.before.ref.tenant_id, spent] -= change.released_micros
            self._events |= {event.event_id: event for event in events}

    def next_ready(self, *, after: str) -> Job | None:
        """See `ports.Jobs.next_ready`."""
        with self._lock:
            if not self._ready:
                return None
            place = bisect_left(self._ready, (after, "~"))
            return self._jobs[JobRef(*self._ready[place % len(self._ready)])]

    def _put(self, job: Job) -> None:
        key = (job.ref.tenant_id, job.ref.job_id)
        place = bisect_left(self._ready, key)
        if self._ready[place : place + 1] == [key]:
            del self._ready[place]
        if job.is_ready:
            self._ready.insert(place, key)
        self._jobs[job.ref] = job

    def due(self, *, now: datetime, limit: int) -> Sequence[Job]:
        """See `ports.Jobs.due`."""
        due = (job for job in self._jobs.values() if job.due_at is not None and job.due_at <= now)
        return sorted(due, key=lambda job: job.status is not Status.RUNNING or job.is_ready)[:limit]

    def count(self, tenant_id: str, counter: str) -> int:
        """A tenant's entitlement counter, for assertions."""
        return self._counters[tenant_id, counter]

    def events(self) -> Mapping[str, UsageEvent]:
        """All usage events by id, for assertions."""
        return dict(self._events)

    def take_in(self, event: UsageEvent) -> UsageEvent | None:
        """The event that was known under that id before; None if it is this one's from now on."""
        with self._lock:
            if (known := self._events.get(event.event_id)) is None:
                self._events[event.event_id] = event
            return known


def _merged(stored: Job, change: Change) -> Job:
    """Only what the change changes is written: a heartbeat of meanwhile is kept."""
    if stored is change.before:
        return change.after
    names = [field.name for field in fields(Job)]
    changed = {
        name: getattr(change.after, name)
        for name in names
        if getattr(change.before, name) != getattr(change.after, name)
    }
    return replace(stored, **changed)


def _fence(job: Job | None) -> object:
    return job and (job.status, job.version, job.lease_epoch)


class MemoryQueue:
    """The `Queue` port; `run`, `confirm` and `dead` hold what was sent, `trace_ids` what it carried."""

    def __init__(self) -> None:
        self.run: list[JobRef] = []
        self.confirm: list[tuple[JobRef, ...]] = []
        self.dead: list[JobRef] = []
        self.delays: list[int] = []
        self.trace_ids: list[str] = []

    def wake_runner(self, ref: JobRef, *, trace_id: str, delay_seconds: int = 0) -> None:
        """See `ports.Queue.wake_runner`."""
        self.run.append(ref)
        self.delays.append(delay_seconds)
        self.trace_ids.append(trace_id)

    def bury_run(self, ref: JobRef, *, trace_id: str) -> None:
        """See `ports.Queue.bury_run`."""
        self.dead.append(ref)
        self.trace_ids.append(trace_id)

    def dead_letters(self) -> Mapping[str, int]:
        """See `ports.Queue.dead_letters`."""
        return {"jobs-run-dead": len(self.dead)}

    def wake_confirmer(self, refs: Sequence[JobRef], *, trace_id: str = "") -> None:
        """See `ports.Queue.wake_confirmer`."""
        self.confirm.append(tuple(refs))
        self.trace_ids.append(trace_id)


class ManualClock:
    """The `Clock` port, standing still until it is moved; `meanwhile` is called within every pause."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self.meanwhile: Callable[[], object] = lambda: None

    def advance(self, by: timedelta) -> None:
        """Moves the time; forwards or not."""
        self._now += by

    def now(self) -> datetime:
        """See `ports.Clock.now`."""
        return self._now

    def monotonic(self) -> float:
        """See `ports.Clock.monotonic`."""
        return self._now.timestamp()

    def pause(self, seconds: float) -> None:
        """See `ports.Clock.pause`; the time moves, and what was to happen meanwhile happens."""
        self._now += timedelta(seconds=seconds)
        self.meanwhile()


class SequentialIds:
    """The `Ids` port: predictable, and never the same twice."""

    def __init__(self) -> None:
        self._count = 0

    def new_id(self, prefix: str, *, at: datetime | None = None) -> str:
        """See `ports.Ids.new_id`."""
        self._count += 1
        return f"{prefix}{ulid_time(unix_milliseconds(at) if at else 0)}{self._count:016d}"

    def part_of(self, seconds: float) -> float:
        """See `ports.Ids.part_of`: always the whole."""
        return seconds

    def salt(self) -> bytes:
        """See `ports.Ids.salt`."""
        self._count += 1
        return self._count.to_bytes(32)

    def new_private_key(self) -> bytes:
        """See `ports.Ids.new_private_key`."""
        return self.salt()

    def new_client_secret(self) -> str:
        """See `ports.Ids.new_client_secret`."""
        self._count += 1
        return client_secret.seal(f"{self._count:0{client_secret.RANDOM_CHARACTERS}d}")
