"""The demo's chapter about money: the service's own meters, and the invoice that is made of them."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from client.usage import Invoice, Usage
from emulation.demo import jobs
from emulation.demo.scene import Scene

MICROS_DIGITS = 6
"""Amounts are in millionths of the currency."""


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
    screen.check("every job was accepted once", _total(recent, "job.accepted"), confirmed + 1)
    screen.check(
        "and confirmed, but for the one that was canceled", _total(recent, "job.confirmed"), confirmed
    )
    invoice = client.invoice(month.entitlements.period)
    _print(scene, invoice)
    billed = {line.item: line.quantity for line in invoice.lines if line.item != "monthly_fee"}
    counted = {meter.meter: meter.total for meter in month.meters if meter.total}
    screen.check(f"the {invoice.status} bills exactly what usage counts", billed, counted)
    amounts = [line.quantity * line.unit_price_micros for line in invoice.lines]
    screen.check("its total is the sum of quantity times price", invoice.total_micros, sum(amounts))


def _total(usage: Usage, name: str) -> int:
    return next(meter.total for meter in usage.meters if meter.meter == name)


def _print(scene: Scene, invoice: Invoice) -> None:
    rows: list[tuple[str, ...]] = [
        (
            line.item,
            line.plan,
            line.price_version,
            f"{line.quantity:,}",
            _money(line.unit_price_micros),
            _money(line.amount_micros),
        )
        for line in invoice.lines
    ]
    rows.append((f"total, {invoice.currency}", "", "", "", "", _money(invoice.total_micros)))
    heads = (f"{invoice.status} of {invoice.period}", "plan", "prices of", "quantity", "price", "amount")
    scene.screen.table(*heads, rows=rows)


def _money(micros: int) -> str:
    return f"{Decimal(micros).scaleb(-MICROS_DIGITS):,f}"
