"""`jobs invoice`: what a month comes to, on the screen, as a page or as a PDF."""

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from client.cli.files import write_whole
from client.cli.screen import table
from client.cli.session import AsJson, Session, Stack, Tenant, session
from client.cli.settings import Misuse
from client.money import money
from client.usage import Adjustment, Invoice, InvoiceLine

HEADS = ("ITEM", "PLAN", "PRICES OF", "TIER", "QUANTITY", "PRICE", "AMOUNT")


def invoice(
    context: typer.Context,
    period: Annotated[str, typer.Argument(metavar="PERIOD", help="A month, such as 2026-11.")],
    *,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write the service's page of it there.")
    ] = None,
    pdf: Annotated[
        Path | None, typer.Option("--pdf", metavar="FILE", help="Write it there, laid out on A4.")
    ] = None,
    stack: Stack = None,
    tenant: Tenant = None,
    as_json: AsJson = False,
) -> None:
    """Show a month's invoice, or write it to files; the present month's is a draft."""
    with session(context, stack, tenant, as_json=as_json) as now:
        if pdf is not None and find_spec("fpdf") is None:
            raise Misuse("--pdf takes a package that is not installed: pip install fpdf2.")
        if html is not None:
            _write_page(now, period, html)
        if pdf is not None or html is None or as_json:
            found = now.client.invoice(period)
            if pdf is not None:
                _write_pdf(now, found, pdf)
            if as_json or (html is None and pdf is None):
                now.screen.answer(found.document, _invoice(found))


def _write_page(now: Session, period: str, output: Path) -> None:
    page = now.client.invoice_page(period)
    if page is None:
        raise Misuse("This service has no pages of invoices; --pdf needs none.")
    write_whole(output, [page])
    now.screen.note(f"the invoice as a page: {output}")


def _write_pdf(now: Session, found: Invoice, output: Path) -> None:
    from client.invoice_pdf import pdf_of  # takes a second, and a package that may not be there

    write_whole(output, [pdf_of(found)])
    now.screen.note(f"the invoice as a PDF: {output}")


def _invoice(found: Invoice) -> str:
    parts = [f"invoice of {found.period} ({found.status}), in {found.currency}"]
    parts += [f"number {found.number}"] if found.number else []
    parts += [_bill(found)]
    for each in found.adjustments:
        parts += [f"\nadjustment {each.number} of {each.adjusts}", _bill(each)]
    if found.adjustments and found.due_micros is not None:
        parts += [f"\ndue with its adjustments: {money(found.due_micros)}"]
    return "\n".join(parts)


def _bill(bill: Invoice | Adjustment) -> str:
    rows = [cells_of(line) for line in bill.lines]
    sums = {"subtotal": bill.subtotal_micros, "tax": bill.tax_micros, "total": bill.total_micros}
    blank = [""] * (len(HEADS) - 2)
    return table(
        HEADS,
        [*rows, *((name, *blank, money(micros)) for name, micros in sums.items() if micros is not None)],
    )


def cells_of(line: InvoiceLine) -> tuple[str, ...]:
    """What stands under `HEADS`."""
    return (
        line.item,
        line.plan,
        line.price_version,
        "" if line.tier is None else str(line.tier),
        f"{line.quantity:,}",
        money(line.unit_price_micros),
        money(line.amount_micros),
    )
