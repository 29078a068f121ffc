"""Usage events against invoice lines: what was issued is what its events make, and nothing waits for long."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from chalicelib.domain.invoice import Invoice, Line, Rate, invoice_of, quantities_of
from chalicelib.domain.job import Job
from chalicelib.domain.metering import CONFIRMED
from chalicelib.domain.month import CutOffs
from chalicelib.domain.prices import amount
from chalicelib.domain.tally import tally
from chalicelib.ports import Invoices
from chalicelib.use_cases.read_invoice import ComputeInvoice
from chalicelib.use_cases.reconciliation.events import expected_events
from chalicelib.use_cases.reconciliation.report import Difference, Figure, Kind, Scope

# The close runs once a day. What it could have known by its last run is due; give it an hour for that run.
INVOICED_WITHIN = timedelta(hours=25)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareInvoices:
    """Each line that differs, once: what a lower record lacks shows in each that is made of it."""

    invoices: Invoices
    compute: ComputeInvoice

    def __call__(
        self, scope: Scope, jobs: Iterable[Sequence[Job]], figures: Counter[Figure]
    ) -> Iterator[Difference]:
        """The month's; of one without an invoice, the draft against the one that `jobs` (in pages) make."""
        issued = self.invoices.issued(scope.tenant.tenant_id, scope.month)
        try:
            invoices = issued or [self._draft(scope)]
            if issued:
                yield from self._of_issued(scope, issued)
            else:
                yield from self._of_draft(scope, invoices[0], jobs)
        except KeyError as unknown:
            number = f"{scope.tenant.tenant_id}-{scope.month.name}"
            expected = "plans and versions of the price book"
            yield scope.difference(Kind.UNPRICED, number, expected=expected, found=unknown)
            return
        lines = [line for each in invoices for line in each.lines]
        figures[Figure.LINES] += len(lines)
        figures[Figure.EARNED_MICROS] += sum(
            line.amount_micros for line in lines if line.rate.item in CONFIRMED.values()
        )

    def _of_issued(self, scope: Scope, issued: Sequence[Invoice]) -> Iterator[Difference]:
        first, last = issued[0], issued[-1]
        again = self._invoice(scope, first.cut_offs)
        yield from _lines(scope, Kind.INVOICE_LINE, first.number, again.lines, first.lines)
        if (again.currency, again.tax_micros) != (first.currency, first.tax_micros):
            yield scope.difference(
                Kind.INVOICE_LINE,
                f"{first.number} tax",
                expected=f"{amount(again.tax_micros)} {again.currency}",
                found=f"{amount(first.tax_micros)} {first.currency}",
            )
        whole = self._invoice(scope, last.cut_offs)
        # Beyond what the first one's lines explain.
        billed = [*again.lines, *(line for each in issued[1:] for line in each.lines)]
        yield from _lines(scope, Kind.ADJUSTMENT_LINE, last.number, whole.lines, billed)
        due = max(last.cut_offs.ingestion_time, scope.as_of - INVOICED_WITHIN)
        known = self._invoice(scope, CutOffs(event_time=scope.month.end, ingestion_time=due))
        yield from _lines(scope, Kind.NOT_INVOICED, first.number, known.lines, whole.lines)

    def _of_draft(self, scope: Scope, draft: Invoice, jobs: Iterable[Sequence[Job]]) -> Iterator[Difference]:
        prices, month = self.compute.prices, scope.month
        events = (event for page in jobs for event in expected_events(scope, page, prices))
        tallied = tally(events, month=month, cut_offs=draft.cut_offs)
        wanted = invoice_of(
            tallied,
            tenant_id=scope.tenant.tenant_id,
            month=month,
            prices=prices,
            cut_offs=draft.cut_offs,
        )
        yield from _lines(scope, Kind.DRAFT_LINE, draft.number, wanted.lines, draft.lines)
        if draft.lines and month.is_closed(now=scope.as_of - INVOICED_WITHIN):
            yield scope.difference(
                Kind.NOT_INVOICED, draft.number, expected=amount(draft.total_micros), found="no invoice"
            )

    def _draft(self, scope: Scope) -> Invoice:
        """Of all that is known: what came after the grace as well, for jobs do not tell when it came."""
        return self._invoice(scope, CutOffs(event_time=scope.until, ingestion_time=scope.as_of))

    def _invoice(self, scope: Scope, cut_offs: CutOffs) -> Invoice:
        return self.compute(scope.tenant.tenant_id, scope.month, cut_offs)


def _lines(
    scope: Scope, kind: Kind, number: str, expected: Iterable[Line], found: Iterable[Line]
) -> Iterator[Difference]:
    """One a rate whose quantities do not agree."""
    wanted, there = quantities_of(expected), quantities_of(found)
    for rate in sorted(wanted.keys() | there.keys()):
        if wanted[rate] != there[rate]:
            off = Line(rate, there[rate] - wanted[rate]).amount_micros
            yield scope.difference(
                kind,
                f"{number} {_name(rate)}",
                expected=f"{wanted[rate]} {rate.unit}",
                found=f"{there[rate]} {rate.unit}",
                evidence=f"{amount(abs(off))} too {'much' if off > 0 else 'little'}",
            )


def _name(rate: Rate) -> str:
    return (
        f"{rate.item} {rate.plan} {rate.price_version} tier {rate.tier} at {amount(rate.unit_price_micros)}"
    )
