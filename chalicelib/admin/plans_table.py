"""The plans as a table of Markdown, which DESIGN.md shows between `<!-- plans -->` and `<!-- /plans -->`."""

from collections.abc import Sequence

from chalicelib.domain.prices import Meter, PriceBook, Tier, amount
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
        f"spend cap, {book.currency} a month",
        f"{book.currency} a month",
        f"{book.currency} a month at least",
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
        amount(limits.spend_cap_micros),
        amount(version.plans[name].monthly_fee_micros),
        amount(version.plans[name].minimum_micros),
        *(_prices(book.tiers(name, meter, version=version.name)) for meter in Meter),
    )


def _prices(tiers: Sequence[Tier]) -> str:
    """Each tier's price, and from which unit of a month on.

    >>> _prices((Tier(500, 0), Tier(10_000, 40_000), Tier(None, 35_000)))
    '0.00; 0.04 above 500; 0.035 above 10,000'
    """
    ends = (None, *(tier.up_to for tier in tiers))
    return "; ".join(
        amount(tier.unit_micros) + (f" above {end:,}" if end else "")
        for tier, end in zip(tiers, ends, strict=False)
    )


def _throttle(limits: RequestLimits) -> str:
    return f"{limits.rate_limit:,g}; {limits.burst_limit:,}"


def _quota(limits: RequestLimits) -> str:
    return f"{limits.quota_limit:,} a {limits.quota_period.lower()}"
