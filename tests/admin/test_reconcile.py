"""`reconcile`, as an operator and as a program see it; jobs are run and confirmed in this process."""

import json
from typing import Any

import pytest

from chalicelib.adapters.dynamodb_items import USAGE_EVENTS, key_of_event
from chalicelib.admin.wiring import Administration
from chalicelib.domain.chain_transaction import FINAL_DEPTH
from chalicelib.domain.job import JobRef, Status
from chalicelib.domain.metering import UsageEvent, metered
from chalicelib.domain.prices import Meter
from chalicelib.domain.transaction_id import ConfirmationPath
from chalicelib.plans import load_plans
from emulation.environment import edge_client
from tests.admin.chain import AdminChain
from tests.admin.commands import Admin, Ran, advance
from tests.unit.world import World

DOCUMENT = {
    "period",
    "tenant_id",
    "compared",
    "confirmations",
    "zero_drift",
    "differences",
    "not_checked",
}
TWO_HOURS = 2 * 60 * 60


@pytest.fixture
def tenant(edge_url: str, admin: Admin, name: str, world: World) -> World:
    """The world, of a tenant of its own, by the plans and prices that the commands know."""
    adapters = Administration.of_endpoint(edge_url, clock_url=f"{edge_url}/_aws/clock").adapters
    world.tenant = admin("tenant", "add", name, "--plan", "pro", "--json").document["tenant_id"]
    plans = load_plans()
    world.plan, world.prices = plans.entitlements["pro"], plans.price_book
    world.usage = adapters.usage
    return world


def confirmed(world: World, chain: AdminChain, path: ConfirmationPath) -> list[JobRef]:
    """Two jobs that are final, in one transaction."""
    refs = [world.confirming(world.ids.new_id("key_"), path=path) for _ in range(2)]
    world.confirm_jobs(refs)
    chain.mine(FINAL_DEPTH)
    world.confirm_jobs([])
    assert {world.job(ref).status for ref in refs} == {Status.SUCCEEDED}
    return refs


def lose(edge_url: str, event: UsageEvent) -> None:
    """The store has it no more."""
    key = {name: {"S": value} for name, value in key_of_event(event).items()}
    edge_client("dynamodb", edge_url).delete_item(TableName=USAGE_EVENTS, Key=key)


def document(ran: Ran, *, status: int) -> Any:
    """What it printed for programs."""
    assert ran.status == status, ran.err
    return json.loads(ran.out)


def test_it_is_zero_drift_when_nothing_is_lost_and_else_each_difference_is_a_line(
    edge_url: str, admin: Admin, tenant: World, chain: AdminChain, name: str
) -> None:
    refs = [ref for path in ConfirmationPath for ref in confirmed(tenant, chain, path)]
    tenant.cancel_job(tenant.submit("canceled").job_ref)
    ran = admin("reconcile", "--json")
    told = document(ran, status=0)
    assert set(told) == DOCUMENT
    assert (told["zero_drift"], told["differences"], told["not_checked"]) == (True, [], [])
    assert (told["period"], told["tenant_id"]) == ("2026-11", None)
    # A record a direct job, and one of the compact batch.
    assert told["compared"].items() >= {"jobs": 5, "confirmations": 4, "records": 3}.items()
    margin = told["confirmations"]
    assert margin["margin_micros"] == str(int(margin["earned_micros"]) - int(margin["gas_cost_micros"]))
    assert f"{name}: comparing 2026-11" in ran.err.splitlines()
    text = admin("reconcile", "2026-11")
    assert (text.status, text.out.splitlines()[-1]) == (0, "zero drift")

    [lost] = [
        each for each in metered(tenant.job(refs[0]), tenant.prices) if each.meter is Meter.COMPUTE_USED
    ]
    lose(edge_url, lost)
    told = document(admin("reconcile", "--tenant", name, "--json"), status=1)
    assert [each["kind"] for each in told["differences"]] == ["event missing", "draft line"]
    assert (told["differences"][0]["where"], told["differences"][0]["tenant"]) == (lost.event_id, name)
    assert len(told["not_checked"]) == 1
    ran = admin("reconcile")
    assert ran.status == 1
    [line] = [line for line in ran.out.splitlines() if line.startswith("event missing")]
    assert line.startswith(f"event missing: {name}: {lost.event_id}: expected 1 unit at ")
    assert "zero drift" not in ran.out


def test_the_day_is_named_when_jobs_came_by_no_request_that_the_gateway_counted(
    edge_url: str, admin: Admin, tenant: World, name: str
) -> None:
    tenant.cancel_job(tenant.submit("k1").job_ref)
    assert admin("reconcile", "--tenant", name).status == 0
    advance(edge_url, TWO_HOURS)
    [found] = document(admin("reconcile", "--tenant", name, "--json"), status=1)["differences"]
    assert (found["kind"], found["expected"], found["found"]) == ("gateway requests", "1 or more", "0")


@pytest.mark.usefixtures("registry")
def test_a_line_says_so_when_there_is_no_such_tenant_or_the_month_has_not_begun(admin: Admin) -> None:
    assert admin("reconcile", "--tenant", "nobody").refusal.startswith("There is no tenant nobody")
    assert admin("reconcile", "2030-01").refusal == "The month 2030-01 has not begun."


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize("period", ["2026", "2026-13", "november"])
def test_the_status_is_2_when_the_period_is_no_month(admin: Admin, period: str) -> None:
    ran = admin("reconcile", period)
    assert (ran.status, ran.out) == (2, "")
