"""How long a client should wait before it asks for a job again: from how much waits, and how fast it drains.

An estimate, never a promise: whoever asks sooner is answered too.
"""

from dataclasses import dataclass
from datetime import datetime
from math import ceil

from chalicelib.domain.chain_transaction import FINAL_DEPTH
from chalicelib.domain.job import Job, Status
from chalicelib.domain.lease import LEASE

# Jobs that are run at the same time; app.py asks the queue for no more.
WORKERS = 4
# What a job is taken to run for while none has ended lately: about what the job types' usual inputs take.
USUAL_RUN_SECONDS = 1.0
BLOCK_SECONDS = 1.0
# Messages that a look of the sender takes, of a job each; app.py asks the queue for no more.
CONFIRMED_A_LOOK = 250
# The sender's pace: a look a block.
CONFIRMED_A_SECOND = CONFIRMED_A_LOOK / BLOCK_SECONDS
# Blocks until a confirming job is final: those of its depth, and one for the batch that it waits for.
UNTIL_FINAL_SECONDS = (FINAL_DEPTH + 1) * BLOCK_SECONDS
# No state lasts less, so asking again sooner could only show the same; also the answer when nothing is known.
SHORTEST_SECONDS = 1
# An estimate of minutes is a guess, and a queue may be emptied by cancels: half a minute late is bearable.
LONGEST_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Backlog:
    """Jobs that wait for one step, and how many of them that step takes a second."""

    waiting: int
    drained_per_second: float


def run_rate(*, runs: int, run_seconds: float) -> float:
    """Jobs a second that the workers take when runs have lasted this long in sum.

    The mean time of a run decides and not how many ended: few end where few are submitted, however fast.

    >>> run_rate(runs=10, run_seconds=20.0)  # four workers at two seconds a run
    2.0
    """
    mean_seconds = run_seconds / runs if runs and run_seconds else USUAL_RUN_SECONDS
    return WORKERS / mean_seconds


def retry_after_seconds(job: Job, backlog: Backlog | None, *, now: datetime) -> int | None:
    """Until the job's next change is likely; None when it can never change again.

    `backlog` is that of the step that the job waits for, None if it is not known.
    """
    if job.is_terminal:
        return None
    if job.status is Status.QUEUED:
        return until_one_starts_seconds(backlog)
    if job.status is Status.RUNNING:
        # Half of it, for a pace is a guess that gets better, and there is progress to be seen on the way.
        return _clamped(_rest_of_run(job, now=now) / 2)
    waited_seconds = (now - job.entered[job.status]).total_seconds()
    return _clamped(_turn(backlog) + UNTIL_FINAL_SECONDS - waited_seconds)


def until_one_starts_seconds(backlog: Backlog | None) -> int:
    """Until a job at the end of the queue of runs may begin.

    >>> until_one_starts_seconds(Backlog(waiting=7, drained_per_second=2.0))
    4
    """
    return _clamped(_turn(backlog))


def until_one_ends_seconds(backlog: Backlog | None) -> int:
    """Until one of a tenant's jobs, the last of them in the queue of runs, may be final.

    >>> until_one_ends_seconds(Backlog(waiting=6, drained_per_second=2.0))
    7
    """
    return _clamped(_turn(backlog) + UNTIL_FINAL_SECONDS)


def _rest_of_run(job: Job, *, now: datetime) -> float:
    """As long as the steps that are left take at the pace of those done; at once if none is known."""
    if job.progress is None or not job.progress.completed or job.lease_until is None:
        return 0.0
    told_at = job.lease_until - LEASE  # progress is told with each renewal of the lease
    spent_seconds = (told_at - job.entered[Status.RUNNING]).total_seconds()
    left = (job.progress.total - job.progress.completed) / job.progress.completed
    return spent_seconds * left - (now - told_at).total_seconds()


def _turn(backlog: Backlog | None) -> float:
    """Until a job at the end of the queue has its turn; at once if nobody knows better."""
    return backlog.waiting / backlog.drained_per_second if backlog else 0.0


def _clamped(seconds: float) -> int:
    return max(SHORTEST_SECONDS, min(ceil(seconds), LONGEST_SECONDS))
