"""Running a job: take one whose turn it is, run it apart, store its result, freeze the commitment.

Phases: *take* (a lease at epoch e), *run* (in a sandbox, under heartbeats), *store* (under the hash of the
content), *finish* (`confirming`, at epoch e only), then wake the confirmer. A run that cannot end within one
invocation is *paused* at its checkpoint, and a message wakes the worker that goes on.
"""

import hashlib
from collections.abc import Callable, Generator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from math import ceil

from pydantic import JsonValue

from chalicelib.domain import lease
from chalicelib.domain.confirmation import commitment
from chalicelib.domain.errors import Superseded, Unavailable
from chalicelib.domain.failure import Failure, FailureCode
from chalicelib.domain.job import Job, JobRef, Result, Status, finish
from chalicelib.domain.prices import PriceBook
from chalicelib.job_types.chain_logs import ChainLogs
from chalicelib.job_types.contract import Context, JobType, Step
from chalicelib.ports import Backlogs, Checkpoints, Clock, Ids, Jobs, Payloads, Queue, Sandbox
from chalicelib.ports.sandbox import (
    Began,
    Bound,
    Broke,
    Ended,
    Exceeded,
    Hindered,
    Refused,
    Stopped,
    Work,
)
from chalicelib.use_cases.attempt import Attempt, AttemptPorts, End, TooLate
from chalicelib.use_cases.give_up import GiveUp
from chalicelib.use_cases.metered_change import metered_change
from chalicelib.use_cases.read_input import ReadInput
from chalicelib.use_cases.turns import Turns

EXCEEDED: Mapping[Bound, str] = {
    Bound.MEMORY: "The run needs more memory than a run may have.",
    Bound.PROCESSOR_TIME: "The run needs more processor time in one go than a run may have.",
    Bound.TIME: "The run did not come as far as a checkpoint in the time that a run has for it.",
}

# DynamoDB's usually takes a fraction of it.
INDEX_LAG_SECONDS = 1


