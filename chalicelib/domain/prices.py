"""What is charged for: meters, and their prices by plan and version.

Money is an integer of micro-units of one currency, never a float. A version that has applied never changes,
so an event of a plan's tenant can be priced again years later.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

MICROS = 1_000_000
"""Micro-units of one currency unit: with cents, a job at a tenth of a cent could not be priced."""
WEI = 10**18
"""Wei of one ether."""


class Meter(StrEnum):
    """What is counted, and has a price a unit."""

    JOB_ACCEPTED = "job.accepted"
    COMPUTE_USED = "compute.used"
    PAYLOAD_STORED = "payload.stored"
    JOB_CONFIRMED = "job.confirmed"
    JOB_CONFIRMED_COMPACT = "job.confirmed_compact"
    JOB_WAIVED = "job.waived"  # takes the charge for an acceptance back, at the price that it had


PRICED = frozenset(Meter) - {Meter.JOB_WAIVED}
"""The meters that have prices of their own."""


@dataclass(frozen=True, slots=True)
class Tier:
    """The price of a month's units up to this one, from where the tier before ends; the last has no end.

    A first tier of price 0 is what a plan includes.
    """

    up_to: int | None
    unit_micros: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanPrices:
    """What a tenant of one plan pays: a month, a unit of each meter that is priced, and a month at least."""

    monthly_fee_micros: int
    minimum_micros: int = 0
    tiers: Mapping[Meter, tuple[Tier, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class GasBudget:
    """What the prices assume that gas costs, and how much of that they leave us on top at least."""

    price_wei: int
    micros_per_ether: int
    margin_percent: int

    def cost_micros(self, gas: int, *, price_wei: int | None = None) -> int:
        """What so much gas costs at this price (wei a unit) or the assumed one; rounded up.

        >>> GasBudget(price_wei=10**8, micros_per_ether=4_000_000_000, margin_percent=25).cost_micros(25_209)
        10084
        """
        wei = gas * (self.price_wei if price_wei is None else price_wei)
        return -(-wei * self.micros_per_ether // WEI)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceVersion:
    """Every plan's prices, from 00:00 UTC of a day until the next version applies."""

    name: str
    applies_from: date
    plans: Mapping[str, PlanPrices]
    gas: GasBudget | None = None


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

    def place_of(self, version: str) -> int:
        """Where the version stands in the book, from 0; an unknown name is a `KeyError`."""
        return {each.name: place for place, each in enumerate(self.versions)}[version]

    def of_plan(self, plan: str, *, version: str) -> PlanPrices:
        """The plan's prices in that version; an unknown name is a `KeyError`."""
        return self.versions[self.place_of(version)].plans[plan]

    def tiers(self, plan: str, meter: Meter, *, version: str) -> tuple[Tier, ...]:
        """What the meter's units of a month cost a tenant of the plan; an unknown name is a `KeyError`."""
        tiers = self.of_plan(plan, version=version).tiers
        if meter is Meter.JOB_WAIVED:
            return tuple(Tier(each.up_to, -each.unit_micros) for each in tiers[Meter.JOB_ACCEPTED])
        return tiers[meter]

    def list_price_micros(self, plan: str, meter: Meter, *, version: str) -> int:
        """The most that one unit can cost, whatever is included and however many there are."""
        return max((tier.unit_micros for tier in self.tiers(plan, meter, version=version)), key=abs)


def amount(micros: int) -> str:
    """The amount in currency units, exactly, with two decimals or as many as it needs.

    >>> [amount(micros) for micros in (0, 49_000_000, -2_000, 1_234_567_891)]
    ['0.00', '49.00', '-0.002', '1,234.567891']
    """
    units, rest = divmod(abs(micros), MICROS)
    return f"{'-' if micros < 0 else ''}{units:,}.{f'{rest:06}'.rstrip('0').ljust(2, '0')}"
