"""Tenants see what they used, what is left of their plan, and what it comes to; nothing of another's."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.adapters.memory_usage import MemoryInvoices, MemoryUsage
from chalicelib.domain.chain_transaction import FINAL_DEPTH
from chalicelib.domain.entitlements import Plan
from chalicelib.domain.errors import InvalidRequest, InvoiceNotFound
from chalicelib.domain.job import JobRef
from chalicelib.domain.prices import Meter, PriceBook, PriceVersion
from chalicelib.domain.usage import LONGEST_RANGE_DAYS
from chalicelib.use_cases.read_invoice import ComputeInvoice, ReadInvoice
from chalicelib.use_cases.read_usage import ReadUsage
from chalicelib.web.handlers.usage import get_invoice, get_usage
from tests.unit.billing import plan_prices
from tests.unit.test_handlers import request
from tests.unit.world import GLOBEX, START, World

PRICES = PriceBook(
    currency="USD",
    versions=(
        PriceVersion(
            name="v1",
            applies_from=START.date(),
            plans={
                "test": plan_prices(
                    5_000_000,
                    {
                        Meter.JOB_ACCEPTED: 10,
                        Meter.COMPUTE_USED: 3,
                        Meter.PAYLOAD_STORED: 2,
                        Meter.JOB_CONFIRMED: 2**60,
                    },
                ),
                "other": plan_prices(0, {Meter.JOB_ACCEPTED: 1}),
            },
        ),
    ),
)
ROOMY = Plan(name="test", jobs_per_month=20, active_jobs=5, spend_cap_micros=2**70, currency="USD")


# 2026-11-01, as Arabic writes it: digits to Python, and none to the specification.
ARABIC_DIGITS = "2026-11-01".translate({ord("0") + n: ord("\u0660") + n for n in range(10)})


@pytest.fixture
def world() -> World:
    return World(prices=PRICES, plan=ROOMY)


def usage(world: World, **query: str) -> dict[str, Any]:
    """The answer to a request with these parameters; `from_` stands for `from`."""
    read = ReadUsage(
        usage=MemoryUsage(world.jobs), tenants=world.tenants, plans={"test": world.plan}, clock=world.clock
    )
    asked = request(query={name.rstrip("_"): (value,) for name, value in query.items()})
    return json.loads(get_usage(read, asked).body)


def invoice(world: World, period: str = "2026-11") -> dict[str, Any]:
    compute = ComputeInvoice(usage=MemoryUsage(world.jobs), prices=PRICES)
    read = ReadInvoice(invoices=MemoryInvoices(), compute=compute, clock=world.clock)
    return json.loads(get_invoice(read, request(path_parameters={"period": period})).body)


def counted(answer: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Each meter's days with usage."""
    return {
        meter["meter"]: {each["day"]: each["quantity"] for each in meter["days"] if each["quantity"] != "0"}
        for meter in answer["meters"]
    }


def test_each_fact_is_counted_on_its_day_when_jobs_are_submitted_and_confirmed(world: World) -> None:
    world.submit("k0")
    world.clock.advance(timedelta(days=1))
    final(world, "k1")
    world.submit("of another", tenant=GLOBEX)
    answer = usage(world)
    assert counted(answer) == {
        "job.accepted": {"2026-11-23": "1", "2026-11-24": "1"},
        "job.confirmed": {"2026-11-24": "1"},
        "compute.used": {"2026-11-24": "1"},
        "payload.stored": {"2026-11-24": "1"},
        "job.confirmed_compact": {},
        "job.waived": {},
    }
    totals = {meter["meter"]: (meter["total"], meter["unit"]) for meter in answer["meters"]}
    assert totals == {
        "job.accepted": ("2", "job"),
        "compute.used": ("1", "unit"),
        "payload.stored": ("1", "kibibyte"),
        "job.confirmed": ("1", "job"),
        "job.confirmed_compact": ("0", "job"),
        "job.waived": ("0", "job"),
    }


def test_what_is_left_of_the_plan_is_told_when_jobs_are_active_and_ended(world: World) -> None:
    open_job = world.job(world.submit("k0").job_ref)
    final(world, "k1")
    # What the open job may cost, and what the other did.
    spend = open_job.reserved_micros + 10 + 3 + 2 + 2**60
    assert usage(world)["entitlements"] == {
        "plan": "test",
        "period": "2026-11",
        "jobs_admitted": 2,
        "jobs_per_month": world.plan.jobs_per_month,
        "active_jobs": 1,
        "active_jobs_limit": world.plan.active_jobs,
        "spend_micros": str(spend),
        "currency": "USD",
        "spend_cap_micros": str(2**70),
        "resets_at": "2026-12-01T00:00:00.000Z",
    }


def test_every_day_is_shown_when_nothing_was_used(world: World) -> None:
    answer = usage(world, from_="2028-02-28", to="2028-03-01")
    assert [each["day"] for each in answer["meters"][0]["days"]] == ["2028-02-28", "2028-02-29", "2028-03-01"]
    assert counted(answer) == {meter: {} for meter in Meter}


