"""A month's invoice from an export alone: what was issued, computed again by whoever has the events."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from chalicelib.domain.invoice import (
    Invoice,
    InvoiceStatus,
    Statement,
    adjustment_of,
    invoice_of,
    statement_of,
)
from chalicelib.domain.metering import UsageEvent, distinct
from chalicelib.domain.month import CutOffs, Month
from chalicelib.domain.prices import PriceBook
from chalicelib.domain.tally import tally


class Recomputation:
    """The statement of one tenant's events, in whatever order and however often they come; holds them all."""

    def __init__(
        self, events: Iterable[UsageEvent], *, tenant_id: str, month: Month, prices: PriceBook
    ) -> None:
        self._events = distinct(event for event in events if event.ref.tenant_id == tenant_id)
        self._tenant_id = tenant_id
        self._month = month
        self._prices = prices

    def draft(self, now: datetime) -> Statement:
        """The invoice as it was then."""
        invoice = self._invoice(CutOffs.of_draft(self._month, now=now))
        return Statement(invoice=invoice, status=InvoiceStatus.DRAFT)

    def issued(self, adjusted_at: Sequence[datetime] = ()) -> Statement:
        """The invoice as it was issued, with its adjustments of these cut-offs of ingestion, oldest first."""
        issued = [self._invoice(CutOffs.of_invoice(self._month))]
        for moment in adjusted_at:
            whole = self._invoice(CutOffs(event_time=self._month.end, ingestion_time=moment))
            if adjustment := adjustment_of(issued, whole):
                issued.append(adjustment)
        return statement_of(issued)

    def _invoice(self, cut_offs: CutOffs) -> Invoice:
        return invoice_of(
            tally(self._events, month=self._month, cut_offs=cut_offs),
            tenant_id=self._tenant_id,
            month=self._month,
            prices=self._prices,
            cut_offs=cut_offs,
        )
