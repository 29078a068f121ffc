"""All jobs of a tenant, a page at a time."""

from collections.abc import Iterator, Sequence

from chalicelib.domain.job import Job
from chalicelib.domain.listing import JobFilter
from chalicelib.ports import Jobs
from chalicelib.use_cases.reconciliation.report import A_READ

EVERY_JOB = JobFilter()


def pages(jobs: Jobs, tenant_id: str, wanted: JobFilter = EVERY_JOB) -> Iterator[Sequence[Job]]:
    """Every job that is there at the start, once, the newest first; each as it is when its page is read."""
    position: str | None = None
    while True:
        page = jobs.page(tenant_id, wanted, after=position, limit=A_READ)
        yield page.jobs
        if page.position is None:
            return
        position = page.position