@pytest.mark.parametrize(
    ("query", "days"),
    [
        ({}, ("2026-11-01", "2026-11-23")),
        ({"from_": "2026-10-05"}, ("2026-10-05", "2026-11-23")),
        ({"to": "2026-09-07"}, ("2026-09-01", "2026-09-07")),
        ({"from_": "2026-11-23", "to": "2026-11-23"}, ("2026-11-23", "2026-11-23")),
        ({"from_": "0001-01-01", "to": "0001-04-02"}, ("0001-01-01", "0001-04-02")),
        ({"to": "9999-12-31"}, ("9999-12-01", "9999-12-31")),
    ],
)
def test_the_days_are_those_asked_for_when_one_or_both_are_said(
    world: World, query: dict[str, str], days: tuple[str, str]
) -> None:
    answer = usage(world, **query)
    assert (answer["from"], answer["to"]) == days


@pytest.mark.parametrize(
    ("query", "pointers"),
    [
        ({"from_": "2026-11-24"}, ["/query/from"]),
        ({"from_": "2026-11-02", "to": "2026-11-01"}, ["/query/from"]),
        ({"from_": "2026-01-01", "to": "2026-04-03"}, ["/query/from"]),
        ({"from_": "2026-02-30"}, ["/query/from"]),
        ({"from_": "20261101"}, ["/query/from"]),
        ({"from_": "2026-W48-1", "to": ""}, ["/query/from", "/query/to"]),
        ({"from_": ARABIC_DIGITS, "to": "2026-11-01T00:00:00Z"}, ["/query/from", "/query/to"]),
        ({"to": "0000-01-01"}, ["/query/to"]),
    ],
)
def test_each_wrong_day_is_named_when_the_range_is_refused(
    world: World, query: dict[str, str], pointers: list[str]
) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        usage(world, **query)
    assert [error.pointer for error in refusal.value.errors] == pointers


def test_exactly_the_longest_range_is_told_when_it_is_asked_for(world: World) -> None:
    answer = usage(world, from_="2026-01-01", to="2026-04-02")
    assert len(answer["meters"][0]["days"]) == LONGEST_RANGE_DAYS


def test_the_invoice_bills_what_usage_counts_when_it_is_drawn_up(world: World) -> None:
    world.submit("k0")
    final(world, "k1")
    made = invoice(world)
    lines = {line["item"]: (line["quantity"], line["amount_micros"]) for line in made["lines"]}
    assert lines == {
        "monthly_fee": ("1", "5000000"),
        "job.accepted": ("2", "20"),
        "job.confirmed": ("1", str(2**60)),
        "compute.used": ("1", "3"),
        "payload.stored": ("1", "2"),
    }
    assert made["total_micros"] == str(5_000_025 + 2**60)
    assert (made["status"], made["currency"], made["cut_offs"]["event_time"]) == (
        "draft",
        "USD",
        f"{world.clock.now():%FT%T}.000Z",
    )


def test_another_tenants_usage_is_not_billed_when_it_has_used_more(world: World) -> None:
    world.submit("of another", tenant=GLOBEX)
    assert (invoice(world)["lines"], invoice(world)["total_micros"]) == ([], "0")


def test_a_job_keeps_its_plans_price_when_the_plan_changes_before_it_is_confirmed(world: World) -> None:
    ref = world.confirming("k0")
    world.plan = replace(world.plan, name="other")
    confirm(world, ref)
    world.submit("k1")
    lines = {(line["item"], line["plan"]): line["amount_micros"] for line in invoice(world)["lines"]}
    assert lines == {
        ("monthly_fee", "other"): "0",
        ("job.accepted", "other"): "1",
        ("job.accepted", "test"): "10",
        ("job.confirmed", "test"): str(2**60),
        ("compute.used", "test"): "3",
        ("payload.stored", "test"): "2",
    }


@pytest.mark.parametrize(
    "period",
    [
        "2026-12",
        "2999-12",
        "2026-13",
        "2026-00",
        "2026-1",
        "0000-01",
        "9999-12",
        "2026-11-01",
        ARABIC_DIGITS[:7],
        "x",
    ],
)
def test_there_is_no_invoice_when_the_period_is_no_month_that_has_begun(world: World, period: str) -> None:
    with pytest.raises(InvoiceNotFound):
        invoice(world, period)


def test_a_month_has_an_invoice_when_its_first_moment_has_come(world: World) -> None:
    world.clock.advance(datetime(2026, 12, 1, tzinfo=UTC) - START)
    assert invoice(world, "2026-12")["lines"] == []


def final(world: World, key: str) -> None:
    """A job that has succeeded."""
    confirm(world, world.confirming(key))


def confirm(world: World, ref: JobRef) -> None:
    """The job's result becomes final on the chain."""
    world.confirm_jobs([ref])
    world.chain.mine(FINAL_DEPTH)
    world.confirm_jobs([])
