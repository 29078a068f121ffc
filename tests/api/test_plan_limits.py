"""A submit that the plan has no room for: which limit, how much, when it resets; it costs nothing."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from chalicelib.domain.entitlements import next_period_start
from chalicelib.domain.metering import kibibytes
from chalicelib.domain.payload import RESULT_BYTES
from chalicelib.domain.prices import Meter
from chalicelib.web.schemas.base import timestamp
from tests.api.calls import Call
from tests.api.conftest import ACME, FREE, Api
from tests.api.provocations import SUBMIT_BODY, with_a_spent_cap, with_a_spent_month, with_every_place_taken

CALL = Call(
    operation_id="submitJob",
    method="POST",
    path="/v1/jobs",
    scope="jobs:write",
    headers={"Idempotency-Key": "one more"},
    media_type="application/json",
    body=SUBMIT_BODY,
)


def entitlements(api: Api, tenant: str) -> dict[str, Any]:
    """What the tenant sees of its plan."""
    found: dict[str, Any] = api.http.get("/v1/usage", headers=api.bearer(tenant)).json()["entitlements"]
    return found


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The limit that the refusal names."""
    assert (answer.status_code, answer.json()["code"], answer.json()["retryable"]) == (status, code, True)
    limit: dict[str, Any] = answer.json()["limit"]
    return limit


def test_the_place_is_named_and_is_free_again_when_a_job_ends(api: Api) -> None:
    limit = refused(with_every_place_taken(api, CALL), 429, "active_jobs_exceeded")
    assert limit == {"name": "active_jobs", "allowed": "10", "used": "10", "needed": "1", "resets_at": None}
    assert entitlements(api, FREE)["active_jobs"] == 10
    api.cancel(api.submit("k0", tenant=FREE).json()["id"], tenant=FREE)
    assert api.submit("one more", tenant=FREE).status_code == 202


@pytest.mark.parametrize(
    ("provoke", "tenant", "status", "code"),
    [
        (with_a_spent_month, FREE, 429, "job_quota_exceeded"),
        (with_a_spent_cap, ACME, 402, "spend_cap_exceeded"),
    ],
)
def test_the_limit_of_the_month_is_told_and_is_new_when_the_told_time_is_over(
    api: Api, provoke: Any, tenant: str, status: int, code: str
) -> None:
    answer = provoke(api, CALL)
    limit = refused(answer, status, code)
    before = entitlements(api, tenant)
    counted, allowed = {
        "jobs_per_month": ("jobs_admitted", "jobs_per_month"),
        "spend_cap_micros": ("spend_micros", "spend_cap_micros"),
    }[limit["name"]]
    assert (limit["used"], limit["allowed"]) == (str(before[counted]), str(before[allowed]))
    assert int(limit["used"]) + int(limit["needed"]) > int(limit["allowed"])
    month_end = next_period_start(api.adapters.clock.now())
    assert limit["resets_at"] == before["resets_at"] == timestamp(month_end)
    wait = int(answer.headers["Retry-After"])
    assert timedelta(seconds=wait) == month_end - api.adapters.clock.now()
    api.stack.clock.advance(wait - 1)
    assert refused(api.submit("one more", tenant=tenant), status, code)["resets_at"] == limit["resets_at"]
    api.stack.clock.advance(1)
    assert api.submit("one more", tenant=tenant).status_code == 202


def test_a_replay_is_answered_and_costs_nothing_when_the_cap_is_spent(api: Api) -> None:
    first = api.submit("mine")
    refused(with_a_spent_cap(api, CALL), 402, "spend_cap_exceeded")
    before = entitlements(api, ACME)
    again = api.submit("mine")
    assert (again.status_code, again.content) == (202, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert entitlements(api, ACME) == before


def test_what_a_job_did_not_use_is_free_again_when_it_ends(api: Api) -> None:
    book = api.container.plans.price_book
    version = book.in_force(api.adapters.clock.now()).name
    accepted, compute, stored, confirmed = (
        book.list_price_micros("pro", meter, version=version)
        for meter in (Meter.JOB_ACCEPTED, Meter.COMPUTE_USED, Meter.PAYLOAD_STORED, Meter.JOB_CONFIRMED)
    )
    job_id = api.submit(rounds=2_000_000).json()["id"]
    most = accepted + 2 * compute + kibibytes(RESULT_BYTES + 1) * stored + confirmed
    assert entitlements(api, ACME)["spend_micros"] == str(most)
    api.cancel(job_id)
    assert entitlements(api, ACME)["spend_micros"] == str(accepted + stored)
    assert entitlements(api, ACME)["spend_cap_micros"] == "500000000"
