"""Giving a job up: it fails with a reason, and what was our fault leaves a dead letter for its operators."""

from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.failure import Failure
from chalicelib.domain.job import Job, fail
from chalicelib.domain.prices import PriceBook
from chalicelib.ports import Jobs, Queue
from chalicelib.use_cases.metered_change import metered_change


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """A job that nobody can end any more becomes `failed`, with the usage events that follow of that."""

    jobs: Jobs
    queue: Queue
    prices: PriceBook

    def __call__(self, saved: Job, failure: Failure, *, now: datetime, known: Job | None = None) -> Job:
        """The failed job; `known` is the job as stored with what was learned since. Or `Superseded`."""
        failed = fail(known or saved, now=now, failure=failure)
        self.jobs.save([metered_change(saved, failed, self.prices)])
        if failure.is_ours:
            self.queue.bury_run(failed.ref, trace_id=failed.trace_id)
        return failed
