"""Reads `plans.toml`, the one place for the plans' numbers, and refuses what it does not know.

The emulator reads the same file for the gateway's usage plans, and nothing but `submit` and `read` of it.
"""

import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveInt,
    ValidationError,
    model_validator,
)

from chalicelib.domain.entitlements import Plan
from chalicelib.domain.prices import PRICED, GasBudget, Meter, PlanPrices, PriceBook, PriceVersion, Tier

PLANS_FILE = Path(__file__).parent / "plans.toml"


class _Table(BaseModel):
    """Closed and strict: a misspelt key or a float for an integer is an error, not a guess."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class RequestLimits(_Table):
    """A usage plan of the gateway, in the words of its API."""

    rate_limit: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    burst_limit: PositiveInt
    quota_limit: PositiveInt
    quota_period: Literal["DAY", "WEEK", "MONTH"]


class PlanLimits(_Table):
    """One plan: what the gateway meters apart, and what the service entitles to."""

    submit: RequestLimits
    read: RequestLimits
    jobs_per_month: PositiveInt
    active_jobs: PositiveInt
    spend_cap_micros: NonNegativeInt


class TierCharges(_Table):
    """The price of the units up to this one of a month; the last tier has no end."""

    up_to: PositiveInt | None = None
    micros: NonNegativeInt


class PlanCharges(_Table):
    """One plan's prices in one version: of each meter one for every unit, or by tiers."""

    monthly_fee_micros: NonNegativeInt
    minimum_micros: NonNegativeInt = 0
    unit_micros: dict[Annotated[Meter, Field(strict=False)], NonNegativeInt | list[TierCharges]]

    @model_validator(mode="after")
    def _every_meter_has_a_price(self) -> Self:
        if wrong := sorted(PRICED ^ self.unit_micros.keys()):
            raise ValueError(f"unit_micros has no price, or one too many, of {', '.join(wrong)}")
        for meter, tiers in self.tiers.items():
            ends = [tier.up_to for tier in tiers]
            bounds = [end for end in ends if end is not None]
            if ends != [*sorted({*bounds}), None]:
                raise ValueError(f"unit_micros.{meter}: each tier ends after the one before, the last never")
        if len(self.tiers[Meter.JOB_ACCEPTED]) > 1:
            raise ValueError("unit_micros.job.accepted has tiers: what may be taken back has one price")
        return self

    @property
    def tiers(self) -> dict[Meter, tuple[Tier, ...]]:
        """Each meter's tiers; one price is one tier."""
        return {
            meter: (Tier(None, charges),)
            if isinstance(charges, int)
            else tuple(Tier(each.up_to, each.micros) for each in charges)
            for meter, charges in self.unit_micros.items()
        }


class GasCharges(_Table):
    """What a version assumes of the chain: see `domain.prices.GasBudget`."""

    price_wei: PositiveInt
    micros_per_ether: PositiveInt
    margin_percent: NonNegativeInt


class Charges(_Table):
    """One price version."""

    applies_from: date
    gas: GasCharges
    plans: dict[str, PlanCharges]


class PlansFile(_Table):
    """The whole file: each price version prices each plan, and no two apply from one day."""

    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    plans: Annotated[dict[str, PlanLimits], Field(min_length=1)]
    prices: Annotated[dict[str, Charges], Field(min_length=1)]

    @model_validator(mode="after")
    def _every_plan_has_a_price(self) -> Self:
        for name, version in self.prices.items():
            # A plan that is given up keeps its prices: what was used under it is billed, and recomputed.
            if unpriced := sorted(self.plans.keys() - version.plans.keys()):
                raise ValueError(f"prices.{name}.plans lacks {', '.join(unpriced)}")
        if len({version.applies_from for version in self.prices.values()}) < len(self.prices):
            raise ValueError("two versions of prices apply from one day")
        return self

    @property
    def entitlements(self) -> dict[str, Plan]:
        """The service's part of each plan."""
        return {
            name: Plan(
                name=name,
                jobs_per_month=limits.jobs_per_month,
                active_jobs=limits.active_jobs,
                spend_cap_micros=limits.spend_cap_micros,
                currency=self.currency,
            )
            for name, limits in self.plans.items()
        }

    @property
    def price_book(self) -> PriceBook:
        """Every version's prices."""
        versions = sorted(self.prices.items(), key=lambda item: item[1].applies_from)
        return PriceBook(
            currency=self.currency,
            versions=tuple(_price_version(name, charges) for name, charges in versions),
        )


def _price_version(name: str, charges: Charges) -> PriceVersion:
    return PriceVersion(
        name=name,
        applies_from=charges.applies_from,
        plans={
            plan: PlanPrices(
                monthly_fee_micros=each.monthly_fee_micros,
                minimum_micros=each.minimum_micros,
                tiers=each.tiers,
            )
            for plan, each in charges.plans.items()
        },
        gas=GasBudget(**charges.gas.model_dump()),
    )


def load_plans(path: Path = PLANS_FILE) -> PlansFile:
    """The file's content, or a `SystemExit` that names every key that is not as it must be."""
    try:
        return PlansFile.model_validate(tomllib.loads(path.read_text()))
    except ValidationError as error:
        faults = [
            (*map(str, fault["loc"]), fault["msg"].removeprefix("Value error, "))
            for fault in error.errors(include_url=False)
        ]
        told = (f"{'.'.join(place)}: {reason}" if place else reason for *place, reason in faults)
        raise SystemExit(f"{path.name}: {'; '.join(told)}") from error
