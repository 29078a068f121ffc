"""The plans over HTTP: each limit binds its own tenant and use, and is the one that `plans.toml` declares.

The clock stands still, so a bucket holds exactly its burst, and each test spends that of a tenant of its own.
"""

import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import http_sfv
import httpx
import pytest

from chalicelib.plans import load_plans
from client.jobs import TIMEOUT_SECONDS
from client.oauth import ClientCredentials
from client.system import System
from emulation.environment import edge_client
from tests.e2e.conftest import Caller, calling
from tests.e2e.test_end_to_end import problem_of, submit
from tests.stack_process import REPOSITORY, start_stack

OFFERED = load_plans()
FREE = OFFERED.plans["free"]
ABSENT = "/v1/jobs/job_00000000000000000000000000"


def administer(stack: dict[str, Any], *arguments: str) -> dict[str, Any]:
    """What the command prints, run on the stack as its operator does."""
    printed = subprocess.run(
        [sys.executable, "-m", "chalicelib.admin", *arguments],
        cwd=REPOSITORY,
        env={**os.environ, **stack["environment"]},
        capture_output=True,
        check=True,
    ).stdout
    document: dict[str, Any] = json.loads(printed)
    return document


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """A stack whose clock stands still, with a tenant for each test."""
    with start_stack(tmp_path_factory.mktemp("stack"), "--clock", "manual") as started:
        description = started.ready()
        names = ("poller", "submitter", "rotating", "metered", "busy", "idle", "hurried", "priced", "leaving")
        tenants = (argument for name in names for argument in ("--tenant", f"{name}:free"))
        made = administer(description, "provision", *tenants, "--json")["tenants"]
        yield {**description, "tenants": description["tenants"] + made}


@contextmanager
def second_credential(stack: dict[str, Any], name: str) -> Iterator[httpx.Client]:
    """Bare HTTP with the tokens of a credential that the tenant got later."""
    made = administer(stack, "client", "add", "--tenant", name, "--json")
    base_url = stack["api"]["base_url"]
    auth = ClientCredentials(f"{base_url}/v1/oauth/token", made["client_id"], made["client_secret"], System())
    with httpx.Client(base_url=base_url, auth=auth, timeout=TIMEOUT_SECONDS) as http:
        yield http


def usage_plan(stack: dict[str, Any], caller: Caller, use: str) -> str:
    plans = edge_client("apigateway", stack["edge_url"]).get_usage_plans(limit=500)["items"]
    return next(plan["id"] for plan in plans if plan["name"] == f"{caller.plan}-{use}")


def usage_today(stack: dict[str, Any], caller: Caller, use: str) -> list[list[int]]:
    """Requests used and left of each key that the tenant has in its plan of this use."""
    gateway, plan_id = edge_client("apigateway", stack["edge_url"]), usage_plan(stack, caller, use)
    keys = gateway.get_usage_plan_keys(usagePlanId=plan_id, nameQuery=caller.tenant_id)["items"]
    day = now(stack)[:10]
    counted = gateway.get_usage(usagePlanId=plan_id, startDate=day, endDate=day)["items"]
    return [pair for key in keys for pair in counted[key["id"]]]


def now(stack: dict[str, Any]) -> str:
    told: str = httpx.get(stack["clock_url"]).json()["now"]
    return told


def test_submits_are_admitted_when_polling_has_spent_the_read_burst(stack: dict[str, Any]) -> None:
    with calling(stack, "poller") as poller:
        read = [poller.http.get(ABSENT) for _ in range(FREE.read.burst_limit + 1)]
        assert [answer.status_code for answer in read] == [404] * FREE.read.burst_limit + [429]
        assert problem_of(read[-1]) == (429, "rate_limited")
        assert submit(poller, "k").status_code == 202


def test_reads_are_admitted_when_the_submit_burst_is_spent(stack: dict[str, Any]) -> None:
    with calling(stack, "submitter") as submitter:
        answers = [submit(submitter, "k") for _ in range(FREE.submit.burst_limit + 1)]
        assert [answer.status_code for answer in answers] == [202] * FREE.submit.burst_limit + [429]
        assert submitter.http.get(answers[0].headers["Location"]).status_code == 200


