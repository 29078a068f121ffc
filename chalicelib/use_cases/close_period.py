"""Closing a month: its invoice is issued once, and what came too late for it becomes an adjustment.

A close that is killed, repeated or doubled changes nothing: what is issued follows from the events and from
cut-offs that are recorded in it, and the second of two that write the same number finds it taken.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from chalicelib.domain.entitlements import Tenant
from chalicelib.domain.errors import Refused, Superseded, Unavailable
from chalicelib.domain.invoice import Invoice, adjustment_of
from chalicelib.domain.metering import ContradictoryEvents
from chalicelib.domain.month import CutOffs, Month
from chalicelib.ports import Clock, Invoices, Registry
from chalicelib.use_cases.read_invoice import ComputeInvoice


class Outcome(StrEnum):
    """What a close did to a tenant's month."""

    ISSUED = "issued"
    ADJUSTED = "adjusted"
    UNCHANGED = "unchanged"  # it was closed, and nothing has come since
    EMPTY = "empty"  # nothing was used, so there is nothing to invoice


@dataclass(frozen=True, slots=True)
class Closed:
    """What a close did, and the invoice or adjustment that it issued, if it did."""

    outcome: Outcome
    invoice: Invoice | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosePeriod:
    """A tenant's month has one invoice, and with its adjustments the lines of all events that are known."""

    invoices: Invoices
    compute: ComputeInvoice
    clock: Clock

    def __call__(self, tenant_id: str, month: Month) -> Closed:
        """Issues what is to be issued. Raises `Refused` before the month's grace is over."""
        now = self.clock.now()
        if not month.is_closed(now=now):
            raise Refused(
                f"{month.name} cannot be closed yet: what is late is waited for until "
                f"{month.closes_at:%Y-%m-%d %H:%M:%SZ}. Run it again from then on."
            )
        issued = self.invoices.issued(tenant_id, month)
        known = CutOffs.of_adjustment(month, now=now)
        if not issued:
            first = self.compute(tenant_id, month, CutOffs.of_invoice(month))
            if first.lines or self.compute(tenant_id, month, known).lines:
                return self._issue(Outcome.ISSUED, first)
            return Closed(Outcome.EMPTY)
        # A clock that is behind another close's takes back nothing of what that one has billed.
        latest = max(known, issued[-1].cut_offs, key=lambda each: each.ingestion_time)
        whole = self.compute(tenant_id, month, latest)
        adjustment = adjustment_of(issued, whole)
        if adjustment is None:
            return Closed(Outcome.UNCHANGED)
        return self._issue(Outcome.ADJUSTED, adjustment)

    def _issue(self, outcome: Outcome, invoice: Invoice) -> Closed:
        try:
            self.invoices.issue(invoice)
        except Superseded:  # by another close, with the same lines or what came since
            return Closed(Outcome.UNCHANGED)
        return Closed(outcome, invoice)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosePeriods:
    """Each tenant's month is invoiced, and adjusted for what came since."""

    registry: Registry
    close: ClosePeriod
    clock: Clock

    def __call__(self) -> Iterator[tuple[Tenant, Closed]]:
        """The last closed month of all, tenant by tenant, as it is asked for.

        First of those without an invoice: a run that is cut off is then gone on with, and not begun anew.
        """
        month = Month.last_closed(self.clock.now())
        invoices = self.close.invoices
        tenants = sorted(
            self.registry.tenants(), key=lambda each: bool(invoices.issued(each.tenant_id, month))
        )
        return self.each(tenants, month)

    def each(self, tenants: Iterable[Tenant], month: Month) -> Iterator[tuple[Tenant, Closed]]:
        """The month of these; one that fails keeps no other from its invoice."""
        failures = []
        for tenant in tenants:
            try:
                yield tenant, self.close(tenant.tenant_id, month)
            # `KeyError`: the price book lacks what an event names; `ValueError`: a row of another release.
            except (ContradictoryEvents, Unavailable, KeyError, ValueError) as error:
                failures.append(error)
        if failures:
            raise failures[0]
