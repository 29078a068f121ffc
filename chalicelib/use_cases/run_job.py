"""Running a job: lease it, run it, store its result, freeze the commitment.

Phases: *lease* (epoch e), *heartbeat* (progress; loses when the job was canceled or taken over), *store*
(under the hash of the content), *finish* (`confirming`, at epoch e only), then wake the confirmer.
"""

import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from pydantic import JsonValue

from chalicelib.domain import job as jobs_domain
from chalicelib.domain import tracing
from chalicelib.domain.confirmation import commitment
from chalicelib.domain.errors import Superseded, Unavailable
from chalicelib.domain.job import MAX_ATTEMPTS, Failure, Job, JobRef, Progress, Result, Status
from chalicelib.job_types.contract import JobError, JobType, Run
from chalicelib.ports import Backlogs, Change, Clock, Ids, Jobs, Payloads, Queue
from chalicelib.use_cases.read_input import ReadInput

# Progress that a person watches; ten heartbeats a lease would do for safety.
HEARTBEAT_SECONDS = 0.5

JOB_ERROR = "job_error"
ATTEMPTS_EXHAUSTED = "attempts_exhausted"


class Ran(StrEnum):
    """What came of a message."""

    FINISHED = "finished"
    FAILED = "failed"
    SUPERSEDED = "superseded"  # canceled or taken over meanwhile; the late worker wrote nothing
    NOTHING_TO_DO = "nothing_to_do"  # a duplicate, or a job that has moved on


@dataclass(frozen=True, slots=True, kw_only=True)
class RunJob:
    """At most one worker's outcome is ever committed, whoever crashes, hangs or comes late."""

    jobs: Jobs
    payloads: Payloads
    queue: Queue
    backlogs: Backlogs
    job_types: Mapping[str, JobType]
    read_input: ReadInput
    clock: Clock
    ids: Ids
    canonical: Callable[[JsonValue], bytes]

    def __call__(self, ref: JobRef) -> Ran:
        """Runs the job if it is there to be run; a message for any other is answered and forgotten."""
        try:
            job = self._lease(ref)
            if job is None:
                return Ran.NOTHING_TO_DO
            if job.lease_epoch > MAX_ATTEMPTS:
                return self._fail(job, Failure(ATTEMPTS_EXHAUSTED, f"Stopped after {MAX_ATTEMPTS} attempts."))
            return self._timed_run(job)
        except Superseded:
            return Ran.SUPERSEDED

    def _lease(self, ref: JobRef) -> Job | None:
        job = self.jobs.get(ref)
        now = self.clock.now()
        if job is None:
            return None
        tracing.follow(job.trace_id)
        if job.status not in (Status.QUEUED, Status.RUNNING):
            return None
        if jobs_domain.lease_is_live(job, now=now):
            return None
        leased = jobs_domain.lease(job, now=now)
        self.jobs.save([Change(job, leased)])
        return leased

    def _timed_run(self, job: Job) -> Ran:
        began = self.clock.monotonic()
        ran = self._run(job)
        with suppress(Unavailable):  # the job is done; what is lost is one number of an estimate
            self.backlogs.add_run(self.clock.monotonic() - began)
        return ran

    def _run(self, job: Job) -> Ran:
        run = self._steps(job)
        next_heartbeat = self.clock.monotonic()
        while True:
            try:
                progress = next(run)
            except StopIteration as stop:
                return self._finish(job, self.canonical(stop.value))
            except JobError as error:
                return self._fail(job, Failure(JOB_ERROR, str(error)))
            if self.clock.monotonic() >= next_heartbeat:
                job = self._heartbeat(job, progress)
                next_heartbeat = self.clock.monotonic() + HEARTBEAT_SECONDS

    def _steps(self, job: Job) -> Run:
        """The job type's run; what is wrong with an uploaded input is raised by the first step."""
        return (yield from self.job_types[job.type].run(self.read_input(job)))

    def _heartbeat(self, job: Job, progress: Progress) -> Job:
        renewed = jobs_domain.renew(job, now=self.clock.now(), progress=progress)
        self.jobs.save([Change(job, renewed)])
        return renewed

    def _finish(self, job: Job, content: bytes) -> Ran:
        salt = self.ids.salt()
        result = Result(
            storage_key=self.payloads.put(job.ref, content),
            sha256=hashlib.sha256(content).hexdigest(),
            salt=f"0x{salt.hex()}",
            commitment=commitment(salt, content),
            size_bytes=len(content),
        )
        finished = jobs_domain.finish(job, now=self.clock.now(), result=result)
        self.jobs.save([Change(job, finished)])
        self.queue.wake_confirmer([job.ref], trace_id=job.trace_id)
        return Ran.FINISHED

    def _fail(self, job: Job, failure: Failure) -> Ran:
        self.jobs.save([Change(job, jobs_domain.fail(job, now=self.clock.now(), failure=failure))])
        return Ran.FAILED


@dataclass(frozen=True, slots=True, kw_only=True)
class BuryJob:
    """A job whose message was given up on fails, unless it has moved on or a worker still runs it.

    A job that no worker ever began is left to the sweep: then it is not the job that is at fault.
    """

    jobs: Jobs
    clock: Clock

    def __call__(self, ref: JobRef) -> None:
        """Safe to repeat. Raises `Superseded` when the job moved meanwhile: the message comes again."""
        job = self.jobs.get(ref)
        now = self.clock.now()
        if job is None:
            return
        tracing.follow(job.trace_id)
        if job.status is not Status.RUNNING:
            return
        if jobs_domain.lease_is_live(job, now=now):
            return
        failure = Failure(ATTEMPTS_EXHAUSTED, "The platform could not run this job; it costs nothing.")
        self.jobs.save([Change(job, jobs_domain.fail(job, now=now, failure=failure))])