def test_bucket_and_quota_are_shared_when_a_tenant_has_a_second_credential(stack: dict[str, Any]) -> None:
    burst, quota = FREE.submit.burst_limit, FREE.submit.quota_limit
    with calling(stack, "rotating") as first, second_credential(stack, "rotating") as http:
        second = Caller(first.tenant_id, first.plan, first.client, http)
        answers = [submit((first, second)[turn % 2], "k").status_code for turn in range(burst)]
        assert answers == [202] * burst
        assert [submit(each, "k").status_code for each in (first, second)] == [429, 429]
        assert usage_today(stack, first, "submit") == [[burst, quota - burst]]


def test_quota_refuses_both_when_one_credential_has_used_it_up(stack: dict[str, Any]) -> None:
    with calling(stack, "metered") as first, second_credential(stack, "metered") as http:
        gateway, plan_id = edge_client("apigateway", stack["edge_url"]), usage_plan(stack, first, "submit")
        (key,) = gateway.get_usage_plan_keys(usagePlanId=plan_id, nameQuery=first.tenant_id)["items"]
        one_left: Any = [{"op": "replace", "path": "/remaining", "value": "1"}]
        gateway.update_usage(usagePlanId=plan_id, keyId=key["id"], patchOperations=one_left)
        second = Caller(first.tenant_id, first.plan, first.client, http)
        assert submit(first, "k").status_code == 202
        for refused in (submit(second, "k"), submit(first, "k")):
            assert problem_of(refused) == (429, "quota_exceeded")


def test_nothing_is_shared_when_two_tenants_have_one_plan(stack: dict[str, Any]) -> None:
    burst, quota = FREE.submit.burst_limit, FREE.submit.quota_limit
    with calling(stack, "busy") as busy, calling(stack, "idle") as idle:
        spent = [submit(busy, "k").status_code for _ in range(burst + 1)]
        assert (spent[-1], submit(idle, "k").status_code) == (429, 202)
        assert usage_today(stack, busy, "submit") == [[burst, quota - burst]]
        assert usage_today(stack, idle, "submit") == [[1, quota - 1]]


@pytest.mark.parametrize("use", ["submit", "read"])
def test_usage_plans_are_the_declared_ones_when_they_are_read_back(stack: dict[str, Any], use: str) -> None:
    found = edge_client("apigateway", stack["edge_url"]).get_usage_plans(limit=500)["items"]
    read_back = {plan["name"]: (plan["throttle"], plan["quota"]) for plan in found}
    for name, plan in OFFERED.plans.items():
        limits = getattr(plan, use)
        throttle, quota = read_back[f"{name}-{use}"]
        assert throttle == {"rateLimit": limits.rate_limit, "burstLimit": limits.burst_limit}
        assert (quota["limit"], quota["period"]) == (limits.quota_limit, limits.quota_period)
    assert len(read_back) == 2 * len(OFFERED.plans)


@pytest.mark.parametrize("name", ["acme", "globex", "initech"])
def test_service_refuses_the_job_beyond_the_declared_entitlement(stack: dict[str, Any], name: str) -> None:
    with calling(stack, name) as caller:
        plan = OFFERED.plans[caller.plan]
        month, key = f"admitted#{now(stack)[:7]}", "entitled"
        for counter, limit, code in (
            (month, plan.jobs_per_month, "job_quota_exceeded"),
            ("active", plan.active_jobs, "active_jobs_exceeded"),
        ):
            count(stack, caller, counter, limit)
            refused = submit(caller, key)
            assert problem_of(refused) == (429, code)
            assert f" {limit} " in refused.json()["detail"]
            count(stack, caller, counter, limit - 1)
        assert submit(caller, key).status_code == 202


def count(stack: dict[str, Any], caller: Caller, counter: str, jobs: int) -> None:
    """Sets an entitlement's counter, as so many submits would."""
    item = {
        "tenant_id": {"S": caller.tenant_id},
        "counter": {"S": counter},
        "jobs": {"N": str(jobs)},
    }
    edge_client("dynamodb", stack["edge_url"]).put_item(TableName="entitlements", Item=item)


def test_tenant_keeps_its_plan_when_it_is_provisioned_again_with_another(stack: dict[str, Any]) -> None:
    (again,) = administer(stack, "provision", "--tenant", "acme:free", "--json")["tenants"]
    assert (again["tenant_id"], again["plan"]) == (stack["tenants"][0]["tenant_id"], "pro")
    assert again["client_secret"] is None


def told(answer: httpx.Response, field: str) -> dict[str, dict[str, int]]:
    """A structured field's items with their parameters."""
    found = http_sfv.List()
    found.parse(answer.headers[field].encode())
    return {item.value: dict(item.params) for item in found}


