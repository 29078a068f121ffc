"""An invoice as its tenant sees it."""

from typing import Annotated, Literal

from pydantic import Field

from chalicelib.domain import invoice as domain
from chalicelib.domain.prices import Meter
from chalicelib.web.schemas.base import Timestamp, Wire, open_enum
from chalicelib.web.schemas.usage import Amount, Period, PlanName, Unit, WholeNumber


class CutOffs(Wire):
    """The invoice is of the events that happened, and were taken in, up to these moments."""

    event_time: Timestamp
    ingestion_time: Timestamp


class InvoiceLine(Wire):
    """What one item costs under one plan and price version: quantity times unit price, exactly."""

    item: Annotated[str, open_enum(domain.MONTHLY_FEE, *Meter)]
    plan: PlanName
    price_version: Annotated[str, Field(max_length=64)]
    quantity: WholeNumber
    unit: Unit
    unit_price_micros: Amount
    amount_micros: Amount


class Invoice(Wire):
    """A month's invoice. Money is in millionths of the currency; the total is the sum of the lines."""

    object: Literal["invoice"] = "invoice"
    period: Period
    status: Annotated[str, open_enum(*domain.InvoiceStatus)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$", max_length=3)]
    cut_offs: CutOffs
    lines: Annotated[tuple[InvoiceLine, ...], Field(max_length=1_000)]
    total_micros: Amount


def invoice_view(invoice: domain.Invoice) -> Invoice:
    """The invoice as its tenant sees it."""
    return Invoice(
        period=invoice.month.name,
        status=invoice.status.value,
        currency=invoice.currency,
        cut_offs=CutOffs(
            event_time=invoice.cut_offs.event_time, ingestion_time=invoice.cut_offs.ingestion_time
        ),
        lines=tuple(_line(line) for line in invoice.lines),
        total_micros=str(invoice.total_micros),
    )


def _line(line: domain.Line) -> InvoiceLine:
    return InvoiceLine(
        item=line.item,
        plan=line.plan,
        price_version=line.price_version,
        quantity=str(line.quantity),
        unit=line.unit,
        unit_price_micros=str(line.unit_price_micros),
        amount_micros=str(line.amount_micros),
    )
