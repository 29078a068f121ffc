"""Listing a tenant's jobs, page by page."""

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.domain.confirmation_view import SeenJob
from chalicelib.domain.listing import JobFilter
from chalicelib.ports import Jobs
from chalicelib.use_cases.read_confirmation import ReadConfirmation

# A screenful.
DEFAULT_LIMIT = 20
# A job's document has at most some 4 KB, so a page stays far below the 6 MB that a function may answer.
LARGEST_LIMIT = 100


@dataclass(frozen=True, slots=True)
class SeenPage:
    """A page of a list, as in `domain.listing.Page`, with the jobs' confirmations."""

    jobs: Sequence[SeenJob]
    position: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListJobs:
    """Newest first; no job that was there at the first page is missing or there twice at the last."""

    jobs: Jobs
    read_confirmation: ReadConfirmation

    def __call__(self, tenant_id: str, wanted: JobFilter, *, after: str | None, limit: int) -> SeenPage:
        """The page after that position; a limit of 0 is the default, and too large a one the largest.

        See Google's AIP-158, from which this comes, with the page that may be short of its limit.
        """
        size = min(limit or DEFAULT_LIMIT, LARGEST_LIMIT)
        page = self.jobs.page(tenant_id, wanted, after=after, limit=size)
        return SeenPage(self.read_confirmation(page.jobs), page.position)