def test_every_answer_says_what_is_left_and_a_refused_one_when_to_come_again(stack: dict[str, Any]) -> None:
    limits = FREE.submit
    with calling(stack, "hurried") as hurried:
        answers = [submit(hurried, "k") for _ in range(limits.burst_limit + 1)]
        policy = told(answers[0], "RateLimit-Policy")
        assert policy == {
            "burst": {"q": limits.burst_limit, "w": math.ceil(limits.burst_limit / limits.rate_limit)},
            "quota": {"q": limits.quota_limit, "w": 86_400},
        }
        left = [told(answer, "RateLimit")["burst"]["r"] for answer in answers]
        assert left == [*reversed(range(limits.burst_limit)), 0]
        refused = answers[-1]
        wait = int(refused.headers["Retry-After"])
        assert problem_of(refused) == (429, "rate_limited")
        assert wait >= told(refused, "RateLimit")["burst"]["t"]
        httpx.post(stack["clock_url"], json={"advance_seconds": wait}).raise_for_status()
        assert submit(hurried, "k").status_code == 202


def test_event_names_the_price_version_in_force_when_a_job_is_accepted(stack: dict[str, Any]) -> None:
    with calling(stack, "priced") as caller:
        job_id = submit(caller, "k").json()["id"]
        key = {
            "tenant_day": {"S": f"{caller.tenant_id}#{now(stack)[:10]}"},
            "event_id": {"S": f"{job_id}:job.accepted"},
        }
    found = edge_client("dynamodb", stack["edge_url"]).get_item(TableName="usage_events", Key=key)
    assert found["Item"]["data"]["M"]["price_version"] == {"S": OFFERED.price_book.latest.name}


def test_a_revoked_token_is_refused_by_every_function_when_five_seconds_have_passed(
    stack: dict[str, Any],
) -> None:
    tenant = next(each for each in stack["tenants"] if each["name"] == "leaving")
    client = (tenant["client_id"], tenant["client_secret"])
    with httpx.Client(base_url=stack["api"]["base_url"], timeout=TIMEOUT_SECONDS) as http:
        asked = http.post("/v1/oauth/token", data={"grant_type": "client_credentials"}, auth=client)
        token = asked.json()["access_token"]

        def read(_: int) -> httpx.Response:
            return http.get(ABSENT, headers={"Authorization": f"Bearer {token}"})

        with ThreadPoolExecutor(4) as pool:  # so that more than one function is warm
            assert {answer.status_code for answer in pool.map(read, range(8))} == {404}
            assert http.post("/v1/oauth/revoke", data={"token": token}, auth=client).status_code == 200
            httpx.post(stack["clock_url"], json={"advance_seconds": 5}).raise_for_status()
            assert {problem_of(answer) for answer in pool.map(read, range(8))} == {(401, "invalid_token")}


def test_a_tenant_made_by_command_may_do_what_the_commands_say(stack: dict[str, Any]) -> None:
    """Last, for it moves the clock by more than an hour."""
    assert administer(stack, "tenant", "add", "late", "--plan", "free", "--json")["changed"] is True
    first = administer(stack, "client", "add", "--tenant", "late", "--scope", "jobs:write", "--json")
    rotate = ("client", "rotate", first["client_id"], "--overlap-hours", "1", "--json")
    second = administer(stack, *rotate)
    with httpx.Client(base_url=stack["api"]["base_url"], timeout=TIMEOUT_SECONDS) as http:

        def asked(made: dict[str, Any]) -> httpx.Response:
            data = {"grant_type": "client_credentials"}
            return http.post("/v1/oauth/token", data=data, auth=(first["client_id"], made["client_secret"]))

        def submitted(token: str) -> httpx.Response:
            body = {"type": "sha256.chain", "input": {"seed": "0x" + "00" * 32, "rounds": 1}}
            headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "k"}
            return http.post("/v1/jobs", json=body, headers=headers)

        assert {submitted(asked(made).json()["access_token"]).status_code for made in (first, second)} == {
            202
        }
        advance(stack, 3_600)
        assert (asked(first).status_code, asked(first).json()["error"]) == (401, "invalid_client")
        token = asked(second).json()["access_token"]
        assert submitted(token).status_code == 202
        administer(stack, "tenant", "suspend", "late", "--json")
        advance(stack, 5)
        assert problem_of(submitted(token)) == (401, "invalid_token")


def advance(stack: dict[str, Any], seconds: int) -> None:
    httpx.post(stack["clock_url"], json={"advance_seconds": seconds}).raise_for_status()
