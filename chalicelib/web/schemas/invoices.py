"""An invoice as its tenant sees it."""

from typing import Annotated, Literal, TypeVar

from pydantic import Field

from chalicelib.domain import invoice as domain
from chalicelib.domain.invoice import MINIMUM, MONTHLY_FEE, InvoiceStatus
from chalicelib.domain.month import CutOffs as DomainCutOffs
from chalicelib.domain.prices import Meter
from chalicelib.web.schemas.base import Count, Currency, Timestamp, WholeNumber, Wire, open_enum
from chalicelib.web.schemas.usage import Amount, Period, PlanName, Unit

TenantId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$", min_length=1, max_length=48)]
InvoiceNumber = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$", min_length=1, max_length=64)]


class CutOffs(Wire):
    """The invoice is of the month's events that happened, and were taken in, up to these moments."""

    event_time: Timestamp
    ingestion_time: Timestamp


class InvoiceLine(Wire):
    """What one item costs under one plan, price version and tier: quantity times unit price, exactly."""

    item: Annotated[str, open_enum(MONTHLY_FEE, MINIMUM, *Meter)]
    plan: PlanName
    price_version: Annotated[str, Field(max_length=64)]
    tier: Count
    quantity: WholeNumber
    unit: Unit
    unit_price_micros: Amount
    amount_micros: Amount


class AdjustmentLine(InvoiceLine):
    """How much more was used than was billed, or less: quantity times unit price, exactly."""

    quantity: Amount


_Line = TypeVar("_Line", bound=InvoiceLine)


class Adjustment(Wire):
    """What came too late for the invoice that it names: the difference to the one there would have been."""

    number: InvoiceNumber
    adjusts: InvoiceNumber
    cut_offs: CutOffs
    lines: Annotated[tuple[AdjustmentLine, ...], Field(max_length=1_000)]
    subtotal_micros: Amount
    tax_micros: Amount
    total_micros: Amount


class Invoice(Wire):
    """A month's invoice. Money is in millionths of the currency; the total is the sum of the lines, and tax.

    An issued invoice never changes: what came too late for it stands in its adjustments, and `due_micros` is
    what the month comes to with them.
    """

    object: Literal["invoice"] = "invoice"
    number: InvoiceNumber
    tenant_id: TenantId
    period: Period
    status: Annotated[str, open_enum(*InvoiceStatus)]
    currency: Currency
    cut_offs: CutOffs
    lines: Annotated[tuple[InvoiceLine, ...], Field(max_length=1_000)]
    subtotal_micros: Amount
    tax_micros: Amount
    total_micros: Amount
    adjustments: Annotated[tuple[Adjustment, ...], Field(max_length=1_000)]
    due_micros: Amount


def invoice_view(statement: domain.Statement) -> Invoice:
    """The invoice as its tenant sees it."""
    invoice = statement.invoice
    return Invoice(
        number=invoice.number,
        tenant_id=invoice.tenant_id,
        period=invoice.month.name,
        status=statement.status.value,
        currency=invoice.currency,
        cut_offs=_cut_offs(invoice.cut_offs),
        lines=_lines(InvoiceLine, invoice),
        subtotal_micros=str(invoice.subtotal_micros),
        tax_micros=str(invoice.tax_micros),
        total_micros=str(invoice.total_micros),
        adjustments=tuple(_adjustment(each, adjusts=invoice.number) for each in statement.adjustments),
        due_micros=str(statement.due_micros),
    )


def _adjustment(adjustment: domain.Invoice, *, adjusts: str) -> Adjustment:
    return Adjustment(
        number=adjustment.number,
        adjusts=adjusts,
        cut_offs=_cut_offs(adjustment.cut_offs),
        lines=_lines(AdjustmentLine, adjustment),
        subtotal_micros=str(adjustment.subtotal_micros),
        tax_micros=str(adjustment.tax_micros),
        total_micros=str(adjustment.total_micros),
    )


def _cut_offs(cut_offs: DomainCutOffs) -> CutOffs:
    return CutOffs(event_time=cut_offs.event_time, ingestion_time=cut_offs.ingestion_time)


def _lines(kind: type[_Line], invoice: domain.Invoice) -> tuple[_Line, ...]:
    return tuple(
        kind(
            item=line.rate.item,
            plan=line.rate.plan,
            price_version=line.rate.price_version,
            tier=line.rate.tier,
            quantity=str(line.quantity),
            unit=line.rate.unit,
            unit_price_micros=str(line.rate.unit_price_micros),
            amount_micros=str(line.amount_micros),
        )
        for line in invoice.lines
    )
