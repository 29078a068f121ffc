"""Quotas, GetUsage and UpdateUsage, where the tests of single modules leave something unshown."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulation.functions import FunctionFailed
from tests.gateway import apis
from tests.gateway.conftest import Stack
from tests.gateway.specification import cites

KEY, OTHER = "k" * 24, "other" * 5
DAY_SECONDS = 86_400.0
TODAY = {"startDate": "2026-11-23", "endDate": "2026-11-23"}


@pytest.fixture
def api(stack: Stack) -> apis.Api:
    """`/a` requires a key, and `/guarded` an authorizer's leave too; `/valid` has a required parameter."""
    stack.functions["authorize"] = lambda event: {
        "principalId": "p",
        "policyDocument": {"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}},
    }
    parameter = {"name": "q1", "in": "query", "required": True, "schema": {"type": "string"}}
    validated = {"parameters": [parameter], "x-amazon-apigateway-request-validator": "all"}
    paths = {
        "/a": {"get": apis.operation(security=apis.KEY_REQUIRED)},
        "/valid": {"get": apis.operation(security=apis.KEY_REQUIRED, **validated)},
        "/guarded": {"get": apis.operation(security=[{"auth": [], "api_key": []}])},
    }
    schemes = {"auth": apis.authorizer_scheme(), "api_key": apis.API_KEY_SCHEME}
    validators = {"all": {"validateRequestBody": False, "validateRequestParameters": True}}
    document = apis.document(paths, components={"securitySchemes": schemes})
    return apis.imported(stack, {**document, "x-amazon-apigateway-request-validators": validators})


def _send(api: apis.Api, requests: int = 1, path: str = "/a", key: str = KEY) -> list[int]:
    headers = {"x-api-key": key, "Authorization": "token"}
    return [api.get(path, headers=headers).status_code for _ in range(requests)]


def _usage(api: apis.Api, plan: str, **asked: Any) -> dict[str, list[list[int]]]:
    return api.stack.apigateway.get_usage(usagePlanId=plan, **{**TODAY, **asked})["items"]


@cites("quota.per-key")
def test_every_key_of_a_plan_has_a_quota_of_its_own(api: apis.Api) -> None:
    plan = api.plan(quota={"limit": 2, "period": "DAY"})
    keys = [apis.key_in(api.stack, plan, value=value) for value in (KEY, OTHER)]
    assert [_send(api, 3, key=value) for value in (KEY, OTHER)] == [[200, 200, 429]] * 2
    assert _usage(api, plan) == {key: [[2, 0]] for key in keys}


@pytest.mark.parametrize(
    ("quota", "days"),
    [
        pytest.param({"period": "DAY"}, 1, marks=cites("quota.day"), id="day"),
        pytest.param({"period": "MONTH"}, 8, marks=cites("quota.month"), id="month"),
        pytest.param({"period": "WEEK"}, 6, marks=cites("quota.week"), id="week"),
        pytest.param({"period": "WEEK", "offset": 2}, 1, marks=cites("quota.offset"), id="week from Tuesday"),
        pytest.param({"period": "MONTH", "offset": 27}, 5, marks=cites("quota.offset"), id="month from 28th"),
    ],
)
def test_the_next_period_starts_at_midnight_utc_of_its_first_day(
    api: apis.Api, quota: dict[str, Any], days: int
) -> None:
    apis.key_in(api.stack, api.plan(quota={"limit": 1, **quota}))
    seen = _send(api, 2)
    api.stack.clock.advance(days * DAY_SECONDS - 5 * 3600 - 0.001)  # it is Monday the 23rd, 05:00
    seen += _send(api)
    api.stack.clock.advance(0.001)
    assert [*seen, *_send(api, 2)] == [200, 429, 429, 200, 429]


@cites("quota.offset-range")
@pytest.mark.parametrize(("period", "largest"), [("DAY", 0), ("WEEK", 6), ("MONTH", 27)])
def test_an_offset_is_taken_up_to_its_periods_largest_and_refused_beyond(
    api: apis.Api, period: str, largest: int
) -> None:
    quota: Any = {"limit": 1, "period": period, "offset": largest}
    plan = api.plan(quota=quota)
    operations: Any = [{"op": "replace", "path": "/quota/offset", "value": str(largest + 1)}]
    for refused in (
        lambda: api.plan(quota={**quota, "offset": largest + 1}),
        lambda: api.stack.apigateway.update_usage_plan(usagePlanId=plan, patchOperations=operations),
    ):
        with pytest.raises(ClientError, match="Usage Plan quota offset must be") as raised:
            refused()
        assert raised.value.response["Error"]["Code"] == "BadRequestException"


@pytest.mark.parametrize(
    ("path", "status", "counted"),
    [
        pytest.param("/guarded", 403, 0, marks=cites("quota.authorizer-denial-not-counted"), id="denied"),
        pytest.param("/nowhere", 403, 0, marks=cites("quota.unknown-path-not-counted"), id="unknown"),
        pytest.param("/valid", 400, 1, marks=cites("quota.invalid-counted"), id="invalid"),
    ],
)
def test_a_request_that_a_check_refuses_is_counted_if_it_came_as_far_as_the_quota(
    api: apis.Api, path: str, status: int, counted: int
) -> None:
    plan = api.plan(quota={"limit": 9, "period": "DAY"})
    key = apis.key_in(api.stack, plan)
    assert _send(api, path=path) == [status]
    assert _usage(api, plan) == {key: [[counted, 9 - counted]]}


@cites("quota.backend-error-counted")
def test_a_request_is_counted_when_its_function_answers_500_or_raises(api: apis.Api) -> None:
    plan = api.plan(quota={"limit": 9, "period": "DAY"})
    key = apis.key_in(api.stack, plan)

    def fail(event: dict[str, Any]) -> object:
        raise FunctionFailed("hello", "ValueError", "no")

    api.stack.functions["hello"] = lambda event: {"statusCode": 500}
    seen = _send(api)
    api.stack.functions["hello"] = fail
    assert [*seen, *_send(api)] == [500, 502]
    assert _usage(api, plan) == {key: [[2, 7]]}


@cites("quota.none-requires-key", "quota.none-meters-nothing")
def test_a_plan_without_limits_requires_the_key_and_counts_nothing(api: apis.Api) -> None:
    plan = api.plan()
    key = apis.key_in(api.stack, plan)
    assert (api.get("/a").status_code, _send(api, 30)) == (403, [200] * 30)
    assert _usage(api, plan) == {key: [[0, 0]]}


@cites("usage.pairs")
def test_a_months_pairs_are_the_published_example(stack: Stack) -> None:
    mock = {
        "type": "mock",
        "requestTemplates": {"application/json": '{"statusCode": 200}'},
        "responses": {"default": {"statusCode": "200"}},
    }
    settings: dict[str, Any] = {"x-amazon-apigateway-integration": mock}
    operation = apis.operation(security=apis.KEY_REQUIRED, **settings)
    api = apis.imported(stack, apis.document({"/a": {"get": operation}}, **apis.KEYED))
    plan = api.plan(quota={"limit": 1_000_000, "period": "MONTH"})
    key = apis.key_in(stack, plan)
    for requests in (137, 123, 84):
        assert set(_send(api, requests)) == {200}
        stack.clock.advance(DAY_SECONDS)
    assert _usage(api, plan, endDate="2026-11-25") == {key: [[137, 999863], [123, 999740], [84, 999656]]}


@cites("usage.dates-required")
@pytest.mark.parametrize("given", ["", "startDate=2026-11-23", "endDate=2026-11-23", "startDate=&endDate="])
def test_get_usage_is_refused_when_a_date_is_missing(api: apis.Api, given: str) -> None:
    answer = api.stack.http.get(f"/usageplans/{api.plan()}/usage?{given}")
    assert (answer.status_code, answer.headers["x-amzn-errortype"]) == (400, "BadRequestException")


@pytest.mark.parametrize(
    ("start", "end"),
    [
        pytest.param("2025-11-23", "2026-11-24", marks=cites("usage.range"), id="too long"),
        pytest.param("1969-12-31", "1970-01-01", marks=cites("usage.first-day"), id="too early"),
        pytest.param("2999-12-31", "3000-01-01", marks=cites("usage.last-day"), id="too late"),
    ],
)
def test_get_usage_is_refused_when_the_days_are_too_many_or_out_of_time(
    api: apis.Api, start: str, end: str
) -> None:
    plan = api.plan()
    with pytest.raises(ClientError) as refused:
        _usage(api, plan, startDate=start, endDate=end)
    assert refused.value.response["Error"]["Code"] == "BadRequestException"
    assert _usage(api, plan, startDate="2025-11-23", endDate="2026-11-23") == {}


@cites("usage.page-default", "usage.page-largest", "usage.position")
def test_a_page_has_25_keys_unless_asked_and_500_at_most(api: apis.Api) -> None:
    plan, http = api.plan(quota={"limit": 1, "period": "DAY"}), api.stack.http
    keys = []
    for number in range(501):
        key = http.post("/apikeys", json={"name": "k", "value": f"{number:020}", "enabled": True}).json()[
            "id"
        ]
        http.post(f"/usageplans/{plan}/keys", json={"keyId": key, "keyType": "API_KEY"}).raise_for_status()
        keys.append(key)
    control, told = api.stack.apigateway, list[str]()
    assert list(_usage(api, plan)) == keys[:25]
    assert list(_usage(api, plan, limit=1000)) == keys[:500]
    for page in control.get_paginator("get_usage").paginate(
        usagePlanId=plan, PaginationConfig={"PageSize": 200}, **TODAY
    ):
        told += page["items"]
    assert told == keys


@cites("usage.body", "usage.one-key")
def test_the_body_has_the_published_fields_and_the_one_key_that_is_asked_for(api: apis.Api) -> None:
    plan = api.plan(quota={"limit": 5, "period": "DAY"})
    key, _ = (apis.key_in(api.stack, plan, value=value) for value in (KEY, OTHER))
    _send(api)
    asked = {**TODAY, "keyId": key}
    told = api.stack.http.get(f"/usageplans/{plan}/usage", params=asked).json()
    assert told == {"usagePlanId": plan, **TODAY, "values": {key: [[1, 4]]}}
    assert _usage(api, plan, keyId=key) == told["values"]


@cites("usage.update", "usage.update-above-limit")
def test_what_was_set_to_remain_holds_in_its_period_alone(api: apis.Api) -> None:
    plan = api.plan(quota={"limit": 2, "period": "DAY"})
    key = apis.key_in(api.stack, plan)
    operations: Any = [{"op": "replace", "path": "/remaining", "value": "4"}]
    api.stack.apigateway.update_usage(usagePlanId=plan, keyId=key, patchOperations=operations)
    seen = _send(api, 5)
    api.stack.clock.advance(DAY_SECONDS)
    assert [*seen, *_send(api, 3)] == [200, 200, 200, 200, 429, 200, 200, 429]
    assert _usage(api, plan, endDate="2026-11-24") == {key: [[4, 0], [2, 0]]}


@cites("usage.immediate")
def test_every_request_is_told_before_the_next_one_is_sent(api: apis.Api) -> None:
    plan = api.plan(quota={"limit": 3, "period": "DAY"})
    key = apis.key_in(api.stack, plan)
    for used in (1, 2, 3):
        _send(api)
        assert _usage(api, plan) == {key: [[used, 3 - used]]}
