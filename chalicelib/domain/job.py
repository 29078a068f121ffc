"""A job and the only ways in which it may change.

Invariant: each transition returns a new job whose version is one higher, or raises `IllegalTransition`;
terminal jobs never change. Storage applies a change only if the row is still as it was read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from chalicelib.domain.failure import Failure
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
        **dict.fromkeys(TERMINAL, frozenset()),
    }
)

# A message is sent milliseconds after the commit; what is unsent for longer was lost to a crash.
UNSENT_AFTER = timedelta(seconds=5)
# How long a sent message may stay unseen before the sweep sends another; harmless, so only a matter of cost.
UNSEEN_AFTER = timedelta(seconds=60)
# The longest that a job waits for another look, so also for the end of an outage to be noticed.
UNSEEN_AT_MOST = timedelta(minutes=10)
# Past a slow night; a job that nobody waits for any more shall not begin.
USUAL_DEADLINE = timedelta(days=1)
LONGEST_DEADLINE = timedelta(days=7)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """Where a run can go on from: what its job type needs for that is stored, and was made at this step."""

    storage_key: str
    progress: Progress


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

    `plan`, its tenant's when it was accepted, and `price_version`, which old rows lack, price it for good.
    `request_id` names the submit in the logs, `trace_id` the caller's whole story. An input that was sent
    with the submit is stored beside the job. `placed` is the transaction that is to confirm the job, or did.
    A run costs `cost_units` once its input is known; `used_units` is what the job has been charged of them.
    `attempts` have been made since it last got on. Until it ends, `reserved_micros` are kept for it.
    """

    ref: JobRef
    type: str
    type_version: int = 1
    plan: str
    price_version: str | None = None
    status: Status
    version: int
    entered: Mapping[Status, datetime]
    path: ConfirmationPath = ConfirmationPath.DIRECT
    uploaded_input: UploadedInput | None = None
    inline_bytes: int = 0
    reserved_micros: int = 0
    deadline_at: datetime | None = None
    due_at: datetime | None = None
    lease_epoch: int = 0
    lease_until: datetime | None = None
    attempts: int = 0
    progress: Progress | None = None
    checkpoint: Checkpoint | None = None
    cost_units: int | None = None
    used_units: int = 0
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

    @property
    def is_ready(self) -> bool:
        """Whether any worker may take the job at once: it has not begun, or was paused."""
        return self.status is Status.QUEUED or (self.status is Status.RUNNING and self.lease_until is None)

    @property
    def units_so_far(self) -> int:
        """The share of the cost that its progress is worth, rounded in the tenant's favour."""
        if self.cost_units is None or self.progress is None:
            return 0
        return self.cost_units * self.progress.completed // self.progress.total


def new_job(
    ref: JobRef,
    *,
    job_type: str,
    type_version: int = 1,
    plan: str,
    now: datetime,
    trace_id: str,
    request_id: str,
    path: ConfirmationPath = ConfirmationPath.DIRECT,
    uploaded_input: UploadedInput | None = None,
    inline_bytes: int = 0,
    deadline: timedelta = USUAL_DEADLINE,
    cost_units: int | None = None,
) -> Job:
    """A queued job, in the outbox until its message is known sent."""
    return Job(
        ref=ref,
        type=job_type,
        type_version=type_version,
        plan=plan,
        status=Status.QUEUED,
        version=1,
        entered={Status.QUEUED: now},
        deadline_at=now + deadline,
        due_at=now + min(UNSENT_AFTER, deadline),
        cost_units=cost_units,
        trace_id=trace_id,
        request_id=request_id,
        path=path,
        uploaded_input=uploaded_input,
        inline_bytes=inline_bytes,
    )


def finish(job: Job, *, now: datetime, result: Result) -> Job:
    """The result is stored and its commitment frozen: from here on the job can only succeed."""
    return replace(
        enter(job, Status.CONFIRMING, now=now),
        result=result,
        progress=job.progress and Progress(job.progress.total, job.progress.total),
        used_units=job.cost_units or 0,
        lease_until=None,
        due_at=now + UNSENT_AFTER,
    )


def place(job: Job, transaction_id: TransactionId) -> Job:
    """The job stands in this transaction; not a transition. Its epoch rises, so two cannot both place it."""
    assert job.status is Status.CONFIRMING, "only what has a commitment is sent to the chain"
    return replace(job, placed=transaction_id, lease_epoch=job.lease_epoch + 1)


def succeed(job: Job, *, now: datetime, confirmation: Confirmation) -> Job:
    """The commitment is on the chain at the required depth."""
    return replace(enter(job, Status.SUCCEEDED, now=now), confirmation=confirmation)


def fail(job: Job, *, now: datetime, failure: Failure) -> Job:
    """The job will not be run again."""
    used_units = 0 if failure.is_ours else job.units_so_far
    return replace(enter(job, Status.FAILED, now=now), failure=failure, used_units=used_units)


def cancel(job: Job, *, now: datetime) -> Job:
    """The tenant no longer wants it; a worker's next conditional write loses."""
    return replace(enter(job, Status.CANCELED, now=now), used_units=job.units_so_far)


def postpone(job: Job, *, now: datetime) -> Job:
    """The job's message is sent; the sweep looks again later, less and less often while a queue is long."""
    due_at = now + min(max(UNSEEN_AFTER, now - job.entered[job.status]), UNSEEN_AT_MOST)
    if job.deadline_at is not None and job.status is not Status.CONFIRMING:
        due_at = min(due_at, max(job.deadline_at, now + UNSENT_AFTER))
    return replace(job, due_at=due_at)


def enter(job: Job, status: Status, *, now: datetime) -> Job:
    """The job in its next state; for the functions that know what else changes by it."""
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
