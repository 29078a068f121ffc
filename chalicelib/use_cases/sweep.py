"""The sweep: whatever a crash or a lost message left behind gets a message again."""

from contextlib import suppress
from dataclasses import dataclass

from chalicelib.domain.errors import Superseded, Unavailable
from chalicelib.domain.job import Job, Status, postpone
from chalicelib.ports import Change, Clock, Jobs, Queue

# One sweep a minute; what is more than this waits for the next, so that a sweep ends in its time limit.
JOBS_A_SWEEP = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """Every unfinished job that is overdue is woken; a duplicate message does no harm."""

    jobs: Jobs
    queue: Queue
    clock: Clock

    def __call__(self) -> int:
        """How many jobs were overdue; the sender is woken in any case, to follow its open transactions."""
        self.queue.wake_confirmer([])
        overdue = self.jobs.due(now=self.clock.now(), limit=JOBS_A_SWEEP)
        for job in overdue:
            with suppress(Superseded, Unavailable):  # it has moved on, or the next sweep finds it again
                self._wake(job)
        return len(overdue)

    def _wake(self, job: Job) -> None:
        if job.status is Status.CONFIRMING:
            self.queue.wake_confirmer([job.ref], trace_id=job.trace_id)
        else:
            self.queue.wake_runner(job.ref, trace_id=job.trace_id)
        self.jobs.save([Change(job, postpone(job, now=self.clock.now()))])
