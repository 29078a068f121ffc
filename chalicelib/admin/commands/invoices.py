"""`invoices …`: what the months come to, and that anyone can compute it again."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from chalicelib.admin.commands.periods import LastClosed, Period, moment_of, tenant_id_of
from chalicelib.admin.commands.printing import AsJson, answer, moment, notice, shown, table
from chalicelib.admin.commands.stack import connected
from chalicelib.domain.entitlements import Tenant
from chalicelib.domain.errors import InvoiceNotFound, Refused
from chalicelib.domain.invoice import Invoice, Statement
from chalicelib.domain.metering import UsageEvent
from chalicelib.domain.month import Month
from chalicelib.domain.prices import amount

if TYPE_CHECKING:
    from chalicelib.admin.wiring import Administration
    from chalicelib.use_cases.close_period import Closed

app = typer.Typer(no_args_is_help=True, help="Close months; show, list and recompute their invoices.")
TenantName = Annotated[
    str | None, typer.Option("--tenant", metavar="NAME", help="This tenant alone; else all.")
]
AdjustedAt = Annotated[
    list[datetime] | None,
    typer.Option(
        "--adjusted-at",
        metavar="MOMENT",
        parser=moment_of,
        help="An adjustment's cut-off of ingestion, as it states; oldest first; may be repeated.",
    ),
]


@app.command()
def close(period: LastClosed = None, *, tenant: TenantName = None, as_json: AsJson = False) -> None:
    """Issue a month's invoices, and adjustments for what came since. Again: what is issued never changes."""
    stack = connected()
    month = _month(stack, period)
    done: list[tuple[Tenant, Closed]] = []
    for each, closed in stack.close_periods.each(_tenants(stack, tenant), month):
        done.append((each, closed))
        notice(f"{each.name}: {_told(closed)}")
    counts = Counter(closed.outcome.value for _, closed in done)
    told = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))
    document = {"period": month.name, "tenants": [_closed_document(*each) for each in done]}
    answer(document, f"{month.name}: {told or 'no tenants yet'}", as_json=as_json)


@app.command("list")
def show_all(period: LastClosed = None, *, tenant: TenantName = None, as_json: AsJson = False) -> None:
    """List a month's issued invoices and their adjustments."""
    stack = connected()
    month = _month(stack, period)
    found = [
        (each, invoice)
        for each in _tenants(stack, tenant)
        for invoice in stack.adapters.invoices.issued(each.tenant_id, month)
    ]
    text = table(
        ("TENANT", "NUMBER", "TAKEN IN UNTIL", "TOTAL"),
        [(each.name, one.number, shown(one.cut_offs.ingestion_time), _money(one)) for each, one in found],
        empty=f"No invoice of {month.name} is issued: `invoices close` does it when the month is over.",
    )
    document = {"period": month.name, "invoices": [_document(*each) for each in found]}
    answer(document, text, as_json=as_json)


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The tenant's name.")],
    period: Period,
    *,
    as_json: AsJson = False,
) -> None:
    """Show a tenant's invoice of a month: as it was issued, or as it would be now."""
    from chalicelib.web.schemas.invoices import invoice_view

    stack = connected()
    try:
        statement = stack.read_invoice(stack.tenants.named(name).tenant_id, period)
    except InvoiceNotFound as error:
        raise Refused(error.detail) from error
    document = invoice_view(statement).model_dump(mode="json", by_alias=True)
    answer(document, _text(statement), as_json=as_json)


