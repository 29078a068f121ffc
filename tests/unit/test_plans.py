"""`plans.toml` and the prices in it: read strictly, named by each event, and above what the chain costs."""

import json
import re
import tomllib
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib.admin.gas_table import GAS_FILE
from chalicelib.domain.chain_transaction import FINAL_DEPTH
from chalicelib.domain.prices import MICROS, PRICED, Meter, PriceBook, PriceVersion
from chalicelib.plans import PLANS_FILE, load_plans
from tests.unit.world import START, World

TEXT = PLANS_FILE.read_text()
RAW: dict[str, Any] = tomllib.loads(TEXT)
PLANS = sorted(RAW["plans"])

# What the chain costs, assumed until one is chosen: a busy day of an Ethereum layer 2, and one ether in USD.
GAS_PRICE_WEI = 100_000_000
ETHER_MICROS = 4_000 * MICROS
WEI_OF_ONE_ETHER = 10**18
# Of the gas, for what it leaves out: reverted transactions, and a fee that rises before the price does.
MARGIN_PERCENT = 25
# What one tenant of a plan that charges nothing may cost us a month, at most.
GIVEN_AWAY_MICROS = 11 * MICROS


def gas_cost_micros(gas: int) -> int:
    """Rounded up: never below the cost."""
    return -(-gas * GAS_PRICE_WEI * ETHER_MICROS // WEI_OF_ONE_ETHER)


# A job that is confirmed alone bears the whole transaction.
BATCH_GAS: dict[str, int] = json.loads(GAS_FILE.read_text())["confirmBatch"]
DEAREST_JOB_MICROS = max(gas_cost_micros(-(-gas // int(jobs))) for jobs, gas in BATCH_GAS.items())


def prices_of(plan: str) -> dict[str, int]:
    """What the latest version charges for a unit of each meter."""
    book = load_plans().price_book
    return {meter: book.unit_price_micros(plan, meter, version=book.latest.name) for meter in PRICED}


def test_entitlements_and_prices_are_the_files_when_it_is_loaded() -> None:
    plans = load_plans()
    for name, raw in RAW["plans"].items():
        entitled = plans.entitlements[name]
        assert (entitled.jobs_per_month, entitled.active_jobs) == (raw["jobs_per_month"], raw["active_jobs"])
        assert prices_of(name) == RAW["prices"]["2026-11"]["plans"][name]["unit_micros"]
    assert [*plans.entitlements] == [*RAW["plans"]]


@pytest.mark.parametrize(
    ("written", "instead", "fault"),
    [
        ("active_jobs = 1000\n", "", r"plans\.pro\.active_jobs: Field required"),
        ("active_jobs = 1000\n", "active_jobs = 1000.0\n", r"plans\.pro\.active_jobs: .*valid integer"),
        ("active_jobs = 1000\n", "active_job = 1000\n", r"plans\.pro\.active_job: Extra inputs"),
        ("burst_limit = 100,", "", r"plans\.pro\.submit\.burst_limit: Field required"),
        ("2_000", "2000.5", r"prices\.2026-11\.plans\.pro\.unit_micros\.job\.accepted: .*valid integer"),
        ("49_000_000", "49.0", r"prices\.2026-11\.plans\.pro\.monthly_fee_micros: .*valid integer"),
        ("49_000_000", "-1", r"prices\.2026-11\.plans\.pro\.monthly_fee_micros: .*greater than or equal"),
        (
            ', "job.confirmed" = 40_000, "compute.used" = 100',
            "",
            r"\.plans\.pro: .*unit_micros has no price, or one too many, of compute\.used, job\.confirmed",
        ),
        (
            '"job.accepted" = 2_000',
            '"job.acepted" = 2_000',
            r"\.pro\.unit_micros\.job\.acepted.*: Input should",
        ),
        ("[prices.2026-11.plans.pro]", "[prices.2026-11.plans.prow]", r"prices\.2026-11 .* pro, prow"),
        ('currency = "USD"', 'currency = "dollars"', "currency: String should match"),
    ],
)
def test_plan_and_key_are_named_when_a_number_is_missing_or_wrong(
    tmp_path: Path, written: str, instead: str, fault: str
) -> None:
    assert TEXT.count(written) == 1
    path = tmp_path / "plans.toml"
    path.write_text(TEXT.replace(written, instead))
    with pytest.raises(SystemExit, match=rf"^plans\.toml: .*{fault}"):
        load_plans(path)


def test_two_versions_are_refused_when_they_apply_from_one_day(tmp_path: Path) -> None:
    path = tmp_path / "plans.toml"
    start = TEXT.index("[prices.2026-11]")
    path.write_text(TEXT + re.sub(r"prices\.2026-11", "prices.again", TEXT[start:]))
    with pytest.raises(SystemExit, match="two versions of prices apply from one day"):
        load_plans(path)


def test_each_event_names_the_version_of_its_own_time_when_prices_change_between_them(world: World) -> None:
    today = START.date()
    world.prices = PriceBook(
        currency="USD",
        versions=tuple(
            PriceVersion(name=name, applies_from=applies_from, plans={})
            for name, applies_from in [("old", date.min), ("new", today + timedelta(days=1))]
        ),
    )
    ref = world.confirming()
    world.confirm_jobs([ref])
    world.chain.mine(FINAL_DEPTH)
    world.clock.advance(timedelta(days=1))
    world.confirm_jobs([])
    versions = {event.meter: event.price_version for event in world.jobs.events().values()}
    assert versions == {Meter.JOB_ACCEPTED: "old", Meter.COMPUTE_USED: "old", Meter.JOB_CONFIRMED: "new"}


@pytest.mark.parametrize("plan", PLANS)
def test_the_price_covers_the_gas_with_its_margin_when_a_job_is_confirmed_alone(plan: str) -> None:
    charged = prices_of(plan)
    if any(charged.values()):
        assert charged[Meter.JOB_CONFIRMED] * 100 >= DEAREST_JOB_MICROS * (100 + MARGIN_PERCENT)
    else:
        assert RAW["plans"][plan]["jobs_per_month"] * DEAREST_JOB_MICROS <= GIVEN_AWAY_MICROS
