"""Usage, read from jobs in memory, and the invoices that are made of it."""

import threading
from collections.abc import Iterator, Sequence
from datetime import date

from chalicelib.adapters.memory import MemoryJobs
from chalicelib.domain.errors import Superseded
from chalicelib.domain.invoice import Invoice
from chalicelib.domain.metering import ContradictoryEvents, UsageEvent
from chalicelib.domain.month import Month
from chalicelib.domain.usage import EntitlementCounts


class MemoryUsage:
    """The `Usage` port, on what a `MemoryJobs` has written."""

    def __init__(self, jobs: MemoryJobs) -> None:
        self._jobs = jobs

    def events(self, tenant_id: str, day: date) -> Iterator[UsageEvent]:
        """See `ports.Usage.events`."""
        for _, event in sorted(self._jobs.events().items()):
            if event.ref.tenant_id == tenant_id and event.time.date() == day:
                yield event

    def find(self, events: Sequence[UsageEvent]) -> Sequence[UsageEvent | None]:
        """See `ports.Usage.find`."""
        known = self._jobs.events()
        return [known.get(event.event_id) for event in events]

    def take_in(self, event: UsageEvent) -> bool:
        """See `ports.Usage.take_in`."""
        known = self._jobs.take_in(event)
        if known is None:
            return True
        if known != event:
            raise ContradictoryEvents(known, event)
        return False

    def counts(self, tenant_id: str, *, period: str) -> EntitlementCounts:
        """See `ports.Usage.counts`."""
        return EntitlementCounts(
            jobs_admitted=self._jobs.count(tenant_id, f"admitted#{period}"),
            active_jobs=self._jobs.count(tenant_id, "active"),
            spent_micros=self._jobs.count(tenant_id, f"spent#{period}"),
        )


class MemoryInvoices:
    """The `Invoices` port."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._issued: dict[tuple[str, str], list[Invoice]] = {}

    def issued(self, tenant_id: str, month: Month) -> Sequence[Invoice]:
        """See `ports.Invoices.issued`."""
        return tuple(self._issued.get((tenant_id, month.name), ()))

    def issue(self, invoice: Invoice) -> None:
        """See `ports.Invoices.issue`."""
        with self._lock:
            issued = self._issued.setdefault((invoice.tenant_id, invoice.month.name), [])
            if len(issued) != invoice.sequence:
                raise Superseded
            issued.append(invoice)
