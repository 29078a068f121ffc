"""The plans as a table of Markdown, which DESIGN.md shows between `<!-- plans -->` and `<!-- /plans -->`."""

from chalicelib.domain.prices import Meter, PriceBook, amount
from chalicelib.plans import PlanLimits, PlansFile, RequestLimits


def plans_table(plans: PlansFile) -> str:
    """A column a plan, a row a limit or a price, and below it which prices these are."""
    book = plans.price_book
    labels = (
        "",
        "submits a second; burst",
        "submits",
        "reads a second; burst",
        "reads",
        "jobs accepted a month",
        "jobs active at once",
        f"{book.currency} a month",
        *(f"{book.currency} a `{meter}`" for meter in Meter),
    )
    columns = (_column(name, limits, book) for name, limits in plans.plans.items())
    header, *rows = (f"| {' | '.join(row)} |" for row in zip(labels, *columns, strict=True))
    rule = "|---" * (1 + len(plans.plans)) + "|"
    prices = f"Prices of version {book.latest.name}, from {book.latest.applies_from}."
    return "\n".join((header, rule, *rows, "", prices))


def _column(name: str, limits: PlanLimits, book: PriceBook) -> tuple[str, ...]:
    version = book.latest
    return (
        name,
        _throttle(limits.submit),
        _quota(limits.submit),
        _throttle(limits.read),
        _quota(limits.read),
        f"{limits.jobs_per_month:,}",
        f"{limits.active_jobs:,}",
        amount(version.plans[name].monthly_fee_micros),
        *(amount(book.unit_price_micros(name, meter, version=version.name)) for meter in Meter),
    )


def _throttle(limits: RequestLimits) -> str:
    return f"{limits.rate_limit:,g}; {limits.burst_limit:,}"


def _quota(limits: RequestLimits) -> str:
    return f"{limits.quota_limit:,} a {limits.quota_period.lower()}"
