"""Usage, read from jobs in memory."""

from collections.abc import Sequence
from datetime import date

from chalicelib.adapters.memory import MemoryJobs
from chalicelib.domain.metering import UsageEvent
from chalicelib.domain.usage import EntitlementCounts


class MemoryUsage:
    """The `Usage` port, on what a `MemoryJobs` has written."""

    def __init__(self, jobs: MemoryJobs) -> None:
        self._jobs = jobs

    def events(self, tenant_id: str, day: date) -> Sequence[UsageEvent]:
        """See `ports.Usage.events`."""
        events = self._jobs.events().values()
        return [each for each in events if each.ref.tenant_id == tenant_id and each.time.date() == day]

    def counts(self, tenant_id: str, *, period: str) -> EntitlementCounts:
        """See `ports.Usage.counts`."""
        return EntitlementCounts(
            jobs_admitted=self._jobs.count(tenant_id, f"admitted#{period}"),
            active_jobs=self._jobs.count(tenant_id, "active"),
        )
