"""How long a client should wait before it asks again."""

from collections.abc import Callable

from chalicelib.domain.errors import Unavailable
from chalicelib.domain.job import Job, Status
from chalicelib.domain.polling import (
    Backlog,
    retry_after_seconds,
    until_one_ends_seconds,
    until_one_starts_seconds,
)
from chalicelib.ports import Backlogs, Clock

# A queue is not another one two seconds later, and a warm function that polls keep busy asks once for all.
REMEMBERED_SECONDS = 2.0


class EstimateWait:
    """From the queue's depth and drain rate; one that cannot be read costs the estimate, never the answer."""

    def __init__(self, *, backlogs: Backlogs, clock: Clock) -> None:
        self._backlogs = backlogs
        self._clock = clock
        self._known: dict[str, tuple[float, Backlog | None]] = {}

    def __call__(self, job: Job) -> int | None:
        """Seconds; None when the job can never change again."""
        return retry_after_seconds(job, self._backlog_of(job), now=self._clock.now())

    def until_one_starts(self, tenant_id: str) -> int:
        """Seconds until a job of the tenant that is now queued may begin to run."""
        return until_one_starts_seconds(self._of_runs(tenant_id))

    def until_one_ends(self, tenant_id: str) -> int:
        """Seconds until a tenant with too many active jobs may have one less."""
        return until_one_ends_seconds(self._of_runs(tenant_id))

    def _backlog_of(self, job: Job) -> Backlog | None:
        if job.status is Status.QUEUED:
            return self._of_runs(job.ref.tenant_id)
        if job.status is Status.CONFIRMING:
            return self._remembered("confirmations", self._backlogs.of_confirmations)
        return None

    def _of_runs(self, tenant_id: str) -> Backlog | None:
        return self._remembered(tenant_id, lambda: self._backlogs.of_runs(tenant_id))

    def _remembered(self, step: str, read: Callable[[], Backlog]) -> Backlog | None:
        """None is remembered too: a service that is down is not asked by every poll."""
        read_at, known = self._known.get(step, (float("-inf"), None))
        if self._clock.monotonic() - read_at < REMEMBERED_SECONDS:
            return known
        try:
            known = read()
        except Unavailable:
            known = None
        now = self._clock.monotonic()
        self._known = {each: was for each, was in self._known.items() if now - was[0] < REMEMBERED_SECONDS}
        self._known[step] = (now, known)
        return known
