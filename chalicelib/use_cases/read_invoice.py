"""Reading a month's invoice, which is a draft: it is computed from the events at each request."""

from dataclasses import dataclass

from chalicelib.domain.errors import InvoiceNotFound
from chalicelib.domain.invoice import CutOffs, Invoice, Month, draft
from chalicelib.domain.prices import PriceBook
from chalicelib.ports import Clock, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadInvoice:
    """The same invoice for the same events and cut-offs, whenever it is read."""

    usage: Usage
    prices: PriceBook
    clock: Clock

    def __call__(self, tenant_id: str, month: Month) -> Invoice:
        """The draft, or `InvoiceNotFound` for a month that has not begun."""
        now = self.clock.now()
        if month.start > now:
            raise InvoiceNotFound(f"The month {month.name} has not begun.")
        events = (event for day in month.days for event in self.usage.events(tenant_id, day))
        return draft(events, month=month, prices=self.prices, cut_offs=CutOffs.of_draft(month, now=now))
