"""What is charged for: meters, and their prices by plan and version.

Money is an integer of micro-units of one currency, never a float. A version that has applied never changes,
so an event of a plan's tenant can be priced again years later. Not here: included units, tiers, taxes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

MICROS = 1_000_000
"""Micro-units of one currency unit: with cents, a job at a tenth of a cent could not be priced."""


class Meter(StrEnum):
    """What is counted, and has a price a unit."""

    JOB_ACCEPTED = "job.accepted"
    JOB_CONFIRMED = "job.confirmed"
    COMPUTE_USED = "compute.used"
    JOB_WAIVED = "job.waived"  # takes the charge for an acceptance back, at the price that it had


PRICED = frozenset(Meter) - {Meter.JOB_WAIVED}
"""The meters that have a price of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanPrices:
    """What a tenant of one plan pays a calendar month, and a unit of each meter that is priced."""

    monthly_fee_micros: int
    unit_micros: Mapping[Meter, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceVersion:
    """Every plan's prices, from 00:00 UTC of a day until the next version applies."""

    name: str
    applies_from: date
    plans: Mapping[str, PlanPrices]


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceBook:
    """Every price there ever was: at least one version, oldest first."""

    currency: str
    versions: tuple[PriceVersion, ...]

    @property
    def latest(self) -> PriceVersion:
        """The version declared for the latest date, whether or not that has come."""
        return self.versions[-1]

    def in_force(self, moment: datetime) -> PriceVersion:
        """The version that applies at this moment (UTC).

        Before its date the first one applies too: a job is never refused for want of a price.

        >>> november, december = (
        ...     PriceVersion(name=name, applies_from=date.fromisoformat(name), plans={})
        ...     for name in ("2026-11-01", "2026-12-01")
        ... )
        >>> book = PriceBook(currency="USD", versions=(november, december))
        >>> moments = "2026-10-31T00:00", "2026-11-30T23:59", "2026-12-01T00:00"
        >>> [book.in_force(datetime.fromisoformat(moment)).name for moment in moments]
        ['2026-11-01', '2026-11-01', '2026-12-01']
        """
        applied = [version for version in self.versions if version.applies_from <= moment.date()]
        return applied[-1] if applied else self.versions[0]

    def unit_price_micros(self, plan: str, meter: Meter, *, version: str) -> int:
        """What one unit of the meter costs a tenant of the plan; an unknown name is a `KeyError`."""
        prices = self._prices(plan, version).unit_micros
        return -prices[Meter.JOB_ACCEPTED] if meter is Meter.JOB_WAIVED else prices[meter]

    def monthly_fee_micros(self, plan: str, *, version: str) -> int:
        """What a month of the plan costs, used or not; an unknown name is a `KeyError`."""
        return self._prices(plan, version).monthly_fee_micros

    def _prices(self, plan: str, version: str) -> PlanPrices:
        return {each.name: each for each in self.versions}[version].plans[plan]


def amount(micros: int) -> str:
    """The amount in currency units, exactly, with two decimals or as many as it needs.

    >>> [amount(micros) for micros in (0, 49_000_000, -2_000, 1_234_567_891)]
    ['0.00', '49.00', '-0.002', '1,234.567891']
    """
    units, rest = divmod(abs(micros), MICROS)
    return f"{'-' if micros < 0 else ''}{units:,}.{f'{rest:06}'.rstrip('0').ljust(2, '0')}"