@app.command()
def recompute(
    period: Period,
    *,
    events: Annotated[
        typer.FileBinaryRead, typer.Option(metavar="FILE", help="As `usage export` has it; or -.")
    ],
    tenant_id: Annotated[
        str | None,
        typer.Option(metavar="ID", parser=tenant_id_of, help="Whose, if the events are of several, or none."),
    ] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(metavar="MOMENT", parser=moment_of, help="The draft of then, not what was issued."),
    ] = None,
    adjusted_at: AdjustedAt = None,
) -> None:
    """Compute a month's invoice from its events and the prices alone, without a stack.

    The order and repetition of the events make no difference. What is printed is, byte for byte, what the API
    answers: the invoice as it was issued, with the adjustments that are asked for, or a draft.
    """
    from chalicelib.admin.recomputation import Recomputation
    from chalicelib.plans import load_plans
    from chalicelib.web.schemas.invoices import invoice_view

    if as_of and adjusted_at:
        raise typer.BadParameter("a draft has no adjustments: leave out --as-of or --adjusted-at")
    found = _events(events)
    owner = tenant_id or _only_tenant(found)
    recomputation = Recomputation(found, tenant_id=owner, month=period, prices=load_plans().price_book)
    try:
        statement = recomputation.draft(as_of) if as_of else recomputation.issued(adjusted_at or ())
    except KeyError as unknown:
        raise Refused(f"The price book has no plan or version {unknown}, which an event names.") from unknown
    typer.echo(invoice_view(statement).to_bytes())


def _month(stack: "Administration", period: Month | None) -> Month:
    return period or Month.last_closed(stack.adapters.clock.now())


def _tenants(stack: "Administration", name: str | None) -> Sequence[Tenant]:
    return [stack.tenants.named(name)] if name else stack.adapters.registry.tenants()


def _told(closed: "Closed") -> str:
    invoice = closed.invoice
    return f"{closed.outcome} {invoice.number}, {_money(invoice)}" if invoice else closed.outcome.value


def _money(invoice: Invoice) -> str:
    return f"{amount(invoice.total_micros)} {invoice.currency}"


def _closed_document(tenant: Tenant, closed: "Closed") -> dict[str, object]:
    issued = _document(tenant, closed.invoice) if closed.invoice else {"tenant_id": tenant.tenant_id}
    return {**issued, "name": tenant.name, "outcome": closed.outcome.value}


def _document(tenant: Tenant, invoice: Invoice) -> dict[str, object]:
    return {
        "tenant_id": tenant.tenant_id,
        "number": invoice.number,
        "sequence": invoice.sequence,
        "currency": invoice.currency,
        "event_time": moment(invoice.cut_offs.event_time),
        "ingestion_time": moment(invoice.cut_offs.ingestion_time),
        "total_micros": str(invoice.total_micros),
    }


def _text(statement: Statement) -> str:
    """The invoice, each of its adjustments, and what is due."""
    head = f"invoice {statement.invoice.number}, {statement.status}"
    parts = [*_lines(statement.invoice, head)]
    for each in statement.adjustments:
        parts += ["", *_lines(each, f"adjustment {each.number} of {statement.invoice.number}")]
    due = f"{amount(statement.due_micros)} {statement.invoice.currency}"
    return "\n".join([*parts, "", f"due in all: {due}"])


def _lines(invoice: Invoice, head: str) -> Iterator[str]:
    until = f"events until {shown(invoice.cut_offs.event_time)}"
    yield f"{head}: {until}, taken in until {shown(invoice.cut_offs.ingestion_time)}"
    rows = [
        (
            line.rate.item,
            line.rate.plan,
            line.rate.price_version,
            str(line.rate.tier),
            f"{line.quantity:,}",
            line.rate.unit,
            amount(line.rate.unit_price_micros),
            amount(line.amount_micros),
        )
        for line in invoice.lines
    ]
    header = ("ITEM", "PLAN", "PRICES", "TIER", "QUANTITY", "UNIT", "UNIT PRICE", "AMOUNT")
    yield table(header, rows, empty="Nothing was used.")
    yield f"tax {amount(invoice.tax_micros)}, total {_money(invoice)}"


def _events(file: typer.FileBinaryRead) -> list[UsageEvent]:
    """The file's events, or `Refused` with every fault of every line."""
    from chalicelib.admin.usage_lines import read_lines

    events, faults = [], []
    for read in read_lines(file):
        if isinstance(read.found, str):
            faults.append(f"line {read.line}: {read.found}")
        else:
            events.append(read.found)
    if faults:
        raise Refused(f"{file.name} is no export of usage events: {' | '.join(faults)}")
    return events


def _only_tenant(events: Sequence[UsageEvent]) -> str:
    names = sorted({event.ref.tenant_id for event in events})
    if len(names) != 1:
        raise Refused(f"The events are of {', '.join(names) or 'nobody'}: name one by --tenant-id.")
    return names[0]
