"""Who may work on a job, until when, and how often it is tried.

Invariant: a lease has one epoch; who writes under an older one loses. What a worker leaves behind is taken up
once its lease is over: at once if it was paused, after a wait if it failed, after `LEASE` if it was killed.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.domain.failure import Failure, FailureCode
from chalicelib.domain.job import (
    UNSEEN_AFTER,
    UNSENT_AFTER,
    Checkpoint,
    IllegalTransition,
    Job,
    Progress,
    Status,
    enter,
)

# Long enough for a slow step between two heartbeats, short enough that a dead worker is soon replaced.
LEASE = timedelta(seconds=30)
# Attempts at one step of a job; what kills its worker five times in a row is not going to succeed.
MAX_ATTEMPTS = 5
# What is down for a moment is soon back; what is down for longer is asked every half a minute.
RETRY_FIRST_SECONDS = 4.0
RETRY_CAP_SECONDS = 30.0


def lease(job: Job, *, now: datetime) -> Job:
    """The job under a new lease: the first, or one that goes on where an earlier one left it."""
    if job.status is Status.RUNNING:
        if lease_is_live(job, now=now):
            raise IllegalTransition("the lease is live")
        moved = job
    else:
        moved = enter(job, Status.RUNNING, now=now)
    return replace(
        _held(moved, now=now),
        lease_epoch=job.lease_epoch + 1,
        attempts=job.attempts + 1,
        progress=_kept(job),
    )


def lease_is_live(job: Job, *, now: datetime) -> bool:
    """Whether a worker may still be running the job, or it waits for its next attempt."""
    return job.status is Status.RUNNING and job.lease_until is not None and now < job.lease_until


def renew(job: Job, *, now: datetime) -> Job:
    """The same lease, longer; not a transition, so the version stays."""
    return _held(job, now=now)


def got_on(job: Job, checkpoint: Checkpoint) -> Job:
    """The run can go on from here, so that earlier failures no longer count."""
    return replace(job, checkpoint=checkpoint, progress=checkpoint.progress, attempts=0)


def of_version(job: Job, version: int) -> Job:
    """The job as this version of its type runs it: anew, if another one began."""
    if job.type_version == version:
        return job
    return replace(job, type_version=version, checkpoint=None, progress=None)


def pause(job: Job, *, now: datetime) -> Job:
    """The job goes on from its checkpoint as soon as a worker takes it; not a transition.

    Its epoch rises, so that what was decided on while it was leased cannot be written any more.
    """
    assert job.checkpoint is not None, "only what can go on is paused"
    return replace(
        job,
        lease_epoch=job.lease_epoch + 1,
        lease_until=None,
        attempts=0,
        progress=job.checkpoint.progress,
        due_at=now + UNSENT_AFTER,
    )


def retry_later(job: Job, *, now: datetime, seconds: float) -> Job:
    """Nobody takes the job before these seconds are over: the failed attempt's lease lasts until then.

    What it did since its checkpoint is lost, so nobody is shown it, nor charged for it.
    """
    until = now + timedelta(seconds=seconds)
    return replace(job, lease_until=until, due_at=until + UNSENT_AFTER, progress=_kept(job))


def is_stranded(job: Job, *, now: datetime) -> bool:
    """Whether an attempt ended without a word, or the wait after one is over."""
    return job.status is Status.RUNNING and not job.is_ready and not lease_is_live(job, now=now)


def release(job: Job, *, now: datetime) -> Job:
    """What is stranded becomes ready, for any worker to take in its turn; not a transition.

    Its own message alone would do, but may be behind thousands of others. It counts as an attempt that
    failed, even after a checkpoint.
    """
    assert is_stranded(job, now=now), "only what nobody holds is released"
    return replace(
        job,
        lease_until=None,
        lease_epoch=job.lease_epoch + 1,
        attempts=max(job.attempts, 1),
        progress=_kept(job),
        due_at=now + UNSEEN_AFTER,
    )


def hindered(job: Job) -> Job:
    """The attempt failed for want of something else: it is not the one that uses the attempts up."""
    return replace(job, attempts=min(job.attempts, MAX_ATTEMPTS - 1))


def retry_at_most_seconds(attempts: int) -> float:
    """The longest wait after so many attempts in a row; a wait is any part of it, so that many spread out.

    >>> [retry_at_most_seconds(attempts) for attempts in (1, 2, 3, 4)]
    [4.0, 8.0, 16.0, 30.0]
    """
    return min(RETRY_CAP_SECONDS, RETRY_FIRST_SECONDS * 2.0 ** (attempts - 1))


def reason_to_fail(job: Job, *, now: datetime) -> Failure | None:
    """Why a job that nobody holds shall not be run again; None if it may."""
    if job.status not in (Status.QUEUED, Status.RUNNING):
        return None
    if is_past_deadline(job, now=now):
        # One that waits for its next attempt would have ended, but for us.
        was_waiting = job.is_ready and not job.attempts
        return too_late(job) if was_waiting else _given_up("within its deadline_seconds")
    return _given_up(f"in {MAX_ATTEMPTS} attempts") if job.attempts >= MAX_ATTEMPTS else None


def too_late(job: Job) -> Failure:
    """The job's deadline came first, and nothing was wrong."""
    told = "did not end within its deadline_seconds."
    if job.status is Status.QUEUED:
        told = "did not begin within its deadline_seconds, and costs nothing."
    return Failure(FailureCode.DEADLINE_EXCEEDED, f"The job {told}")


def _given_up(after: str) -> Failure:
    detail = f"The platform could not run this job {after}; it costs nothing."
    return Failure(FailureCode.ATTEMPTS_EXHAUSTED, detail)


def is_past_deadline(job: Job, *, now: datetime) -> bool:
    """Whether its tenant no longer waits for it."""
    return job.deadline_at is not None and now >= job.deadline_at


def _kept(job: Job) -> Progress | None:
    return job.checkpoint.progress if job.checkpoint else None


def _held(job: Job, *, now: datetime) -> Job:
    until = now + LEASE
    return replace(job, lease_until=until, due_at=until + UNSENT_AFTER)
