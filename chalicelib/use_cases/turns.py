"""Whose job a woken worker runs: the tenants that have one ready take turns, and each gives its oldest.

A message only wakes, so a tenant's ten thousand messages are ten thousand chances for everyone. Of a tenant's
jobs the oldest goes first, so one that was paused goes on before the next begins.
"""

from chalicelib.domain import lease, tracing
from chalicelib.domain.errors import Superseded
from chalicelib.domain.job import Job, JobRef
from chalicelib.domain.polling import WORKERS
from chalicelib.ports import Change, Clock, Jobs
from chalicelib.use_cases.give_up import GiveUp

# All workers may want the same job, and all but one then the same next one.
ROUNDS = 2 * WORKERS


class Turns:
    """Goes round the tenants, from the one it served last; each worker goes its own way."""

    def __init__(self, *, jobs: Jobs, give_up: GiveUp, clock: Clock) -> None:
        self._jobs = jobs
        self._give_up = give_up
        self._clock = clock
        self._served: str | None = None

    def take(self, named: JobRef) -> Job | None:
        """A job under a new lease, for a message that names one; None if there is nothing to be run.

        Raises `Superseded` when others took whatever was chosen: the index lags, so something may be ready.
        What an attempt left behind is taken up for its own message, or becomes ready for another one, so that
        not even jobs that fail again and again come before their turn. A job that is too late fails instead.
        """
        for rounds in range(ROUNDS):
            try:
                chosen = self._choose(named, has_lost=rounds > 0)
                if chosen is None:
                    return None
                tracing.follow(chosen.trace_id)
                taken = self._lease_or_fail(chosen)
            except Superseded:
                continue
            self._served = chosen.ref.tenant_id
            return taken
        raise Superseded

    def another_waits(self, tenant_id: str) -> bool:
        """Whether a tenant other than this one has a job ready."""
        ready = self._jobs.next_ready(after=tenant_id)
        return ready is not None and ready.ref.tenant_id != tenant_id

    def _lease_or_fail(self, job: Job) -> Job:
        now = self._clock.now()
        if failure := lease.reason_to_fail(job, now=now):
            return self._give_up(job, failure, now=now)
        leased = lease.lease(job, now=now)
        self._jobs.save([Change(job, leased)])
        return leased

    def _choose(self, named: JobRef, *, has_lost: bool) -> Job | None:
        """Who has lost a job to another worker takes the named one: the index may still show the lost.

        The message of a job that somebody else runs serves whoever is next, as that one's may have served it.
        """
        job, now = self._jobs.get(named), self._clock.now()
        is_left = job is not None and lease.is_stranded(job, now=now)
        own = job if job is not None and (job.is_ready or is_left) else None
        if has_lost and own is not None:
            return own
        # A worker that has served nobody yet lets the tenant that woke it wait: it may have woken many.
        ready = self._jobs.next_ready(after=self._served or named.tenant_id)
        if ready is None or own is None or not is_left:
            return ready or own
        if ready.ref.tenant_id == named.tenant_id:
            return own
        self._jobs.save([Change(own, lease.release(own, now=now))])
        return ready