class Outcome(StrEnum):
    """What came of a message."""

    FINISHED = "finished"
    PAUSED = "paused"  # it goes on from its checkpoint
    FAILED = "failed"
    RETRIED = "retried"  # the platform's fault; another attempt follows
    SUPERSEDED = "superseded"  # canceled or taken over meanwhile; the late worker wrote nothing
    NOTHING_TO_DO = "nothing_to_do"  # no job is ready, and the message's own has moved on or is held


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of a message, for which job, and, if the platform failed, a word for its operators."""

    outcome: Outcome
    job: JobRef | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunJob:
    """At most one worker's outcome is ever committed, whoever crashes, hangs or comes late."""

    jobs: Jobs
    payloads: Payloads
    checkpoints: Checkpoints
    queue: Queue
    backlogs: Backlogs
    sandbox: Sandbox
    chain_logs: ChainLogs
    job_types: Mapping[str, JobType]
    read_input: ReadInput
    turns: Turns
    give_up: GiveUp
    prices: PriceBook
    clock: Clock
    ids: Ids
    canonical: Callable[[JsonValue], bytes]

    def __call__(self, named: JobRef, *, seconds: float) -> Ran:
        """Runs a job for a message that names one, for as long as this invocation has."""
        began = self.clock.monotonic()
        try:
            job = self.turns.take(named)
        except Superseded:
            # Else a job that is ready might be left without a message.
            self.queue.wake_runner(named, trace_id="", delay_seconds=INDEX_LAG_SECONDS)
            return Ran(Outcome.SUPERSEDED)
        if job is None:
            return Ran(Outcome.NOTHING_TO_DO)
        if job.status is not Status.RUNNING:
            return Ran(Outcome.FAILED, job.ref)
        try:
            return self._run(job, until=began + seconds)
        except Superseded:
            return Ran(Outcome.SUPERSEDED, job.ref)
        finally:
            with suppress(Unavailable):  # what is lost is one number of an estimate
                self.backlogs.add_run(self.clock.monotonic() - began)

    def _run(self, job: Job, *, until: float) -> Ran:
        ports = AttemptPorts(jobs=self.jobs, checkpoints=self.checkpoints, turns=self.turns, clock=self.clock)
        attempt = Attempt(ports, job, until=until)
        attempt.job = lease.of_version(job, self.job_types[job.type].version)
        try:
            return self._conclude(attempt, attempt.follow(self.sandbox.start(self._work(attempt.job))))
        except Unavailable as error:
            return self._wait(attempt, str(error))

    def _work(self, job: Job) -> Work:
        """All that touches the input but its bytes; it runs apart, so those are fetched here."""
        content = self.read_input.content(job)
        checkpoint = self.checkpoints.get(job.checkpoint.storage_key) if job.checkpoint else None
        job_type = self.job_types[job.type]

        def work() -> Generator[Began | Step, None, bytes]:
            job_input = self.read_input.parsed(job, content)
            yield Began(job_type.cost(job_input))
            context = Context(input=job_input, chain=self.chain_logs, checkpoint=checkpoint)
            return self.canonical((yield from job_type.run(context)))

        return work

    def _conclude(self, attempt: Attempt, end: End) -> Ran:
        match end:
            case Ended(content):
                return self._finish(attempt, content)
            case Stopped():
                return self._pause(attempt)
            case Refused(detail):
                return self._fail(attempt, Failure(FailureCode.JOB_ERROR, detail))
            case Exceeded(bound):
                return self._fail(attempt, Failure(FailureCode.RUN_LIMIT_EXCEEDED, EXCEEDED[bound]))
            case TooLate():
                return self._fail(attempt, lease.too_late(attempt.job))
            case Broke(detail):
                return self._retry(attempt, detail)
            case Hindered(detail):
                return self._wait(attempt, detail)

    def _finish(self, attempt: Attempt, content: bytes) -> Ran:
        job, salt = attempt.job, self.ids.salt()
        result = Result(
            storage_key=self.payloads.put(job.ref, content),
            sha256=hashlib.sha256(content).hexdigest(),
            salt=f"0x{salt.hex()}",
            commitment=commitment(salt, content),
            size_bytes=len(content),
        )
        self._save(attempt, finish(job, now=self.clock.now(), result=result))
        self.queue.wake_confirmer([job.ref], trace_id=job.trace_id)
        return Ran(Outcome.FINISHED, job.ref)

    def _pause(self, attempt: Attempt) -> Ran:
        job = attempt.job
        self._save(attempt, lease.pause(job, now=self.clock.now()))
        self.queue.wake_runner(job.ref, trace_id=job.trace_id)
        return Ran(Outcome.PAUSED, job.ref)

    def _wait(self, attempt: Attempt, detail: str) -> Ran:
        """What is down is waited for, as long as the deadline allows."""
        attempt.job = lease.hindered(attempt.job)
        return self._retry(attempt, detail)

    def _retry(self, attempt: Attempt, detail: str) -> Ran:
        """Another attempt after a wait, unless this was the last one, or the deadline has come."""
        job, now = attempt.job, self.clock.now()
        if failure := lease.reason_to_fail(job, now=now):
            return self._fail(attempt, failure, detail)
        seconds = self.ids.part_of(lease.retry_at_most_seconds(job.attempts))
        self._save(attempt, lease.retry_later(job, now=now, seconds=seconds))
        self.queue.wake_runner(job.ref, trace_id=job.trace_id, delay_seconds=ceil(seconds))
        return Ran(Outcome.RETRIED, job.ref, detail)

    def _fail(self, attempt: Attempt, failure: Failure, detail: str = "") -> Ran:
        self.give_up(attempt.saved, failure, now=self.clock.now(), known=attempt.job)
        return Ran(Outcome.FAILED, attempt.job.ref, detail)

    def _save(self, attempt: Attempt, after: Job) -> None:
        self.jobs.save([metered_change(attempt.saved, after, self.prices)])
