"""Reading how far jobs' confirmations are."""

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.domain.confirmation_view import Deployment, SeenJob, awaited, seen
from chalicelib.domain.job import Job
from chalicelib.ports import ChainTransactions


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadConfirmation:
    """Each job with its confirmation as last stored; the chain is not asked, for the sender does that."""

    transactions: ChainTransactions
    deployment: Deployment

    def __call__(self, jobs: Sequence[Job]) -> list[SeenJob]:
        """At most 100 jobs, in their order; each transaction is read once, none if no job is confirming."""
        wanted = [awaited(job, self.deployment) for job in jobs]
        distinct = list(dict.fromkeys(each for each in wanted if each is not None))
        progress = self.transactions.progress(distinct) if distinct else {}
        return [
            seen(job, progress.get(each) if each else None, self.deployment)
            for job, each in zip(jobs, wanted, strict=True)
        ]
