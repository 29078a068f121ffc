"""The demo's chapter about money: the service's own meters, and the invoice that is made of them."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from client.cli.invoicing import cells_of
from client.money import money
from client.usage import Invoice, Usage
from emulation.demo import jobs
from emulation.demo.scene import Scene

PLANS_OWN = ("monthly_fee", "minimum")
"""What is billed and not counted."""


def show_invoice(scene: Scene, confirming: Sequence[str]) -> None:
    """Usage counts each job once, whatever was repeated, canceled or refused, and the invoice is its sum.

    The jobs that may still be `confirming` are final first.
    """
    screen, client = scene.screen, scene.acme.client
    screen.chapter("The month's usage and its invoice")
    for job_id in confirming:
        client.wait(job_id)
    confirmed = jobs.SUBMITTED_FIRST + len(confirming)
    month = client.usage()
    recent = client.usage(month.last - timedelta(days=1), month.last)  # the demo may have begun yesterday
    left = recent.entitlements
    screen.fact("jobs admitted", f"{left.jobs_admitted:,} of {left.jobs_per_month:,} in {left.period}")
    screen.fact("jobs active", f"{left.active_jobs:,} of {left.active_jobs_limit:,} (plan {left.plan})")
    if left.spend_micros is not None and left.spend_cap_micros is not None:
        cap = f"{money(left.spend_cap_micros)} {left.currency}"
        screen.fact("spent", f"{money(left.spend_micros)} of {cap}, at list price")
    screen.check("every job was accepted once", _total(recent, "job.accepted"), confirmed + 1)
    screen.check(
        "and confirmed, but for the one that was canceled",
        _total(recent, "job.confirmed") + _total(recent, "job.confirmed_compact"),
        confirmed,
    )
    _check(scene, client.invoice(left.period), month)


def _check(scene: Scene, invoice: Invoice, month: Usage) -> None:
    """The invoice is recomputed from usage and prices, and its page says the same."""
    screen = scene.screen
    _print(scene, invoice)
    billed: Counter[str] = Counter()
    for line in invoice.lines:
        if line.item not in PLANS_OWN:
            billed[line.item] += line.quantity
    counted = {meter.meter: meter.total for meter in month.meters if meter.total}
    screen.check(f"the {invoice.status} bills exactly what usage counts", dict(billed), counted)
    amounts = [line.quantity * line.unit_price_micros for line in invoice.lines]
    screen.check("its total is the sum of quantity times price", invoice.total_micros, sum(amounts))
    page = scene.acme.client.invoice_page(invoice.period) or b""
    total = f"{invoice.currency} {money(invoice.total_micros)}"
    screen.check("and its page, to be printed, has the same total", total.encode() in page)


def _total(usage: Usage, name: str) -> int:
    return next(meter.total for meter in usage.meters if meter.meter == name)


def _print(scene: Scene, invoice: Invoice) -> None:
    rows = [cells_of(line) for line in invoice.lines]
    sums = {"subtotal": invoice.subtotal_micros, "tax": invoice.tax_micros, "total": invoice.total_micros}
    for name, micros in sums.items():
        if micros is not None:
            rows.append((f"{name}, {invoice.currency}", "", "", "", "", "", money(micros)))
    heads = (f"{invoice.status} of {invoice.period}", "plan", "prices of", "tier")
    scene.screen.table(*heads, "quantity", "price", "amount", rows=rows)
