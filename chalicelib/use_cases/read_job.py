"""Reading a job, at once or when there is news of it."""

from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.domain.errors import NO_SUCH_JOB, JobNotFound
from chalicelib.domain.job import Job, JobRef
from chalicelib.ports import Clock, Jobs

# A worker tells of its progress every half second, so looking more often would see the same.
LOOK_EVERY_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class GetJob:
    """A job as last committed; another tenant's is the same `JobNotFound` as none."""

    jobs: Jobs

    def __call__(self, ref: JobRef) -> Job:
        """The job."""
        job = self.jobs.get(ref)
        if job is None:
            raise JobNotFound(NO_SUCH_JOB)
        return job


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitJob:
    """A job once there is something to say of it, or once its reader has waited long enough.

    It looks again and again, for the tables are the truth and a message that a job has moved can be lost.
    """

    get_job: GetJob
    clock: Clock

    def __call__(self, ref: JobRef, *, is_news: Callable[[Job], bool], at_most_seconds: float) -> Job:
        """The job when it is terminal or news, but after this time in any case; at once if there is none."""
        deadline = self.clock.monotonic() + at_most_seconds
        job = self.get_job(ref)
        while not (job.is_terminal or is_news(job)):
            left_seconds = deadline - self.clock.monotonic()
            if left_seconds <= 0:
                break
            self.clock.pause(min(LOOK_EVERY_SECONDS, left_seconds))
            job = self.get_job(ref)
        return job
