"""The sweep: what a crash or a lost message left behind gets a message again, or fails if it is too late."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from chalicelib.domain import lease
from chalicelib.domain.errors import Superseded, Unavailable
from chalicelib.domain.job import Job, Status, postpone
from chalicelib.ports import Change, Clock, Jobs, Queue
from chalicelib.use_cases.give_up import GiveUp

# One sweep a minute; what is more than this waits for the next, so that a sweep ends in its time limit.
JOBS_A_SWEEP = 500


@dataclass(frozen=True, slots=True)
class Swept:
    """How many jobs were overdue, and what lies in which dead-letter queue, for somebody to look at."""

    overdue: int
    dead_letters: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """Every unfinished job that is overdue is woken or fails; a duplicate message does no harm."""

    jobs: Jobs
    queue: Queue
    give_up: GiveUp
    clock: Clock

    def __call__(self) -> Swept:
        """What it found; the sender is woken in any case, to follow its open transactions."""
        self.queue.wake_confirmer([])
        overdue = self.jobs.due(now=self.clock.now(), limit=JOBS_A_SWEEP)
        for job in overdue:
            with suppress(Superseded, Unavailable):  # it has moved on, or the next sweep finds it again
                self._see_to(job)
        letters = self.queue.dead_letters()
        return Swept(len(overdue), {queue: count for queue, count in letters.items() if count})

    def _see_to(self, job: Job) -> None:
        now = self.clock.now()
        if job.status is Status.CONFIRMING:
            self.queue.wake_confirmer([job.ref], trace_id=job.trace_id)
        elif not lease.lease_is_live(job, now=now) and (failure := lease.reason_to_fail(job, now=now)):
            self.give_up(job, failure, now=now)
            return
        else:
            self.queue.wake_runner(job.ref, trace_id=job.trace_id)
        left = lease.release(job, now=now) if lease.is_stranded(job, now=now) else job
        self.jobs.save([Change(job, postpone(left, now=now))])
