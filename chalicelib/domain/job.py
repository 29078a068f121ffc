"""A job and the only ways in which it may change.

Invariant: each transition returns a new job whose version is one higher, or raises `IllegalTransition`;
terminal jobs never change. Storage applies a change only if the row is still as it was read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from chalicelib.domain.on_chain import Confirmation
from chalicelib.domain.payload import UploadedInput
from chalicelib.domain.transaction_id import ConfirmationPath, TransactionId


class Status(StrEnum):
    """Where a job is.

    queued --A--> running --B--> confirming --C--> succeeded
      |              |
      +------D-------+--> failed
      +------E-------+--> canceled
    """

    QUEUED = "queued"  # accepted; in the outbox until its message is known sent
    RUNNING = "running"  # A: leased by a worker, at an epoch and until a time
    CONFIRMING = "confirming"  # B: result stored, commitment frozen; waits for the chain
    SUCCEEDED = "succeeded"  # C: the commitment is on the canonical chain, K blocks deep
    FAILED = "failed"  # D: will not be run again
    CANCELED = "canceled"  # E: by its tenant, before the result was stored


TERMINAL = frozenset({Status.SUCCEEDED, Status.FAILED, Status.CANCELED})

TRANSITIONS: Mapping[Status, frozenset[Status]] = MappingProxyType(
    {
        Status.QUEUED: frozenset({Status.RUNNING, Status.FAILED, Status.CANCELED}),
        Status.RUNNING: frozenset({Status.CONFIRMING, Status.FAILED, Status.CANCELED}),
        Status.CONFIRMING: frozenset({Status.SUCCEEDED}),
        Status.SUCCEEDED: frozenset(),
        Status.FAILED: frozenset(),
        Status.CANCELED: frozenset(),
    }
)

# A message is sent milliseconds after the commit; what is unsent for longer was lost to a crash.
UNSENT_AFTER = timedelta(seconds=5)
# How long a sent message may stay unseen before the sweep sends another; harmless, so only a matter of cost.
UNSEEN_AFTER = timedelta(seconds=60)
# The longest that a job waits for another look, so also for the end of an outage to be noticed.
UNSEEN_AT_MOST = timedelta(minutes=10)
# Long enough for a slow step between two heartbeats, short enough that a dead worker is soon replaced.
LEASE = timedelta(seconds=30)
# Attempts at one job; a job that kills its worker five times is not going to succeed.
MAX_ATTEMPTS = 5


class IllegalTransition(Exception):
    """The graph has no such edge; the caller decided on a state that it did not check."""


@dataclass(frozen=True, slots=True)
class JobRef:
    """Names one job of one tenant; a job id without its tenant names nothing."""

    tenant_id: str
    job_id: str


@dataclass(frozen=True, slots=True)
class Progress:
    """Steps done of the steps that there are to do."""

    completed: int
    total: int


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a job failed: a code of the problem catalogue and a sentence for its tenant."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A stored result and the commitment to it, frozen before anything is sent to the chain.

    `salt` and `commitment` are 0x-prefixed 32-byte words; `sha256` is the hex digest of the exact bytes.
    Rows of before release 1.1 lack the size: all of their results are small.
    """

    storage_key: str
    sha256: str
    salt: str
    commitment: str
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job. `due_at` is when the sweep must look at it if nothing else has moved it by then.

    `plan` is its tenant's when it was accepted: that prices it, whatever the tenant's plan becomes.
    `request_id` names the submit in the logs, `trace_id` the caller's whole story. An input that was sent
    with the submit is stored beside the job. `placed` is the transaction that is to confirm the job, or did.
    """

    ref: JobRef
    type: str
    plan: str
    status: Status
    version: int
    entered: Mapping[Status, datetime]
    path: ConfirmationPath = ConfirmationPath.DIRECT
    uploaded_input: UploadedInput | None = None
    due_at: datetime | None = None
    lease_epoch: int = 0
    lease_until: datetime | None = None
    progress: Progress | None = None
    result: Result | None = None
    placed: TransactionId | None = None
    confirmation: Confirmation | None = None
    failure: Failure | None = None
    trace_id: str = ""
    request_id: str = ""

    @property
    def created_at(self) -> datetime:
        """When the job was accepted."""
        return self.entered[Status.QUEUED]

    @property
    def is_terminal(self) -> bool:
        """Whether the job can never change again."""
        return self.status in TERMINAL


def new_job(
    ref: JobRef,
    *,
    job_type: str,
    plan: str,
    now: datetime,
    trace_id: str,
    request_id: str,
    path: ConfirmationPath = ConfirmationPath.DIRECT,
    uploaded_input: UploadedInput | None = None,
) -> Job:
    """A queued job, in the outbox until its message is known sent."""
    return Job(
        ref=ref,
        type=job_type,
        plan=plan,
        status=Status.QUEUED,
        version=1,
        entered={Status.QUEUED: now},
        due_at=now + UNSENT_AFTER,
        trace_id=trace_id,
        request_id=request_id,
        path=path,
        uploaded_input=uploaded_input,
    )


def lease(job: Job, *, now: datetime) -> Job:
    """The job under a new lease: the first, or one that takes over from a worker whose lease ran out."""
    if job.status is Status.RUNNING:
        if lease_is_live(job, now=now):
            raise IllegalTransition("the lease is live")
        moved = job
    else:
        moved = _enter(job, Status.RUNNING, now=now)
    until = now + LEASE
    return replace(
        moved, lease_epoch=job.lease_epoch + 1, lease_until=until, due_at=until + UNSENT_AFTER, progress=None
    )


def lease_is_live(job: Job, *, now: datetime) -> bool:
    """Whether a worker may still be running the job."""
    return job.status is Status.RUNNING and job.lease_until is not None and now < job.lease_until


def renew(job: Job, *, now: datetime, progress: Progress) -> Job:
    """The same lease, longer, with the progress made; not a transition, so the version stays."""
    until = now + LEASE
    return replace(job, progress=progress, lease_until=until, due_at=until + UNSENT_AFTER)


def finish(job: Job, *, now: datetime, result: Result) -> Job:
    """The result is stored and its commitment frozen: from here on the job can only succeed."""
    moved = _enter(job, Status.CONFIRMING, now=now)
    done = job.progress and Progress(job.progress.total, job.progress.total)
    return replace(moved, result=result, progress=done, lease_until=None, due_at=now + UNSENT_AFTER)


def place(job: Job, transaction_id: TransactionId) -> Job:
    """The job stands in this transaction; not a transition. Its epoch rises, so two cannot both place it."""
    assert job.status is Status.CONFIRMING, "only what has a commitment is sent to the chain"
    return replace(job, placed=transaction_id, lease_epoch=job.lease_epoch + 1)


def succeed(job: Job, *, now: datetime, confirmation: Confirmation) -> Job:
    """The commitment is on the chain at the required depth."""
    return replace(_enter(job, Status.SUCCEEDED, now=now), confirmation=confirmation)


def fail(job: Job, *, now: datetime, failure: Failure) -> Job:
    """The job will not be run again."""
    return replace(_enter(job, Status.FAILED, now=now), failure=failure)


def cancel(job: Job, *, now: datetime) -> Job:
    """The tenant no longer wants it; a worker's next conditional write loses."""
    return _enter(job, Status.CANCELED, now=now)


def postpone(job: Job, *, now: datetime) -> Job:
    """The job's message is sent; the sweep looks again later, less and less often while a queue is long."""
    age = now - job.entered[job.status]
    return replace(job, due_at=now + min(max(UNSEEN_AFTER, age), UNSEEN_AT_MOST))


def _enter(job: Job, status: Status, *, now: datetime) -> Job:
    if status not in TRANSITIONS[job.status]:
        raise IllegalTransition(f"{job.status} → {status}")
    return replace(
        job,
        status=status,
        version=job.version + 1,
        entered={**job.entered, status: now},
        due_at=None if status in TERMINAL else job.due_at,
        lease_until=None if status in TERMINAL else job.lease_until,
    )
