"""Reading a job and its result."""

from dataclasses import dataclass

from chalicelib.domain.errors import NO_SUCH_JOB, JobNotFound, NoResult, ResultNotReady
from chalicelib.domain.job import Job, JobRef, Result
from chalicelib.ports import Jobs, Payloads


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


@dataclass(frozen=True, slots=True)
class StoredResult:
    """The exact bytes that the commitment is about, with what it takes to check it."""

    job: Job
    result: Result
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class GetResult:
    """A result from the moment that it is stored, so from `confirming` on."""

    get_job: GetJob
    payloads: Payloads

    def __call__(self, ref: JobRef) -> StoredResult:
        """The result, or `ResultNotReady` or `NoResult` naming the state."""
        job = self.get_job(ref)
        if job.result is None:
            refusal = NoResult if job.is_terminal else ResultNotReady
            raise refusal(f"The job is {job.status}; it has no result.")
        return StoredResult(job, job.result, self.payloads.get(job.result.storage_key))
