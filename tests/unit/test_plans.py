"""`plans.toml` is read strictly: what is in force is what it says, and each fault is named with its place."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from chalicelib.domain.prices import PRICED, Meter, Tier
from chalicelib.plans import PLANS_FILE, load_plans

TEXT = PLANS_FILE.read_text()
RAW: dict[str, Any] = tomllib.loads(TEXT)
BOOK = load_plans().price_book
# Of the newest version's part for one plan.
PRO, ENTERPRISE = r"prices\.2026-11-24\.plans\.pro", r"prices\.2026-11-24\.plans\.enterprise"
TIERS = "[{ up_to = 500, micros = 0 }, { up_to = 10_000, micros = 40_000 }, { micros = 35_000 }]"
OF_CONFIRMED = rf"{PRO}: .*unit_micros\.job\.confirmed: each tier ends after the one before"


def load(tmp_path: Path, text: str) -> None:
    path = tmp_path / "plans.toml"
    path.write_text(text)
    load_plans(path)


def test_entitlements_are_the_files_when_it_is_loaded() -> None:
    entitlements = load_plans().entitlements
    assert [*entitlements] == [*RAW["plans"]]
    for name, raw in RAW["plans"].items():
        entitled = entitlements[name]
        assert {limit: getattr(entitled, limit) for limit in ("jobs_per_month", "active_jobs")} == {
            limit: raw[limit] for limit in ("jobs_per_month", "active_jobs")
        }
        assert (entitled.name, entitled.spend_cap_micros) == (name, raw["spend_cap_micros"])


@pytest.mark.parametrize("version", RAW["prices"])
def test_prices_and_gas_are_the_files_in_each_version_when_it_is_loaded(version: str) -> None:
    found = BOOK.versions[BOOK.place_of(version)]
    raw = RAW["prices"][version]
    gas = found.gas
    assert gas is not None
    assert {name: getattr(gas, name) for name in raw["gas"]} == raw["gas"]
    assert found.applies_from == raw["applies_from"]
    for plan, charges in raw["plans"].items():
        prices = BOOK.of_plan(plan, version=version)
        assert prices.monthly_fee_micros == charges["monthly_fee_micros"]
        assert prices.minimum_micros == charges.get("minimum_micros", 0)
        assert prices.tiers == {Meter(meter): read(price) for meter, price in charges["unit_micros"].items()}
        assert prices.tiers.keys() == PRICED


def read(price: int | list[dict[str, int]]) -> tuple[Tier, ...]:
    """A number is the price of every unit."""
    if isinstance(price, int):
        return (Tier(None, price),)
    return tuple(Tier(each.get("up_to"), each["micros"]) for each in price)


def test_versions_are_in_the_order_of_their_days_whatever_the_files_is(tmp_path: Path) -> None:
    start, second = TEXT.index("[prices.2026-11]"), TEXT.index("[prices.2026-11-24]")
    path = tmp_path / "plans.toml"
    path.write_text(TEXT[:start] + TEXT[second:] + "\n" + TEXT[start:second])
    assert load_plans(path).price_book == BOOK


@pytest.mark.parametrize(
    ("written", "instead", "fault"),
    [
        ("active_jobs = 1000\n", "", r"plans\.pro\.active_jobs: Field required"),
        ("active_jobs = 1000\n", "active_jobs = 1000.0\n", r"plans\.pro\.active_jobs: .*valid integer"),
        ("active_jobs = 1000\n", "active_job = 1000\n", r"plans\.pro\.active_job: Extra inputs"),
        ("burst_limit = 100,", "", r"plans\.pro\.submit\.burst_limit: Field required"),
        (
            "spend_cap_micros = 500_000_000",
            "spend_cap_micros = -1",
            r"pro\.spend_cap_micros: .*greater",
        ),
        (
            "spend_cap_micros = 500_000_000",
            "spend_cap_micros = 5e8",
            r"pro\.spend_cap_micros: .*integer",
        ),
        ("spend_cap_micros = 500_000_000 #", "#", r"plans\.pro\.spend_cap_micros: Field required"),
        (
            "minimum_micros = 990_000_000",
            "minimum_micros = 9.9e8",
            rf"{ENTERPRISE}\.minimum_micros: .*integer",
        ),
        ("minimum_micros = 990_000_000", "minimum_micros = -1", rf"{ENTERPRISE}\.minimum_micros: .*greater"),
        ("monthly_fee_micros = 490_000_000", "monthly_fee_micros = 49.0", r"\.monthly_fee_micros: .*integer"),
        (
            'confirmed_compact" = 4_000',
            'confirmed_compact" = 4e3',
            rf"{PRO}\.unit_micros\.job\.confirmed_c.*int",
        ),
        (
            '"job.confirmed_compact" = 4_000\n',
            "",
            rf"{PRO}: .*no price, or one too many, of job\.confirmed_comp",
        ),
        (TIERS, "[]", OF_CONFIRMED),
        (TIERS, "[{ up_to = 500, micros = 0 }]", OF_CONFIRMED),
        (TIERS, "[{ micros = 0 }, { micros = 1 }]", OF_CONFIRMED),
        (TIERS, "[{ micros = 0 }, { up_to = 9, micros = 1 }]", OF_CONFIRMED),
        (TIERS, "[{ up_to = 9, micros = 0 }, { up_to = 9, micros = 1 }, { micros = 1 }]", OF_CONFIRMED),
        (TIERS, "[{ up_to = 9, micros = 0 }, { up_to = 8, micros = 1 }, { micros = 1 }]", OF_CONFIRMED),
        (TIERS, "[{ up_to = 0, micros = 0 }, { micros = 1 }]", rf"{PRO}\..*up_to: .*greater than 0"),
        (TIERS, "[{ up_to = 9, micros = -1 }, { micros = 1 }]", rf"{PRO}\..*micros: .*greater than or equal"),
        (TIERS, "[{ up_to = 9, micros = 0.5 }, { micros = 1 }]", rf"{PRO}\..*micros: .*valid integer"),
        (TIERS, "[{ to = 9, micros = 0 }, { micros = 1 }]", rf"{PRO}\..*\.to: Extra inputs"),
        ("[plans.pro]", "[plans.prow]", r"prices\.2026-11 and plans do not both have pro, prow"),
        ('currency = "USD"', 'currency = "dollars"', "currency: String should match"),
        (
            "applies_from = 2026-11-24",
            "applies_from = 2026-11-01",
            "two versions of prices apply from one day",
        ),
        ("applies_from = 2026-11-24", 'applies_from = "2026-11-24"', r"applies_from: .*valid date"),
    ],
)
def test_place_and_fault_are_named_when_a_number_is_missing_or_wrong(
    tmp_path: Path, written: str, instead: str, fault: str
) -> None:
    assert TEXT.count(written) == 1
    with pytest.raises(SystemExit, match=rf"^plans\.toml: .*{fault}"):
        load(tmp_path, TEXT.replace(written, instead))


@pytest.mark.parametrize("key", ["price_wei", "micros_per_ether", "margin_percent"])
@pytest.mark.parametrize("instead", ["", "{key} = 1.5,", "{key} = -1,"])
def test_what_is_assumed_of_gas_is_named_when_it_is_missing_or_wrong(
    tmp_path: Path, key: str, instead: str
) -> None:
    lines = TEXT.splitlines()
    at = max(number for number, line in enumerate(lines) if line.startswith("gas = "))
    lines[at] = re.sub(rf"{key} = [0-9_]+,? ?", instead.format(key=key), lines[at]).replace(", }", " }")
    with pytest.raises(SystemExit, match=rf"prices\.2026-11-24\.gas\.{key}: "):
        load(tmp_path, "\n".join(lines).replace(",}", "}"))


def test_an_acceptance_has_one_price_for_it_may_be_taken_back(tmp_path: Path) -> None:
    start = TEXT.index("[prices.2026-11-24.plans.pro.unit_micros]")
    tiers = '"job.accepted" = [{ up_to = 9, micros = 0 }, { micros = 1 }]'
    text = TEXT[:start] + TEXT[start:].replace('"job.accepted" = 2_000', tiers, 1)
    with pytest.raises(SystemExit, match=rf"{PRO}: .*job\.accepted has tiers"):
        load(tmp_path, text)
