"""Canceling: one conditional write from `queued` or `running`."""

from dataclasses import dataclass

from chalicelib.domain.errors import JobNotCancelable, Superseded, Unavailable
from chalicelib.domain.job import Job, JobRef, Status, cancel
from chalicelib.domain.prices import PriceBook
from chalicelib.ports import Clock, Jobs
from chalicelib.use_cases.metered_change import metered_change
from chalicelib.use_cases.read_job import GetJob

# Each lost round means that a worker moved the job meanwhile, which it can do a few times before it ends.
ROUNDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelJob:
    """A cancel that returns has canceled for good; one that raises `JobNotCancelable` came too late.

    A worker that runs the job notices at its next heartbeat. What it did until its last one is charged for.
    """

    get_job: GetJob
    jobs: Jobs
    prices: PriceBook
    clock: Clock

    def __call__(self, ref: JobRef) -> Job:
        """The canceled job; repeating the call gives the same."""
        for _ in range(ROUNDS):
            job = self.get_job(ref)
            if job.status is Status.CANCELED:
                return job
            if job.status not in (Status.QUEUED, Status.RUNNING):
                raise JobNotCancelable(f"The job is {job.status} and can no longer be canceled.")
            try:
                canceled = cancel(job, now=self.clock.now())
                self.jobs.save([metered_change(job, canceled, self.prices)])
            except Superseded:
                continue
            # Read again: the progress of meanwhile is kept, and every later answer has it.
            return self.get_job(ref)
        raise Unavailable("The job is changing too fast; try again.")
