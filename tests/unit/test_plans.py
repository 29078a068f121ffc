"""`plans.toml` is read strictly: what is in force is what it says, and each fault is named with its place."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from chalicelib.domain.prices import PRICED, Meter, Tier
from chalicelib.plans import PLANS_FILE, PlansFile, load_plans

RAW: dict[str, Any] = tomllib.loads(PLANS_FILE.read_text())
BOOK = load_plans().price_book
# Of its own, so that no other version or plan of ours is a fault of it.
TEXT = """
currency = "USD"

[plans.pro]
submit = { rate_limit = 50.0, burst_limit = 100, quota_limit = 100000, quota_period = "DAY" }
read = { rate_limit = 200.0, burst_limit = 400, quota_limit = 1000000, quota_period = "DAY" }
jobs_per_month = 50000
active_jobs = 1000
spend_cap_micros = 500_000_000

[prices.old]
applies_from = 2026-11-01
gas = { price_wei = 1, micros_per_ether = 2, margin_percent = 3 }

[prices.old.plans.pro]
monthly_fee_micros = 0
unit_micros = { "job.accepted" = 0, "compute.used" = 0, "payload.stored" = 0, "job.confirmed" = 0, "job.confirmed_compact" = 0 }

[prices.new]
applies_from = 2026-11-24
gas = { price_wei = 100, micros_per_ether = 400, margin_percent = 25 }

[prices.new.plans.pro]
monthly_fee_micros = 49_000_000
minimum_micros = 990_000_000

[prices.new.plans.pro.unit_micros]
"job.accepted" = 2_000
"compute.used" = 100
"payload.stored" = 1
"job.confirmed" = [{ up_to = 500, micros = 0 }, { up_to = 10_000, micros = 40_000 }, { micros = 35_000 }]
"job.confirmed_compact" = 4_000
"""  # noqa: E501
OLD, NEW = TEXT.index("[prices.old]"), TEXT.index("[prices.new]")
PRO = r"prices\.new\.plans\.pro"
TIERS = "[{ up_to = 500, micros = 0 }, { up_to = 10_000, micros = 40_000 }, { micros = 35_000 }]"
OF_CONFIRMED = rf"{PRO}: unit_micros\.job\.confirmed: each tier ends after the one before"


def load(tmp_path: Path, text: str) -> PlansFile:
    path = tmp_path / "plans.toml"
    path.write_text(text)
    return load_plans(path)


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
    names = [version.name for version in load(tmp_path, TEXT).price_book.versions]
    assert names == ["old", "new"]
    turned = TEXT[:OLD] + TEXT[NEW:] + TEXT[OLD:NEW]
    assert [version.name for version in load(tmp_path, turned).price_book.versions] == names


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
        ("spend_cap_micros = 500_000_000", "", r"plans\.pro\.spend_cap_micros: Field required"),
        (
            "minimum_micros = 990_000_000",
            "minimum_micros = 9.9e8",
            rf"{PRO}\.minimum_micros: .*integer",
        ),
        ("minimum_micros = 990_000_000", "minimum_micros = -1", rf"{PRO}\.minimum_micros: .*greater"),
        ("monthly_fee_micros = 49_000_000", "monthly_fee_micros = 49.0", r"\.monthly_fee_micros: .*integer"),
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
        ("[plans.pro]", "[plans.prow]", r"prices\.old\.plans lacks prow$"),
        ('currency = "USD"', 'currency = "dollars"', "currency: String should match"),
        (
            "applies_from = 2026-11-24",
            "applies_from = 2026-11-01",
            "two versions of prices apply from one day$",
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
    text = TEXT[:NEW] + re.sub(rf"{key} = [0-9]+,? ?", instead.format(key=key), TEXT[NEW:])
    with pytest.raises(SystemExit, match=rf"prices\.new\.gas\.{key}: "):
        load(tmp_path, text.replace(", }", " }").replace(",}", "}"))


def test_an_acceptance_has_one_price_for_it_may_be_taken_back(tmp_path: Path) -> None:
    tiers = '"job.accepted" = [{ up_to = 9, micros = 0 }, { micros = 1 }]'
    with pytest.raises(SystemExit, match=rf"{PRO}: .*job\.accepted has tiers"):
        load(tmp_path, TEXT.replace('"job.accepted" = 2_000', tiers))


def test_a_plan_keeps_its_prices_when_it_is_given_up(tmp_path: Path) -> None:
    charges = TEXT[TEXT.index("monthly_fee_micros = 0\n") : NEW]
    loaded = load(tmp_path, f"{TEXT}\n[prices.old.plans.gone]\n{charges}")
    assert set(loaded.entitlements) == {"pro"}
    assert loaded.price_book.of_plan("gone", version="old") == loaded.price_book.of_plan("pro", version="old")
