"""Reading a month's invoice: as it was issued, or as it would be by now."""

from collections.abc import Iterator
from dataclasses import dataclass

from chalicelib.domain.errors import InvoiceNotFound
from chalicelib.domain.invoice import Invoice, InvoiceStatus, Statement, invoice_of, statement_of
from chalicelib.domain.metering import UsageEvent
from chalicelib.domain.month import CutOffs, Month
from chalicelib.domain.prices import PriceBook
from chalicelib.domain.tally import tally
from chalicelib.ports import Clock, Invoices, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeInvoice:
    """The same invoice for the same events and cut-offs, whoever computes it and whenever."""

    usage: Usage
    prices: PriceBook

    def __call__(self, tenant_id: str, month: Month, cut_offs: CutOffs) -> Invoice:
        """The invoice of what the store has."""
        tallied = tally(self._events(tenant_id, month), month=month, cut_offs=cut_offs)
        return invoice_of(tallied, tenant_id=tenant_id, month=month, prices=self.prices, cut_offs=cut_offs)

    def _events(self, tenant_id: str, month: Month) -> Iterator[UsageEvent]:
        for day in month.days:
            yield from self.usage.events(tenant_id, day)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadInvoice:
    """What a month comes to."""

    invoices: Invoices
    compute: ComputeInvoice
    clock: Clock

    def __call__(self, tenant_id: str, month: Month) -> Statement:
        """As issued, or the draft; `InvoiceNotFound` for a month that has not begun."""
        now = self.clock.now()
        if month.start > now:
            raise InvoiceNotFound(f"The month {month.name} has not begun.")
        if issued := self.invoices.issued(tenant_id, month):
            return statement_of(issued)
        draft = self.compute(tenant_id, month, CutOffs.of_draft(month, now=now))
        return Statement(invoice=draft, status=InvoiceStatus.DRAFT)
